//! Contexts from the command line (docs/contexts.md): which one a process is in, and running a
//! command in another one.

#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use libtrace::{Errno, context};

const USAGE: &str =
    "usage: ctx                             the number of the context that it runs in
       ctx -p PID                      the number of that process's context
       ctx NUMBER|new COMMAND [ARG]... runs a command in a context, which is made if there is none";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    Show(i32),
    Run(u32, Vec<OsString>),
}

fn main() -> ExitCode {
    let Some(task) = parse(env::args_os().skip(1).collect()) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match perform(task) {
        Ok(()) => ExitCode::SUCCESS,
        Err((what, status)) => {
            eprintln!("ctx: {what}");
            ExitCode::from(status)
        }
    }
}

fn parse(mut args: Vec<OsString>) -> Option<Task> {
    if args.is_empty() {
        return Some(Task::Show(0));
    }
    let first = args.remove(0);
    match (first.to_str()?, args.len()) {
        ("-p", 1) => {
            let pid = args[0].to_str()?.parse().ok();
            pid.filter(|pid| *pid > 0).map(Task::Show)
        }
        (_, 0) => None,
        ("new", _) => Some(Task::Run(0, args)),
        (number, _) => match number.parse() {
            Ok(number) if number > 0 => Some(Task::Run(number, args)),
            _ => None,
        },
    }
}

/// What went wrong, and the exit status for it: those of a shell for a command that cannot run.
fn perform(task: Task) -> Result<(), (String, u8)> {
    match task {
        Task::Show(pid) => {
            let number = context::of(pid).map_err(|error| (error.to_string(), 1))?;
            println!("{number}");
            Ok(())
        }
        Task::Run(number, command) => {
            context::enter(number).map_err(|error| (error.to_string(), 125))?;
            let name = command[0].to_string_lossy().into_owned();
            let error = Command::new(&command[0]).args(&command[1..]).exec();
            let missing = error.raw_os_error() == Some(Errno::ENOENT.0);
            Err((format!("{name}: {error}"), if missing { 127 } else { 126 }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Option<Task> {
        parse(args.iter().map(OsString::from).collect())
    }

    #[test]
    fn the_command_line_says_what_to_do() {
        assert_eq!(parsed(&[]), Some(Task::Show(0)));
        assert_eq!(parsed(&["-p", "7"]), Some(Task::Show(7)));
        let command = vec!["ls".into(), "-l".into()];
        assert_eq!(parsed(&["5", "ls", "-l"]), Some(Task::Run(5, command)));
        assert_eq!(
            parsed(&["new", "sh"]),
            Some(Task::Run(0, vec!["sh".into()]))
        );
        for wrong in [
            &["5"][..],
            &["0", "ls"],
            &["-p"],
            &["-p", "-1"],
            &["x", "ls"],
            &["new"],
        ] {
            assert_eq!(parsed(wrong), None, "{wrong:?}");
        }
    }
}
