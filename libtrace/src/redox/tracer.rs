//! A tracer with everything it needs of its tracee: what Redox's `strace` crate offers.

use std::ffi::OsString;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use syscall::PtraceEvent;

use super::{
    EnvRegisters, Event, File, Flags, FloatRegisters, IntRegisters, OpenOptions, Pid, failed,
};
use crate::{Errno, ptrace, spawn};

/// The registers of a task. One that runs is stopped for as long as it takes.
#[derive(Debug)]
pub struct Registers {
    /// `regs/float`.
    pub float: File,
    /// `regs/int`.
    pub int: File,
    /// `regs/env`.
    pub env: File,
}

/// The memory of a task.
#[derive(Debug)]
pub struct Memory {
    /// `mem`.
    pub file: File,
}

/// A tracer that waits for what it asks for.
#[derive(Debug)]
pub struct Tracer {
    /// `trace`.
    pub file: File,
    /// The tracee's registers.
    pub regs: Registers,
    /// The tracee's memory.
    pub mem: Memory,
}

/// A tracer that does not wait: `event:` says when there is something to read.
#[derive(Debug)]
pub struct NonblockTracer {
    /// `trace`.
    pub file: File,
    /// The tracee's registers.
    pub regs: Registers,
    /// The tracee's memory.
    pub mem: Memory,
}

/// What came of waiting: a stop, or something that happened before it.
#[must_use = "the tracee may be running, and what it did is to be read"]
#[derive(Debug)]
pub struct EventHandler<'a> {
    inner: &'a mut Tracer,
}

/// Every method fails with `ESRCH` where there is no such task, or it dies.
impl Registers {
    /// Opens the registers of a task.
    ///
    /// # Errors
    /// None that a task number causes; the task is looked for when it is read.
    pub fn attach(pid: Pid) -> io::Result<Registers> {
        Ok(Registers {
            float: File::open(format!("proc:{pid}/regs/float"))?,
            int: File::open(format!("proc:{pid}/regs/int"))?,
            env: File::open(format!("proc:{pid}/regs/env"))?,
        })
    }

    /// Reads the general registers.
    ///
    /// # Errors
    /// `ESRCH`.
    pub fn get_int(&mut self) -> io::Result<IntRegisters> {
        let mut regs = IntRegisters::default();
        self.int.read_exact(&mut regs.0)?;
        Ok(regs)
    }

    /// Writes the general registers.
    ///
    /// # Errors
    /// `ESRCH`; `EIO` for values a task may not have.
    pub fn set_int(&mut self, regs: &IntRegisters) -> io::Result<()> {
        self.int.write_all(&regs.0)
    }

    /// Reads the floating-point registers.
    ///
    /// # Errors
    /// `ESRCH`.
    pub fn get_float(&mut self) -> io::Result<FloatRegisters> {
        let mut regs = FloatRegisters::default();
        self.float.read_exact(&mut regs.0)?;
        Ok(regs)
    }

    /// Writes the floating-point registers.
    ///
    /// # Errors
    /// `ESRCH`; `EINVAL` for bits that `mxcsr` does not have.
    pub fn set_float(&mut self, regs: &FloatRegisters) -> io::Result<()> {
        self.float.write_all(&regs.0)
    }

    /// Reads the bases.
    ///
    /// # Errors
    /// `ESRCH`.
    pub fn get_env(&mut self) -> io::Result<EnvRegisters> {
        let mut regs = EnvRegisters::default();
        self.env.read_exact(&mut regs.0)?;
        Ok(regs)
    }

    /// Writes the bases.
    ///
    /// # Errors
    /// As [`Registers::set_int`].
    pub fn set_env(&mut self, regs: &EnvRegisters) -> io::Result<()> {
        self.env.write_all(&regs.0)
    }
}

impl Memory {
    /// Opens the memory of a task.
    ///
    /// # Errors
    /// As [`Registers::attach`].
    pub fn attach(pid: Pid) -> io::Result<Memory> {
        let file = File::open(format!("proc:{pid}/mem"))?;
        Ok(Memory { file })
    }

    /// Fills a buffer from an address of the tracee.
    ///
    /// # Errors
    /// `ESRCH`; `EFAULT` or `EIO` where there is no memory; the end of the file where it ends in
    /// between.
    pub fn read(&mut self, address: *const u8, memory: &mut [u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(address as u64))?;
        self.file.read_exact(memory)
    }

    /// The same as far as there is memory; how many bytes.
    ///
    /// # Errors
    /// As [`Memory::read`].
    pub fn read_some(&mut self, address: *const u8, memory: &mut [u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(address as u64))?;
        self.file.read(memory)
    }

    /// Writes to an address of the tracee, also where itself it cannot.
    ///
    /// # Errors
    /// `ESRCH`; `EIO` at the first word that is not there.
    pub fn write(&mut self, memory: &[u8], address: *mut u8) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(address as u64))?;
        self.file.write_all(memory)
    }

    /// The address behind what was read or written last.
    ///
    /// # Errors
    /// None.
    pub fn cursor(&mut self) -> io::Result<u64> {
        self.file.stream_position()
    }
}

impl Tracer {
    /// Traces a task and stops it. It stands still until [`Tracer::next`].
    ///
    /// # Errors
    /// As [`OpenOptions::open`].
    pub fn attach(pid: Pid) -> io::Result<Tracer> {
        Ok(Tracer {
            file: OpenOptions::new()
                .read(true)
                .write(true)
                .truncate(true)
                .open(format!("proc:{pid}/trace"))?,
            regs: Registers::attach(pid)?,
            mem: Memory::attach(pid)?,
        })
    }

    /// Starts a program and traces it; it stands before its execve. On Redox a child stops itself first,
    /// which works here too; this needs no unsafe code.
    ///
    /// # Errors
    /// As [`spawn::spawn_traced`] and [`Tracer::attach`].
    pub fn spawn(program: &Path, args: &[OsString]) -> io::Result<(Pid, Tracer)> {
        let pid = spawn::spawn_traced(program, args).map_err(failed)?;
        let tracer = Tracer::attach(pid as Pid)?;
        ptrace::detach(pid, 0).map_err(failed)?;
        Ok((pid as Pid, tracer))
    }

    /// Has the tracee go on, and returns the stop that it comes to. What happens on the way is dropped.
    ///
    /// # Errors
    /// `ESRCH`: it has died. `EINTR`: a signal handler ran.
    pub fn next(&mut self, flags: Flags) -> io::Result<Event> {
        self.next_event(flags)?.ignore()
    }

    /// Has the tracee go on, and waits for a stop or for something that happens on the way.
    ///
    /// # Errors
    /// As [`Tracer::next`].
    pub fn next_event(&mut self, flags: Flags) -> io::Result<EventHandler<'_>> {
        write_flags(&mut self.file, flags)?;
        Ok(EventHandler { inner: self })
    }

    /// The same tracer, which does not wait.
    ///
    /// # Errors
    /// None.
    pub fn nonblocking(mut self) -> io::Result<NonblockTracer> {
        self.file.set_nonblocking(true);
        let Tracer { file, regs, mem } = self;
        Ok(NonblockTracer { file, regs, mem })
    }
}

impl EventHandler<'_> {
    /// The next of what came, if there is any more.
    ///
    /// # Errors
    /// `ESRCH`: the tracer's thread has ended.
    pub fn pop_one(&mut self) -> io::Result<Option<Event>> {
        read_event(&mut self.inner.file)
    }

    /// Everything that came and has not been read.
    pub fn iter(&mut self) -> impl Iterator<Item = io::Result<Event>> + '_ {
        events(&mut self.inner.file)
    }

    /// Waits for what was asked for before, without having the tracee go on from a stop.
    ///
    /// # Errors
    /// As [`Tracer::next`].
    pub fn retry(&mut self) -> io::Result<()> {
        write_flags(&mut self.inner.file, Flags::FLAG_WAIT)
    }

    /// Calls `callback` with what happens until the stop, and returns the stop.
    ///
    /// # Errors
    /// As [`Tracer::next`], and those of `callback`.
    pub fn from_callback<F, E>(mut self, mut callback: F) -> Result<Event, E>
    where
        F: FnMut(Event) -> Result<(), E>,
        E: From<io::Error>,
    {
        loop {
            while let Some(event) = self.pop_one()? {
                if event.is_stop() {
                    return Ok(event);
                }
                callback(event)?;
            }
            self.retry()?;
        }
    }

    /// Waits for the stop, and returns it.
    ///
    /// # Errors
    /// As [`Tracer::next`].
    pub fn ignore(self) -> io::Result<Event> {
        self.from_callback(|_| Ok(()))
    }
}

impl NonblockTracer {
    /// As [`Tracer::attach`].
    ///
    /// # Errors
    /// As there.
    pub fn attach(pid: Pid) -> io::Result<NonblockTracer> {
        Tracer::attach(pid)?.nonblocking()
    }

    /// Has the tracee go on. With [`FLAG_WAIT`](Flags::FLAG_WAIT) it waits after all.
    ///
    /// # Errors
    /// `ESRCH`: it has died.
    pub fn next(&mut self, flags: Flags) -> io::Result<()> {
        write_flags(&mut self.file, flags)
    }

    /// Everything that has happened and has not been read; it does not wait.
    ///
    /// # Errors
    /// None before the iterator is asked.
    pub fn events(&mut self) -> io::Result<impl Iterator<Item = io::Result<Event>> + '_> {
        Ok(events(&mut self.file))
    }

    /// The same tracer, which waits.
    ///
    /// # Errors
    /// None.
    pub fn blocking(mut self) -> io::Result<Tracer> {
        self.file.set_nonblocking(false);
        let NonblockTracer { file, regs, mem } = self;
        Ok(Tracer { file, regs, mem })
    }
}

fn write_flags(file: &mut File, flags: Flags) -> io::Result<()> {
    // Not the bytes that PtraceFlags dereferences to: in redox_syscall 0.5.18 they are those of a
    // temporary value that is gone.
    file.write(&flags.bits().to_ne_bytes()).map(drop)
}

fn read_event(file: &mut File) -> io::Result<Option<Event>> {
    let mut event = PtraceEvent::default();
    let size = event.len();
    match file.read(&mut event)? {
        0 => Ok(None),
        count if count == size => Ok(Some(Event::new(event))),
        _ => Err(failed(Errno::EIO)),
    }
}

fn events(file: &mut File) -> impl Iterator<Item = io::Result<Event>> + '_ {
    std::iter::from_fn(move || read_event(file).transpose())
}
