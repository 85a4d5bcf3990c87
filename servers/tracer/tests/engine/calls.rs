//! The calls and their errors (utrace.md, Calls).

use super::*;

#[test]
fn a_lookup_without_create_that_finds_none_is_enoent() {
    let mut c = chain();
    let flags = AttachFlags::MATCH_OPS;
    let found = c.attach(flags, Origin::Outside, (1, 1), Scripted::default());
    assert_eq!(found, Err(Errno::ENOENT));
    let id = attach(&mut c, Events::empty(), &[]);
    let found = c.attach(flags, Origin::Outside, (1, 2), Scripted::default());
    assert_eq!(found, Ok(Attached::Found(id)));
    let both = flags | AttachFlags::MATCH_DATA;
    let found = c.attach(both, Origin::Outside, (1, 2), Scripted::default());
    assert_eq!(found, Err(Errno::ENOENT));
}

#[test]
fn an_exclusive_attach_beside_a_match_is_eexist() {
    let mut c = chain();
    attach(&mut c, Events::empty(), &[]);
    let flags = NEW | AttachFlags::EXCLUSIVE | AttachFlags::MATCH_OPS;
    let again = c.attach(flags, Origin::Outside, (1, 9), Scripted::default());
    assert_eq!(again, Err(Errno::EEXIST));
    let other = c.attach(flags, Origin::Outside, (2, 9), Scripted::default());
    assert!(matches!(other, Ok(Attached::New(_))));
}

#[test]
fn one_engine_too_many_is_enomem() {
    let mut c = chain();
    for _ in 0..MAX_ENGINES_PER_TASK {
        attach(&mut c, Events::empty(), &[]);
    }
    let full = c.attach(NEW, Origin::Outside, (1, 1), Scripted::default());
    assert_eq!(full, Err(Errno::ENOMEM));
}

#[test]
fn detach_during_the_death_report_is_ealready_and_twice_is_esrch() {
    let mut c = chain();
    let a = attach(&mut c, Events::DEATH, &[]);
    let b = attach(&mut c, Events::empty(), &[]);
    c.detach(b).unwrap();
    assert_eq!(c.detach(b).unwrap_err(), Errno::ESRCH);
    c.begin(report(
        1,
        Event::Death {
            status: 0,
            natural: true,
        },
    ));
    assert!(matches!(c.advance(), Next::Ask(..)));
    assert_eq!(c.detach(a).unwrap_err(), Errno::EALREADY);
}

#[test]
fn set_flags_of_a_dead_task_is_ealready_for_what_comes_too_late() {
    let mut c = chain();
    let hold = state(State::NOREAP);
    let a = attach(&mut c, Events::DEATH | Events::REAP, &[hold]);
    let b = attach(&mut c, Events::empty(), &[]);
    c.begin(report(
        1,
        Event::Death {
            status: 0,
            natural: true,
        },
    ));
    assert_eq!(drive(&mut c).1, HELD);
    let mut set = |id, events, state| c.set_flags(id, Flags { events, state });
    let both = Events::DEATH | Events::REAP;
    assert_eq!(set(a, Events::REAP, State::NOREAP), Err(Errno::EALREADY));
    assert_eq!(set(a, Events::DEATH, State::NOREAP), Err(Errno::EALREADY));
    assert_eq!(set(b, Events::empty(), State::NOREAP), Err(Errno::EALREADY));
    assert_eq!(set(b, Events::DEATH, State::empty()), Err(Errno::EALREADY));
    assert_eq!(set(b, QUIESCE, State::empty()), Err(Errno::EALREADY));
    assert_eq!(
        set(b, Events::empty(), State::QUIESCE),
        Err(Errno::EALREADY)
    );
    assert_eq!(set(b, Events::EXEC, State::SINGLESTEP), Ok(()));
    assert_eq!(set(a, both, State::empty()), Ok(()));
    assert!(matches!(drive(&mut c).1, Next::Go(_)));
}

#[test]
fn a_signal_is_injected_only_at_a_signal_stop_once() {
    let mut c = chain();
    let a = attach(
        &mut c,
        Events::SYSCALL_EXIT | Events::ANY_SIGNAL,
        &[state(State::QUIESCE), state(State::QUIESCE)],
    );
    let choice = Choice::Act(SignalAction::Handler);
    let info = SigInfo::new(USR1, 3);
    assert_eq!(
        c.inject(a, choice, info, None),
        Err(Errno::ENOSYS),
        "running"
    );
    c.begin(report(1, Event::SyscallExit));
    drive(&mut c);
    assert_eq!(
        c.inject(a, choice, info, None),
        Err(Errno::ENOSYS),
        "a syscall stop"
    );
    c.withdraw();
    c.begin(report(2, signal(SignalAction::Core)));
    drive(&mut c);
    let none = SigInfo::new(0, 0);
    assert_eq!(c.inject(a, choice, none, None), Err(Errno::EINVAL));
    assert_eq!(c.inject(a, choice, info, None), Ok(()));
    assert_eq!(c.inject(a, choice, info, None), Err(Errno::EAGAIN));
    c.detach(a).unwrap();
    let action = SignalAction::Handler;
    assert_eq!(
        verdict(drive(&mut c).1),
        Verdict::Signal {
            action,
            info,
            handler: None
        }
    );
    assert_eq!(
        c.inject(a, choice, info, None),
        Err(Errno::ESRCH),
        "detached"
    );
}

#[test]
fn random_calls_never_panic_and_end_with_every_report_answered() {
    for seed in 1..400u64 {
        let mut x = seed;
        let mut random = |n: u64| {
            x = x
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (x >> 33) % n
        };
        let mut c = chain();
        for step in 0..200 {
            let id = EngineId(random(12) as u32);
            let bits = Flags {
                events: Events::from_bits_truncate(random(1 << 15) as u32),
                state: State::from_bits_truncate(random(8) as u32),
            };
            match random(8) {
                0 => drop(c.attach(NEW, Origin::Outside, (1, 1), Scripted::default())),
                1 => drop(c.set_flags(id, bits)),
                2 => drop(c.detach(id)),
                3 => drop(c.inject(id, Choice::Hold, SigInfo::new(USR1, 0), None)),
                4 => drop(c.answer(id, step, state(bits.state))),
                5 => drop(c.begin(report(step, signal(SignalAction::Stop)))),
                6 => drop(c.begin(report(step, Event::SyscallEntry))),
                _ => drop(c.advance()),
            }
        }
        drive(&mut c);
        for id in 0..300 {
            let _ = c.forget(EngineId(id));
        }
        assert!(
            matches!(drive(&mut c).1, Next::Idle | Next::Go(_)),
            "seed {seed}"
        );
    }
}
