//! `policy`: a program's system calls are allowed, denied with an error, or its end, by rules in a
//! text file.

use std::path::PathBuf;

use crate::call_name;
use crate::rules::{Action, Rules};
use crate::session::{Session, Target};
use anyhow::{Context, Result, anyhow};
use clap::Args;
use libtrace::engine::{Call, Event, Events, Flags, Response};
use libtrace::spawn;

/// Its command line.
#[derive(Args)]
pub struct Options {
    /// The rules
    #[arg(short, long, value_name = "FILE")]
    rules: PathBuf,
    /// Say nothing of calls that are denied
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    target: Target,
}

const SIGKILL: i32 = 9;

/// Does it, and returns the exit status.
pub fn run(options: &Options) -> Result<i32> {
    let path = options.rules.display();
    let text = std::fs::read_to_string(&options.rules).with_context(|| path.to_string())?;
    let rules: Rules = text.parse().map_err(|error| anyhow!("{path}: {error}"))?;
    let flags = Flags::events(Events::SYSCALL_ENTRY);
    let mut session = Session::begin(&options.target, flags, Some(rules.calls()))?;
    while let Some(callback) = session.next_callback()? {
        if callback.event != Event::SyscallEntry {
            continue;
        }
        let decision = rules.decide(&callback.call);
        let say = |what: &str| {
            eprintln!(
                "policy: [{}] {} {what}",
                callback.tid,
                shown(&callback.call)
            );
        };
        match decision.action {
            Action::Deny(errno) => {
                if !options.quiet {
                    say(&format!("denied: {errno:?}"));
                }
                // A task that was killed meanwhile has no use for a result.
                let engine = session.engines.engine(&callback);
                let _ = engine.set_result(-i64::from(errno.0));
                session.engines.respond(Response::ABORT);
            }
            Action::Kill => {
                if !options.quiet {
                    say("killed");
                }
                let _ = spawn::send_signal(callback.tid as i32, SIGKILL);
                session.engines.respond(Response::ABORT);
            }
            Action::Allow | Action::Log if decision.log => say("allowed"),
            Action::Allow | Action::Log => {}
        }
    }
    session.end()
}

fn shown(call: &Call) -> String {
    let args = call.args.map(|arg| format!("{arg:#x}"));
    format!("{}({})", call_name(call.nr), args.join(", "))
}
