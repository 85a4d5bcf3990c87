//! `redox-check`: what Redox promises its tracers, one thing after the other, with the program of
//! `tests/machine/redox_child.c`. It says what it finds; its test knows what that must be.

use std::io::{self, Read, Write};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use libtrace::redox::{Event, EventData, File, Flags, NonblockTracer, Pid, Tracer, syscall};
use libtrace::{Status, spawn, wait};

const SIGCONT: i32 = 18;
const WUNTRACED: i32 = 2;
const GETPID: usize = 39;
const FORK: usize = 57;
const WAIT4: usize = 61;
const KILL: usize = 62;
const GETPPID: usize = 110;
const EXIT_GROUP: usize = 231;

fn main() -> Result<()> {
    let path = std::env::args().nth(1).context("no program")?;
    let child = Command::new(path).spawn()?;
    let pid = child.id() as i32;
    wait::wait(pid, WUNTRACED)?;
    let mut tracer = Tracer::attach(pid as Pid)?;
    let again = Tracer::attach(pid as Pid).unwrap_err();
    ensure!(again.raw_os_error() == Some(syscall::EBUSY), "{again}");
    // It stands still for its tracer, whatever signals say.
    spawn::send_signal(pid, SIGCONT)?;

    steps(&mut tracer)?;
    println!("steps");
    memory(&mut tracer)?;
    println!("memory");
    floats(&mut tracer)?;
    println!("floats");
    a_child_that_nobody_wants(&mut tracer)?;
    println!("a child");
    a_child_with_a_tracer(&mut tracer)?;
    println!("a traced child");
    signals(&mut tracer)?;
    println!("signals");
    breakpoint(&mut tracer)?;
    println!("a breakpoint");
    let tracer = without_waiting(tracer.nonblocking()?)?;
    println!("a skipped call");
    end(tracer, pid)?;
    println!("the end");
    Ok(())
}

/// Goes on to a stop of this kind alone.
fn to(tracer: &mut Tracer, flag: Flags) -> Result<Event> {
    let event = tracer.next(flag)?;
    ensure!(event.cause == flag, "{event:?}, not {flag:?}");
    Ok(event)
}

/// Goes on to the entry of a system call.
fn to_call(tracer: &mut Tracer, call: usize) -> Result<()> {
    to(tracer, Flags::STOP_PRE_SYSCALL)?;
    let rax = tracer.regs.get_int()?.rax;
    ensure!(rax == call, "call {rax}, not {call}");
    Ok(())
}

fn steps(tracer: &mut Tracer) -> Result<()> {
    // Out of the call that it stopped itself by.
    for _ in 0..3 {
        to(tracer, Flags::STOP_SINGLESTEP)?;
        if tracer.regs.get_int()?.rax == 1 {
            break;
        }
    }
    for rax in [1, 1, 2] {
        ensure!(tracer.regs.get_int()?.rax == rax);
        to(tracer, Flags::STOP_SINGLESTEP)?;
    }
    ensure!(tracer.regs.get_int()?.rax == 1, "the pop is over");
    Ok(())
}

fn memory(tracer: &mut Tracer) -> Result<()> {
    for _ in 0..3 {
        to(tracer, Flags::STOP_SINGLESTEP)?;
    }
    let rsp = tracer.regs.get_int()?.rsp;
    let mut bytes = [0; 24];
    tracer.mem.read(rsp as *const u8, &mut bytes)?;
    let words: Vec<u64> = bytes
        .chunks_exact(8)
        .map(|word| u64::from_ne_bytes(word.try_into().expect("eight bytes")))
        .collect();
    ensure!(words == [1, 2, 3], "{words:?}");
    ensure!(tracer.mem.cursor()? == rsp as u64 + 24);
    // From the middle of one word into the next.
    tracer.mem.write(&[9; 4], (rsp + 6) as *mut u8)?;
    to(tracer, Flags::STOP_SINGLESTEP)?;
    to(tracer, Flags::STOP_SINGLESTEP)?;
    let rcx = tracer.regs.get_int()?.rcx;
    ensure!(rcx == 0x0909, "{rcx:#x}");
    let nowhere = tracer.mem.read(8 as *const u8, &mut bytes).unwrap_err();
    ensure!(nowhere.raw_os_error() == Some(syscall::EFAULT), "{nowhere}");
    Ok(())
}

fn floats(tracer: &mut Tracer) -> Result<()> {
    for _ in 0..4 {
        to(tracer, Flags::STOP_SINGLESTEP)?;
    }
    let mut regs = tracer.regs.get_float()?;
    let root = 32f64.sqrt();
    ensure!(regs.st_space_nth(0) == root, "{:?}", regs.st_space());
    regs.set_st_space_nth(0, -1.5);
    regs.0.xmm_space = [7; 16];
    tracer.regs.set_float(&regs)?;
    let regs = tracer.regs.get_float()?;
    let xmm = regs.0.xmm_space;
    ensure!(regs.st_space_nth(0) == -1.5 && xmm == [7; 16]);
    let env = tracer.regs.get_env()?;
    tracer.regs.set_env(&env)?;
    let again = tracer.regs.get_env()?;
    ensure!({ env.0.fsbase } != 0 && { env.0.fsbase } == { again.0.fsbase });
    Ok(())
}

fn a_child_that_nobody_wants(tracer: &mut Tracer) -> Result<()> {
    to_call(tracer, FORK)?;
    let mut handler = tracer.next_event(Flags::STOP_POST_SYSCALL | Flags::EVENT_CLONE)?;
    let event = handler.pop_one()?.context("no event")?;
    ensure!(matches!(event.data, EventData::EventClone(_)), "{event:?}");
    handler.retry()?;
    let event = handler.pop_one()?.context("no stop")?;
    ensure!(event.cause == Flags::STOP_POST_SYSCALL, "{event:?}");
    // Only if the child runs and ends does this return.
    to_call(tracer, WAIT4)?;
    to(tracer, Flags::STOP_POST_SYSCALL)?;
    ensure!((tracer.regs.get_int()?.return_value() as isize) > 0);
    Ok(())
}

fn a_child_with_a_tracer(tracer: &mut Tracer) -> Result<()> {
    to_call(tracer, FORK)?;
    let mut handler = tracer.next_event(Flags::STOP_PRE_SYSCALL | Flags::EVENT_CLONE)?;
    let event = handler.pop_one()?.context("no event")?;
    let EventData::EventClone(pid) = event.data else {
        bail!("{event:?}");
    };
    let mut child = Tracer::attach(pid)?;
    to_call(&mut child, GETPID)?;
    to(&mut child, Flags::STOP_POST_SYSCALL)?;
    ensure!(child.regs.get_int()?.return_value() == pid);
    to_call(&mut child, EXIT_GROUP)?;
    let gone = child.next(Flags::empty()).unwrap_err();
    ensure!(gone.raw_os_error() == Some(syscall::ESRCH), "{gone}");
    handler.retry()?;
    let event = handler.pop_one()?.context("no stop")?;
    ensure!(event.cause == Flags::STOP_PRE_SYSCALL, "{event:?}");
    to(tracer, Flags::STOP_POST_SYSCALL)?;
    Ok(())
}

fn signals(tracer: &mut Tracer) -> Result<()> {
    for ignore in [Flags::empty(), Flags::FLAG_IGNORE] {
        to_call(tracer, KILL)?;
        let event = tracer.next(Flags::STOP_SIGNAL)?;
        let EventData::StopSignal(10, handler) = event.data else {
            bail!("{event:?}");
        };
        ensure!(handler > 1, "{handler:#x}");
        if ignore.is_empty() {
            // The handler runs, and its end is a call without a result.
            to(tracer, Flags::STOP_PRE_SYSCALL)?;
            ensure!(tracer.regs.get_int()?.rax == 15, "sigreturn");
        } else {
            let event = tracer.next(ignore | Flags::STOP_BREAKPOINT)?;
            ensure!(event.data == EventData::StopBreakpoint, "{event:?}");
        }
    }
    Ok(())
}

fn breakpoint(tracer: &mut Tracer) -> Result<()> {
    let mut regs = tracer.regs.get_int()?;
    let mut byte = [0];
    tracer.mem.read(regs.rip as *const u8, &mut byte)?;
    ensure!(byte == [0xcc], "{byte:x?}");
    regs.rip += 1;
    Ok(tracer.regs.set_int(&regs)?)
}

/// The call that is next is skipped, and returns what the tracer says.
fn without_waiting(mut tracer: NonblockTracer) -> Result<Tracer> {
    ensure!(tracer.events()?.next().is_none());
    tracer.next(Flags::STOP_PRE_SYSCALL)?;
    for _ in 0..3 {
        tracer.next(Flags::FLAG_WAIT)?;
    }
    let events: Vec<_> = tracer.events()?.collect::<io::Result<_>>()?;
    ensure!(events.len() == 1, "{events:?}");
    let mut regs = tracer.regs.get_int()?;
    ensure!(regs.rax == GETPPID, "{}", regs.rax);
    regs.rax = 100;
    tracer.regs.set_int(&regs)?;
    // What has been read is no news any more: the queue waits for the next stop.
    let mut queue = File::open("event:")?;
    queue.write_all(&syscall::Event {
        id: tracer.file.as_raw_fd() as usize,
        flags: syscall::EVENT_READ,
        data: 1,
    })?;
    tracer.next(Flags::FLAG_IGNORE | Flags::STOP_PRE_SYSCALL)?;
    let mut news = syscall::Event::default();
    ensure!(queue.read(&mut news)? == news.len());
    let events: Vec<_> = tracer.events()?.collect::<io::Result<_>>()?;
    ensure!(events.len() == 1, "{events:?}");
    Ok(tracer.blocking()?)
}

fn end(mut tracer: Tracer, pid: i32) -> Result<()> {
    let regs = tracer.regs.get_int()?;
    // One of two signals was handled, by adding its number.
    ensure!((regs.rax, regs.rdi) == (EXIT_GROUP, 110), "{regs:?}");
    let event = tracer.next(Flags::STOP_POST_SYSCALL | Flags::STOP_EXIT)?;
    ensure!(event.data == EventData::StopExit(110 << 8), "{event:?}");
    let gone = tracer.next(Flags::STOP_ALL).unwrap_err();
    ensure!(gone.raw_os_error() == Some(syscall::ESRCH), "{gone}");
    // It is not reaped by that.
    let (_, status) = wait::wait(pid, 0)?;
    ensure!(matches!(status, Status::Exited(110)));
    Ok(())
}
