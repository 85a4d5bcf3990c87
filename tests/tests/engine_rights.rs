//! Who may attach an engine, and what its task gets from a set-user-ID program (ptrace.md A3, A10).

use abi::Errno;
use abi::engine::{AttachFlags, Flags};
use abi::linux::general as g;
use world::asm::{Entry, exited};
use world::{Boot, Prog, Val, Var, World, under_seeds};

/// How many orders of events the scenario is tried in.
const SEEDS: u64 = 100;
/// Somebody who is not root.
const USER: u32 = 7;
const PR_SET_DUMPABLE: u32 = 4;
/// A copy of `/bin/who` that belongs to root and is set-user-ID.
const PROGRAM: &str = "/tmp/who";

#[test]
fn an_engine_needs_the_rights_of_a_tracer_and_gives_none() {
    let first = Prog::tracing(Entry::Message, |p| {
        install(p);
        // Root's engine: the program is root's.
        let child = Held::fork(p, USER);
        p.engine(child.tid, 0, Flags::default());
        child.ends_as(p, 0);
        // A user's: the program is the user's.
        let user = p.var();
        let roots = Held::fork(p, 0);
        p.fork(|p| {
            p.begin();
            become_user(p, USER);
            let child = Held::fork(p, USER);
            let handle = p.var();
            p.attach_engine(roots.tid, AttachFlags::CREATE, 0, 0, handle);
            p.check(Val::Rax, Errno::EPERM.as_result());
            p.engine(child.tid, 0, Flags::default());
            child.ends_as(p, USER);
            p.exit(0);
        });
        p.store(user);
        p.wait_for(user, exited(0));
        roots.ends_as(p, 0);
        let program = p.string(PROGRAM);
        p.sys(g::__NR_unlink, &[program.into()]);
        p.check(Val::Rax, 0);
    });
    let who = Prog::of(|p| {
        p.sys(g::__NR_geteuid, &[]);
        p.exit(Val::Rax);
    });
    let boot = Boot::new(vec![("first", first), ("who", who)]);
    under_seeds(SEEDS, |seed| {
        let mut world = World::new(&boot, seed);
        assert_eq!(world.run_to_the_end(), exited(0));
    });
}

fn install(p: &mut Prog) {
    let (from, to) = (p.string("/bin/who"), p.string(PROGRAM));
    let (input, output) = (p.var(), p.var());
    p.sys(g::__NR_open, &[from.into(), g::O_RDONLY.into()]);
    p.store(input);
    let flags = g::O_CREAT | g::O_WRONLY;
    p.sys(g::__NR_open, &[to.into(), flags.into(), 0o755.into()]);
    p.store(output);
    let all = [output.into(), input.into(), 0.into(), (1 << 20).into()];
    p.sys(g::__NR_sendfile, &all);
    p.check_not_negative();
    p.sys(g::__NR_fchmod, &[output.into(), 0o4755.into()]);
    p.check(Val::Rax, 0);
    p.close(input);
    p.close(output);
}

/// A user whose memory others of that user may look into.
fn become_user(p: &mut Prog, uid: u32) {
    p.sys(g::__NR_setresuid, &[uid.into(), uid.into(), uid.into()]);
    p.check(Val::Rax, 0);
    p.sys(g::__NR_prctl, &[PR_SET_DUMPABLE.into(), 1.into()]);
    p.check(Val::Rax, 0);
}

/// A child that executes the program once it is told to.
struct Held {
    tid: Var,
    write: Var,
    buffer: u64,
}

impl Held {
    fn fork(p: &mut Prog, uid: u32) -> Held {
        let (tid, read, write) = (p.var(), p.var(), p.var());
        let buffer = p.page();
        p.pipe(read, write);
        p.fork(|p| {
            p.begin();
            become_user(p, uid);
            p.read(read, buffer, 1);
            p.exec(PROGRAM);
            p.exit(99);
        });
        p.store(tid);
        Held { tid, write, buffer }
    }

    /// It executes the program, and is this user then.
    fn ends_as(&self, p: &mut Prog, uid: u32) {
        p.write(self.write, self.buffer, 1);
        p.check(Val::Rax, 1);
        p.wait_for(self.tid, exited(uid as i32));
    }
}
