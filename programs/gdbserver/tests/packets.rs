//! The program itself, spoken to in packets: what gdb's own scripts cannot say, or cannot say exactly.

mod client;

use client::{Client, Stop};

const SIGTRAP: u8 = 5;
const SIGUSR1: u8 = 30;

#[test]
fn what_is_unknown_gets_an_empty_answer_and_what_makes_no_sense_an_error() {
    let mut gdb = Client::start(&["/bin/true"]);
    for unknown in [
        "vMustReplyEmpty",
        "qWhat",
        "QWhat:1",
        "bc",
        "Z9,0,0",
        "Z3,1000,4",
        "qXfer:osdata:read::0,1",
    ] {
        assert_eq!(gdb.ask(unknown), "", "{unknown}");
    }
    for wrong in [
        "m0,x",
        "P0=1",
        "G00",
        "p999",
        "vCont;q",
        "QNonStop:2",
        "qXfer:features:read:other.xml:0,10",
        "Z2,0,0",
        "qSymbol:1:",
        "qGetTLSAddr:1,0",
    ] {
        assert_eq!(gdb.ask(wrong), "E16", "{wrong}");
    }
    assert_eq!(gdb.ask("m0,10"), "E0e");
    assert_eq!(gdb.ask("Hgp1.1"), "E03");
    assert_eq!(gdb.ask("Tp1.1"), "E03");
    assert_eq!(gdb.ask("vAttach;7fffffff"), "E03");
    assert_eq!(gdb.ask("qGetTLSAddr:p1.1,0,0"), "E03");
    assert_eq!(gdb.resume("vCont;c"), Stop::Exited(0));
}

#[test]
fn packets_are_acknowledged_until_gdb_does_not_want_it() {
    let mut gdb = Client::start_acknowledging(&["/bin/true"]);
    gdb.send_raw(b"$qC#b4");
    assert_eq!(gdb.read_byte(), b'+');
    let answer = gdb.read_packet();
    gdb.send_raw(b"-");
    assert_eq!(gdb.read_packet(), answer);
    gdb.send_raw(b"$qC#00");
    assert_eq!(gdb.read_byte(), b'-');
    gdb.send_raw(b"$QStartNoAckMode#b0");
    assert_eq!(gdb.read_byte(), b'+');
    assert_eq!(gdb.read_packet(), "OK");
    gdb.send_raw(b"+$qC#b4");
    assert_eq!(gdb.read_packet(), answer);
}

#[test]
fn symbols_are_asked_for_while_gdb_knows_them() {
    let mut gdb = Client::start(&["/bin/true"]);
    let pid = gdb.process();
    let asked = "qSymbol:5f7468726561645f64625f707468726561645f64747670";
    assert_eq!(gdb.ask("qSymbol::"), asked);
    let name = &asked["qSymbol:".len()..];
    assert_eq!(gdb.ask(&format!("qSymbol::{name}")), "OK");
    // The program has no C library before its first instruction, so nobody says where its variables are: ENOSYS.
    let where_is = format!("qGetTLSAddr:p{pid:x}.{pid:x},0,0");
    assert_eq!(gdb.ask(&where_is), "E26");
    assert!(
        gdb.ask(&format!("qSymbol:1000:{name}"))
            .starts_with("qSymbol:")
    );
}

#[test]
fn a_second_debugger_on_the_same_line_begins_anew() {
    let mut gdb = Client::start(&["/bin/true"]);
    let thread = gdb.ask("qC");
    // The first is in the middle of a packet when it goes.
    gdb.send_raw(b"$m0,1$\x04");
    assert_eq!([gdb.read_byte(), gdb.read_byte()], *b"#\x04");
    gdb.send_raw(b"+$qC#b4");
    assert_eq!(gdb.read_byte(), b'+');
    // It has not said that it knows processes.
    let answer = gdb.read_packet();
    assert!(answer.starts_with("QC") && answer != thread, "{answer}");
}

#[test]
fn a_range_is_stepped_through_without_a_word_in_between() {
    let mut gdb = Client::start(&["/bin/true"]);
    let (pid, start) = (gdb.process(), gdb.pc());
    // The first instruction of the dynamic linker has three bytes.
    let stop = gdb.resume(&format!(
        "vCont;r{:x},{:x}:p{pid:x}.{pid:x}",
        start,
        start + 3
    ));
    assert_eq!(stop, Stop::Signal(SIGTRAP));
    assert!(!(start..start + 3).contains(&gdb.pc()));
    // Outside of the range, it is one step.
    let before = gdb.pc();
    gdb.resume(&format!("vCont;r{start:x},{start:x}:p{pid:x}.{pid:x}"));
    assert_ne!(gdb.pc(), before);
}

#[test]
fn signals_that_are_passed_are_not_reported() {
    let script = "trap 'n=$((n + 1))' USR1; for i in 1 2 3 4 5; do kill -USR1 $$; done; exit $n";
    let mut gdb = Client::start(&["/bin/sh", "-c", script]);
    assert_eq!(gdb.resume("vCont;c"), Stop::Signal(SIGUSR1));
    assert_eq!(gdb.resume("vCont;C1e"), Stop::Signal(SIGUSR1));
    assert_eq!(gdb.ask("QPassSignals:e;14;1e"), "OK");
    // The one that was reported is dropped; the others arrive.
    assert_eq!(gdb.resume("vCont;c"), Stop::Exited(4));
}

#[test]
fn system_calls_are_caught_at_both_ends() {
    let mut gdb = Client::start(&["/bin/sh", "-c", "exit 3"]);
    // exit_group
    assert_eq!(gdb.ask("QCatchSyscalls:1;e7"), "OK");
    assert_eq!(gdb.resume("vCont;c"), Stop::Call("syscall_entry", 231));
    assert_eq!(gdb.ask("QCatchSyscalls:0"), "OK");
    assert_eq!(gdb.resume("vCont;c"), Stop::Exited(3));
    assert_eq!(gdb.ask("?"), "W00");
}

#[test]
fn the_program_that_ran_can_be_run_again() {
    let mut gdb = Client::start(&["/bin/sh", "-c", "exit $#", "sh", "a"]);
    assert_eq!(gdb.resume("vCont;c"), Stop::Exited(1));
    assert_eq!(gdb.resume("vRun;"), Stop::Signal(SIGTRAP));
    assert_eq!(gdb.resume("vCont;c"), Stop::Exited(0));
    // sh -c 'exit 7'
    assert_eq!(
        gdb.resume("vRun;2f62696e2f7368;2d63;657869742037"),
        Stop::Signal(SIGTRAP)
    );
    assert_eq!(gdb.resume("vCont;c"), Stop::Exited(7));
    // /no
    assert_eq!(gdb.ask("vRun;2f6e6f"), "E02");
    assert_eq!(gdb.ask("vCont;c"), "E03");
}

#[test]
fn an_interrupt_stops_what_runs_and_does_nothing_to_what_does_not() {
    let mut gdb = Client::start(&["/bin/sleep", "100"]);
    gdb.send_raw(b"\x03");
    assert!(gdb.ask("qC").starts_with("QC"));
    gdb.send("vCont;c");
    gdb.send_raw(b"\x03");
    // SIGINT, which the program does not get.
    assert_eq!(gdb.read_stop(), Stop::Signal(2));
    let pid = gdb.process();
    assert_eq!(gdb.ask(&format!("vKill;{pid:x}")), "OK");
    assert_eq!(gdb.ask("qfThreadInfo"), "l");
}

#[test]
fn non_stop_tells_by_notifications() {
    let mut gdb = Client::start(&["/bin/sleep", "100"]);
    assert_eq!(gdb.ask("QNonStop:1"), "OK");
    let why = gdb.ask("?");
    assert!(why.starts_with("T05"), "{why}");
    assert_eq!(gdb.ask("vStopped"), "OK");
    assert_eq!(gdb.ask("vCont;c"), "OK");
    // While it runs there are answers, but no registers.
    assert_eq!(gdb.ask("g"), "E10");
    assert!(gdb.ask("qC").starts_with("QC"));
    assert_eq!(gdb.ask("vCont;t"), "OK");
    let notice = gdb.read_notification();
    assert!(notice.starts_with("Stop:T00"), "{notice}");
    assert_eq!(gdb.ask("vStopped"), "OK");
    let pid = gdb.process();
    assert_eq!(gdb.ask(&format!("D;{pid:x}")), "OK");
}

#[test]
fn in_non_stop_who_is_attached_to_stops_by_itself() {
    let mut sleeper = std::process::Command::new("/bin/sleep")
        .arg("100")
        .spawn()
        .unwrap();
    let pid = sleeper.id();
    let mut gdb = Client::start(&[]);
    assert_eq!(gdb.ask("QNonStop:1"), "OK");
    assert_eq!(gdb.ask("?"), "OK");
    assert_eq!(gdb.ask(&format!("vAttach;{pid:x}")), "OK");
    let notice = gdb.read_notification();
    let thread = format!("thread:p{pid:x}.{pid:x};");
    assert!(
        notice.starts_with("Stop:T00") && notice.contains(&thread),
        "{notice}"
    );
    assert_eq!(gdb.ask("vStopped"), "OK");
    assert_eq!(gdb.ask(&format!("qAttached:{pid:x}")), "1");
    assert_eq!(gdb.ask(&format!("D;{pid:x}")), "OK");
    assert!(sleeper.try_wait().unwrap().is_none());
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
}

#[test]
fn new_and_exiting_threads_are_told_of_where_that_is_wanted() {
    let script = "import threading; t = threading.Thread(target=int); t.start(); t.join()";
    let mut gdb = Client::start(&["/usr/bin/python3", "-c", script]);
    let wanted =
        |reply: &Stop, what: &str| matches!(reply, Stop::Other(text) if text.contains(what));
    assert_eq!(gdb.ask("QThreadEvents:1"), "OK");
    let created = gdb.resume("vCont;c");
    assert!(wanted(&created, "create:;"), "{created:?}");
    let exited = gdb.resume("vCont;c");
    assert!(wanted(&exited, "w00;p"), "{exited:?}");
    assert_eq!(gdb.ask("QThreadEvents:0"), "OK");
    assert_eq!(gdb.resume("vCont;c"), Stop::Exited(0));
}

#[test]
fn a_signal_at_which_a_program_is_let_go_is_its_own_if_it_may_have_it() {
    let script = "trap 'exit 9' USR1; kill -USR1 $$; exit 8";
    for (allowed, status) in [("QProgramSignals:1e", 9), ("QProgramSignals:e", 8)] {
        let mut gdb = Client::start(&["/bin/sh", "-c", script]);
        assert_eq!(gdb.ask(allowed), "OK");
        assert_eq!(gdb.resume("vCont;c"), Stop::Signal(SIGUSR1));
        let pid = gdb.process();
        assert_eq!(gdb.ask(&format!("D;{pid:x}")), "OK");
        assert_eq!(gdb.end(), Some(status));
    }
}

#[test]
fn a_child_that_nobody_wants_to_hear_of_is_let_go_without_breakpoints() {
    // A client that does not know of forks: the shell's children run, and find the breakpoint gone.
    let mut gdb = Client::start_with(&["/bin/sh", "-c", "(exit 5); exit $?"], "swbreak+");
    // SIGCHLD
    assert_eq!(gdb.ask("QPassSignals:14"), "OK");
    assert_eq!(gdb.resume("vCont;c"), Stop::Exited(5));
}

#[test]
fn a_program_that_was_let_go_ends_by_itself_and_we_with_it() {
    let mut gdb = Client::start(&["/bin/sh", "-c", "exit 6"]);
    let pid = gdb.process();
    assert_eq!(gdb.ask(&format!("D;{pid:x}")), "OK");
    assert_eq!(gdb.end(), Some(6));
}

#[test]
fn a_debugger_that_goes_leaves_the_program_running() {
    let gdb = Client::start_held(&["/bin/sh", "-c", "exit 4"], "0");
    assert_eq!(gdb.end(), Some(4));
}

#[test]
fn no_packet_is_too_much() {
    let mut gdb = Client::start(&["/bin/cat"]);
    for packet in client::random_packets(7, 3000) {
        let answer = gdb.ask_bytes(&packet);
        assert!(answer.len() < 1 << 20, "{packet:?}");
    }
    assert_eq!(gdb.ask("vMustReplyEmpty"), "");
}
