//! A task in a ptrace-stop: its registers are read once, and written when it goes on.

use libtrace::ptrace::{self, FpRegs};
use libtrace::{Pid, Result, SigInfo, UserRegs};

use crate::registers::{self, Register, UserWords};

/// A stopped task.
#[derive(Debug)]
pub struct Stopped {
    tid: Pid,
    /// The kind of stop.
    pub(super) how: How,
    /// The signal to go on with.
    pub(super) deliver: i32,
    user: Cached<Box<UserWords>>,
    float: Cached<Box<FpRegs>>,
}

/// The kind of a ptrace-stop, which decides what a signal given to the resumption does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// signal-delivery-stop: a signal given is delivered.
    Signal(i32),
    /// group-stop.
    Group(i32),
    /// event-stop: a signal given is ignored.
    Event,
    /// syscall-entry-stop or syscall-exit-stop: a signal given is sent.
    Call,
}

/// Some registers, read when first needed.
#[derive(Debug)]
enum Cached<T> {
    Unread,
    Read(T),
    Changed(T),
}

impl<T> Cached<T> {
    /// The value, read by `read` if it was not.
    fn get(&mut self, read: impl FnOnce() -> Result<T>) -> Result<&T> {
        if let Cached::Unread = self {
            *self = Cached::Read(read()?);
        }
        match self {
            Cached::Read(value) | Cached::Changed(value) => Ok(value),
            Cached::Unread => unreachable!("it was read"),
        }
    }

    /// The changed value, which has then been taken over.
    fn changed(&mut self) -> Option<&T> {
        match std::mem::replace(self, Cached::Unread) {
            Cached::Changed(value) => *self = Cached::Read(value),
            other => {
                *self = other;
                return None;
            }
        }
        match self {
            Cached::Read(value) => Some(value),
            _ => None,
        }
    }
}

impl Stopped {
    pub(super) fn new(tid: Pid, how: How) -> Stopped {
        Stopped {
            tid,
            how,
            deliver: 0,
            user: Cached::Unread,
            float: Cached::Unread,
        }
    }

    /// The general registers.
    ///
    /// # Errors
    /// What ptrace(2) lists; `ESRCH` where the task was killed.
    pub fn user(&mut self) -> Result<&UserWords> {
        let tid = self.tid;
        let user = self
            .user
            .get(|| Ok(Box::new(ptrace::getregs(tid)?.to_words())))?;
        Ok(user)
    }

    /// Sets the general registers.
    pub fn set_user(&mut self, words: UserWords) {
        self.user = Cached::Changed(Box::new(words));
    }

    /// The floating-point registers.
    ///
    /// # Errors
    /// As [`user`](Self::user).
    pub fn float(&mut self) -> Result<&FpRegs> {
        let tid = self.tid;
        let float = self.float.get(|| ptrace::getfpregs(tid).map(Box::new))?;
        Ok(float)
    }

    /// The instruction pointer.
    ///
    /// # Errors
    /// As [`user`](Self::user).
    pub fn pc(&mut self) -> Result<u64> {
        Ok(UserRegs::from_words(self.user()?).rip)
    }

    /// Sets the instruction pointer.
    ///
    /// # Errors
    /// As [`user`](Self::user).
    pub fn set_pc(&mut self, pc: u64) -> Result<()> {
        let mut regs = UserRegs::from_words(self.user()?);
        regs.rip = pc;
        self.set_user(regs.to_words());
        Ok(())
    }

    /// Appends one register's bytes.
    ///
    /// # Errors
    /// As [`user`](Self::user).
    pub fn read_register(&mut self, register: &Register, to: &mut Vec<u8>) -> Result<()> {
        const NONE: (&UserWords, &FpRegs) = (&[0; 27], &[0; 512]);
        match register.place {
            registers::Place::User(_) => register.read(self.user()?, NONE.1, to),
            _ => register.read(NONE.0, self.float()?, to),
        }
        Ok(())
    }

    /// Sets one register. The kernel checks the values: what it refuses changes nothing.
    ///
    /// # Errors
    /// As [`user`](Self::user), and what ptrace(2) lists for the values.
    pub fn write_registers<'a>(
        &mut self,
        values: impl IntoIterator<Item = (&'a Register, &'a [u8])>,
    ) -> Result<()> {
        let (mut user, mut float) = (*self.user()?, *self.float()?);
        let (old_user, old_float) = (user, float);
        for (register, bytes) in values {
            register.write(bytes, &mut user, &mut float);
        }
        if float != old_float {
            ptrace::setfpregs(self.tid, &float)?;
            self.float = Cached::Read(Box::new(float));
        }
        if user != old_user {
            ptrace::setregs(self.tid, &UserRegs::from_words(&user))?;
            // The kernel may have taken over less than was given.
            self.user = Cached::Unread;
        }
        Ok(())
    }

    /// What the signal of the stop says of its origin.
    ///
    /// # Errors
    /// As [`user`](Self::user), and `EINVAL` in a group-stop.
    pub fn signal_info(&self) -> Result<SigInfo> {
        ptrace::getsiginfo(self.tid)
    }

    /// Replaces it.
    ///
    /// # Errors
    /// As [`signal_info`](Self::signal_info).
    pub fn set_signal_info(&self, info: &SigInfo) -> Result<()> {
        ptrace::setsiginfo(self.tid, info)
    }

    /// Writes the registers that have changed.
    ///
    /// # Errors
    /// As [`user`](Self::user).
    pub(super) fn flush(&mut self) -> Result<()> {
        match self.user.changed() {
            Some(words) => ptrace::setregs(self.tid, &UserRegs::from_words(words)),
            None => Ok(()),
        }
    }
}
