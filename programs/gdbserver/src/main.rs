//! Lets gdb or lldb on another machine debug programs on this one.
//!
//! An ordinary Linux program on `libtrace`. Bytes from the [`line`] become packets ([`packet`]), packets
//! become requests ([`request`]), and a [`session`] carries them out on the [`target`]: the processes that
//! are debugged, with their tasks.

#![forbid(unsafe_code)]

mod files;
mod line;
mod objects;
mod options;
mod packet;
mod registers;
mod request;
mod serve;
mod session;
mod signals;
mod target;

use std::time::Duration;

use clap::Parser;
use libtrace::sleep::Sleeper;
use libtrace::{Status, interrupt, spawn};

use crate::line::Line;
use crate::options::Options;
use crate::serve::Server;
use crate::session::{Programs, Session};
use crate::target::Target;

fn main() {
    let options = Options::parse();
    let multi = options.multi;
    match serve(options) {
        Ok(Some(Status::Exited(code))) if !multi => std::process::exit(code),
        Ok(Some(Status::Signaled(signal, _))) if !multi => spawn::die_by(signal),
        Ok(_) => {}
        Err(text) => {
            eprintln!("gdbserver: {text}");
            std::process::exit(1);
        }
    }
}

/// How the program ended that was started, if one was.
fn serve(options: Options) -> Result<Option<Status>, String> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error: libtrace::Errno| format!("{what}: {error}")
    };
    let hold = Duration::try_from_secs_f64(options.hold).map_err(|error| error.to_string())?;
    let line = Line::open(&options.line).map_err(|error| format!("{}: {error}", options.line))?;
    let sleeper = Sleeper::new().map_err(failed("SIGCHLD"))?;
    interrupt::catch().map_err(failed("signals"))?;
    let programs = Programs::new(options.program.clone(), options.line == "-");
    let mut session = Session::new(Target::default(), programs);
    if let Some(program) = options.program.first() {
        let name = program.to_string_lossy();
        let pid = session.start().map_err(failed(&name))?;
        eprintln!("Process {name} created; pid = {pid}");
    }
    if let Some(pid) = options.attach {
        session
            .attach_first(pid)
            .map_err(failed(&format!("attaching to {pid}")))?;
        eprintln!("Attached; pid = {pid}");
    }
    if let Some(port) = line.port() {
        eprintln!("Listening on port {port}");
    }
    let server = Server::new(line, session, sleeper, hold, options.multi);
    let session = server.run().map_err(failed("ppoll"))?;
    Ok(session.target.outcome())
}
