//! Messages that make no sense, or sense that nobody meant.

use crate::schedule::Random;
use abi::engine::{Calls, Handle};
use abi::ptrace::{Bond, Mode, Options, Stop};
use abi::signal::Action;
use abi::tracer::{Answer, Course, Event, Events, First, Leave, SignalAction, Step, Verdict};
use abi::wire::{self, MAX};
use abi::{SigInfo, TaskId, fs, tracer};

/// Bytes that no server wrote: noise, or a message of [`Calls`] damaged.
pub fn damaged(random: &mut Random, message: &[u8]) -> Vec<u8> {
    let mut bytes = message.to_vec();
    match random.below(4) {
        0 => {
            let len = random.below(80) as usize;
            return (0..len).map(|_| random.bits() as u8).collect();
        }
        1 => bytes.truncate(random.below(bytes.len() as u64) as usize),
        2 => bytes.extend((0..=random.below(20)).map(|_| random.bits() as u8)),
        _ => {
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << random.below(8);
            }
        }
    }
    bytes
}

/// A task's id: one that exists, one that did, one that never will.
pub fn some_task(random: &mut Random, alive: &[TaskId]) -> TaskId {
    match random.below(4) {
        0 => TaskId::new(random.below(40) as usize, random.below(4) as u16),
        1 => TaskId::from_badge(random.bits() & 0xfff_ffff).unwrap_or(TaskId::FS),
        _ if alive.is_empty() => TaskId::TRACER,
        _ => *random.pick(alive),
    }
}

fn number(random: &mut Random) -> u32 {
    match random.below(8) {
        0 => random.bits() as u32,
        _ => random.below(12) as u32,
    }
}

fn address(random: &mut Random) -> u64 {
    match random.below(4) {
        0 => random.bits(),
        1 => 0x40_0000 + random.below(0x3000),
        2 => 0x60_0000 + random.below(0x3000),
        _ => 0x7fff_ffff_0000 + random.below(0x2_0000),
    }
}

fn length(random: &mut Random) -> u32 {
    match random.below(8) {
        0 => random.bits() as u32,
        _ => random.below(1000) as u32,
    }
}

fn info(random: &mut Random) -> SigInfo {
    let mut info = SigInfo::new(random.below(70) as u8, random.below(10) as i32 - 5);
    if random.one_in(8) {
        info.signo = random.bits() as i32;
    }
    info
}

/// A well-formed call of the tracer's with whatever in it.
pub fn tracer_call(random: &mut Random, alive: &[TaskId]) -> Vec<u8> {
    use tracer::Call;
    let task = some_task(random, alive);
    let call = match random.below(20) {
        0 => Call::Next,
        1 => Call::Find {
            tid: number(random),
        },
        2 => Call::Who { task },
        3 => Call::CheckTracer {
            client: task,
            tid: number(random),
        },
        4 => Call::Trace {
            tid: number(random),
            known: random.one_in(2).then(|| some_task(random, alive)),
            tracer: task,
            course: course(random),
            first: first(random),
        },
        5 => Call::TraceMe {
            task,
            course: course(random),
        },
        6 => Call::TraceChild {
            task,
            creator: some_task(random, alive),
            course: course(random),
            first: first(random),
        },
        7 => Call::Leave {
            task,
            why: match random.below(3) {
                0 => Leave::Exit {
                    kill: random.one_in(8),
                },
                1 => Leave::Request(random.bits()),
                _ => Leave::Request(random.below(70)),
            },
            course: random.one_in(2).then(|| course(random)),
        },
        8 => Call::SetCourse {
            task,
            course: course(random),
            at_stop: random.one_in(2),
            quiesce: random.one_in(2),
        },
        9 => Call::Recall { task },
        10 => Call::Answer(Answer {
            task,
            number: number(random),
            course: random.one_in(2).then(|| course(random)),
            verdict: verdict(random),
            quiet: random.one_in(4),
        }),
        11 => Call::Seen {
            task,
            number: number(random),
            quiet: random.one_in(2),
        },
        12 => Call::Post {
            task,
            number: number(random),
            stop: Stop::event(random.below(200) as u32, random.bits()),
            info: random.one_in(2).then(|| info(random)),
            course: random.one_in(2).then(|| course(random)),
        },
        13 => Call::Engage {
            task,
            client: some_task(random, alive),
            engine: number(random),
            data: random.bits(),
        },
        14 => Call::Disengage {
            handle: handle(random, task),
        },
        15 => Call::CallBack {
            handle: handle(random, task),
            number: number(random),
            event: *random.pick(&[Event::Quiesce, Event::SyscallExit, Event::Reap]),
            handler: random.one_in(2).then(Action::default),
        },
        16 => Call::SetCalls {
            task,
            calls: Calls([random.bits(); Calls::WORDS]),
        },
        17 => Call::ReadCalls {
            client: task,
            addr: random.bits(),
        },
        18 => Call::ReadSignal {
            client: task,
            info: random.bits(),
            action: random.bits(),
        },
        _ => Call::Signal {
            task,
            info: info(random),
            force: random.one_in(2),
        },
    };
    encoded(&call)
}

fn course(random: &mut Random) -> Course {
    let bond = Bond {
        options: Options::from_bits_truncate(random.bits() as u32),
        seized: random.one_in(2),
    };
    Course {
        events: Events::from_bits_truncate(random.bits() as u32),
        bond: random.one_in(2).then_some(bond),
        leased: random.one_in(2),
        relayed: random.one_in(2),
        mode: *random.pick(&[Mode::Free, Mode::Syscall, Mode::Emulate]),
        step: step(random),
    }
}

fn first(random: &mut Random) -> First {
    *random.pick(&[First::None, First::Attach, First::Child, First::Event])
}

fn step(random: &mut Random) -> Step {
    if random.one_in(2) {
        Step::None
    } else {
        Step::Single
    }
}

fn verdict(random: &mut Random) -> Verdict {
    match random.below(4) {
        0 => Verdict::Continue,
        1 => Verdict::AbortSyscall,
        2 => Verdict::Result(random.bits() as i64),
        _ => {
            let actions = [
                SignalAction::Deliver,
                SignalAction::Ignore,
                SignalAction::Terminate,
                SignalAction::Core,
                SignalAction::Stop,
                SignalAction::TerminalStop,
                SignalAction::Handler,
            ];
            Verdict::Signal {
                action: *random.pick(&actions),
                info: info(random),
                handler: random.one_in(4).then(Action::default),
            }
        }
    }
}

fn handle(random: &mut Random, task: TaskId) -> Handle {
    Handle {
        task,
        engine: random.below(4) as u32,
    }
}

/// A well-formed call of the file server's with whatever in it; never [`fs::Call::Next`], which
/// would park.
pub fn fs_call(random: &mut Random, alive: &[TaskId]) -> Vec<u8> {
    use fs::{Call, Direction, FileRange, ObjectId, Outcome};
    let (task, number) = (some_task(random, alive), number(random));
    let object = ObjectId(random.below(6) as u32);
    let offset = if random.one_in(6) {
        random.bits()
    } else {
        random.below(20_000)
    };
    let bytes = [0x5a; 100];
    let range = FileRange {
        object,
        offset,
        size: random.below(10_000),
    };
    let call = match random.below(25) {
        24 => Call::TransferMemory {
            task,
            number,
            addr: address(random),
            len: random.below(20_000),
            memory: random.below(3 * 4096),
            from: address(random),
            direction: *random.pick(&[Direction::ToTask, Direction::FromTask]),
        },
        0 => Call::Complete {
            task,
            number,
            outcome: Outcome::Result(random.bits() as i64 >> random.below(64)),
        },
        1 => Call::Complete {
            task,
            number,
            outcome: match random.one_in(2) {
                true => Outcome::File {
                    range,
                    may_write: random.one_in(2),
                },
                false => Outcome::Pid {
                    name: pid_name(random),
                    nonblocking: random.one_in(2),
                },
            },
        },
        2 => Call::Complete {
            task,
            number,
            outcome: Outcome::Program {
                readable: random.one_in(2),
                shared: random.one_in(2),
                closes: random.one_in(2),
                range,
                uid: 0,
                gid: 0,
                mode: 0,
            },
        },
        3 => Call::Read {
            task,
            number,
            addr: address(random),
            len: length(random),
        },
        4 => Call::ReadString {
            task,
            number,
            addr: address(random),
        },
        5 => Call::Write {
            task,
            number,
            addr: address(random),
            bytes: &bytes[..random.below(100) as usize],
        },
        6 => Call::Transfer {
            task,
            number,
            addr: address(random),
            len: length(random).into(),
            object,
            offset,
            direction: if random.one_in(2) {
                Direction::ToTask
            } else {
                Direction::FromTask
            },
        },
        7 => Call::ReadObject {
            object,
            offset,
            len: length(random),
        },
        8 => Call::WriteObject {
            object,
            offset,
            bytes: &bytes[..random.below(100) as usize],
        },
        9 => Call::Truncate {
            object,
            size: offset,
        },
        10 => Call::Signal {
            task,
            signo: random.bits() as u8,
        },
        11 => Call::SignalGroup {
            pgid: number,
            signo: random.bits() as u8,
        },
        12 => Call::Status {
            viewer: some_task(random, alive),
            tid: number,
        },
        13 => Call::WatchSignals {
            task,
            set: abi::SigSet(random.bits()),
        },
        14 => Call::TakeSignal {
            task,
            number,
            set: abi::SigSet(random.bits()),
        },
        15 => Call::FindPid {
            viewer: some_task(random, alive),
            tid: number,
            thread: random.one_in(2),
        },
        16 => Call::WatchPid {
            name: pid_name(random),
        },
        17 => Call::SignalPid {
            task,
            number,
            name: pid_name(random),
            scope: match random.below(3) {
                0 => abi::fs::Scope::Thread,
                1 => abi::fs::Scope::Process,
                _ => abi::fs::Scope::Group,
            },
            signo: random.below(70) as u32,
            info: address(random),
        },
        18 => Call::Writers { object },
        19 => Call::Copy {
            from: object,
            from_offset: offset,
            to: ObjectId(random.below(8) as u32),
            to_offset: random.below(1 << 20),
            len: length(random).into(),
        },
        20 => Call::Zero {
            object,
            offset,
            len: length(random).into(),
        },
        21 => Call::Complete {
            task,
            number,
            outcome: Outcome::Core {
                object,
                files: length(random),
                room: random.bits() >> random.below(64),
            },
        },
        22 => Call::SetDumpFilter {
            viewer: some_task(random, alive),
            tid: number,
            filter: length(random),
        },
        _ => Call::WakeAt { deadline: offset },
    };
    encoded(&call)
}

fn pid_name(random: &mut Random) -> abi::PidName {
    abi::PidName {
        tid: number(random),
        serial: random.below(4) as u32,
    }
}

/// A well-formed report to the file server that nobody made.
pub fn fs_report(random: &mut Random, alive: &[TaskId]) -> Vec<u8> {
    use fs::{Event, FileRange, ObjectId, Path, Reply, Report};
    let (task, tid) = (some_task(random, alive), number(random));
    let name = b"/bin/first";
    let event = match random.below(13) {
        0 | 1 => Event::Syscall {
            nr: random.below(340) as u32,
            args: core::array::from_fn(|_| {
                if random.one_in(3) {
                    address(random)
                } else {
                    random.below(8)
                }
            }),
        },
        2 => Event::Created {
            parent: some_task(random, alive),
            tid,
            tgid: tid,
            share_files: random.one_in(2),
            share_fs: random.one_in(2),
            pidfd: random.one_in(2).then(|| pid_name(random)),
        },
        3 => Event::FindProgram {
            dirfd: random.bits() as i32,
            flags: random.bits() as u32,
            path: if random.one_in(2) {
                Path::At(address(random))
            } else {
                Path::Inline(name)
            },
        },
        4 => Event::Executed {
            tid,
            program: FileRange {
                object: ObjectId(0),
                offset: 4096,
                size: 100,
            },
            path: name,
        },
        5 => Event::Map {
            fd: tid as i32,
            shared: random.one_in(2),
            write: random.one_in(2),
        },
        7 => Event::FindPid { fd: tid as i32 },
        8 => Event::Signalled,
        9 => Event::Ended {
            name: pid_name(random),
            reaped: random.one_in(2),
        },
        6 => Event::Interrupt,
        10 => Event::Core {
            signo: random.bits() as u8,
        },
        11 => Event::CoreWritten {
            size: random.bits() >> random.below(64),
        },
        _ if random.one_in(3) => Event::Exited,
        _ => Event::Console,
    };
    encoded(&Reply::Report(Report {
        task,
        number: number(random),
        event,
    }))
}

fn encoded<T: serde::Serialize>(value: &T) -> Vec<u8> {
    let mut buffer = [0; MAX];
    let len = wire::encode(value, &mut buffer);
    buffer[..len].to_vec()
}
