//! A process manager that keeps memory in vectors, and a few tasks to call from.

use abi::archive::{Entry, Kind, MAGIC, PAGE};
use abi::fs::*;
use abi::wire::{self, Buffer, MAX, MAX_DATA};
use abi::{CapabilitySet, Errno, PidName, SigInfo, SigSet, TaskId};
use fs::{Fs, Host};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

pub use abi::linux::general::*;

/// Where each task's only memory begins.
pub const MEMORY: u64 = 0x10000;
pub const MEMORY_SIZE: usize = 0x40000;
/// Places in it: for paths, and for data.
pub const PATH: u64 = MEMORY;
pub const PATH2: u64 = MEMORY + 0x1000;
pub const DATA: u64 = MEMORY + 0x2000;
pub const END: u64 = MEMORY + MEMORY_SIZE as u64;
/// What every task has used.
const USAGE: Usage = Usage {
    user: 30_000_000,
    system: 10_000_000,
    faults: 5,
    waits: 6,
};
/// Not mapped.
pub const NOWHERE: u64 = 0x1000;

pub const INIT: TaskId = TaskId::new(1, 1);
pub const CHILD: TaskId = TaskId::new(2, 1);

#[derive(Default)]
pub struct Outside {
    memory: HashMap<TaskId, Vec<u8>>,
    objects: BTreeMap<ObjectId, Vec<u8>>,
    next_object: u32,
    outstanding: HashSet<(TaskId, u32)>,
    pub completed: HashMap<u32, Outcome>,
    pub order: Vec<u32>,
    pub signals: Vec<(TaskId, u8)>,
    pub now: u64,
    pub wake: u64,
    pub input: VecDeque<u8>,
    pub acks: u32,
    /// What the second serial port has got and sent, and how much it can still take.
    pub serial_in: VecDeque<u8>,
    pub serial_out: Vec<u8>,
    pub serial_room: usize,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// What has gone to /dev/export.
    pub exported: Vec<u8>,
    pub objects_full: bool,
    /// Signals to groups.
    pub groups: Vec<(u32, u8)>,
    /// Groups and sessions by tid, 1 for others.
    pub jobs: HashMap<u32, (u32, u32)>,
    pub orphaned: bool,
    /// Processes by tid.
    pub tids: BTreeMap<u32, u32>,
    /// Tids that nobody may look into.
    pub closed: HashSet<u32>,
    /// Who does not see which tid.
    pub hidden: HashSet<(TaskId, u32)>,
    pub mappings: Vec<Mapping>,
    pub layout: Layout,
    pub comms: HashMap<u32, [u8; 16]>,
    /// Signals that wait, and the sets that are watched for.
    pub pending: HashMap<TaskId, Vec<SigInfo>>,
    pub watched: HashMap<TaskId, SigSet>,
    /// Signals through pidfds.
    pub pid_signals: Vec<(PidName, Scope, u32)>,
    /// Mappings that are written through.
    pub writers: u64,
    pub dump_filters: HashMap<u32, u32>,
}

enum Answer {
    Done,
    Count(u64),
    Bytes(Vec<u8>),
    Object(ObjectId),
    Signals(SigSet),
    Pid(PidName),
    Time,
}

impl Outside {
    pub fn objects(&self) -> usize {
        self.objects.len()
    }

    /// The size of the object that was made last.
    pub fn last_object(&self) -> usize {
        self.objects.last_key_value().expect("the archive").1.len()
    }

    fn task(&mut self, task: TaskId, number: u32) -> Result<&mut Vec<u8>, Errno> {
        if !self.outstanding.contains(&(task, number)) {
            return Err(Errno::ESRCH);
        }
        self.memory.get_mut(&task).ok_or(Errno::ESRCH)
    }

    fn of_tid(&mut self, tid: u32) -> Result<&mut Vec<u8>, Errno> {
        let task = TaskId::new(tid as usize, 1);
        self.memory.get_mut(&task).ok_or(Errno::ESRCH)
    }

    fn answer(&mut self, call: Call<'_>) -> Result<Answer, Errno> {
        match call {
            Call::Next => panic!("the main loop's business"),
            Call::Complete {
                task,
                number,
                outcome,
            } => {
                if !self.outstanding.remove(&(task, number)) {
                    return Err(Errno::ESRCH);
                }
                self.completed.insert(number, outcome);
                self.order.push(number);
                Ok(Answer::Done)
            }
            Call::Read {
                task,
                number,
                addr,
                len,
            } => {
                assert!(len as usize <= MAX_DATA);
                let memory = self.task(task, number)?;
                let at = place(addr)?;
                let bytes = memory.get(at..at + len as usize).ok_or(Errno::EFAULT)?;
                Ok(Answer::Bytes(bytes.to_vec()))
            }
            Call::ReadString { task, number, addr } => {
                let memory = self.task(task, number)?;
                let rest = &memory[place(addr)?..];
                let len = rest.iter().position(|&b| b == 0).ok_or(Errno::EFAULT)?;
                if len > MAX_DATA {
                    return Err(Errno::ENAMETOOLONG);
                }
                Ok(Answer::Bytes(rest[..len].to_vec()))
            }
            Call::Write {
                task,
                number,
                addr,
                bytes,
            } => {
                assert!(bytes.len() <= MAX_DATA);
                let memory = self.task(task, number)?;
                if bytes.is_empty() {
                    return Ok(Answer::Done);
                }
                let at = place(addr)?;
                let to = memory.get_mut(at..at + bytes.len()).ok_or(Errno::EFAULT)?;
                to.copy_from_slice(bytes);
                Ok(Answer::Done)
            }
            Call::Transfer {
                task,
                number,
                addr,
                len,
                object,
                offset,
                direction,
            } => {
                let mut contents = self.objects.remove(&object).expect("an object that exists");
                let result = self.task(task, number).and_then(|memory| {
                    let at = place(addr)?;
                    let len = (len as usize).min(memory.len() - at);
                    let end = offset as usize + len;
                    match direction {
                        Direction::ToTask => {
                            for (i, to) in memory[at..at + len].iter_mut().enumerate() {
                                *to = contents.get(offset as usize + i).copied().unwrap_or(0);
                            }
                        }
                        Direction::FromTask => {
                            contents.resize(contents.len().max(end), 0);
                            contents[offset as usize..end].copy_from_slice(&memory[at..at + len]);
                        }
                    }
                    Ok(len as u64)
                });
                self.objects.insert(object, contents);
                result.map(Answer::Count)
            }
            Call::ReadObject {
                object,
                offset,
                len,
            } => {
                assert!(len as usize <= MAX_DATA);
                let contents = &self.objects[&object];
                let byte = |i| contents.get(offset as usize + i).copied().unwrap_or(0);
                Ok(Answer::Bytes((0..len as usize).map(byte).collect()))
            }
            Call::WriteObject {
                object,
                offset,
                bytes,
            } => {
                let contents = self
                    .objects
                    .get_mut(&object)
                    .expect("an object that exists");
                let end = offset as usize + bytes.len();
                contents.resize(contents.len().max(end), 0);
                contents[offset as usize..end].copy_from_slice(bytes);
                Ok(Answer::Done)
            }
            Call::Copy {
                from,
                from_offset,
                to,
                to_offset,
                len,
            } => {
                let source = self.objects[&from].clone();
                let byte = |i: u64| source.get((from_offset + i) as usize).copied().unwrap_or(0);
                let bytes: Vec<u8> = (0..len.min(MAX_COPY)).map(byte).collect();
                let target = self.objects.get_mut(&to).expect("an object that exists");
                let end = to_offset as usize + bytes.len();
                target.resize(target.len().max(end), 0);
                target[to_offset as usize..end].copy_from_slice(&bytes);
                Ok(Answer::Count(bytes.len() as u64))
            }
            Call::Zero {
                object,
                offset,
                len,
            } => {
                let target = self
                    .objects
                    .get_mut(&object)
                    .expect("an object that exists");
                let end = target.len().min((offset + len) as usize);
                if (offset as usize) < end {
                    target[offset as usize..end].fill(0);
                }
                Ok(Answer::Done)
            }
            Call::Create => {
                if self.objects_full {
                    return Err(Errno::ENOSPC);
                }
                self.next_object += 1;
                let object = ObjectId(self.next_object);
                self.objects.insert(object, Vec::new());
                Ok(Answer::Object(object))
            }
            Call::Truncate { object, size } => {
                self.objects
                    .get_mut(&object)
                    .expect("an object that exists")
                    .resize(size as usize, 0);
                Ok(Answer::Done)
            }
            Call::Release { object } => {
                assert_ne!(object, ARCHIVE);
                self.objects.remove(&object).expect("an object that exists");
                Ok(Answer::Done)
            }
            Call::Signal { task, signo } => {
                self.signals.push((task, signo));
                Ok(Answer::Done)
            }
            Call::SignalGroup { pgid, signo } => {
                self.groups.push((pgid, signo));
                Ok(Answer::Done)
            }
            Call::Status { tid, viewer } if self.hidden.contains(&(viewer, tid)) => {
                Err(Errno::ESRCH)
            }
            Call::Status { tid, .. } => Ok(record(TaskStatus {
                task: if tid <= 3 {
                    TaskId::new(tid as usize, 1)
                } else {
                    return Err(Errno::ESRCH);
                },
                tid,
                tgid: *self.tids.get(&tid).unwrap_or(&tid),
                ppid: 1,
                pgid: self.jobs.get(&tid).map_or(1, |job| job.0),
                sid: self.jobs.get(&tid).map_or(1, |job| job.1),
                tracer: 7,
                state: b't',
                uid: [0; 3],
                gid: [0; 3],
                fsid: [0; 2],
                groups: 0,
                capabilities: [abi::CapabilitySet::EMPTY; 5],
                no_new_privileges: false,
                memory: tid.into(),
                dumpable: true,
                comm: *self.comms.get(&tid).unwrap_or(b"name (x)\0\0\0\0\0\0\0\0"),
                mapped: 8192,
                resident: 4096,
                memory_parts: [0; 3],
                priority: 20,
                nice: 0,
                real_time: 0,
                policy: 0,
                queued: (0, 4000),
                threads: 1,
                peak: 8192,
                usage: USAGE,
                usage_process: USAGE,
                usage_children: Usage::default(),
                started: 0,
                exit_signal: 17,
                exit_status: 0,
                pending: SigSet::EMPTY,
                shared_pending: SigSet::EMPTY,
                blocked: SigSet::of(&[2]),
                ignored: SigSet::EMPTY,
                caught: SigSet::EMPTY,
                dump_filter: *self.dump_filters.get(&tid).unwrap_or(&0x33),
                orphaned: self.orphaned,
            })),
            Call::Tids { tgid, from, .. } => {
                let wanted = |&(&tid, &of): &(&u32, &u32)| {
                    tid >= from && if tgid == 0 { tid == of } else { tgid == of }
                };
                let tids = self.tids.iter().filter(wanted);
                let bytes = tids.flat_map(|(tid, _)| tid.to_le_bytes());
                Ok(Answer::Bytes(bytes.take(MAX_DATA).collect()))
            }
            Call::Groups { .. } => Ok(Answer::Bytes(Vec::new())),
            Call::WatchSignals { task, set } => {
                self.watched.insert(task, set);
                let waiting = self.pending.entry(task).or_default().iter();
                let signals: Vec<u8> = waiting.map(|info| info.signo as u8).collect();
                Ok(Answer::Signals(SigSet::of(&signals)))
            }
            Call::TakeSignal { task, set, .. } => {
                let waiting = self.pending.entry(task).or_default();
                let wanted = |info: &SigInfo| set.has(info.signo as u8);
                let at = waiting.iter().position(wanted).ok_or(Errno::EAGAIN)?;
                Ok(Answer::Bytes(waiting.remove(at).to_bytes().to_vec()))
            }
            Call::FindPid { tid, .. } if tid > 3 => Err(Errno::ESRCH),
            Call::FindPid { tid, .. } => Ok(Answer::Pid(PidName { tid, serial: 1 })),
            Call::WatchPid { .. } => Ok(Answer::Done),
            Call::SignalPid {
                name, scope, signo, ..
            } => {
                self.pid_signals.push((name, scope, signo));
                Ok(Answer::Done)
            }
            Call::Writers { .. } => Ok(Answer::Count(self.writers)),
            Call::MayAccess { tid, .. } => match self.closed.contains(&tid) {
                true => Err(Errno::EACCES),
                false => Ok(Answer::Done),
            },
            Call::Peek { memory, addr, len } => {
                let memory = self.of_tid(memory as u32)?;
                let at = place(addr).map_err(|_| Errno::EIO)?;
                let end = memory.len().min(at + len as usize);
                Ok(Answer::Bytes(memory[at..end].to_vec()))
            }
            Call::TransferMemory {
                task,
                number,
                addr,
                len,
                memory,
                from,
                direction,
            } => {
                let mut other = self.of_tid(memory as u32)?.clone();
                let own = self.task(task, number)?;
                let there = place(from).map_err(|_| Errno::EIO)?;
                let at = place(addr)?;
                let len = (len as usize).min(own.len() - at).min(other.len() - there);
                let (own_part, other_part) =
                    (&mut own[at..at + len], &mut other[there..there + len]);
                match direction {
                    Direction::ToTask => own_part.copy_from_slice(other_part),
                    Direction::FromTask => other_part.copy_from_slice(own_part),
                }
                if direction == Direction::FromTask {
                    *self.of_tid(memory as u32)? = other;
                }
                Ok(Answer::Count(len as u64))
            }
            Call::Mappings { from, .. } => {
                let mut mappings = [None; MAPPINGS];
                let rest = self.mappings.iter().filter(|mapping| mapping.end > from);
                for (to, mapping) in mappings.iter_mut().zip(rest) {
                    *to = Some(*mapping);
                }
                Ok(record(mappings))
            }
            Call::Layout { .. } => Ok(record(self.layout)),
            Call::SetComm { tid, comm, .. } => {
                self.comms.insert(tid, comm);
                Ok(Answer::Done)
            }
            Call::SetDumpFilter { tid, filter, .. } => {
                self.dump_filters.insert(tid, filter);
                Ok(Answer::Done)
            }
            Call::Limits { .. } => {
                let mut limits = [(u64::MAX, u64::MAX); 16];
                limits[RLIMIT_NOFILE as usize] = (1024, 4096);
                Ok(record(limits))
            }
            Call::Counts { viewer } if viewer != INIT => Err(Errno::EACCES),
            Call::Counts { .. } => Ok(record(Counts {
                tasks: 3,
                frames_free: 1 << 40,
                ..Counts::default()
            })),
            Call::System => Ok(record(SystemInfo {
                memory_total: 512 << 20,
                memory_free: 500 << 20,
                busy: 2_000_000_000,
                tasks: 3,
                running: 1,
                last_tid: 9,
            })),
            Call::Time => Ok(Answer::Time),
            Call::WakeAt { deadline } => {
                self.wake = deadline;
                Ok(Answer::Done)
            }
        }
    }
}

fn record<T: Record>(value: T) -> Answer {
    let mut buffer = [0; MAX];
    let len = wire::encode(&value, &mut buffer);
    Answer::Bytes(buffer[..len].to_vec())
}

fn place(addr: u64) -> Result<usize, Errno> {
    if (MEMORY..END).contains(&addr) {
        Ok((addr - MEMORY) as usize)
    } else {
        Err(Errno::EFAULT)
    }
}

impl Host for Outside {
    fn call(&mut self, call: &Call<'_>, buffer: &mut Buffer) -> Result<usize, Errno> {
        let mut message = [0; MAX];
        let len = wire::encode(call, &mut message);
        let call = wire::decode(&message[..len]).expect("a whole call");
        let answer = self.answer(call)?;
        let reply = match &answer {
            Answer::Done => Reply::Done,
            Answer::Count(count) => Reply::Count(*count),
            Answer::Bytes(bytes) => Reply::Bytes(bytes),
            Answer::Object(object) => Reply::Object(*object),
            Answer::Signals(set) => Reply::Signals(*set),
            Answer::Pid(name) => Reply::Pid(*name),
            Answer::Time => Reply::Time {
                monotonic: self.now,
                realtime: self.now + 1_700_000_000_000_000_000,
            },
        };
        Ok(wire::encode(&reply, buffer))
    }

    fn stdout(&mut self, bytes: &[u8]) {
        self.stdout.extend_from_slice(bytes);
    }

    fn export(&mut self, bytes: &[u8]) {
        self.exported.extend_from_slice(bytes);
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.stderr.extend_from_slice(bytes);
    }

    fn stdin(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.input.len());
        for (to, from) in buffer.iter_mut().zip(self.input.drain(..count)) {
            *to = from;
        }
        count
    }

    fn console_ack(&mut self) {
        self.acks += 1;
    }

    fn serial_write(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.serial_room);
        self.serial_out.extend_from_slice(&bytes[..count]);
        self.serial_room -= count;
        count
    }

    fn serial_read(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.serial_in.len());
        for (to, from) in buffer.iter_mut().zip(self.serial_in.drain(..count)) {
            *to = from;
        }
        count
    }

    fn serial_ack(&mut self) {}
}

/// What root may do, within the usual limits.
pub fn superuser() -> Rights {
    Rights {
        uid: [0; 3],
        gid: [0; 3],
        fsuid: 0,
        fsgid: 0,
        groups: 0,
        effective: CapabilitySet::ALL,
        permitted: CapabilitySet::ALL,
        ids_only: false,
        max_fds: 1024,
        max_file_size: u64::MAX,
    }
}

/// What this user may do, in a group of the same number.
pub fn user(uid: u32) -> Rights {
    Rights {
        uid: [uid; 3],
        gid: [uid; 3],
        fsuid: uid,
        fsgid: uid,
        effective: CapabilitySet::EMPTY,
        permitted: CapabilitySet::EMPTY,
        ..superuser()
    }
}

/// A booted file server with one task, [`INIT`], of tid 1.
pub struct World {
    pub fs: Fs,
    pub out: Outside,
    next: u32,
}

pub const TOOL: &[u8] = b"#!the tool";

impl World {
    pub fn new() -> World {
        let mut out = Outside::default();
        out.objects.insert(ARCHIVE, archive());
        let mut fs = Fs::new();
        fs.start(&mut out);
        let mut world = World { fs, out, next: 0 };
        assert_eq!(world.create(INIT, INIT, 1, false, false), 0);
        world.rights(INIT, superuser());
        world
    }

    /// Sends a report; its number.
    pub fn report(&mut self, task: TaskId, event: Event<'_>) -> u32 {
        self.next += 1;
        let number = self.next;
        self.out
            .memory
            .entry(task)
            .or_insert_with(|| vec![0; MEMORY_SIZE]);
        self.out.outstanding.insert((task, number));
        self.send(task, number, event);
        number
    }

    /// Says what a task may do from now on.
    pub fn rights(&mut self, task: TaskId, rights: Rights) {
        let mut buffer = [0; MAX];
        let len = wire::encode(&rights, &mut buffer);
        self.send(task, 0, Event::Rights(&buffer[..len]));
    }

    /// Sends an event that is not completed.
    pub fn send(&mut self, task: TaskId, number: u32, event: Event<'_>) {
        let mut message = [0; MAX];
        let report = Report {
            task,
            number,
            event,
        };
        let len = wire::encode(&Reply::Report(report), &mut message);
        self.fs.handle(&mut self.out, &message[..len]);
    }

    pub fn console(&mut self) {
        self.send(INIT, 0, Event::Console);
    }

    pub fn interrupt(&mut self, task: TaskId, number: u32) {
        self.send(task, number, Event::Interrupt);
    }

    /// The result of a report, if it is over.
    pub fn result(&self, number: u32) -> Option<i64> {
        match self.out.completed.get(&number)? {
            Outcome::Result(result) => Some(*result),
            other => panic!("{other:?}"),
        }
    }

    pub fn outcome(&mut self, task: TaskId, event: Event<'_>) -> Outcome {
        let number = self.report(task, event);
        self.out.completed[&number]
    }

    /// Starts a system call that may wait.
    pub fn start(&mut self, task: TaskId, nr: u32, args: &[u64]) -> u32 {
        let mut all = [0; 6];
        all[..args.len()].copy_from_slice(args);
        self.report(task, Event::Syscall { nr, args: all })
    }

    /// A system call that does not wait.
    pub fn sys(&mut self, task: TaskId, nr: u32, args: &[u64]) -> Result<i64, Errno> {
        let number = self.start(task, nr, args);
        Errno::check(self.result(number).expect("it waits"))
    }

    pub fn create(&mut self, task: TaskId, parent: TaskId, tid: u32, files: bool, fs: bool) -> i64 {
        let tgid = if files && fs { 1 } else { tid };
        self.out.tids.insert(tid, tgid);
        let event = Event::Created {
            parent,
            tid,
            tgid,
            share_files: files,
            share_fs: fs,
            pidfd: None,
        };
        let number = self.report(task, event);
        self.result(number).expect("it is answered")
    }

    pub fn find_program(&mut self, task: TaskId, path: Path<'_>) -> Outcome {
        let (dirfd, flags) = (AT_FDCWD, 0);
        self.outcome(task, Event::FindProgram { path, dirfd, flags })
    }

    pub fn fork(&mut self) {
        assert_eq!(self.create(CHILD, INIT, 2, false, false), 0);
    }

    /// The task dies: whatever it was in is over.
    pub fn exit(&mut self, task: TaskId) {
        self.out.outstanding.retain(|&(other, _)| other != task);
        let number = self.report(task, Event::Exited);
        assert_eq!(self.result(number), Some(0));
    }

    pub fn put(&mut self, task: TaskId, addr: u64, bytes: &[u8]) {
        let memory = self.out.memory.get_mut(&task).expect("a task");
        memory[place(addr).unwrap()..][..bytes.len()].copy_from_slice(bytes);
    }

    pub fn get(&self, task: TaskId, addr: u64, len: usize) -> Vec<u8> {
        self.out.memory[&task][place(addr).unwrap()..][..len].to_vec()
    }

    pub fn word(&self, task: TaskId, addr: u64) -> u64 {
        u64::from_le_bytes(self.get(task, addr, 8).try_into().unwrap())
    }

    pub fn string(&mut self, task: TaskId, addr: u64, text: &str) -> u64 {
        self.put(task, addr, text.as_bytes());
        self.put(task, addr + text.len() as u64, &[0]);
        addr
    }

    /// A call whose first argument is a path.
    pub fn with_path(&mut self, nr: u32, path: &str, rest: &[u64]) -> Result<i64, Errno> {
        let path = self.string(INIT, PATH, path);
        let args: Vec<u64> = [&[path], rest].concat();
        self.sys(INIT, nr, &args)
    }

    /// A call whose first two arguments are paths.
    pub fn with_paths(&mut self, nr: u32, a: &str, b: &str) -> Result<i64, Errno> {
        let b = self.string(INIT, PATH2, b);
        self.with_path(nr, a, &[b])
    }

    pub fn open_as(&mut self, task: TaskId, path: &str, flags: u32) -> Result<i64, Errno> {
        let path = self.string(task, PATH, path);
        self.sys(task, __NR_open, &[path, flags.into(), 0o666])
    }

    pub fn open(&mut self, path: &str, flags: u32) -> Result<i64, Errno> {
        self.open_as(INIT, path, flags)
    }

    pub fn close(&mut self, task: TaskId, fd: i64) -> Result<i64, Errno> {
        self.sys(task, __NR_close, &[fd as u64])
    }

    pub fn write(&mut self, task: TaskId, fd: i64, bytes: &[u8]) -> Result<i64, Errno> {
        self.put(task, DATA, bytes);
        self.sys(task, __NR_write, &[fd as u64, DATA, bytes.len() as u64])
    }

    pub fn read(&mut self, task: TaskId, fd: i64, len: u64) -> Result<Vec<u8>, Errno> {
        let count = self.sys(task, __NR_read, &[fd as u64, DATA, len])?;
        Ok(self.get(task, DATA, count as usize))
    }

    /// Makes a file in /tmp.
    pub fn file(&mut self, path: &str, contents: &[u8]) {
        let fd = self.open(path, O_CREAT | O_RDWR | O_TRUNC).unwrap();
        assert_eq!(self.write(INIT, fd, contents), Ok(contents.len() as i64));
        self.close(INIT, fd).unwrap();
    }

    pub fn contents(&mut self, path: &str) -> Result<Vec<u8>, Errno> {
        let fd = self.open(path, O_RDONLY)?;
        let bytes = self.read(INIT, fd, 0x10000);
        self.close(INIT, fd).unwrap();
        bytes
    }

    pub fn pipe(&mut self, flags: u32) -> (i64, i64) {
        assert_eq!(self.sys(INIT, __NR_pipe2, &[DATA, flags.into()]), Ok(0));
        let word = self.word(INIT, DATA);
        ((word & 0xffff_ffff) as i64, (word >> 32) as i64)
    }

    /// st_mode and st_size.
    pub fn stat(&mut self, nr: u32, path: &str) -> Result<(u32, u64), Errno> {
        self.with_path(nr, path, &[DATA])?;
        Ok((
            self.word(INIT, DATA + 24) as u32,
            self.word(INIT, DATA + 48),
        ))
    }

    /// Names and types in a directory, read in pieces of `size` bytes.
    pub fn list(&mut self, path: &str, size: u64) -> Vec<(String, u8)> {
        let fd = self.open(path, O_RDONLY | O_DIRECTORY).unwrap();
        let mut names = Vec::new();
        loop {
            let count = self
                .sys(INIT, __NR_getdents64, &[fd as u64, DATA, size])
                .unwrap();
            if count == 0 {
                break;
            }
            let bytes = self.get(INIT, DATA, count as usize);
            let mut at = 0;
            while at < bytes.len() {
                let len = u16::from_le_bytes([bytes[at + 16], bytes[at + 17]]) as usize;
                let name = &bytes[at + 19..at + len];
                let name = &name[..name.iter().position(|&b| b == 0).unwrap()];
                names.push((String::from_utf8(name.to_vec()).unwrap(), bytes[at + 18]));
                at += len;
            }
        }
        self.close(INIT, fd).unwrap();
        names
    }
}

/// /bin/tool, /bin/data (not executable), /bin/link -> tool, /etc/loop -> loop, /etc/abs -> /bin,
/// and a folder /usr/lib that only its file tells of.
fn archive() -> Vec<u8> {
    let file = |offset, size| Kind::File { offset, size };
    let entries = [
        ("/bin", Kind::Dir, 0o755),
        ("/bin/data", file(2 * 4096, 5000), 0o644),
        ("/bin/link", Kind::Symlink { target: "tool" }, 0o777),
        ("/bin/tool", file(4096, TOOL.len() as u64), 0o755),
        ("/etc", Kind::Dir, 0o755),
        ("/etc/abs", Kind::Symlink { target: "/bin" }, 0o777),
        ("/etc/loop", Kind::Symlink { target: "loop" }, 0o777),
        ("/usr/lib/lib.so", file(4 * 4096, 1), 0o644),
    ];
    let mut index = Vec::new();
    for (path, kind, mode) in entries {
        let entry = Entry {
            path,
            kind,
            mode,
            uid: 0,
            gid: 0,
            mtime: 5,
        };
        let mut buffer = [0; MAX];
        let len = wire::encode(&entry, &mut buffer);
        index.extend_from_slice(&buffer[..len]);
    }
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&(index.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&5u32.to_le_bytes());
    bytes.extend_from_slice(&index);
    bytes.resize(PAGE, 0);
    bytes.extend_from_slice(TOOL);
    bytes.resize(2 * PAGE, 0);
    bytes.extend((0..5000).map(|i| (i % 251) as u8));
    bytes.resize(4 * PAGE, 0);
    bytes.push(b'!');
    bytes.resize(5 * PAGE, 0);
    bytes
}

impl World {
    /// Gives a task's memory back, for tests with very many of them.
    pub fn forget(&mut self, task: TaskId) {
        self.out.memory.remove(&task);
    }
}

impl World {
    /// Lets a task die that may not be there.
    pub fn exit_if_there(&mut self, task: TaskId) {
        self.out.outstanding.retain(|&(other, _)| other != task);
        self.report(task, Event::Exited);
    }
}
