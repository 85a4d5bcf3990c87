//! clone3, exit, process groups and sessions.

use super::Done;
use crate::Procmgr;
use crate::fork::{CLEAR_SIGHAND, CloneArgs};
use crate::machine::{Machine, PAGE};
use crate::process::ProcessIx;
use abi::linux::general as g;
use abi::{Errno, TaskId};

/// `struct clone_args`, first version.
const CLONE_ARGS_V0: u64 = 64;
/// How many words the version of Linux 6.1 has.
const CLONE_ARGS_WORDS: usize = 11;

impl Procmgr {
    /// clone3(2).
    pub(super) fn sys_clone3(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Done {
        let (addr, size) = (a[0], a[1]);
        if size < CLONE_ARGS_V0 {
            return Errno::EINVAL.into();
        }
        if size > PAGE {
            return Errno::E2BIG.into();
        }
        let mut words = [0; CLONE_ARGS_WORDS];
        if let Err(e) = self.read_clone_args(m, id, addr, size, &mut words) {
            return e.into();
        }
        let [
            flags,
            pidfd,
            child_tid,
            parent_tid,
            exit_signal,
            stack,
            stack_size,
            tls,
            set_tid,
            set_tid_size,
            _cgroup,
        ] = words;
        let both = u64::from(g::CLONE_SIGHAND) | CLEAR_SIGHAND;
        let no_signal = u64::from(g::CLONE_THREAD | g::CLONE_PARENT);
        if flags & !(u64::from(u32::MAX) | CLEAR_SIGHAND) != 0
            || flags & u64::from(g::CLONE_DETACHED | 0xff) != 0
            || flags & both == both
            || (flags & no_signal != 0 && exit_signal != 0)
            || exit_signal > abi::signal::SIGMAX.into()
            || (stack == 0) != (stack_size == 0)
            || set_tid != 0
            || set_tid_size != 0
        {
            return Errno::EINVAL.into();
        }
        let args = CloneArgs {
            flags,
            stack: stack.wrapping_add(stack_size),
            parent_tid,
            child_tid,
            pidfd,
            tls,
            exit_signal: exit_signal as u8,
            ..CloneArgs::default()
        };
        self.sys_clone(m, id, args)
    }

    /// Reads `struct clone_args` of whatever version: E2BIG where a newer one has something that
    /// means something.
    fn read_clone_args(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        addr: u64,
        size: u64,
        words: &mut [u64; CLONE_ARGS_WORDS],
    ) -> Result<(), Errno> {
        let mut bytes = [0; PAGE as usize];
        let bytes = &mut bytes[..size as usize];
        let space = self.task(id).space.ok_or(Errno::EFAULT)?;
        self.memory.read_exact(m, space, addr, bytes)?;
        let known = bytes.len().min(8 * CLONE_ARGS_WORDS);
        if bytes[known..].iter().any(|b| *b != 0) {
            return Err(Errno::E2BIG);
        }
        for (word, bytes) in words.iter_mut().zip(bytes[..known].chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        }
        Ok(())
    }

    /// exit(2).
    pub(super) fn sys_exit(&mut self, m: &mut impl Machine, id: TaskId, code: u64) -> Done {
        let status = (code as i32 & 0xff) << 8;
        self.begin_exit(m, id, status);
        Done::Later
    }

    /// exit_group(2).
    pub(super) fn sys_exit_group(&mut self, m: &mut impl Machine, id: TaskId, code: u64) -> Done {
        let status = (code as i32 & 0xff) << 8;
        let ix = self.process_of(id);
        self.kill_process(m, ix, status);
        let status = self.process(ix).group_exit.unwrap_or(status);
        self.begin_exit(m, id, status);
        Done::Later
    }

    /// getppid(2)'s answer: 0 for a parent that it does not see, as from inside a pid namespace.
    pub(super) fn seen_parent_pid(&self, id: TaskId) -> u32 {
        let parent = self.process(self.process_of(id)).parent;
        let parent = parent.filter(|p| self.sees(id, *p));
        parent.map_or(0, |p| self.process(p).pid)
    }

    /// The pid of a process's parent.
    pub(crate) fn parent_pid(&self, ix: ProcessIx) -> u32 {
        self.process(ix).parent.map_or(0, |p| self.process(p).pid)
    }

    fn named_process(&self, id: TaskId, pid: u64) -> Result<ProcessIx, Errno> {
        match pid as i32 {
            0 => Ok(self.process_of(id)),
            pid if pid < 0 => Err(Errno::ESRCH),
            pid => self
                .seen(id, pid as u32)
                .map(|t| self.process_of(t))
                .ok_or(Errno::ESRCH),
        }
    }

    /// getpgid(2).
    pub(super) fn sys_getpgid(&self, id: TaskId, pid: u64) -> Result<i64, Errno> {
        Ok(self.process(self.named_process(id, pid)?).pgid.into())
    }

    /// getsid(2).
    pub(super) fn sys_getsid(&self, id: TaskId, pid: u64) -> Result<i64, Errno> {
        Ok(self.process(self.named_process(id, pid)?).sid.into())
    }

    /// setpgid(2), with Linux's order of checks.
    pub(super) fn sys_setpgid(&mut self, id: TaskId, a: [u64; 6]) -> Result<(), Errno> {
        let own = self.process_of(id);
        let pid = match a[0] as i32 {
            0 => self.process(own).pid,
            pid => pid as u32,
        };
        let pgid = match a[1] as i32 {
            0 => pid,
            pgid if pgid < 0 => return Err(Errno::EINVAL),
            pgid => pgid as u32,
        };
        let target = self.seen(id, pid).ok_or(Errno::ESRCH)?;
        let ix = self.process_of(target);
        let (mine, its) = (self.process(own), self.process(ix));
        if its.leader != target {
            return Err(Errno::EINVAL);
        }
        if its.parent == Some(own) {
            if its.sid != mine.sid {
                return Err(Errno::EPERM);
            }
            if its.has_execed {
                return Err(Errno::EACCES);
            }
        } else if ix != own {
            return Err(Errno::ESRCH);
        }
        let sid = its.sid;
        if sid == its.pid {
            return Err(Errno::EPERM);
        }
        let exists = self
            .seen_processes(id)
            .any(|(_, p)| p.pgid == pgid && p.sid == mine.sid);
        if pgid != pid && !exists {
            return Err(Errno::EPERM);
        }
        self.set_group(ix, pgid, sid);
        Ok(())
    }

    /// setsid(2).
    pub(super) fn sys_setsid(&mut self, id: TaskId) -> Result<i64, Errno> {
        let ix = self.process_of(id);
        let pid = self.process(ix).pid;
        if self.processes().any(|(_, p)| p.pgid == pid) {
            return Err(Errno::EPERM);
        }
        self.set_group(ix, pid, pid);
        Ok(pid.into())
    }
}
