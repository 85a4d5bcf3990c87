//! A world in which requests are made by hand: what a client says is the test's own doing, what it is
//! about are real tasks of the process manager on the simulated machine.

use crate::sim::Activity;
use crate::world::World;
use crate::{Boot, Prog, elf};
use abi::client::{self, ASK_TRACER, PTRACE, WAIT};
use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::signal::SIGINFO_SIZE;
use abi::{Regs, SigInfo, TaskId};
use procmgr::inspect::{Standing, TaskSurvey};

/// The tracer: a task that runs in circles while the test speaks for it.
pub const TRACER: u32 = 2;
/// A task that runs in circles, a child of the first process as the tracer is.
pub const SPINNER: u32 = 3;
/// A task that makes one system call after another.
pub const CALLER: u32 = 4;
/// A task that sleeps for ever.
pub const SLEEPER: u32 = 5;
/// A stranger: uid and gid 7, traced by nobody.
pub const STRANGER: u32 = 6;
/// A buffer of a page in everybody's memory.
pub const BUF: u64 = elf::DATA;
/// Where that memory ends.
pub const END: u64 = BUF + 3 * 4096;
/// Where nobody has memory.
pub const BAD: u64 = 8;

/// The world, and the numbers of the messages.
pub struct Hand {
    /// It.
    pub world: World,
    sent: u16,
}

impl Hand {
    /// Five tasks besides the first, at what they do.
    pub fn new() -> Hand {
        let first = Prog::of(|p| {
            assert_eq!(p.page(), BUF, "the first of the data");
            p.fork(|p| p.spin());
            p.fork(|p| p.spin());
            p.fork(|p| p.forever(|p, _| p.sys(g::__NR_getppid, &[])));
            p.fork(|p| p.sleep(u64::MAX / 4));
            p.fork(|p| {
                p.sys(g::__NR_setresgid, &[7.into(), 7.into(), 7.into()]);
                p.sys(g::__NR_setresuid, &[7.into(), 7.into(), 7.into()]);
                p.spin();
            });
            p.spin();
            assert_eq!(p.page() + 4096, END, "the last of the data");
        });
        let mut world = World::new(&Boot::new(vec![("first", first)]), 1);
        world.interleave_one_in = 0;
        let settled = |w: &World| {
            let survey = w.procmgr.survey();
            let asleep = |t: &TaskSurvey| t.tid == SLEEPER && t.standing == Standing::Waiting;
            survey.iter().any(asleep) && survey.iter().any(|t| t.tid == STRANGER)
        };
        world.run_until(settled);
        let mut hand = Hand { world, sent: 0 };
        hand.pass(200);
        hand
    }

    /// The same where the tracer has attached to a task and waited for its SIGSTOP.
    pub fn attached(tid: u32) -> Hand {
        let mut hand = Hand::new();
        assert_eq!(hand.ptrace(nr::PTRACE_ATTACH, tid, 0, 0), 0);
        assert_eq!(hand.wait(tid), 19 << 8 | 0x7f);
        hand
    }

    /// So many things happen.
    pub fn pass(&mut self, steps: u64) {
        let until = self.world.steps + steps;
        self.world.run_until(|w| w.steps >= until);
    }

    /// The task with a tid.
    pub fn id(&self, tid: u32) -> TaskId {
        self.survey(tid).expect("a task of the test").id
    }

    /// What a task is at, if it exists.
    pub fn survey(&self, tid: u32) -> Option<TaskSurvey> {
        self.world
            .procmgr
            .survey()
            .into_iter()
            .find(|t| t.tid == tid)
    }

    fn say(&mut self, by: u32, kind: u64, words: [u64; 4]) -> [u64; 4] {
        self.runs(by);
        self.sent = self.sent % client::MAX_NUMBER + 1;
        let label = client::label(kind, self.sent);
        let client = self.id(by);
        let answer = self
            .world
            .say(client, label, words)
            .expect("answered at once");
        if answer[0] as i64 == ASK_TRACER {
            return self.world.client_words(client, label, words);
        }
        answer
    }

    /// Lets things happen until a client runs in its program, which is when it can speak.
    fn runs(&mut self, tid: u32) {
        let id = self.id(tid);
        self.world.run_until(|w| {
            let pending = w.machine.threads.get(id).map(|t| t.pending);
            let running = crate::sim::Pending::Running(Activity::Program);
            pending == Some(running) && !w.procmgr.survey().iter().any(|t| t.id == id && t.queued)
        });
    }

    /// A request of some task's: result and word read.
    pub fn request(&mut self, by: u32, number: u64, pid: u64, addr: u64, data: u64) -> (i64, u64) {
        let [result, word, ..] = self.say(by, PTRACE, [number, pid, addr, data]);
        (result as i64, word)
    }

    /// The tracer says a request in a message of some kind: result and word read.
    pub fn request_of_kind(&mut self, kind: u64, words: [u64; 4]) -> (i64, u64) {
        let [result, word, ..] = self.say(TRACER, kind, words);
        (result as i64, word)
    }

    /// A request of the tracer's.
    pub fn ptrace(&mut self, number: u32, tid: u32, addr: u64, data: u64) -> i64 {
        self.request(TRACER, number.into(), tid.into(), addr, data)
            .0
    }

    /// A PEEK of the tracer's: result and word.
    pub fn peek(&mut self, number: u32, tid: u32, addr: u64) -> (i64, u64) {
        self.request(TRACER, number.into(), tid.into(), addr, 0)
    }

    /// The tracer waits until a task has something to tell; its status.
    pub fn wait(&mut self, tid: u32) -> i32 {
        for _ in 0..10_000 {
            if let Some(status) = self.look(tid) {
                return status;
            }
            self.pass(1);
        }
        panic!("nothing happens to {tid}");
    }

    /// The status that the tracer's wait for a task has now.
    pub fn look(&mut self, tid: u32) -> Option<i32> {
        let options = u64::from(g::WNOHANG | g::__WALL);
        let [result, ..] = self.say(TRACER, WAIT, [tid.into(), options, 0, 0]);
        (result as u32 == tid).then_some((result >> 32) as i32)
    }

    /// A task's registers as its thread has them.
    pub fn regs(&self, tid: u32) -> Regs {
        let thread = self.world.machine.threads.get(self.id(tid));
        thread.expect("it has a thread").regs
    }

    /// Bytes of a task's memory, made present first.
    pub fn put(&mut self, tid: u32, addr: u64, bytes: &[u8]) {
        let id = self.id(tid);
        self.world
            .procmgr
            .poke(&mut self.world.machine, id, addr, bytes);
    }

    /// What a task's memory holds.
    pub fn get(&mut self, tid: u32, addr: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        let id = self.id(tid);
        self.world
            .procmgr
            .peek(&mut self.world.machine, id, addr, &mut bytes);
        bytes
    }

    /// A word of a task's memory.
    pub fn word(&mut self, tid: u32, addr: u64) -> u64 {
        u64::from_le_bytes(self.get(tid, addr, 8).try_into().expect("eight bytes"))
    }

    /// PTRACE_GETSIGINFO.
    pub fn siginfo(&mut self, tid: u32) -> SigInfo {
        assert_eq!(self.ptrace(nr::PTRACE_GETSIGINFO, tid, 0, BUF), 0);
        let bytes: [u8; SIGINFO_SIZE] = self.get(TRACER, BUF, SIGINFO_SIZE).try_into().unwrap();
        SigInfo::from_bytes(&bytes)
    }
}

impl Default for Hand {
    fn default() -> Hand {
        Hand::new()
    }
}
