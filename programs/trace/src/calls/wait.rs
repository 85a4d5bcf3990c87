//! Waiting for children.

use libtrace::{SigInfo, Status};
use syscalls::x86_64::Sysno;

use crate::call::Arg::{Choice, Flags, Int, Out};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;
use crate::signals;

names! { OPTIONS, "W???", WNOHANG = 1, WSTOPPED = 2, WEXITED = 4, WCONTINUED = 8,
WNOWAIT = 0x0100_0000, __WCLONE = 0x8000_0000u32, __WALL = 0x4000_0000,
__WNOTHREAD = 0x2000_0000, }
names! { ID, "P_???", P_ALL = 0, P_PID = 1, P_PGID = 2, P_PIDFD = 3, }

/// `{WIFEXITED(s) && WEXITSTATUS(s) == 0}`.
pub fn status(word: i32) -> String {
    match Status::decode(word) {
        Status::Exited(code) => format!("{{WIFEXITED(s) && WEXITSTATUS(s) == {code}}}"),
        Status::Signaled(signal, core) => format!(
            "{{WIFSIGNALED(s) && WTERMSIG(s) == {}{}}}",
            signals::name(signal),
            if core { " && WCOREDUMP(s)" } else { "" }
        ),
        Status::Continued => "{WIFCONTINUED(s)}".to_owned(),
        Status::Stopped { sig, syscall, .. } => {
            let mark = if syscall { " | 0x80" } else { "" };
            let event = match word >> 16 & 0xffff {
                0 => String::new(),
                event => format!(" && WPTEVENT(s) == {}", EVENTS.choice(event as u64)),
            };
            format!(
                "{{WIFSTOPPED(s) && WSTOPSIG(s) == {}{mark}}}{event}",
                signals::name(sig)
            )
        }
    }
}

names! { EVENTS, "PTRACE_EVENT_???", PTRACE_EVENT_FORK = 1, PTRACE_EVENT_VFORK = 2,
PTRACE_EVENT_CLONE = 3, PTRACE_EVENT_EXEC = 4, PTRACE_EVENT_VFORK_DONE = 5,
PTRACE_EVENT_EXIT = 6, PTRACE_EVENT_SECCOMP = 7, PTRACE_EVENT_STOP = 128, }

/// Written only where a child was found.
fn out_status(cx: &mut Cx<'_>, addr: u64) {
    if cx.returned() == 0 {
        return cx.addr(addr);
    }
    cx.out::<i32>(addr, |cx, word| cx.put(&format!("[{}]", status(*word))));
}

fn out_usage(cx: &mut Cx<'_>, addr: u64) {
    if cx.args[4] == addr || cx.returned() != 0 {
        super::resource::out_usage(cx, addr);
    } else {
        cx.addr(addr);
    }
}

/// Zeros say that no child was found.
fn out_siginfo(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<SigInfo>(addr, |cx, info| match info.signal() {
        0 => cx.put("{}"),
        _ => signals::info(cx, info),
    });
}

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(
        Sysno::wait4,
        &[Int, Out(out_status), Flags(&OPTIONS), Out(out_usage)],
        Ret::Int,
    ),
    Call::new(
        Sysno::waitid,
        &[
            Choice(&ID),
            Int,
            Out(out_siginfo),
            Flags(&OPTIONS),
            Out(out_usage),
        ],
        Ret::Int,
    ),
];

#[cfg(test)]
mod tests {
    use super::status;

    #[test]
    fn statuses_are_spelled_out() {
        assert_eq!(status(7 << 8), "{WIFEXITED(s) && WEXITSTATUS(s) == 7}");
        assert_eq!(status(9), "{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}");
        assert_eq!(
            status(0x8b),
            "{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}"
        );
        assert_eq!(status(0x137f), "{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}");
        assert_eq!(
            status(0x857f),
            "{WIFSTOPPED(s) && WSTOPSIG(s) == SIGTRAP | 0x80}"
        );
    }
}
