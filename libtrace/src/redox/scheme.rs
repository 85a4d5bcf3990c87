//! The files of Redox's `proc:` scheme, and of `event:`.
//!
//! They are no descriptors: each belongs to the thread that opened it, which is the tracer.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::Path;

use syscall::{EventFlags, PtraceEvent, PtraceFlags};

use super::regs::{FLOAT_SIZE, env_of, int_of, user_of, with_env};
use super::tracees::{self, Id, Stopped};
use super::{Flags, failed};
use crate::{Errno, Pid, Result, memory};

/// The note types of register sets: floating point.
const NT_PRFPREG: u64 = 2;
/// The size of that set: what FXSAVE stores.
const FXSAVE_SIZE: usize = 512;

/// How to open a file, with the flags that mean something here.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    truncate: bool,
    custom: i32,
}

/// An open file.
#[derive(Debug)]
pub struct File {
    kind: Kind,
    /// Engines are a thread's own.
    _of_this_thread: PhantomData<*const ()>,
}

#[derive(Debug)]
enum Kind {
    Trace { id: Id, options: OpenOptions },
    Regs { pid: Pid, set: Set },
    Mem { pid: Pid, cursor: u64 },
    Events(Vec<(Id, usize)>),
}

#[derive(Clone, Copy, Debug)]
enum Set {
    Int,
    Float,
    Env,
}

impl OpenOptions {
    /// None.
    pub fn new() -> OpenOptions {
        OpenOptions::default()
    }

    /// Every file here can be read.
    pub fn read(&mut self, _read: bool) -> &mut OpenOptions {
        self
    }

    /// Every file here can be written.
    pub fn write(&mut self, _write: bool) -> &mut OpenOptions {
        self
    }

    /// Of a trace file (`O_TRUNC`): the tracee stops at once, and stands still until it is told to go
    /// on.
    pub fn truncate(&mut self, truncate: bool) -> &mut OpenOptions {
        self.truncate = truncate;
        self
    }

    /// Redox's `O_NONBLOCK`, of a trace file: writing does not wait for the stop. `O_EXCL`: the tracee
    /// is killed when the file is closed. `O_TRUNC` is [`OpenOptions::truncate`].
    pub fn custom_flags(&mut self, flags: i32) -> &mut OpenOptions {
        self.custom = flags;
        self
    }

    /// Opens `proc:PID/trace`, `regs/int`, `regs/float`, `regs/env` or `mem` of a task, or `event:`.
    ///
    /// # Errors
    /// `ENOENT`: another name. `ESRCH`: no such task. `EBUSY`: it has such a tracer. `EPERM`: not
    /// allowed. `ENOSYS`: on Linux.
    pub fn open(&self, path: impl AsRef<Path>) -> io::Result<File> {
        let name = path.as_ref().to_str().unwrap_or_default();
        let kind = self.open_name(name).map_err(failed)?;
        Ok(File {
            kind,
            _of_this_thread: PhantomData,
        })
    }

    fn open_name(&self, name: &str) -> Result<Kind> {
        if name == "event:" {
            return Ok(Kind::Events(Vec::new()));
        }
        let rest = name.strip_prefix("proc:").ok_or(Errno::ENOENT)?;
        let (pid, file) = rest.split_once('/').ok_or(Errno::ENOENT)?;
        let pid: Pid = pid.parse().map_err(|_| Errno::ENOENT)?;
        let regs = |set| Ok(Kind::Regs { pid, set });
        match file {
            "trace" => {
                let stop = self.truncate || self.has(syscall::O_TRUNC);
                let id = tracees::with(|tracees| tracees.open(pid, stop))?;
                let options = self.clone();
                Ok(Kind::Trace { id, options })
            }
            "regs/int" => regs(Set::Int),
            "regs/float" => regs(Set::Float),
            "regs/env" => regs(Set::Env),
            "mem" => Ok(Kind::Mem { pid, cursor: 0 }),
            _ => Err(Errno::ENOENT),
        }
    }

    fn has(&self, flag: usize) -> bool {
        self.custom as u32 as usize & flag != 0
    }
}

impl File {
    /// Opens a file as [`OpenOptions::open`] does without options.
    ///
    /// # Errors
    /// As there.
    pub fn open(path: impl AsRef<Path>) -> io::Result<File> {
        OpenOptions::new().open(path)
    }

    /// The number that `event:` knows a trace file by; -1 for other files.
    pub fn as_raw_fd(&self) -> i32 {
        match self.kind {
            Kind::Trace { id, .. } => id as i32,
            _ => -1,
        }
    }

    /// Whether writes to a trace file wait.
    pub(super) fn set_nonblocking(&mut self, nonblocking: bool) {
        if let Kind::Trace { options, .. } = &mut self.kind {
            let flag = syscall::O_NONBLOCK as i32;
            options.custom = options.custom & !flag | if nonblocking { flag } else { 0 };
        }
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match &mut self.kind {
            Kind::Trace { id, .. } => read_events(*id, buffer),
            Kind::Regs { pid, set } => {
                let set = *set;
                tracees::with(|tracees| tracees.visit(*pid, |task| read_regs(task, set, buffer)))
            }
            Kind::Mem { pid, cursor } => {
                let tid = tracees::with(|tracees| Ok(tracees.tid(*pid)))?;
                let count = memory::read_memory(tid, *cursor, buffer)?;
                *cursor = cursor.wrapping_add(count as u64);
                Ok(count)
            }
            Kind::Events(watched) => read_news(watched, buffer),
        }
    }

    fn write_some(&mut self, bytes: &[u8]) -> Result<usize> {
        match &mut self.kind {
            Kind::Trace { id, options } => {
                let flags = bytes.first_chunk().ok_or(Errno::EINVAL)?;
                let flags = PtraceFlags::from_bits(u64::from_ne_bytes(*flags));
                let flags = flags.ok_or(Errno::EINVAL)?;
                let wait = !options.has(syscall::O_NONBLOCK);
                tracees::with(|tracees| tracees.write(*id, Flags::from(flags), wait))?;
                Ok(size_of::<PtraceFlags>())
            }
            Kind::Regs { pid, set } => {
                let set = *set;
                tracees::with(|tracees| tracees.visit(*pid, |task| write_regs(task, set, bytes)))
            }
            Kind::Mem { pid, cursor } => {
                let at = *cursor;
                tracees::with(|tracees| tracees.visit(*pid, |task| write_memory(task, at, bytes)))?;
                *cursor = at.wrapping_add(bytes.len() as u64);
                Ok(bytes.len())
            }
            Kind::Events(watched) => watch(watched, bytes),
        }
    }
}

impl Read for File {
    /// Reads events, of which there may be none (0), a register structure, or memory.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_some(buffer).map_err(failed)
    }
}

impl Write for File {
    /// Writes what to stop at, a register structure, or memory.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_some(bytes).map_err(failed)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for File {
    /// Of memory only.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let Kind::Mem { cursor, .. } = &mut self.kind else {
            return Err(failed(Errno::ESPIPE));
        };
        *cursor = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::Current(by) => cursor.wrapping_add_signed(by),
            SeekFrom::End(_) => return Err(failed(Errno::EINVAL)),
        };
        Ok(*cursor)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if let Kind::Trace { id, options } = &self.kind {
            let kill = options.has(syscall::O_EXCL);
            // Nobody is left to hear of an error.
            let _ = tracees::with(|tracees| tracees.close(*id, kill));
        }
    }
}

fn read_events(id: Id, buffer: &mut [u8]) -> Result<usize> {
    let mut count = 0;
    for place in buffer.chunks_exact_mut(size_of::<PtraceEvent>()) {
        let Some(event) = tracees::with(|tracees| tracees.read(id))? else {
            break;
        };
        place.copy_from_slice(&event);
        count += place.len();
    }
    Ok(count)
}

fn read_news(watched: &[(Id, usize)], buffer: &mut [u8]) -> Result<usize> {
    let place = buffer
        .get_mut(..size_of::<syscall::Event>())
        .ok_or(Errno::EINVAL)?;
    let ids = watched.iter().map(|(id, _)| *id);
    let id = tracees::with(|tracees| tracees.wait_for_news(ids))?;
    let (_, data) = watched
        .iter()
        .find(|(watched, _)| *watched == id)
        .ok_or(Errno::EIO)?;
    place.copy_from_slice(&syscall::Event {
        id: id as usize,
        flags: EventFlags::EVENT_READ,
        data: *data,
    });
    Ok(place.len())
}

fn watch(watched: &mut Vec<(Id, usize)>, bytes: &[u8]) -> Result<usize> {
    let mut event = syscall::Event::default();
    let size = event.len();
    event.copy_from_slice(bytes.get(..size).ok_or(Errno::EINVAL)?);
    let id = event.id as Id;
    watched.retain(|(watched, _)| *watched != id);
    if event.flags.contains(EventFlags::EVENT_READ) {
        watched.push((id, event.data));
    }
    Ok(size)
}

fn read_regs(task: &Stopped, set: Set, buffer: &mut [u8]) -> Result<usize> {
    let mut give = |bytes: &[u8]| {
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        Ok(count)
    };
    match set {
        Set::Int => give(&int_of(&task.engine.getregs()?, task.place)),
        Set::Env => give(&env_of(&task.engine.getregs()?)),
        Set::Float => {
            let mut area = [0; FXSAVE_SIZE];
            task.engine.getregset(NT_PRFPREG, &mut area)?;
            give(&area[..FLOAT_SIZE])
        }
    }
}

fn write_regs(task: &Stopped, set: Set, bytes: &[u8]) -> Result<usize> {
    let take = |place: &mut [u8]| {
        let size = place.len();
        place.copy_from_slice(bytes.get(..size).ok_or(Errno::EINVAL)?);
        Ok(size)
    };
    match set {
        Set::Int => {
            let mut int = syscall::IntRegisters::default();
            let size = take(&mut int)?;
            let old = task.engine.getregs()?;
            task.engine.setregs(&user_of(&int, &old, task.place))?;
            Ok(size)
        }
        Set::Env => {
            let mut env = syscall::EnvRegisters::default();
            let size = take(&mut env)?;
            let old = task.engine.getregs()?;
            task.engine.setregs(&with_env(&old, &env))?;
            Ok(size)
        }
        Set::Float => {
            let mut area = [0; FXSAVE_SIZE];
            task.engine.getregset(NT_PRFPREG, &mut area)?;
            let size = take(&mut area[..FLOAT_SIZE])?;
            task.engine.setregset(NT_PRFPREG, &area)?;
            Ok(size)
        }
    }
}

/// Writes whole words, and what they had at either end.
fn write_memory(task: &Stopped, at: u64, bytes: &[u8]) -> Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        let here = at.wrapping_add(done as u64);
        let (aligned, skip) = (here & !7, (here & 7) as usize);
        let count = (8 - skip).min(bytes.len() - done);
        let mut word = task.engine.peek(aligned)?.to_ne_bytes();
        word[skip..skip + count].copy_from_slice(&bytes[done..done + count]);
        task.engine.poke(aligned, u64::from_ne_bytes(word))?;
        done += count;
    }
    Ok(())
}
