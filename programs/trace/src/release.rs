//! Letting tracees go when the user interrupts the trace.

use libtrace::{Errno, Pid, Status, ptrace, spawn, wait};

use crate::output::message;
use crate::settings::ATTACH;
use crate::tracer::Tracer;

const SIGTRAP: i32 = 5;
const SIGCONT: i32 = 18;
const SIGSTOP: i32 = 19;

impl Tracer {
    /// Detaches from everything; the program that was started gets the signal that
    /// interrupted us, processes that were running before go on.
    pub fn let_go(&mut self, signal: i32) {
        if let Some(program) = self.program {
            let _ = spawn::send_signal(program, SIGCONT);
            let _ = spawn::send_signal(program, signal);
        }
        let tracees: Vec<Pid> = self.tracees.keys().copied().collect();
        for pid in tracees {
            if stop_and_detach(pid) {
                self.output.flush(pid);
                if self.settings.quiet & ATTACH == 0 {
                    message(&format!("Process {pid} detached"));
                }
                self.detached(pid);
            }
        }
    }
}

/// Stops a running tracee with a `SIGSTOP` of ours, and detaches in that stop; other
/// signals on the way are passed on. Whether it was there to be detached.
fn stop_and_detach(pid: Pid) -> bool {
    if spawn::send_task_signal(pid, SIGSTOP).is_err() {
        return false;
    }
    loop {
        match wait::wait(pid, wait::WALL) {
            Ok((
                _,
                Status::Stopped {
                    sig: SIGSTOP,
                    event: None,
                    syscall: false,
                },
            )) => {
                return ptrace::detach(pid, 0).is_ok();
            }
            Ok((
                _,
                Status::Stopped {
                    sig,
                    event,
                    syscall,
                },
            )) => {
                let signal = if syscall || event.is_some() || sig == SIGTRAP {
                    0
                } else {
                    sig
                };
                let _ = ptrace::cont(pid, signal);
            }
            Err(Errno::EINTR) => {}
            Ok(_) | Err(_) => return false,
        }
    }
}
