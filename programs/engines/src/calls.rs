//! `calls`: the names and results of a program's system calls, as an engine sees them. Other engines
//! and a debugger may be at the same program.

use crate::call_name;
use crate::session::{Session, Target};
use anyhow::{Result, anyhow};
use clap::Args;
use libtrace::Errno;
use libtrace::engine::{Calls, Event, Events, Flags};

/// Its command line.
#[derive(Args)]
pub struct Options {
    /// Of these system calls only
    #[arg(short, long, value_name = "CALL", value_delimiter = ',')]
    calls: Vec<String>,
    #[command(flatten)]
    target: Target,
}

/// Does it, and returns the exit status.
pub fn run(options: &Options) -> Result<i32> {
    let mut calls = Calls::NONE;
    for name in &options.calls {
        let call: Result<syscalls::Sysno, _> = name.parse();
        calls.insert(call.map_err(|()| anyhow!("'{name}' is no system call"))? as u64);
    }
    let calls = (!options.calls.is_empty()).then_some(calls);
    let flags = Flags::events(Events::SYSCALL_EXIT | Events::SYSCALL_ENTRY);
    let mut session = Session::begin(&options.target, flags, calls)?;
    while let Some(callback) = session.next_callback()? {
        let tid = callback.tid;
        let name = call_name(callback.call.nr);
        match callback.event {
            Event::SyscallEntry => eprintln!("calls: [{tid}] {name}..."),
            Event::SyscallExit => {
                let result = callback.call.args[0] as i64;
                let shown = match Errno::of_result(result) {
                    Ok(value) => format!("{value:#x}"),
                    Err(error) => format!("{error:?}"),
                };
                eprintln!("calls: [{tid}] {name} = {shown}");
            }
            Event::Death { status, .. } => eprintln!("calls: [{tid}] ends with {status:#x}"),
            _ => {}
        }
    }
    session.end()
}
