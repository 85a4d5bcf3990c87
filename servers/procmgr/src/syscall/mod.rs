//! System calls: which are the process manager's own, and what they do.

mod absent;
mod capability;
mod files;
pub mod futex;
mod identity;
mod info;
mod limits;
mod machine;
pub mod memory;
mod priority;
mod process;
mod resident;
mod sched;
mod signals;
mod time;
pub(crate) mod vm;

use crate::Procmgr;
use crate::fork::CloneArgs;
use crate::hold::Hold;
use crate::machine::Machine;
use crate::ptrace;
use crate::task::State;
use abi::linux::general as g;
use abi::{Errno, TaskId};

/// How a system call goes on.
pub enum Done {
    /// It has its result.
    Result(i64),
    /// The task is in another state now, and will get its result from there.
    Later,
}

impl From<Errno> for Done {
    fn from(e: Errno) -> Done {
        Done::Result(e.as_result())
    }
}

impl From<Result<i64, Errno>> for Done {
    fn from(r: Result<i64, Errno>) -> Done {
        Done::Result(abi::errno::to_rax(r))
    }
}

impl From<Result<(), Errno>> for Done {
    fn from(r: Result<(), Errno>) -> Done {
        r.map(|()| 0).into()
    }
}

/// The most unknown numbers that are named.
const MAX_UNKNOWN: usize = 512;

impl Procmgr {
    /// Performs a system call of a held task.
    pub(crate) fn syscall(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        nr: u64,
        a: [u64; 6],
    ) -> Done {
        self.task_mut(id).state = State::Moving;
        let Ok(number) = u32::try_from(nr) else {
            return Errno::ENOSYS.into();
        };
        if files::is_file_call(number) {
            return self.file_call(m, id, number, a);
        }
        match number {
            g::__NR_fork => self.sys_clone(m, id, CloneArgs::plain(0)),
            g::__NR_vfork => {
                let flags = g::CLONE_VFORK | g::CLONE_VM;
                self.sys_clone(m, id, CloneArgs::plain(flags.into()))
            }
            g::__NR_clone => self.sys_clone(m, id, CloneArgs::of_clone(a)),
            g::__NR_clone3 => self.sys_clone3(m, id, a),
            g::__NR_execve => self.sys_execve(m, id, a),
            g::__NR_execveat => self.sys_execveat(m, id, a),
            g::__NR_exit => self.sys_exit(m, id, a[0]),
            g::__NR_exit_group => self.sys_exit_group(m, id, a[0]),
            g::__NR_wait4 => self.sys_wait4(m, id, a),
            g::__NR_waitid => self.sys_waitid(m, id, a),
            g::__NR_ptrace => self.sys_ptrace(m, id, a),
            abi::client::NR_SERVER_CAPS => self.sys_server_caps(m, id),
            abi::client::NR_WORK => self.sys_work(m, id, a).into(),
            abi::client::NR_CONTEXT => self.sys_context(m, id, a).into(),

            g::__NR_brk => self.sys_brk(m, id, a[0]),
            g::__NR_mmap => self.sys_mmap(m, id, a),
            g::__NR_munmap => self.sys_munmap(m, id, a),
            g::__NR_mprotect => self.sys_mprotect(m, id, a),
            // The only key there can be is none.
            g::__NR_pkey_mprotect if a[3] as i32 == -1 => self.sys_mprotect(m, id, a),
            g::__NR_pkey_mprotect => Errno::EINVAL.into(),
            g::__NR_mremap => self.sys_mremap(m, id, a),
            g::__NR_madvise => self.sys_madvise(m, id, a),
            g::__NR_process_vm_readv => self.sys_process_vm(m, id, a, vm::Way::Read).into(),
            g::__NR_process_vm_writev => self.sys_process_vm(m, id, a, vm::Way::Write).into(),
            g::__NR_futex => self.sys_futex(m, id, a),

            g::__NR_kill => self.sys_kill(m, id, a).into(),
            g::__NR_tkill => self.sys_tgkill(m, id, 0, a[0], a[1]).into(),
            g::__NR_tgkill => self.sys_tgkill(m, id, a[0], a[1], a[2]).into(),
            g::__NR_rt_sigaction => self.sys_sigaction(m, id, a).into(),
            g::__NR_rt_sigprocmask => self.sys_sigprocmask(m, id, a).into(),
            g::__NR_rt_sigpending => self.sys_sigpending(m, id, a).into(),
            g::__NR_rt_sigsuspend => self.sys_sigsuspend(m, id, a),
            g::__NR_rt_sigtimedwait => self.sys_sigtimedwait(m, id, a),
            g::__NR_rt_sigqueueinfo => self.sys_sigqueueinfo(m, id, a).into(),
            g::__NR_rt_tgsigqueueinfo => self.sys_tgsigqueueinfo(m, id, a).into(),
            g::__NR_rt_sigreturn => self.sigreturn(m, id),
            g::__NR_sigaltstack => self.sys_sigaltstack(m, id, a).into(),
            g::__NR_pause => self.sys_pause(id),

            g::__NR_nanosleep => self.sys_nanosleep(m, id, a),
            g::__NR_clock_nanosleep => self.sys_clock_nanosleep(m, id, a),
            g::__NR_restart_syscall => self.sys_restart(m, id),
            g::__NR_clock_gettime => self.sys_clock_gettime(m, id, a).into(),
            g::__NR_clock_getres => self.sys_clock_getres(m, id, a).into(),
            g::__NR_gettimeofday => self.sys_gettimeofday(m, id, a).into(),
            g::__NR_time => self.sys_time(m, id, a).into(),
            g::__NR_times => self.sys_times(m, id, a).into(),
            g::__NR_alarm => self.sys_alarm(m, id, a),
            g::__NR_setitimer => self.sys_setitimer(m, id, a).into(),
            g::__NR_timer_create => self.sys_timer_create(m, id, a).into(),
            g::__NR_timer_settime => self.sys_timer_settime(m, id, a).into(),
            g::__NR_timer_gettime => self.sys_timer_gettime(m, id, a).into(),
            g::__NR_timer_getoverrun => self.sys_timer_getoverrun(id, a[0]).into(),
            g::__NR_timer_delete => self.sys_timer_delete(id, a[0]).into(),
            g::__NR_getitimer => self.sys_getitimer(m, id, a).into(),

            _ => self.quick_call(m, id, number, a),
        }
    }

    /// Calls that only look at or set something.
    fn quick_call(&mut self, m: &mut impl Machine, id: TaskId, nr: u32, a: [u64; 6]) -> Done {
        let ix = self.process_of(id);
        match nr {
            g::__NR_getpid => Done::Result(self.process(ix).pid.into()),
            g::__NR_gettid => Done::Result(self.task(id).tid.into()),
            g::__NR_getppid => Done::Result(self.seen_parent_pid(id).into()),
            g::__NR_getuid
            | g::__NR_geteuid
            | g::__NR_getgid
            | g::__NR_getegid
            | g::__NR_getresuid
            | g::__NR_getresgid
            | g::__NR_setuid
            | g::__NR_setgid
            | g::__NR_setresuid
            | g::__NR_setresgid
            | g::__NR_setreuid
            | g::__NR_setregid
            | g::__NR_setfsuid
            | g::__NR_setfsgid
            | g::__NR_getgroups
            | g::__NR_setgroups => self.identity_call(m, id, nr, a).into(),
            g::__NR_getpgid => self.sys_getpgid(id, a[0]).into(),
            g::__NR_getpgrp => Done::Result(self.process(ix).pgid.into()),
            g::__NR_getsid => self.sys_getsid(id, a[0]).into(),
            g::__NR_setpgid => self.sys_setpgid(id, a).into(),
            g::__NR_setsid => self.sys_setsid(id).into(),
            g::__NR_arch_prctl => self.sys_arch_prctl(m, id, a).into(),
            g::__NR_prctl => self.sys_prctl(m, id, a).into(),
            g::__NR_set_tid_address => {
                self.task_mut(id).clear_child_tid = a[0];
                Done::Result(self.task(id).tid.into())
            }
            g::__NR_set_robust_list => self.sys_set_robust_list(id, a).into(),
            g::__NR_get_robust_list => self.sys_get_robust_list(m, id, a).into(),
            g::__NR_uname => self.sys_uname(m, id, a[0]).into(),
            g::__NR_sysinfo => self.sys_sysinfo(m, id, a[0]).into(),
            g::__NR_getrusage => self.sys_getrusage(m, id, a).into(),
            g::__NR_getrlimit => self.sys_prlimit(m, id, [0, a[0], 0, a[1], 0, 0]).into(),
            g::__NR_setrlimit => self.sys_prlimit(m, id, [0, a[0], a[1], 0, 0, 0]).into(),
            g::__NR_prlimit64 => self.sys_prlimit(m, id, a).into(),
            g::__NR_getrandom => self.sys_getrandom(m, id, a).into(),
            g::__NR_sched_yield => Done::Result(0),
            g::__NR_sched_getaffinity
            | g::__NR_sched_setaffinity
            | g::__NR_sched_getscheduler
            | g::__NR_sched_setscheduler
            | g::__NR_sched_getparam
            | g::__NR_sched_setparam
            | g::__NR_sched_get_priority_max
            | g::__NR_sched_get_priority_min
            | g::__NR_sched_rr_get_interval
            | g::__NR_sched_setattr
            | g::__NR_sched_getattr
            | g::__NR_membarrier => self.sched_call(m, id, nr, a).into(),
            g::__NR_getpriority | g::__NR_setpriority | g::__NR_ioprio_get | g::__NR_ioprio_set => {
                self.priority_call(id, nr, a).into()
            }
            g::__NR_capget => self.sys_capget(m, id, a).into(),
            g::__NR_capset => self.sys_capset(m, id, a).into(),
            g::__NR_mlock
            | g::__NR_mlock2
            | g::__NR_munlock
            | g::__NR_mlockall
            | g::__NR_munlockall
            | g::__NR_msync
            | g::__NR_mincore => self.resident_call(m, id, nr, a).into(),
            g::__NR_sethostname
            | g::__NR_setdomainname
            | g::__NR_settimeofday
            | g::__NR_adjtimex
            | g::__NR_clock_adjtime
            | g::__NR_acct
            | g::__NR_pkey_alloc
            | g::__NR_pkey_free => self.machine_call(m, id, nr, a).into(),
            g::__NR_syslog => self.sys_syslog(id, a),
            g::__NR_reboot => self.sys_reboot(m, id, a),
            g::__NR_clock_settime => self.sys_clock_settime(m, id, a).into(),
            g::__NR_getcpu => self.sys_getcpu(m, id, a).into(),
            g::__NR_personality => Done::Result(self.sys_personality(id, a[0])),
            nr if absent::is_absent(nr) => Errno::ENOSYS.into(),
            _ => self.unknown_call(m, id, nr),
        }
    }

    fn unknown_call(&mut self, m: &mut impl Machine, id: TaskId, nr: u32) -> Done {
        if !self.unknown_calls.contains(&nr) && self.unknown_calls.len() < MAX_UNKNOWN {
            self.unknown_calls.push(nr);
            let tid = self.task(id).tid;
            m.log(format_args!(
                "stillpoint: system call {nr} is not implemented (pid {tid})"
            ));
        }
        Errno::ENOSYS.into()
    }

    /// A `ptrace` system call. What the tracer has to be asked for is a report.
    fn sys_ptrace(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Done {
        let args = [a[0], a[1], a[2], a[3]];
        match self.ptrace(m, id, args) {
            Ok(ptrace::Done::Result(result)) => Done::Result(result),
            Ok(ptrace::Done::Word(word)) => self.put(m, id, a[3], &word.to_le_bytes()).into(),
            Ok(ptrace::Done::Ask) => {
                self.task_mut(id).trace.client = true;
                self.report(m, id, Hold::Ptrace { args });
                Done::Later
            }
            Err(e) => e.into(),
        }
    }

    /// Where the task finds its capabilities to the servers.
    fn sys_server_caps(&mut self, m: &mut impl Machine, id: TaskId) -> Done {
        if let Some(space) = self.task(id).space {
            self.memory.set_speaks(space);
        }
        Done::Result(m.server_caps() as i64)
    }
}
