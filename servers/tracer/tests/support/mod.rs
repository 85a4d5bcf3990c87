//! A process manager that records: what the tracer asked, and what it may be told.

#![allow(dead_code)]

use abi::tracer::*;
use abi::wire::{Buffer, decode, encode};
use abi::{Errno, InCall, Regs, SigInfo, TaskId, client};
use std::collections::{BTreeMap, VecDeque};
use tracer::{Host, Tracer};

/// Request numbers by value, as programs use them.
pub mod rq {
    pub const TRACEME: u64 = 0;
    pub const PEEKDATA: u64 = 2;
    pub const PEEKUSER: u64 = 3;
    pub const POKEDATA: u64 = 5;
    pub const POKEUSER: u64 = 6;
    pub const CONT: u64 = 7;
    pub const KILL: u64 = 8;
    pub const SINGLESTEP: u64 = 9;
    pub const GETREGS: u64 = 12;
    pub const GETFPREGS: u64 = 14;
    pub const SETFPREGS: u64 = 15;
    pub const SETREGS: u64 = 13;
    pub const ATTACH: u64 = 16;
    pub const DETACH: u64 = 17;
    pub const SYSCALL: u64 = 24;
    pub const ARCH_PRCTL: u64 = 30;
    pub const SYSEMU: u64 = 31;
    pub const SETOPTIONS: u64 = 0x4200;
    pub const GETEVENTMSG: u64 = 0x4201;
    pub const GETSIGINFO: u64 = 0x4202;
    pub const SETSIGINFO: u64 = 0x4203;
    pub const GETREGSET: u64 = 0x4204;
    pub const SETREGSET: u64 = 0x4205;
    pub const SEIZE: u64 = 0x4206;
    pub const INTERRUPT: u64 = 0x4207;
    pub const LISTEN: u64 = 0x4208;
    pub const GET_SYSCALL_INFO: u64 = 0x420e;
}

/// One task of the model.
pub struct Task {
    pub view: TaskView,
    pub subscribed: Events,
    pub posting: Posting,
    /// A report that was published as a stop without the tracer.
    pub unseen: Option<Report>,
    pub outstanding: Option<u32>,
    pub quiesce: bool,
    pub stop: Option<u32>,
    pub taken: bool,
    pub regs: Regs,
    pub memory: BTreeMap<u64, u8>,
    pub signals: Vec<(SigInfo, bool)>,
    pub answers: Vec<Answer>,
    pub detached: Vec<Option<SigInfo>>,
    pub fpu: Vec<u8>,
}

/// The model.
#[derive(Default)]
pub struct Procmgr {
    pub tasks: BTreeMap<TaskId, Task>,
    queue: VecDeque<Report>,
    /// The latest report of each task.
    reported: BTreeMap<TaskId, Report>,
    numbers: u32,
    /// The name of every call, since the last time a test looked.
    pub calls: Vec<&'static str>,
    /// Binding fails: the tracer is exiting.
    pub bind_fails: bool,
}

pub fn id(slot: usize) -> TaskId {
    TaskId::new(slot, 1)
}

impl Procmgr {
    /// A process with one task whose tid, pid and slot are `n`, a child of `parent`.
    pub fn spawn(&mut self, n: usize, parent: Option<usize>) -> TaskId {
        let view = TaskView {
            task: id(n),
            tid: n as u32,
            tgid: n as u32,
            parent: parent.map(id),
            tracer: None,
            state: Life::Alive,
            uid: [0; 3],
            gid: [0; 3],
            dumpable: true,
            may_trace_any: true,
            context: 0,
            report: None,
            group_stop: None,
        };
        let task = Task {
            view,
            subscribed: Events::empty(),
            posting: Posting::NONE,
            unseen: None,
            outstanding: None,
            quiesce: false,
            stop: None,
            taken: false,
            regs: Regs::default(),
            memory: (0x1000..0x2000).map(|a| (a, 0)).collect(),
            signals: Vec::new(),
            answers: Vec::new(),
            detached: Vec::new(),
            fpu: (0..512).map(|i| i as u8).collect(),
        };
        self.tasks.insert(id(n), task);
        id(n)
    }

    pub fn task(&mut self, n: usize) -> &mut Task {
        self.tasks.get_mut(&id(n)).expect("a task of the test")
    }

    /// Something happens to task `n`, at a point where it is in `in_call`.
    pub fn report_in(&mut self, n: usize, in_call: InCall, event: Event) {
        self.numbers += 1;
        let number = self.numbers;
        let task = self.task(n);
        task.outstanding = Some(number);
        task.unseen = None;
        let code = match event {
            Event::SyscallEntry | Event::SyscallExit => task.posting.syscalls,
            Event::Signal { info, .. } if task.posting.signals => {
                Some(info.signo as u32).filter(|n| *n != u32::from(abi::signal::SIGCONT))
            }
            _ => None,
        };
        let report = Report {
            task: id(n),
            tid: task.view.tid,
            number,
            in_call,
            posted: code.is_some(),
            more: true,
            event,
        };
        self.reported.insert(id(n), report);
        let task = self.task(n);
        if code.is_some() {
            task.unseen = Some(report);
            task.stop = code;
            task.taken = false;
        } else {
            self.queue.push_back(report);
        }
    }

    pub fn memory(&mut self, n: usize, addr: u64, len: u64) -> Vec<u8> {
        let memory = &self.task(n).memory;
        (addr..addr + len).map(|a| memory[&a]).collect()
    }

    pub fn poke(&mut self, n: usize, addr: u64, bytes: &[u8]) {
        for (a, b) in (addr..).zip(bytes) {
            self.task(n).memory.insert(a, *b);
        }
    }

    fn handle(&mut self, call: &Call<'_>, buffer: &mut Buffer) -> Result<usize, Errno> {
        let alive = |tasks: &BTreeMap<TaskId, Task>, id: &TaskId| {
            tasks.get(id).map(|t| t.view).ok_or(Errno::ESRCH)
        };
        let reply = match *call {
            Call::Next => match self.queue.pop_front() {
                Some(report) => Reply::Report(report),
                None => Reply::None,
            },
            Call::View { task } => Reply::View(alive(&self.tasks, &task)?),
            Call::Find { tid } => {
                let found = self.tasks.values().find(|t| t.view.tid == tid);
                Reply::View(found.ok_or(Errno::ESRCH)?.view)
            }
            Call::Attach { task, events } => {
                let t = self.tasks.get_mut(&task).ok_or(Errno::ESRCH)?;
                t.subscribed = events;
                Reply::View(t.view)
            }
            Call::Detach { task, signal } => {
                let t = self.tasks.get_mut(&task).ok_or(Errno::ESRCH)?;
                t.detached.push(signal);
                t.subscribed = Events::empty();
                t.posting = Posting::NONE;
                t.unseen = None;
                t.outstanding = None;
                t.view.tracer = None;
                Reply::Done
            }
            Call::SetEvents {
                task,
                events,
                posting,
                quiesce,
            } => {
                let t = self.tasks.get_mut(&task).ok_or(Errno::ESRCH)?;
                t.subscribed = events;
                t.posting = posting;
                t.quiesce |= quiesce;
                Reply::Done
            }
            Call::Bind { task, tracer } => {
                if self.bind_fails {
                    return Err(Errno::ESRCH);
                }
                let t = self.tasks.get_mut(&task).ok_or(Errno::ESRCH)?;
                t.view.tracer = tracer;
                Reply::Done
            }
            Call::Answer(answer) => {
                let t = self.tasks.get_mut(&answer.task).ok_or(Errno::ESRCH)?;
                if t.outstanding != Some(answer.number) {
                    return Err(Errno::ESRCH);
                }
                t.outstanding = None;
                t.stop = None;
                t.answers.push(answer);
                Reply::Done
            }
            Call::Take { task } => {
                let t = self.tasks.get_mut(&task).ok_or(Errno::ESRCH)?;
                t.unseen.take().map_or(Reply::None, Reply::Report)
            }
            Call::StoreRegs {
                task,
                number,
                client,
                addr,
            } => {
                let t = self.tasks.get(&task).ok_or(Errno::ESRCH)?;
                let report = match number {
                    Some(_) => self.reported.get(&task).filter(|r| {
                        number == t.outstanding && number == Some(r.number) && t.unseen.is_none()
                    }),
                    None => t.unseen.as_ref(),
                };
                let in_call = report.ok_or(Errno::ESRCH)?.in_call;
                let words = abi::UserRegs::of(&t.regs, in_call).to_words();
                let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
                let memory = &mut self.tasks.get_mut(&client).ok_or(Errno::ESRCH)?.memory;
                for (i, byte) in (0..).zip(bytes) {
                    *memory.get_mut(&addr.wrapping_add(i)).ok_or(Errno::EFAULT)? = byte;
                }
                Reply::Done
            }
            Call::Resume {
                task,
                events,
                posting,
                step,
            } => {
                let t = self.tasks.get_mut(&task).ok_or(Errno::ESRCH)?;
                let report = t.unseen.take().ok_or(Errno::ESRCH)?;
                t.subscribed = events;
                t.posting = posting;
                t.outstanding = None;
                t.stop = None;
                // As if the report had been taken and answered.
                let verdict = match report.event {
                    Event::Signal { info, .. } => Verdict::Signal {
                        action: SignalAction::Ignore,
                        info,
                    },
                    _ => Verdict::Continue,
                };
                t.answers.push(Answer {
                    task,
                    number: report.number,
                    written: None,
                    step,
                    verdict,
                });
                Reply::Done
            }
            Call::StartChild { task, number } => {
                let t = self.tasks.get_mut(&task).ok_or(Errno::ESRCH)?;
                if t.outstanding != Some(number) {
                    return Err(Errno::ESRCH);
                }
                Reply::Done
            }
            Call::GetFpu { task, number } => {
                let t = self.tasks.get_mut(&task).ok_or(Errno::ESRCH)?;
                if t.outstanding != Some(number) {
                    return Err(Errno::ESRCH);
                }
                return Ok(encode(&Reply::Bytes(&t.fpu), buffer));
            }
            Call::SetFpu {
                task,
                number,
                bytes,
            } => {
                let t = self.tasks.get_mut(&task).ok_or(Errno::ESRCH)?;
                if t.outstanding != Some(number) {
                    return Err(Errno::ESRCH);
                }
                t.fpu = bytes.to_vec();
                Reply::Done
            }
            Call::Post { task, number, stop } => {
                let t = self.tasks.get_mut(&task).ok_or(Errno::ESRCH)?;
                if t.outstanding != Some(number) {
                    return Err(Errno::ESRCH);
                }
                t.stop = Some(stop.code);
                t.taken = false;
                Reply::Done
            }
            Call::Unpost { task } => {
                let t = self.tasks.get_mut(&task).ok_or(Errno::ESRCH)?;
                Reply::Count(u32::from(!t.taken))
            }
            Call::Signal { task, info, force } => {
                let t = self.tasks.get_mut(&task).ok_or(Errno::ESRCH)?;
                t.signals.push((info, force));
                if info.signal() == Some(abi::signal::SIGKILL) {
                    t.outstanding = None;
                    t.unseen = None;
                    t.stop = None;
                }
                Reply::Done
            }
            Call::Read { task, addr, len } => {
                let t = self.tasks.get(&task).ok_or(Errno::ESRCH)?;
                let bytes: Vec<u8> = (0..u64::from(len))
                    .map_while(|i| t.memory.get(&addr.wrapping_add(i)).copied())
                    .collect();
                if bytes.is_empty() {
                    return Err(Errno::EFAULT);
                }
                return Ok(encode(&Reply::Bytes(&bytes), buffer));
            }
            Call::Write {
                task, addr, bytes, ..
            } => {
                let t = self.tasks.get_mut(&task).ok_or(Errno::ESRCH)?;
                let mut count = 0;
                for (i, byte) in (0..).zip(bytes) {
                    let Some(at) = t.memory.get_mut(&addr.wrapping_add(i)) else {
                        break;
                    };
                    *at = *byte;
                    count += 1;
                }
                if count == 0 {
                    return Err(Errno::EFAULT);
                }
                Reply::Count(count)
            }
        };
        Ok(encode(&reply, buffer))
    }
}

impl Host for Procmgr {
    fn call(&mut self, call: &Call<'_>, buffer: &mut Buffer) -> Result<usize, Errno> {
        self.calls.push(match call {
            Call::Next => "Next",
            Call::View { .. } => "View",
            Call::Find { .. } => "Find",
            Call::Attach { .. } => "Attach",
            Call::Detach { .. } => "Detach",
            Call::SetEvents { .. } => "SetEvents",
            Call::Bind { .. } => "Bind",
            Call::Answer(_) => "Answer",
            Call::Take { .. } => "Take",
            Call::Resume { .. } => "Resume",
            Call::StoreRegs { .. } => "StoreRegs",
            Call::StartChild { .. } => "StartChild",
            Call::GetFpu { .. } => "GetFpu",
            Call::SetFpu { .. } => "SetFpu",
            Call::Post { .. } => "Post",
            Call::Unpost { .. } => "Unpost",
            Call::Signal { .. } => "Signal",
            Call::Read { .. } => "Read",
            Call::Write { .. } => "Write",
        });
        // As bytes, as they cross the kernel.
        let mut sent: Buffer = [0; abi::wire::MAX];
        let n = encode(call, &mut sent);
        let call = decode(&sent[..n]).expect("a call survives its encoding");
        self.handle(&call, buffer)
    }

    fn regs(&mut self, task: TaskId) -> Result<Regs, Errno> {
        self.tasks.get(&task).map(|t| t.regs).ok_or(Errno::ESRCH)
    }

    fn set_regs(&mut self, task: TaskId, regs: &Regs) -> Result<(), Errno> {
        self.tasks.get_mut(&task).ok_or(Errno::ESRCH)?.regs = *regs;
        Ok(())
    }

    fn answer(&mut self, _: TaskId, _: [u64; 4]) {}
}

/// The tracer and its world: task 10 is a tracer, task 20 its child.
pub struct World {
    pub tracer: Tracer,
    pub pm: Procmgr,
}

pub const TRACER: usize = 10;
pub const CHILD: usize = 20;
/// Memory that every task has.
pub const BUF: u64 = 0x1000;

impl World {
    pub fn new() -> World {
        let mut pm = Procmgr::default();
        pm.spawn(1, None);
        pm.spawn(TRACER, Some(1));
        pm.spawn(CHILD, Some(TRACER));
        World {
            tracer: Tracer::new(),
            pm,
        }
    }

    /// The world after CHILD called TRACEME and raised SIGSTOP.
    pub fn traced() -> World {
        let mut w = World::new();
        assert_eq!(w.ptrace_by(CHILD, rq::TRACEME, 0, 0, 0), 0);
        w.signal(CHILD, abi::signal::SIGSTOP);
        w.pm.calls.clear();
        w
    }

    pub fn message(&mut self, client: usize, words: [u64; 4]) -> (i64, u64) {
        let answer = self
            .tracer
            .on_client(&mut self.pm, id(client), client::PTRACE, words);
        let [result, word, _, _] = answer.expect("ptrace is answered at once");
        (result as i64, word)
    }

    pub fn ptrace_by(&mut self, client: usize, n: u64, pid: usize, addr: u64, data: u64) -> i64 {
        self.message(client, [n, pid as u64, addr, data]).0
    }

    pub fn ptrace(&mut self, n: u64, addr: u64, data: u64) -> i64 {
        self.ptrace_by(TRACER, n, CHILD, addr, data)
    }

    pub fn event(&mut self, n: usize, event: Event) {
        self.event_in(n, InCall::NONE, event);
    }

    pub fn event_in(&mut self, n: usize, in_call: InCall, event: Event) {
        self.pm.report_in(n, in_call, event);
        self.tracer.on_reports(&mut self.pm);
    }

    /// A signal from the child itself is about to be delivered.
    pub fn signal(&mut self, n: usize, signo: u8) {
        let info = SigInfo::from_process(signo, 0, n as u32, 0);
        let action = SignalAction::Terminate;
        self.event(n, Event::Signal { info, action });
    }

    /// What wait shows of a task's stop.
    pub fn stop(&mut self, n: usize) -> Option<u32> {
        self.pm.task(n).stop
    }

    pub fn last_answer(&mut self, n: usize) -> Answer {
        *self.pm.task(n).answers.last().expect("it was answered")
    }

    pub fn siginfo(&mut self, n: usize) -> SigInfo {
        assert_eq!(self.ptrace_by(TRACER, rq::GETSIGINFO, n, 0, BUF), 0);
        let bytes = self.pm.memory(TRACER, BUF, 128);
        SigInfo::from_bytes(&bytes.try_into().unwrap())
    }

    pub fn eventmsg(&mut self, n: usize) -> u64 {
        assert_eq!(self.ptrace_by(TRACER, rq::GETEVENTMSG, n, 0, BUF), 0);
        self.word(TRACER, BUF)
    }

    pub fn word(&mut self, n: usize, addr: u64) -> u64 {
        let bytes = self.pm.memory(n, addr, 8);
        u64::from_le_bytes(bytes.try_into().unwrap())
    }
}

/// A result as programs see it.
pub const fn err(e: Errno) -> i64 {
    e.as_result()
}
