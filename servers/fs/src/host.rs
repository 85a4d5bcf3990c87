//! What the file server needs done outside.

use crate::rights::Rights;
use abi::fs::{
    Call, Counts, Direction, Layout, Limits, Mappings, ObjectId, Outcome, Path, Record, Reply,
    Scope, SystemInfo, TaskStatus,
};
use abi::wire::{self, Buffer, MAX, MAX_DATA};
use abi::{Errno, PidName, SigSet, TaskId};
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;

/// The end of what a task can have mapped.
const TASK_SIZE: u64 = 0x7fff_ffff_f000;

/// The most that a structure of a system call can have (Linux's copy_struct_from_user users).
const PAGE_SIZE: u64 = 4096;

/// The outside: the process manager and the serial ports. Only `call` may take long.
pub trait Host {
    /// Calls the process manager. The bytes of its [`Reply`] are in `buffer[..n]`.
    fn call(&mut self, call: &Call<'_>, buffer: &mut Buffer) -> Result<usize, Errno>;
    /// A buffer for a call. A host that keeps one gives it out here and gets it back through
    /// [`Host::put_buffer`], so that it need not be cleared each time.
    fn take_buffer(&mut self) -> Box<Buffer> {
        Box::new([0; MAX])
    }
    /// Takes the buffer back.
    fn put_buffer(&mut self, _: Box<Buffer>) {}
    /// Writes to the console.
    fn stdout(&mut self, bytes: &[u8]);
    /// Writes to the log channel.
    fn stderr(&mut self, bytes: &[u8]);
    /// Sends bytes to the file outside that the machine was given; nowhere without one.
    fn export(&mut self, _: &[u8]) {}
    /// Takes bytes that have come in from the console, framed; 0 when there are none.
    fn stdin(&mut self, buffer: &mut [u8]) -> usize;
    /// Lets the console's interrupt come again.
    fn console_ack(&mut self);
    /// Sends bytes by the second serial port; how many it takes. Where that is not all, its interrupt
    /// comes when it takes more.
    fn serial_write(&mut self, bytes: &[u8]) -> usize;
    /// Takes bytes that have come in by the second serial port; 0 when there are none.
    fn serial_read(&mut self, buffer: &mut [u8]) -> usize;
    /// Lets the second serial port's interrupt come again.
    fn serial_ack(&mut self);
}

/// The host as one report uses it.
pub(crate) struct Port<'h, H: Host> {
    pub host: &'h mut H,
    pub task: TaskId,
    pub number: u32,
    /// What the task may do.
    pub who: Rc<Rights>,
}

impl<H: Host> Port<'_, H> {
    fn done(&mut self, call: Call<'_>) -> Result<(), Errno> {
        ask(self.host, &call, |reply| match reply {
            Reply::Done => Ok(()),
            _ => Err(Errno::EIO),
        })
    }

    pub fn bytes<'b>(&mut self, call: Call<'_>, buffer: &'b mut Buffer) -> Result<&'b [u8], Errno> {
        match reply(self.host, &call, buffer)? {
            Reply::Bytes(bytes) => Ok(bytes),
            _ => Err(Errno::EIO),
        }
    }

    /// What a call answers with a record.
    fn record<T: Record>(&mut self, call: Call<'_>) -> Result<T, Errno> {
        let mut buffer = [0; MAX];
        let bytes = self.bytes(call, &mut buffer)?;
        wire::decode(bytes).map_err(|_| Errno::EIO)
    }

    /// Ends the report. A task that died meanwhile needs no answer.
    pub fn complete(&mut self, outcome: Outcome) {
        let _ = self.done(Call::Complete {
            task: self.task,
            number: self.number,
            outcome,
        });
    }

    /// Reads at most [`MAX_DATA`] bytes of the task's memory into `buffer`.
    pub fn read<'b>(
        &mut self,
        addr: u64,
        len: usize,
        buffer: &'b mut Buffer,
    ) -> Result<&'b [u8], Errno> {
        check_range(addr, len as u64)?;
        let call = Call::Read {
            task: self.task,
            number: self.number,
            addr,
            len: len as u32,
        };
        let bytes = self.bytes(call, buffer)?;
        if bytes.len() == len {
            Ok(bytes)
        } else {
            Err(Errno::EFAULT)
        }
    }

    /// Reads a structure that has grown over time: as many bytes as the first version had. E2BIG
    /// where what is behind them means something, or it is larger than a page.
    pub fn extensible(&mut self, addr: u64, size: u64, known: u64) -> Result<Vec<u8>, Errno> {
        if size > PAGE_SIZE {
            return Err(Errno::E2BIG);
        }
        let mut bytes = self.read_all(addr, size as usize)?;
        if bytes[known as usize..].iter().any(|byte| *byte != 0) {
            return Err(Errno::E2BIG);
        }
        bytes.truncate(known as usize);
        Ok(bytes)
    }

    /// Reads any number of bytes of the task's memory.
    pub fn read_all(&mut self, addr: u64, len: usize) -> Result<Vec<u8>, Errno> {
        let mut all = Vec::new();
        while all.len() < len {
            let mut buffer = [0; MAX];
            let at = addr.checked_add(all.len() as u64).ok_or(Errno::EFAULT)?;
            all.extend_from_slice(self.read(at, (len - all.len()).min(MAX_DATA), &mut buffer)?);
        }
        Ok(all)
    }

    /// Reads `N` words.
    pub fn words<const N: usize>(&mut self, addr: u64) -> Result<[u64; N], Errno> {
        let mut buffer = [0; MAX];
        let bytes = self.read(addr, N * 8, &mut buffer)?;
        let mut words = [0; N];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().expect("chunks of eight bytes"));
        }
        Ok(words)
    }

    /// Reads a string without its zero.
    pub fn string(&mut self, addr: u64) -> Result<Vec<u8>, Errno> {
        check_range(addr, 1)?;
        let call = Call::ReadString {
            task: self.task,
            number: self.number,
            addr,
        };
        let mut buffer = [0; MAX];
        Ok(self.bytes(call, &mut buffer)?.to_vec())
    }

    /// A path of a report.
    pub fn path(&mut self, path: Path<'_>) -> Result<Vec<u8>, Errno> {
        match path {
            Path::At(addr) => self.string(addr),
            Path::Inline(bytes) => Ok(bytes.to_vec()),
        }
    }

    /// Writes the task's memory.
    pub fn write(&mut self, addr: u64, bytes: &[u8]) -> Result<(), Errno> {
        check_range(addr, bytes.len() as u64)?;
        for (chunk, at) in bytes.chunks(MAX_DATA).zip((addr..).step_by(MAX_DATA)) {
            self.done(Call::Write {
                task: self.task,
                number: self.number,
                addr: at,
                bytes: chunk,
            })?;
        }
        Ok(())
    }

    /// Moves bytes between the task and an object; how many.
    pub fn transfer(
        &mut self,
        addr: u64,
        len: u64,
        object: ObjectId,
        offset: u64,
        direction: Direction,
    ) -> Result<u64, Errno> {
        let call = Call::Transfer {
            task: self.task,
            number: self.number,
            addr,
            len,
            object,
            offset,
            direction,
        };
        ask(self.host, &call, |reply| match reply {
            Reply::Count(count) if count <= len => Ok(count),
            _ => Err(Errno::EIO),
        })
    }

    /// Reads at most [`MAX_DATA`] bytes of an object.
    pub fn read_object<'b>(
        &mut self,
        object: ObjectId,
        offset: u64,
        len: usize,
        buffer: &'b mut Buffer,
    ) -> Result<&'b [u8], Errno> {
        let call = Call::ReadObject {
            object,
            offset,
            len: len as u32,
        };
        let bytes = self.bytes(call, buffer)?;
        if bytes.len() == len {
            Ok(bytes)
        } else {
            Err(Errno::EIO)
        }
    }

    /// Writes at most [`MAX_DATA`] bytes of an object.
    pub fn write_object(
        &mut self,
        object: ObjectId,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), Errno> {
        self.done(Call::WriteObject {
            object,
            offset,
            bytes,
        })
    }

    /// Makes an object.
    pub fn create(&mut self) -> Result<ObjectId, Errno> {
        let mut buffer = [0; MAX];
        match reply(self.host, &Call::Create, &mut buffer)? {
            Reply::Object(object) => Ok(object),
            _ => Err(Errno::EIO),
        }
    }

    /// Cuts an object.
    pub fn truncate(&mut self, object: ObjectId, size: u64) -> Result<(), Errno> {
        self.done(Call::Truncate { object, size })
    }

    /// Copies bytes from one object to another; how many.
    pub fn copy(
        &mut self,
        (from, from_offset): (ObjectId, u64),
        (to, to_offset): (ObjectId, u64),
        len: u64,
    ) -> Result<u64, Errno> {
        let call = Call::Copy {
            from,
            from_offset,
            to,
            to_offset,
            len,
        };
        ask(self.host, &call, |reply| match reply {
            Reply::Count(count) if count <= len => Ok(count),
            _ => Err(Errno::EIO),
        })
    }

    /// Makes bytes of an object zeros.
    pub fn zero(&mut self, object: ObjectId, offset: u64, len: u64) -> Result<(), Errno> {
        self.done(Call::Zero {
            object,
            offset,
            len,
        })
    }

    /// Sends the task a signal.
    pub fn signal(&mut self, signo: u8) {
        let _ = self.done(Call::Signal {
            task: self.task,
            signo,
        });
    }

    /// What the process manager knows of a task.
    pub fn status(&mut self, tid: u32) -> Result<TaskStatus, Errno> {
        self.status_for(self.task, tid)
    }

    /// The same as somebody else sees it.
    fn status_for(&mut self, viewer: TaskId, tid: u32) -> Result<TaskStatus, Errno> {
        let status: TaskStatus = self.record(Call::Status { viewer, tid })?;
        // Whoever looks at itself runs; that it waits for us is no state to be shown.
        let state = match status.state {
            b'S' if status.task == self.task => b'R',
            state => state,
        };
        Ok(TaskStatus { state, ..status })
    }

    /// The session of a process group, whoever is in it; ESRCH for a group without processes.
    pub fn session_of_group(&mut self, pgid: u32) -> Result<u32, Errno> {
        let member = |status: &TaskStatus| status.pgid == pgid;
        let everybody = TaskId::FS;
        if let Some(leader) = self.status_for(everybody, pgid).ok().filter(member) {
            return Ok(leader.sid);
        }
        let mut from = 0;
        loop {
            let tids = self.tids_for(everybody, 0, from)?;
            let Some(last) = tids.last() else {
                return Err(Errno::ESRCH);
            };
            from = last + 1;
            let status = |tid: &u32| self.status_for(everybody, *tid).ok();
            let mut members = tids.iter().filter_map(status);
            if let Some(found) = members.find(member) {
                return Ok(found.sid);
            }
        }
    }

    /// The tids of a process, or with 0 the processes, ascending from one on, as many as a
    /// message carries.
    pub fn tids(&mut self, tgid: u32, from: u32) -> Result<Vec<u32>, Errno> {
        self.tids_for(self.task, tgid, from)
    }

    /// The same as somebody else sees it.
    fn tids_for(&mut self, viewer: TaskId, tgid: u32, from: u32) -> Result<Vec<u32>, Errno> {
        let mut buffer = [0; MAX];
        let call = Call::Tids { viewer, tgid, from };
        let bytes = self.bytes(call, &mut buffer)?;
        let tid = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        Ok(bytes.chunks_exact(4).map(tid).collect())
    }

    /// Which signals wait for the task; it is said when one of a set comes.
    pub fn watch_signals(&mut self, set: SigSet) -> Result<SigSet, Errno> {
        let task = self.task;
        ask(
            self.host,
            &Call::WatchSignals { task, set },
            |reply| match reply {
                Reply::Signals(pending) => Ok(pending),
                _ => Err(Errno::EIO),
            },
        )
    }

    /// A call that answers with a process or thread.
    pub fn ask_pid(&mut self, call: Call<'_>) -> Result<PidName, Errno> {
        ask(self.host, &call, |reply| match reply {
            Reply::Pid(name) => Ok(name),
            _ => Err(Errno::EIO),
        })
    }

    /// Has it said when a process or thread ends.
    pub fn watch_pid(&mut self, name: PidName) -> Result<(), Errno> {
        self.done(Call::WatchPid { name })
    }

    /// Sends a signal as pidfd_send_signal(2) does.
    pub fn signal_pid(
        &mut self,
        name: PidName,
        scope: Scope,
        signo: u32,
        info: u64,
    ) -> Result<(), Errno> {
        self.done(Call::SignalPid {
            task: self.task,
            number: self.number,
            name,
            scope,
            signo,
            info,
        })
    }

    /// How many mappings of an object can be written through to it.
    pub fn writers(&mut self, object: ObjectId) -> Result<u64, Errno> {
        ask(self.host, &Call::Writers { object }, |reply| match reply {
            Reply::Count(count) => Ok(count),
            _ => Err(Errno::EIO),
        })
    }

    /// EACCES where the task must not look into another one: as its real ids, or as those
    /// towards files.
    pub fn may_access(&mut self, tid: u32, real: bool) -> Result<(), Errno> {
        let viewer = self.task;
        self.done(Call::MayAccess { viewer, tid, real })
    }

    /// Some of a task's supplementary groups, after so many.
    pub fn groups(&mut self, task: TaskId, from: u32) -> Result<Vec<u32>, Errno> {
        let mut buffer = [0; MAX];
        let bytes = self.bytes(Call::Groups { task, from }, &mut buffer)?;
        let group = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        Ok(bytes.chunks_exact(4).map(group).collect())
    }

    /// Reads at most [`MAX_DATA`] bytes of another task's memory; fewer where it ends.
    pub fn peek<'b>(
        &mut self,
        memory: u64,
        addr: u64,
        len: usize,
        buffer: &'b mut Buffer,
    ) -> Result<&'b [u8], Errno> {
        let len = len as u32;
        self.bytes(Call::Peek { memory, addr, len }, buffer)
    }

    /// Moves bytes between the task and another one's memory; how many.
    pub fn transfer_memory(
        &mut self,
        addr: u64,
        len: u64,
        memory: u64,
        from: u64,
        direction: Direction,
    ) -> Result<u64, Errno> {
        let call = Call::TransferMemory {
            task: self.task,
            number: self.number,
            addr,
            len,
            memory,
            from,
            direction,
        };
        ask(self.host, &call, |reply| match reply {
            Reply::Count(count) if count <= len => Ok(count),
            _ => Err(Errno::EIO),
        })
    }

    /// Some of what a task has mapped.
    pub fn mappings(&mut self, tid: u32, memory: u64, from: u64) -> Result<Mappings, Errno> {
        let viewer = self.task;
        self.record(Call::Mappings {
            viewer,
            tid,
            memory,
            from,
        })
    }

    /// Where a program's parts are.
    pub fn layout(&mut self, tid: u32, memory: u64) -> Result<Layout, Errno> {
        let viewer = self.task;
        self.record(Call::Layout {
            viewer,
            tid,
            memory,
        })
    }

    /// Sets a task's name.
    pub fn set_comm(&mut self, tid: u32, comm: [u8; 16]) -> Result<(), Errno> {
        let viewer = self.task;
        self.done(Call::SetComm { viewer, tid, comm })
    }

    /// Sets what a task's process dumps.
    pub fn set_dump_filter(&mut self, tid: u32, filter: u32) -> Result<(), Errno> {
        let viewer = self.task;
        self.done(Call::SetDumpFilter {
            viewer,
            tid,
            filter,
        })
    }

    /// A task's resource limits.
    pub fn limits(&mut self, tid: u32) -> Result<Limits, Errno> {
        let viewer = self.task;
        self.record(Call::Limits { viewer, tid })
    }

    /// What is known of the machine.
    pub fn system(&mut self) -> Result<SystemInfo, Errno> {
        self.record(Call::System)
    }

    /// How much of everything the process manager has in use. EACCES.
    pub fn counts(&mut self) -> Result<Counts, Errno> {
        let viewer = self.task;
        self.record(Call::Counts { viewer })
    }

    /// The monotonic and the real time, in nanoseconds.
    pub fn time(&mut self) -> Result<(u64, u64), Errno> {
        time(self.host)
    }
}

/// EFAULT for memory that no task can have, whatever is mapped.
pub(crate) fn check_range(addr: u64, len: u64) -> Result<(), Errno> {
    match addr.checked_add(len) {
        Some(end) if end <= TASK_SIZE => Ok(()),
        _ => Err(Errno::EFAULT),
    }
}

/// The monotonic and the real time, in nanoseconds.
pub(crate) fn time(host: &mut impl Host) -> Result<(u64, u64), Errno> {
    let mut buffer = [0; MAX];
    match reply(host, &Call::Time, &mut buffer)? {
        Reply::Time {
            monotonic,
            realtime,
        } => Ok((monotonic, realtime)),
        _ => Err(Errno::EIO),
    }
}

/// Sends a process group a signal, as its terminal does.
pub(crate) fn signal_group(host: &mut impl Host, pgid: u32, signo: u8) {
    let _ = host.call(&Call::SignalGroup { pgid, signo }, &mut [0; MAX]);
}

/// Gives an object back.
pub(crate) fn release(host: &mut impl Host, object: ObjectId) {
    let _ = host.call(&Call::Release { object }, &mut [0; MAX]);
}

/// Asks for an [`Event::Console`](abi::fs::Event::Console) at a time.
pub(crate) fn wake_at(host: &mut impl Host, deadline: u64) {
    let _ = host.call(&Call::WakeAt { deadline }, &mut [0; MAX]);
}

/// Calls, and looks at the reply.
fn ask<H: Host, T>(
    host: &mut H,
    call: &Call<'_>,
    look: impl FnOnce(Reply<'_>) -> Result<T, Errno>,
) -> Result<T, Errno> {
    let mut buffer = host.take_buffer();
    let result = reply(host, call, &mut buffer).and_then(look);
    host.put_buffer(buffer);
    result
}

fn reply<'b>(
    host: &mut impl Host,
    call: &Call<'_>,
    buffer: &'b mut Buffer,
) -> Result<Reply<'b>, Errno> {
    let len = host.call(call, buffer)?;
    let bytes = buffer.get(..len).ok_or(Errno::EIO)?;
    wire::decode(bytes).map_err(|_| Errno::EIO)
}
