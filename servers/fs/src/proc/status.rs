//! stat, statm, status and limits of a task.

use crate::Fs;
use crate::dev::Device;
use crate::host::{Host, Port};
use crate::tty::CONSOLE;
use abi::Errno;
use abi::fs::{Layout, TaskStatus};
use alloc::format;
use alloc::string::String;

/// Nanoseconds of a clock tick, of which sysconf(_SC_CLK_TCK) says there are 100 a second.
const TICK: u64 = 10_000_000;
/// PF_FORKNOEXEC and its like mean nothing here; programs print the field.
const FLAGS: u32 = 0x0040_0000;

impl Fs {
    /// proc_pid_stat(5).
    pub(super) fn stat_text<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        tid: u32,
    ) -> Result<String, Errno> {
        let status = port.status(tid)?;
        // Where things are in its memory is not for everybody.
        let layout = match self.may_look_into(port, tid) {
            Ok(()) => port.layout(tid, status.memory).unwrap_or_default(),
            Err(_) => Layout::default(),
        };
        let whole = status.tid == status.tgid;
        let used = if whole {
            status.usage_process
        } else {
            status.usage
        };
        let (user, system) = (used.user / TICK, used.system / TICK);
        let mut text = format!(
            "{} ({}) {} {} {} {} ",
            status.tid,
            comm(&status),
            char::from(status.state),
            status.ppid,
            status.pgid,
            status.sid,
        );
        let (tty, foreground) = self.tty_numbers(status.sid);
        let children = status.usage_children;
        let (child_user, child_system) = (children.user / TICK, children.system / TICK);
        // From field 7, the terminal, to 25, the limit of resident memory.
        text += &format!(
            "{tty} {foreground} {FLAGS} {} {} 0 0 {user} {system} {child_user} {child_system} {} {} {} 0 {} {} {} {}",
            used.faults,
            children.faults,
            status.priority,
            status.nice,
            status.threads,
            status.started / TICK,
            status.mapped,
            status.resident / 4096,
            u64::MAX,
        );
        // Code, stack; pointers; four signal sets; wait channel and swap; exit signal,
        // processor, real-time priority, policy.
        text += &format!(
            " 0 0 {} 0 0 {} {} {} {} 0 0 0 {} 0 {} {} 0 0 0",
            layout.stack,
            status.pending.0 as i32 & i32::MAX,
            status.blocked.0 as i32 & i32::MAX,
            status.ignored.0 as i32 & i32::MAX,
            status.caught.0 as i32 & i32::MAX,
            status.exit_signal,
            status.real_time,
            status.policy,
        );
        // Data, heap, arguments, environment, exit status.
        text += &format!(
            " 0 0 {} {} {} {} {} {}\n",
            layout.heap.0,
            layout.arguments.0,
            layout.arguments.1,
            layout.environment.0,
            layout.environment.1,
            status.exit_status,
        );
        Ok(text)
    }

    /// proc_pid_status(5).
    pub(super) fn status_text<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        tid: u32,
    ) -> Result<String, Errno> {
        let status = port.status(tid)?;
        let task = self.by_tid(tid);
        let umask = task.map_or(0o022, |task| self.contexts[task.context].umask);
        let fds = task.map_or(0, |task| self.tables[task.table].size());
        let state = match status.state {
            b'R' => "R (running)",
            b'S' => "S (sleeping)",
            b'D' => "D (disk sleep)",
            b'T' => "T (stopped)",
            b't' => "t (tracing stop)",
            b'Z' => "Z (zombie)",
            _ => "X (dead)",
        };
        let ids = |[real, effective, saved]: [u32; 3], files: u32| {
            format!("{real}\t{effective}\t{saved}\t{files}")
        };
        let mut groups = String::new();
        let mut known = 0;
        while known < status.groups
            && let Ok(more) = port.groups(status.task, known)
            && !more.is_empty()
        {
            known += more.len() as u32;
            groups.extend(more.iter().map(|group| format!("{group} ")));
        }
        let mut text = format!(
            "Name:\t{}\nUmask:\t{umask:04o}\nState:\t{state}\nTgid:\t{}\nNgid:\t0\nPid:\t{}\n\
             PPid:\t{}\nTracerPid:\t{}\nUid:\t{}\nGid:\t{}\nFDSize:\t{fds}\nGroups:\t{groups} \n",
            comm(&status),
            status.tgid,
            status.tid,
            status.ppid,
            status.tracer,
            ids(status.uid, status.fsid[0]),
            ids(status.gid, status.fsid[1]),
        );
        if status.state != b'Z' {
            let (mapped, resident) = (status.mapped / 1024, status.resident / 1024);
            let peak = status.peak / 1024;
            let [locked, data, stack] = status.memory_parts.map(|bytes| bytes / 1024);
            text += &format!(
                "VmPeak:\t{mapped:8} kB\nVmSize:\t{mapped:8} kB\nVmLck:\t{locked:8} kB\n\
                 VmPin:\t       0 kB\nVmHWM:\t{peak:8} kB\nVmRSS:\t{resident:8} kB\n\
                 VmData:\t{data:8} kB\nVmStk:\t{stack:8} kB\nVmSwap:\t       0 kB\n"
            );
        }
        let [inheritable, permitted, effective, bounding, ambient] =
            status.capabilities.map(|set| set.bits());
        let no_new_privileges = u32::from(status.no_new_privileges);
        let (queued, most) = status.queued;
        text += &format!(
            "Threads:\t{}\nSigQ:\t{queued}/{most}\nSigPnd:\t{:016x}\nShdPnd:\t{:016x}\nSigBlk:\t{:016x}\n\
             SigIgn:\t{:016x}\nSigCgt:\t{:016x}\nCapInh:\t{inheritable:016x}\nCapPrm:\t{permitted:016x}\n\
             CapEff:\t{effective:016x}\nCapBnd:\t{bounding:016x}\nCapAmb:\t{ambient:016x}\n\
             NoNewPrivs:\t{no_new_privileges}\nSeccomp:\t0\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n\
             voluntary_ctxt_switches:\t{}\nnonvoluntary_ctxt_switches:\t0\n",
            status.threads,
            status.pending.0,
            status.shared_pending.0,
            status.blocked.0,
            status.ignored.0,
            status.caught.0,
            status.usage.waits,
        );
        Ok(text)
    }

    /// The number of a session's terminal and its foreground group, 0 and -1 for none.
    fn tty_numbers(&self, sid: u32) -> (u64, i32) {
        match self.tty_of_session(sid) {
            Some(CONSOLE) if !self.console.tty() => (0, -1),
            Some(CONSOLE) => (Device::Console.number(), self.foreground(CONSOLE) as i32),
            Some(tty) => (Device::Pts(tty).number(), self.foreground(tty) as i32),
            None => (0, -1),
        }
    }
}

pub(super) fn comm(status: &TaskStatus) -> String {
    let len = status.comm.iter().position(|&b| b == 0).unwrap_or(16);
    String::from_utf8_lossy(&status.comm[..len]).into_owned()
}

/// proc_pid_statm(5), in pages.
pub(super) fn statm(status: &TaskStatus) -> String {
    let (mapped, resident) = (status.mapped / 4096, status.resident / 4096);
    format!("{mapped} {resident} 0 0 0 {resident} 0\n")
}

/// proc_pid_limits(5).
pub(super) fn limits(limits: &[(u64, u64); 16]) -> String {
    let names = [
        ("Max cpu time", "seconds"),
        ("Max file size", "bytes"),
        ("Max data size", "bytes"),
        ("Max stack size", "bytes"),
        ("Max core file size", "bytes"),
        ("Max resident set", "bytes"),
        ("Max processes", "processes"),
        ("Max open files", "files"),
        ("Max locked memory", "bytes"),
        ("Max address space", "bytes"),
        ("Max file locks", "locks"),
        ("Max pending signals", "signals"),
        ("Max msgqueue size", "bytes"),
        ("Max nice priority", ""),
        ("Max realtime priority", ""),
        ("Max realtime timeout", "us"),
    ];
    let value = |limit: u64| match limit {
        u64::MAX => "unlimited".into(),
        limit => format!("{limit}"),
    };
    let line = |name: &str, soft: &str, hard: &str, unit: &str| {
        format!("{name:<25} {soft:<20} {hard:<20} {unit:<10}\n")
    };
    let mut text = line("Limit", "Soft Limit", "Hard Limit", "Units");
    for ((name, unit), &(soft, hard)) in names.iter().zip(limits) {
        text += &line(name, &value(soft), &value(hard), unit);
    }
    text
}
