//! `redox-strace`: the system calls of a program, by a tracer that is written as for Redox. But for its
//! imports, and the start of the program, it is one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::exit;

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use libtrace::redox::syscall::{self, EVENT_READ};
use libtrace::redox::{
    Event, EventData, File, Flags, Memory, NonblockTracer, Pid, Registers, Tracer,
};
use libtrace::{Errno, Status, spawn, wait};
use syscalls::Sysno;

/// Shows the system calls and signals of a program, as a tracer for Redox does
#[derive(Parser)]
struct Options {
    /// Trace what it creates, too
    #[arg(short, long)]
    follow: bool,
    /// Skip a system call, which returns VALUE
    #[arg(short, long, value_name = "CALL=VALUE", value_parser = skipped)]
    ignore: Vec<(usize, usize)>,
    /// The program's file, and its arguments
    #[arg(value_name = "PROGRAM", trailing_var_arg = true, required = true)]
    program: Vec<OsString>,
}

const FLAGS: Flags = Flags::STOP_PRE_SYSCALL
    .union(Flags::STOP_POST_SYSCALL)
    .union(Flags::STOP_SIGNAL)
    .union(Flags::STOP_EXIT)
    .union(Flags::EVENT_CLONE);

fn skipped(text: &str) -> Result<(usize, usize)> {
    let (name, value) = text.split_once('=').context("not CALL=VALUE")?;
    let call: Result<Sysno, _> = name.parse();
    let call = call.map_err(|()| anyhow!("'{name}' is no system call"))?;
    let value: isize = value.parse()?;
    Ok((call.id() as usize, value as usize))
}

fn main() -> Result<()> {
    let options = Options::parse();
    let path = PathBuf::from(&options.program[0]);
    let (pid, tracer) = Tracer::spawn(&path, &options.program)?;
    let outcome = match options.follow {
        true => follow(pid, tracer.nonblocking()?, &options),
        false => alone(pid, tracer, &options),
    };
    match outcome {
        // It has died, as every program does.
        Err(error) if error.raw_os_error() == Some(syscall::ESRCH) => {}
        other => other?,
    }
    loop {
        match wait::wait(pid as i32, wait::WALL) {
            Ok((_, Status::Exited(status))) => exit(status),
            Ok((_, Status::Signaled(signal, _))) => spawn::die_by(signal),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// One tracee, by a tracer that waits.
fn alone(pid: Pid, mut tracer: Tracer, options: &Options) -> io::Result<()> {
    let mut log = Log::new(pid);
    let mut flags = FLAGS;
    loop {
        let event = tracer
            .next_event(flags)?
            .from_callback(|event| -> io::Result<()> {
                log.other(&event);
                Ok(())
            })?;
        let Tracer { regs, mem, .. } = &mut tracer;
        flags = log.stop(&event, regs, mem, options)?;
    }
}

/// Any number of them, by tracers that do not wait.
fn follow(pid: Pid, mut root: NonblockTracer, options: &Options) -> io::Result<()> {
    let mut queue = File::open("event:")?;
    let mut tracers = BTreeMap::new();
    root.next(FLAGS)?;
    register(&mut queue, &root, pid)?;
    tracers.insert(pid, (root, Log::new(pid)));
    while !tracers.is_empty() {
        let mut news = syscall::Event::default();
        if queue.read(&mut news)? == 0 {
            continue;
        }
        let pid = news.data;
        let Some((tracer, log)) = tracers.get_mut(&pid) else {
            continue;
        };
        let mut flags = None;
        let mut children = Vec::new();
        let events: Vec<_> = tracer.events()?.collect::<io::Result<_>>()?;
        for event in &events {
            if event.is_stop() {
                let NonblockTracer { regs, mem, .. } = tracer;
                flags = Some(log.stop(event, regs, mem, options)?);
                continue;
            }
            log.other(event);
            if let EventData::EventClone(child) = event.data {
                let mut tracer = NonblockTracer::attach(child)?;
                tracer.next(FLAGS)?;
                register(&mut queue, &tracer, child)?;
                children.push((child, (tracer, Log::new(child))));
            }
        }
        let over = match flags {
            Some(flags) => tracer.next(flags).is_err(),
            // Nothing to read is the news of its death.
            None => events.is_empty(),
        };
        if over {
            tracers.remove(&pid);
        }
        tracers.extend(children);
    }
    Ok(())
}

fn register(queue: &mut File, tracer: &NonblockTracer, pid: Pid) -> io::Result<()> {
    queue.write_all(&syscall::Event {
        id: tracer.file.as_raw_fd() as usize,
        flags: EVENT_READ,
        data: pid,
    })
}

/// What is written of a tracee.
struct Log {
    pid: Pid,
    /// The call that it is in.
    call: String,
}

impl Log {
    fn new(pid: Pid) -> Log {
        let call = String::from("?");
        Log { pid, call }
    }

    /// Writes down a stop, and says how to go on from it.
    fn stop(
        &mut self,
        event: &Event,
        regs: &mut Registers,
        mem: &mut Memory,
        options: &Options,
    ) -> io::Result<Flags> {
        let pid = self.pid;
        match event.cause {
            Flags::STOP_PRE_SYSCALL => {
                let mut int = regs.get_int()?;
                self.call = int.format_syscall_full(mem);
                let skip = options.ignore.iter().find(|(call, _)| *call == int.rax);
                if let Some((_, value)) = skip {
                    int.rax = *value;
                    regs.set_int(&int)?;
                    eprintln!("[{pid}] {} skipped", self.call);
                    return Ok(FLAGS | Flags::FLAG_IGNORE);
                }
            }
            Flags::STOP_POST_SYSCALL => {
                let result = regs.get_int()?.return_value();
                match syscall::Error::demux(result) {
                    Ok(value) => eprintln!("[{pid}] {} = {value:#x}", self.call),
                    Err(error) => eprintln!("[{pid}] {} = {error}", self.call),
                }
            }
            _ => self.other(event),
        }
        Ok(FLAGS)
    }

    fn other(&self, event: &Event) {
        let pid = self.pid;
        match event.data {
            EventData::EventClone(child) => eprintln!("[{pid}] creates [{child}]"),
            EventData::StopSignal(signal, 0) => eprintln!("[{pid}] signal {signal}"),
            EventData::StopSignal(signal, 1) => eprintln!("[{pid}] signal {signal}, ignored"),
            EventData::StopSignal(signal, _) => eprintln!("[{pid}] signal {signal}, handled"),
            EventData::StopExit(status) => eprintln!("[{pid}] exits with {status:#x}"),
            _ => eprintln!("[{pid}] {event:?}"),
        }
    }
}
