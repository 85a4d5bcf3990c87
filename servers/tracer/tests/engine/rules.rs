//! What happens to a report (utrace.md, Rules).

use super::*;

#[test]
fn rule_1_engines_are_called_in_attach_order() {
    let mut c = chain();
    let ids = [0; 3].map(|_| attach(&mut c, Events::EXEC, &[]));
    c.begin(report(1, Event::Exec { former_tid: 7 }));
    assert_eq!(drive(&mut c).0, ids);
}

#[test]
fn rule_1_outsiders_wait_until_the_clone_report_of_a_newborns_creator_is_over() {
    let mut c: Chain<Scripted> = Chain::new(Life::Newborn);
    let outside = c.attach(NEW, Origin::Outside, (1, 1), Scripted::default());
    assert_eq!(outside, Ok(Attached::Wait));
    let creator = c.attach(NEW, Origin::Creator, (1, 1), Scripted::default());
    assert!(matches!(creator, Ok(Attached::New(_))));
    c.born();
    let outside = c.attach(NEW, Origin::Outside, (1, 1), Scripted::default());
    assert!(matches!(outside, Ok(Attached::New(_))));
}

#[test]
fn rule_2_a_task_stays_stopped_until_the_last_engine_lets_go() {
    let mut c = chain();
    let quiesce = state(State::QUIESCE);
    let a = attach(&mut c, Events::EXIT, &[quiesce]);
    let b = attach(&mut c, Events::EXIT, &[quiesce]);
    c.begin(report(1, Event::Exit { status: 0 }));
    assert_eq!(drive(&mut c).1, HELD);
    let events = Events::EXIT;
    let free = |state| Flags { events, state };
    c.set_flags(a, free(State::SINGLESTEP)).unwrap();
    assert_eq!(drive(&mut c).1, HELD);
    c.set_flags(b, free(State::empty())).unwrap();
    let Next::Go(go) = drive(&mut c).1 else {
        panic!("nobody holds it")
    };
    assert_eq!(go.step, Step::Single, "the other engine's step counts");
}

#[test]
fn rule_3_each_engine_sees_what_the_one_before_made_of_a_signal_and_the_last_choice_wins() {
    let mut c = chain();
    let mut replaced = chooses(SignalAction::Stop);
    replaced.info = Some(SigInfo::new(USR1, 5));
    attach(&mut c, Events::ANY_SIGNAL, &[replaced]);
    let b = attach(
        &mut c,
        Events::ANY_SIGNAL,
        &[chooses(SignalAction::Terminate)],
    );
    let d = attach(&mut c, Events::SIGNAL_STOP, &[]);
    let e = attach(&mut c, Events::SIGNAL_TERM, &[]);
    c.begin(report(1, signal(SignalAction::Handler)));
    let (order, end) = drive(&mut c);
    let info = SigInfo::new(USR1, 5);
    let action = SignalAction::Stop;
    let told = &c.engine(b).unwrap().kind.told;
    assert_eq!(told[..], [Event::Signal { info, action }]);
    assert!(order.contains(&e) && !order.contains(&d));
    let action = SignalAction::Terminate;
    assert_eq!(
        verdict(end),
        Verdict::Signal {
            action,
            info,
            handler: None
        }
    );
}

#[test]
fn rule_3_a_signal_nobody_chose_for_goes_its_way() {
    let mut c = chain();
    attach(&mut c, Events::ANY_SIGNAL, &[]);
    c.begin(report(1, signal(SignalAction::Core)));
    assert_eq!(verdict(drive(&mut c).1), Verdict::Continue);
}

#[test]
fn a_held_signal_goes_back_into_the_queue() {
    let mut c = chain();
    let hold = Response {
        signal: Some(Choice::Hold),
        ..Response::default()
    };
    attach(&mut c, Events::ANY_SIGNAL, &[hold]);
    c.begin(report(1, signal(SignalAction::Core)));
    let Next::Go(go) = drive(&mut c).1 else {
        panic!("nobody holds the task")
    };
    assert_eq!(go.requeue, Some(SigInfo::new(USR1, 0)));
    let action = SignalAction::Ignore;
    assert!(matches!(go.verdict, Verdict::Signal { action: a, .. } if a == action));
}

#[test]
fn rule_4_the_quiesce_report_comes_after_the_events_own() {
    let mut c = chain();
    let a = attach(&mut c, Events::EXIT | QUIESCE, &[]);
    let b = attach(&mut c, Events::EXIT, &[state(State::QUIESCE)]);
    c.begin(report(1, Event::Exit { status: 0 }));
    assert_eq!(drive(&mut c), (vec![a, b, a], HELD));
    let told = &c.engine(a).unwrap().kind.told;
    assert_eq!(told[..], [Event::Exit { status: 0 }, Event::Quiesce]);
}

#[test]
fn rule_4_asking_a_quiescent_task_to_be_quiescent_reports_at_once() {
    let mut c = chain();
    let a = attach(&mut c, QUIESCE, &[]);
    attach(&mut c, Events::EXIT, &[state(State::QUIESCE)]);
    c.begin(report(1, Event::Exit { status: 0 }));
    assert_eq!(drive(&mut c).0.len(), 2);
    let (events, quiesce) = (QUIESCE, State::QUIESCE);
    c.set_flags(
        a,
        Flags {
            events,
            state: quiesce,
        },
    )
    .unwrap();
    assert_eq!(drive(&mut c), (vec![a], HELD));
    c.set_flags(
        a,
        Flags {
            events,
            state: quiesce,
        },
    )
    .unwrap();
    assert_eq!(drive(&mut c), (vec![], HELD), "it was not news");
}

#[test]
fn rule_5_no_report_outside_the_new_mask_after_set_flags() {
    let mut c = chain();
    let a = attach(&mut c, Events::EXIT, &[]);
    let b = attach(&mut c, Events::EXIT | QUIESCE, &[]);
    c.begin(report(1, Event::Exit { status: 0 }));
    assert_eq!(c.advance(), Next::Ask(a, Event::Exit { status: 0 }, None));
    c.set_flags(b, Flags::default()).unwrap();
    c.answer(a, 1, state(State::QUIESCE)).unwrap();
    assert_eq!(drive(&mut c), (vec![], HELD));
}

#[test]
fn rule_6_a_kill_breaks_every_hold_and_the_old_answer_is_refused() {
    let mut c = chain();
    let a = attach(&mut c, Events::ANY_SIGNAL, &[]);
    let b = attach(&mut c, Events::SYSCALL_ENTRY, &[]);
    let mut flags = c.engine(b).unwrap().flags;
    flags.state = State::QUIESCE;
    c.set_flags(b, flags).unwrap();
    c.begin(report(1, signal(SignalAction::Core)));
    assert!(matches!(c.advance(), Next::Ask(..)));
    assert!(c.begin(report(
        2,
        Event::Death {
            status: 9,
            natural: true
        }
    )));
    let late = c.answer(a, 1, state(State::QUIESCE));
    assert_eq!(late.unwrap_err(), Errno::ESRCH);
    assert!(matches!(drive(&mut c).1, Next::Go(_)));
}

#[test]
fn rule_7_death_comes_before_reap_and_detaching_at_death_means_no_reap() {
    let mut c = chain();
    let both = Events::DEATH | Events::REAP;
    let leaves = Response {
        flow: Flow::Detach,
        ..Response::default()
    };
    let a = attach(&mut c, both, &[leaves]);
    let b = attach(&mut c, both, &[]);
    c.begin(report(
        1,
        Event::Death {
            status: 0,
            natural: true,
        },
    ));
    assert_eq!(drive(&mut c).0, [a, b]);
    c.begin(report(2, Event::Reap));
    let (told, end) = drive(&mut c);
    assert_eq!(told, [b]);
    assert!(matches!(end, Next::Go(_)), "nobody delays the reaper");
    assert_eq!(c.detach(b).unwrap_err(), Errno::ESRCH);
    assert_eq!(c.set_flags(b, Flags::default()), Err(Errno::ESRCH));
    let late = c.attach(NEW, Origin::Outside, (1, 1), Scripted::default());
    assert_eq!(late, Err(Errno::ESRCH));
}

#[test]
fn rule_8_the_last_noreap_holder_to_leave_lets_the_zombie_go() {
    let mut c = chain();
    let events = Events::DEATH;
    let holders = [0; 2].map(|_| attach(&mut c, events, &[]));
    for id in holders {
        let state = State::NOREAP;
        c.set_flags(id, Flags { events, state }).unwrap();
    }
    c.begin(report(
        1,
        Event::Death {
            status: 0,
            natural: true,
        },
    ));
    assert_eq!(drive(&mut c).1, HELD);
    c.detach(holders[0]).unwrap();
    assert_eq!(drive(&mut c).1, HELD);
    c.detach(holders[1]).unwrap();
    assert!(matches!(drive(&mut c).1, Next::Go(_)));
}

#[test]
fn rule_8_noreap_cannot_stop_an_exec_from_reaping_the_old_leader() {
    let mut c = chain();
    let id = attach(
        &mut c,
        Events::DEATH | Events::REAP,
        &[state(State::NOREAP)],
    );
    c.begin(report(
        1,
        Event::Death {
            status: 0,
            natural: false,
        },
    ));
    assert_eq!(drive(&mut c).1, HELD);
    c.begin(report(2, Event::Reap));
    let (told, end) = drive(&mut c);
    assert_eq!(told, [id]);
    assert!(matches!(end, Next::Go(_)));
}

#[test]
fn rule_9_a_job_control_stop_is_quiescence_only_after_its_report() {
    let mut c = chain();
    let a = attach(&mut c, Events::JCTL, &[]);
    let b = attach(&mut c, QUIESCE, &[]);
    let (events, quiesce) = (QUIESCE, State::QUIESCE);
    let stop = Event::JobControl {
        signo: 19,
        stop: true,
    };
    c.begin(report(1, stop));
    assert_eq!(c.advance(), Next::Ask(a, stop, None));
    c.set_flags(
        b,
        Flags {
            events,
            state: quiesce,
        },
    )
    .unwrap();
    assert_eq!(c.advance(), Next::Waiting(a), "no quiesce report yet");
    c.answer(a, 1, Response::default()).unwrap();
    assert_eq!(drive(&mut c), (vec![b], HELD));
}

#[test]
fn rule_10_a_report_that_waited_for_a_dead_engine_goes_on_to_the_next() {
    let mut c = chain();
    let a = attach(&mut c, Events::EXIT, &[]);
    let b = attach(&mut c, Events::EXIT, &[]);
    let exit = Event::Exit { status: 0 };
    c.begin(report(1, exit));
    assert_eq!(c.advance(), Next::Ask(a, exit, None));
    assert_eq!(c.advance(), Next::Waiting(a));
    c.forget(a).unwrap();
    assert_eq!(c.advance(), Next::Ask(b, exit, None));
    assert_eq!(
        c.answer(a, 1, Response::default()).unwrap_err(),
        Errno::ESRCH
    );
    assert_eq!(
        c.answer(b, 0, Response::default()).unwrap_err(),
        Errno::ESRCH
    );
    assert_eq!(
        c.advance(),
        Next::Waiting(b),
        "refused answers change nothing"
    );
}

#[test]
fn rule_12_an_engine_attached_during_a_report_sees_the_ones_after_it() {
    let mut c = chain();
    let a = attach(&mut c, Events::EXIT, &[]);
    c.begin(report(1, Event::Exit { status: 0 }));
    assert!(matches!(c.advance(), Next::Ask(..)));
    let late = attach(&mut c, Events::EXIT | Events::DEATH, &[]);
    c.answer(a, 1, Response::default()).unwrap();
    assert_eq!(drive(&mut c).0, []);
    c.begin(report(
        2,
        Event::Death {
            status: 0,
            natural: true,
        },
    ));
    assert_eq!(drive(&mut c).0, [late]);
}

#[test]
fn hide_hides_an_event_from_later_engines_but_not_exit() {
    let hide = Response {
        flow: Flow::Hide,
        ..Response::default()
    };
    let mut c = chain();
    let a = attach(&mut c, Events::EXEC | Events::EXIT, &[hide, hide]);
    let b = attach(&mut c, Events::EXEC | Events::EXIT, &[]);
    c.begin(report(1, Event::Exec { former_tid: 7 }));
    assert_eq!(drive(&mut c).0, [a]);
    c.begin(report(2, Event::Exit { status: 0 }));
    assert_eq!(drive(&mut c).0, [a, b]);
}

#[test]
fn any_engine_can_abort_a_system_call_at_its_entry() {
    let abort = Response {
        abort: true,
        ..Response::default()
    };
    let mut c = chain();
    attach(&mut c, Events::SYSCALL_ENTRY, &[abort]);
    attach(&mut c, Events::SYSCALL_ENTRY, &[]);
    c.begin(report(1, Event::SyscallEntry));
    assert_eq!(verdict(drive(&mut c).1), Verdict::AbortSyscall);
}
