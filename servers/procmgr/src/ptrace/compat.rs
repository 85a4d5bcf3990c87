//! Requests in the words of a 32-bit tracer: its memory is seen in words of four bytes, and so are
//! registers, addresses and siginfos. What has no such word is the same as for everybody else.

use super::{Done, OK, Request};
use crate::Procmgr;
use crate::machine::Machine;
use abi::compat::{self, Place, REGS};
use abi::linux::ptrace as nr;
use abi::signal::SIGINFO_SIZE;
use abi::{Errno, TaskId};
use alloc::boxed::Box;

impl Procmgr {
    /// A request with four arguments of 32 bits.
    pub(crate) fn ptrace_compat(
        &mut self,
        m: &mut impl Machine,
        client: TaskId,
        args: [u64; 4],
    ) -> Result<Done, Errno> {
        let [number, pid, addr, data] = args.map(|word| u64::from(word as u32));
        let own = matches!(
            number as u32,
            nr::PTRACE_PEEKTEXT
                | nr::PTRACE_PEEKDATA
                | nr::PTRACE_POKETEXT
                | nr::PTRACE_POKEDATA
                | nr::PTRACE_PEEKUSR
                | nr::PTRACE_POKEUSR
                | nr::PTRACE_GETREGS
                | nr::PTRACE_SETREGS
                | nr::PTRACE_GETFPREGS
                | nr::PTRACE_SETFPREGS
                | nr::PTRACE_GETEVENTMSG
                | nr::PTRACE_GETSIGINFO
                | nr::PTRACE_SETSIGINFO
                | nr::PTRACE_GETREGSET
                | nr::PTRACE_SETREGSET
        );
        if !own {
            return self.ptrace(m, client, [number, pid, addr, data]);
        }
        let target = self.own_tracee(client, pid as i32)?;
        self.at_stop(target)?;
        let r = Request {
            client,
            target,
            addr,
            data,
        };
        match number as u32 {
            nr::PTRACE_PEEKTEXT | nr::PTRACE_PEEKDATA => self.compat_peek(m, &r),
            nr::PTRACE_POKETEXT | nr::PTRACE_POKEDATA => self.compat_poke(m, &r),
            nr::PTRACE_PEEKUSR => self.compat_peek_user(m, &r),
            nr::PTRACE_POKEUSR => self.compat_poke_user(m, &r),
            nr::PTRACE_GETREGS => self.compat_get_regs(m, &r),
            nr::PTRACE_SETREGS => self.compat_set_regs(m, &r),
            nr::PTRACE_GETEVENTMSG => {
                let message = self.at_stop(target)?.stop.message as u32;
                self.put(m, client, data, &message.to_le_bytes())?;
                Ok(OK)
            }
            nr::PTRACE_GETSIGINFO => {
                let info = self.stop_info(target)?.ok_or(Errno::EINVAL)?;
                self.put(m, client, data, &compat::siginfo_bytes(&info))?;
                Ok(OK)
            }
            nr::PTRACE_SETSIGINFO => {
                let bytes: [u8; SIGINFO_SIZE] = self.get(m, client, data)?;
                self.stop_info(target)?.ok_or(Errno::EINVAL)?;
                self.at_stop_mut(target)?.info = Some(Box::new(compat::siginfo_of(&bytes)));
                Ok(OK)
            }
            nr::PTRACE_GETREGSET | nr::PTRACE_SETREGSET => self.compat_regset(m, &r, number as u32),
            // The x87 state alone, as i386 had it before FXSAVE: nobody has a layout for it here.
            _ => Err(Errno::EIO),
        }
    }

    fn compat_peek(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let space = self.task(r.target).space.ok_or(Errno::EIO)?;
        let mut word = [0; 4];
        if self.memory.peek(m, space, r.addr, &mut word) < word.len() {
            return Err(Errno::EIO);
        }
        Ok(Done::Word(u32::from_le_bytes(word).into()))
    }

    fn compat_poke(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let space = self.task(r.target).space.ok_or(Errno::EIO)?;
        let word = (r.data as u32).to_le_bytes();
        if self.memory.poke(m, space, r.addr, &word) < word.len() {
            return Err(Errno::EIO);
        }
        Ok(OK)
    }

    fn compat_peek_user(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let word = match Place::at(r.addr as u32)? {
            Place::Register(at) => self.user_regs(m, r.target)?.to_words()[at],
            Place::Debug(n) => self.task(r.target).trace.debug.get(n),
            Place::Gap => 0,
        };
        Ok(Done::Word(word & 0xffff_ffff))
    }

    fn compat_poke_user(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        match Place::at(r.addr as u32)? {
            Place::Register(at) => {
                let value = compat::widened(at, r.data as u32);
                self.write_user_regs(m, r.target, at, &[value])?;
            }
            Place::Debug(n) => self.set_debug_register(m, r.target, n, r.data)?,
            Place::Gap => {}
        }
        Ok(OK)
    }

    fn compat_get_regs(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let regs = compat::registers(&self.user_regs(m, r.target)?);
        let mut bytes = [0; 4 * REGS];
        for (to, word) in bytes.chunks_exact_mut(4).zip(regs) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        self.put(m, r.client, r.data, &bytes)?;
        Ok(OK)
    }

    fn compat_set_regs(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let bytes: [u8; 4 * REGS] = self.get(m, r.client, r.data)?;
        let mut values = [0; REGS];
        for (word, from) in values.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = u32::from_le_bytes(from.try_into().expect("four bytes"));
        }
        for (word, value) in compat::assignments(&values) {
            self.write_user_regs(m, r.target, word, &[value])?;
        }
        Ok(OK)
    }

    /// Only the iovec is another one: the sets are the tracee's.
    fn compat_regset(
        &mut self,
        m: &mut impl Machine,
        r: &Request,
        number: u32,
    ) -> Result<Done, Errno> {
        let iovec: [u8; 8] = self.get(m, r.client, r.data)?;
        let word = |at: usize| u32::from_le_bytes(iovec[at..at + 4].try_into().expect("a word"));
        let buffer = (word(0).into(), word(4).into());
        let len = match number {
            nr::PTRACE_GETREGSET => self.read_regset(m, r, buffer)?,
            _ => self.write_regset(m, r, buffer)?,
        };
        let at = r.data.wrapping_add(4);
        self.put(m, r.client, at, &(len as u32).to_le_bytes())?;
        Ok(OK)
    }
}
