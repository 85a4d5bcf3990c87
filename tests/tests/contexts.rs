//! Contexts: what the border lets through, under seeds.

use abi::client::{CONTEXT_ENTER, CONTEXT_GET, NR_CONTEXT};
use abi::engine::{AttachFlags, Flags};
use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::signal::*;
use procmgr::context::MAX_CONTEXTS;
use world::asm::{Entry, Is, exited};
use world::{Boot, Prog, Val, Var, World, scenario, under_seeds};

const EPERM: i32 = -1;
const ESRCH: i32 = -3;
const EBUSY: i32 = -16;

fn enter(p: &mut Prog, number: impl Into<Val>) {
    p.sys(NR_CONTEXT, &[CONTEXT_ENTER.into(), number.into()]);
}

fn context_of(p: &mut Prog, pid: impl Into<Val>) {
    p.sys(NR_CONTEXT, &[CONTEXT_GET.into(), pid.into()]);
}

/// A child in a context of its own does `body` once it is there.
fn child_in(p: &mut Prog, child: Var, number: u32, body: impl FnOnce(&mut Prog)) {
    p.fork(|p| {
        enter(p, number);
        p.check(Val::Rax, number);
        body(p);
    });
    p.store(child);
}

/// Becomes somebody without privilege.
fn drop_privilege(p: &mut Prog) {
    let uid = 1000.into();
    p.sys(g::__NR_setresuid, &[uid, uid, uid]);
    p.check(Val::Rax, 0);
}

/// Every call that names a process, and its result where there is none.
fn cannot_reach(p: &mut Prog, pid: Var) {
    let (data, limits) = (p.page(), p.words(&[1, 1]));
    let own = p.words(&[data, 8]);
    let info = p.words(&[0xffff_ffff_0000_0000, 0xffff_ffff, 0, 0]);
    for (nr, args) in [
        (g::__NR_kill, vec![pid.into(), 0.into()]),
        (g::__NR_tkill, vec![pid.into(), 0.into()]),
        (g::__NR_tgkill, vec![pid.into(), pid.into(), 0.into()]),
        (
            g::__NR_rt_sigqueueinfo,
            vec![pid.into(), 10.into(), info.into()],
        ),
        (g::__NR_getpgid, vec![pid.into()]),
        (g::__NR_getsid, vec![pid.into()]),
        (g::__NR_setpgid, vec![pid.into(), 0.into()]),
        (
            g::__NR_prlimit64,
            vec![pid.into(), 7.into(), 0.into(), limits.into()],
        ),
        (
            g::__NR_sched_getaffinity,
            vec![pid.into(), 8.into(), data.into()],
        ),
        (g::__NR_sched_getscheduler, vec![pid.into()]),
        (g::__NR_sched_getparam, vec![pid.into(), data.into()]),
        (g::__NR_getpriority, vec![0.into(), pid.into()]),
        (
            g::__NR_get_robust_list,
            vec![pid.into(), data.into(), data.into()],
        ),
        (
            g::__NR_process_vm_readv,
            vec![
                pid.into(),
                own.into(),
                1.into(),
                own.into(),
                1.into(),
                0.into(),
            ],
        ),
        (g::__NR_pidfd_open, vec![pid.into(), 0.into()]),
        (NR_CONTEXT, vec![CONTEXT_GET.into(), pid.into()]),
    ] {
        p.sys(nr, &args);
        p.check(Val::Rax, ESRCH);
    }
}

#[test]
fn nobody_reaches_out_of_a_context_nor_into_another() {
    scenario(50, |p| {
        let (inner, other, first, read, write) = (p.var(), p.var(), p.var(), p.var(), p.var());
        let (byte, status) = (p.page(), p.var());
        p.getpid();
        p.store(first);
        p.pipe(read, write);
        // Waits until it is killed.
        child_in(p, other, 8, |p| {
            p.write(write, byte, 1);
            p.spin();
        });
        p.read(read, byte, 1);
        child_in(p, inner, 7, |p| {
            cannot_reach(p, first);
            cannot_reach(p, other);
            p.sys(g::__NR_getppid, &[]);
            p.check(Val::Rax, 0);
            for pid in [first, other] {
                p.ptrace(nr::PTRACE_ATTACH, pid, 0, 0);
                p.check(Val::Rax, EPERM);
                p.ptrace(nr::PTRACE_SEIZE, pid, 0, 0);
                p.check(Val::Rax, EPERM);
            }
            p.ptrace(nr::PTRACE_TRACEME, 0, 0, 0);
            p.check(Val::Rax, 0);
            enter(p, 9);
            p.check(Val::Rax, EPERM);
            context_of(p, 0);
            p.check(Val::Rax, 7);
            p.exit(5);
        });
        // Its parent waits for it as ever.
        p.wait_for(inner, exited(5));
        p.kill(other, SIGKILL);
        p.check(Val::Rax, 0);
        p.wait4(other, status, 0);
        p.check(Val::Rax, other);
    });
}

#[test]
fn the_host_watches_only_with_the_right() {
    for entry in Entry::ALL {
        let first = Prog::tracing(entry, |p| {
            let (inner, outer, read, write) = (p.var(), p.var(), p.var(), p.var());
            let byte = p.page();
            p.pipe(read, write);
            child_in(p, inner, 7, |p| {
                p.write(write, byte, 1);
                p.spin();
            });
            p.read(read, byte, 1);
            p.fork(|p| {
                p.begin();
                p.kill(inner, 0);
                p.check(Val::Rax, 0);
                context_of(p, inner);
                p.check(Val::Rax, 7);
                p.ptrace_ok(nr::PTRACE_ATTACH, inner, 0, 0);
                let status = p.var();
                p.wait4(inner, status, g::__WALL);
                p.ptrace_ok(nr::PTRACE_DETACH, inner, 0, 0);
                drop_privilege(p);
                cannot_reach(p, inner);
                p.ptrace(nr::PTRACE_ATTACH, inner, 0, 0);
                p.check(Val::Rax, EPERM);
                enter(p, 7);
                p.check(Val::Rax, EPERM);
                p.exit(3);
            });
            p.store(outer);
            p.wait_for(outer, exited(3));
            p.kill(inner, SIGKILL);
            p.wait_for(inner, SIGKILL.into());
        });
        let boot = Boot::new(vec![("first", first)]);
        under_seeds(50, |seed| {
            assert_eq!(World::new(&boot, seed).run_to_the_end(), exited(0));
        });
    }
}

#[test]
fn everybody_means_those_of_ones_own_context() {
    scenario(50, |p| {
        let (host, inner, third, status) = (p.var(), p.var(), p.var(), p.var());
        let (read, write, byte) = (p.var(), p.var(), p.page());
        p.pipe(read, write);
        p.fork(|p| p.spin());
        p.store(host);
        child_in(p, inner, 7, |p| {
            // Its init: it is spared.
            p.fork(|p| p.spin());
            p.store(third);
            p.fork(|p| {
                p.kill(-1, SIGKILL);
                p.check(Val::Rax, 0);
                p.exit(2);
            });
            p.wait_for(third, SIGKILL.into());
            p.wait4(-1, status, 0);
            p.check(status, exited(2));
            p.write(write, byte, 1);
            p.spin();
        });
        p.read(read, byte, 1);
        p.kill(host, 0);
        p.check(Val::Rax, 0);
        // The host's everybody does not include a context's members.
        p.kill(-1, SIGKILL);
        p.wait_for(host, SIGKILL.into());
        p.kill(inner, 0);
        p.check(Val::Rax, 0);
        p.kill(inner, SIGKILL);
        p.wait_for(inner, SIGKILL.into());
    });
}

#[test]
fn a_group_is_its_members_that_one_sees() {
    scenario(50, |p| {
        let (inner, count) = (p.var(), p.var());
        p.on_signal(SIGUSR1, 0, |p| p.add(count, 1));
        child_in(p, inner, 7, |p| {
            p.on_signal(SIGUSR1, 0, |p| p.add(count, 1));
            // The same group as its parent.
            p.kill(0, SIGUSR1);
            p.check(Val::Rax, 0);
            p.check(count, 1);
            p.exit(1);
        });
        p.wait_for(inner, exited(1));
        p.check(count, 0);
    });
}

#[test]
fn orphans_go_to_their_contexts_first_process_then_to_the_machines() {
    scenario(50, |p| {
        let (inner, status, own) = (p.var(), p.var(), p.var());
        let (read, write, pid) = (p.var(), p.var(), p.page());
        p.pipe(read, write);
        child_in(p, inner, 7, |p| {
            p.getpid();
            p.store(own);
            p.fork(|p| {
                p.fork(|p| {
                    p.sleep(1_000_000);
                    p.sys(g::__NR_getppid, &[]);
                    p.check(Val::Rax, own);
                    p.exit(4);
                });
                p.exit(3);
            });
            p.wait4(-1, status, 0);
            p.check(status, exited(3));
            p.wait4(-1, status, 0);
            p.check(status, exited(4));
            // One that outlives it.
            p.fork(|p| {
                p.getpid();
                p.store(Var(pid));
                p.write(write, pid, 8);
                p.spin();
            });
            p.exit(5);
        });
        p.wait_for(inner, exited(5));
        p.read(read, pid, 8);
        context_of(p, Var(pid));
        p.check(Val::Rax, 7);
        p.kill(Var(pid), SIGKILL);
        p.wait4(-1, status, 0);
        p.check(Val::Rax, Var(pid));
        // With its last process the context is over, and made anew.
        context_of(p, Var(pid));
        p.check(Val::Rax, ESRCH);
    });
}

#[test]
fn a_process_that_holds_others_or_asks_for_nonsense_stays_where_it_is() {
    for entry in Entry::ALL {
        let first = Prog::tracing(entry, |p| {
            let child = p.var();
            for (number, errno) in [(1u64 << 31, -22), (u64::MAX, -22)] {
                enter(p, number);
                p.check(Val::Rax, errno);
            }
            p.sys(NR_CONTEXT, &[2.into(), 0.into()]);
            p.check(Val::Rax, -22);
            p.traced_child(child, |p| p.exit(1));
            enter(p, 7);
            p.check(Val::Rax, EBUSY);
            context_of(p, 0);
            p.check(Val::Rax, 0);
            p.kill(child, SIGKILL);
            p.wait_for(child, SIGKILL.into());
            // A tracer that watches keeps its hold.
            p.traced_child(child, |p| {
                enter(p, 7);
                p.check(Val::Rax, 7);
                p.exit(2);
            });
            p.cont(child, 0);
            p.wait_for(child, exited(2));
        });
        let boot = Boot::new(vec![("first", first)]);
        under_seeds(50, |seed| {
            assert_eq!(World::new(&boot, seed).run_to_the_end(), exited(0));
        });
    }
}

#[test]
fn engines_know_the_border_as_ptrace_does() {
    let first = Prog::tracing(Entry::Message, |p| {
        let (child, read, write, byte) = (p.var(), p.var(), p.var(), p.page());
        p.pipe(read, write);
        p.fork(|p| p.spin());
        p.store(child);
        // From inside it is out of reach.
        let inner = p.var();
        child_in(p, inner, 7, |p| {
            p.begin();
            let handle = p.var();
            p.attach_engine(child, AttachFlags::CREATE, 0, 0, handle);
            p.check(Val::Rax, EPERM);
            p.exit(2);
        });
        p.wait_for(inner, exited(2));
        let handle = p.engine(child, 0, Flags::default());
        enter(p, 7);
        p.check(Val::Rax, EBUSY);
        p.detach_engine(handle);
        p.check(Val::Rax, 0);
        p.kill(child, SIGKILL);
        p.wait_for(child, SIGKILL.into());
        // The owner of its engine loses the right to watch.
        p.fork(|p| {
            p.read(read, byte, 1);
            enter(p, 7);
            p.check(Val::Rax, EBUSY);
            p.exit(3);
        });
        p.store(child);
        p.engine(child, 0, Flags::default());
        drop_privilege(p);
        p.write(write, byte, 1);
        p.wait_for(child, exited(3));
    });
    let boot = Boot::new(vec![("first", first)]);
    under_seeds(50, |seed| {
        assert_eq!(World::new(&boot, seed).run_to_the_end(), exited(0));
    });
}

#[test]
fn proc_shows_ones_own_context() {
    scenario(30, |p| {
        let (inner, first, fd) = (p.var(), p.var(), p.var());
        let buffer = p.page();
        p.getpid();
        p.store(first);
        child_in(p, inner, 7, |p| {
            p.open("/proc/1/stat", g::O_RDONLY, 0);
            p.check(Val::Rax, -2);
            p.open("/proc/self/stat", g::O_RDONLY, 0);
            p.store(fd);
            p.read(fd, buffer, 30);
            p.check(Val::Rax, 30);
        });
        p.wait_for(inner, exited(0));
        p.open("/proc/1/stat", g::O_RDONLY, 0);
        p.store(fd);
        p.when(fd, Is::Less, 0, |p| p.exit(1));
        p.close(fd);
    });
}

#[test]
fn there_are_so_many_contexts_and_no_more() {
    let boot = Boot::new(vec![(
        "first",
        Prog::of(|p| {
            let (made, number, pid) = (p.var(), p.var(), p.var());
            let (read, write, word) = (p.var(), p.var(), p.page());
            p.pipe(read, write);
            p.forever(|p, end| {
                p.fork(|p| {
                    enter(p, 0);
                    p.store(Var(word));
                    p.write(write, word, 8);
                    p.forever(|p, _| p.sys(g::__NR_pause, &[]));
                });
                p.store(pid);
                p.read(read, word, 8);
                p.set(number, Var(word));
                p.when(number, Is::Less, 0, |p| p.jump(end));
                p.add(made, 1);
            });
            p.note(number);
            p.note(made);
            // One that exists can be entered still.
            p.fork(|p| {
                enter(p, 1);
                p.check(Val::Rax, 1);
            });
            p.store(pid);
            p.wait_for(pid, exited(0));
            p.forever(|p, end| {
                p.sys(g::__NR_kill, &[pid.into(), SIGKILL.into()]);
                p.add(pid, -1);
                p.when(pid, Is::Equal, 1, |p| p.jump(end));
            });
            p.wait_for_all();
        }),
    )]);
    under_seeds(1, |seed| {
        let mut world = World::with_frames(&boot, seed, 30_000);
        world.check_one_in = 512;
        assert_eq!(world.run_to_the_end(), exited(0));
        let noted = world.noted();
        assert_eq!((noted[0] as i64, noted[1]), (-11, MAX_CONTEXTS as u64));
        assert_eq!(world.procmgr.context_count(), 0);
    });
}
