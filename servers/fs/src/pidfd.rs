//! pidfd_open(2) and its relatives.

use crate::Fs;
use crate::anon::{Kind, READABLE};
use crate::fdtable::Fd;
use crate::host::{Host, Port};
use crate::tree::Node;
use abi::fs::{Outcome, Scope};
use abi::linux::general::{
    CLONE_FILES, CLONE_FS, CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID,
    CLONE_NEWTIME, CLONE_NEWUSER, CLONE_NEWUTS, CLONE_SIGHAND, CLONE_SYSVSEM, CLONE_THREAD,
    CLONE_VM, O_EXCL, O_NONBLOCK, O_RDWR, POLLHUP,
};
use abi::{Capability, Errno, PidName, TaskId};
use alloc::format;
use alloc::string::String;

const PIDFD_NONBLOCK: u32 = O_NONBLOCK;
const PIDFD_THREAD: u32 = O_EXCL;
const PIDFD_SIGNAL_THREAD: u32 = 1;
const PIDFD_SIGNAL_THREAD_GROUP: u32 = 2;
const PIDFD_SIGNAL_PROCESS_GROUP: u32 = 4;

const NAMESPACES: u32 = CLONE_NEWNS
    | CLONE_NEWCGROUP
    | CLONE_NEWUTS
    | CLONE_NEWIPC
    | CLONE_NEWUSER
    | CLONE_NEWPID
    | CLONE_NEWNET
    | CLONE_NEWTIME;

/// What a pidfd stands for.
#[derive(Clone, Hash)]
pub(crate) struct Pid {
    pub name: PidName,
    /// A thread, not a process.
    thread: bool,
    pub life: Life,
}

/// How far it has got.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Life {
    Alive,
    Dead,
    Reaped,
}

impl Pid {
    pub fn readiness(&self) -> u32 {
        match self.life {
            Life::Alive => 0,
            Life::Dead => READABLE,
            Life::Reaped => READABLE | POLLHUP,
        }
    }
}

impl Fs {
    /// pidfd_open(2).
    pub(crate) fn pidfd_open<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        tid: i32,
        flags: u32,
    ) -> Result<i64, Errno> {
        if flags & !(PIDFD_NONBLOCK | PIDFD_THREAD) != 0 {
            return Err(Errno::EINVAL);
        }
        let tid = u32::try_from(tid).ok().filter(|tid| *tid != 0);
        let thread = flags & PIDFD_THREAD != 0;
        let name = port.find_pid(tid.ok_or(Errno::EINVAL)?, thread)?;
        port.watch_pid(name)?;
        self.add_pidfd(port, name, thread, flags)
    }

    fn add_pidfd<H: Host>(
        &mut self,
        port: &Port<'_, H>,
        name: PidName,
        thread: bool,
        flags: u32,
    ) -> Result<i64, Errno> {
        let life = Life::Alive;
        let pid = Pid { name, thread, life };
        self.open_anon(port, Kind::Pid(pid), O_RDWR | flags, true)
    }

    /// CLONE_PIDFD: the creator of a task gets a pidfd of it.
    pub(crate) fn give_pidfd<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        creator: TaskId,
        name: PidName,
        thread: bool,
    ) -> Result<i64, Errno> {
        let port = self.port(&mut *port.host, creator, 0);
        let flags = if thread { PIDFD_THREAD } else { 0 };
        self.add_pidfd(&port, name, thread, flags)
    }

    /// [`Event::Ended`](abi::fs::Event::Ended).
    pub(crate) fn pid_ended(&mut self, name: PidName, reaped: bool) {
        let life = if reaped { Life::Reaped } else { Life::Dead };
        for anon in self.anons.iter_mut() {
            if let Kind::Pid(pid) = &mut anon.kind
                && pid.name == name
            {
                pid.life = pid.life.max(life);
            }
        }
        self.dirty = true;
    }

    /// [`Event::FindPid`](abi::fs::Event::FindPid).
    pub(crate) fn pid_of(&self, task: TaskId, fd: i32) -> Result<Outcome, Errno> {
        let file = self.file(task, fd)?;
        Ok(Outcome::Pid {
            name: self.pid(file).ok_or(Errno::EBADF)?.name,
            nonblocking: self.files[file].nonblocking(),
        })
    }

    /// What an open file stands for, if it is a pidfd.
    fn pid(&self, file: u32) -> Option<&Pid> {
        match self.files[file].node {
            Node::Anon(id) => match &self.anons[id].kind {
                Kind::Pid(pid) => Some(pid),
                _ => None,
            },
            _ => None,
        }
    }

    /// pidfd_send_signal(2).
    pub(crate) fn pidfd_send_signal<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        signo: u32,
        info: u64,
        flags: u32,
    ) -> Result<i64, Errno> {
        let known = PIDFD_SIGNAL_THREAD | PIDFD_SIGNAL_THREAD_GROUP | PIDFD_SIGNAL_PROCESS_GROUP;
        if flags & !known != 0 || flags.count_ones() > 1 {
            return Err(Errno::EINVAL);
        }
        let pid = self.pid(self.file(port.task, fd)?).ok_or(Errno::EBADF)?;
        let scope = match flags {
            PIDFD_SIGNAL_THREAD => Scope::Thread,
            PIDFD_SIGNAL_THREAD_GROUP => Scope::Process,
            PIDFD_SIGNAL_PROCESS_GROUP => Scope::Group,
            _ if pid.thread => Scope::Thread,
            _ => Scope::Process,
        };
        port.signal_pid(pid.name, scope, signo, info).map(|()| 0)
    }

    /// pidfd_getfd(2).
    pub(crate) fn pidfd_getfd<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        wanted: i32,
        flags: u32,
    ) -> Result<i64, Errno> {
        if flags != 0 {
            return Err(Errno::EINVAL);
        }
        let pid = self.pid(self.file(port.task, fd)?).ok_or(Errno::EBADF)?;
        let (tid, over) = (pid.name.tid, pid.life != Life::Alive);
        if over {
            return Err(Errno::ESRCH);
        }
        port.may_access(tid, true).map_err(|errno| match errno {
            Errno::EACCES => Errno::EPERM,
            errno => errno,
        })?;
        let theirs = self.by_tid(tid).ok_or(Errno::ESRCH)?.table;
        let file = self.tables[theirs].get(wanted).ok_or(Errno::EBADF)?.file;
        let new = self.free_fd(port, 0)?;
        self.hold_file(file);
        let cloexec = true;
        self.set_fd(port.task, new, Fd { file, cloexec })?;
        Ok(i64::from(new))
    }

    /// What /proc/PID/fdinfo says of a pidfd beside the rest.
    pub(crate) fn pid_info(&self, file: u32) -> Option<String> {
        let pid = self.pid(file)?;
        let number = match pid.life {
            Life::Reaped => -1,
            _ => i64::from(pid.name.tid),
        };
        Some(format!("Pid:\t{number}\nNSpid:\t{number}\n"))
    }

    /// setns(2): there is one namespace of each kind, and nobody moves.
    pub(crate) fn setns<H: Host>(
        &self,
        port: &Port<'_, H>,
        fd: i32,
        kind: u32,
    ) -> Result<i64, Errno> {
        let file = self.file(port.task, fd)?;
        let known = kind != 0 && kind & !NAMESPACES == 0;
        if self.pid(file).is_none() || !known {
            return Err(Errno::EINVAL);
        }
        Err(match port.who.capable(Capability::CAP_SYS_ADMIN) {
            true => Errno::EINVAL,
            false => Errno::EPERM,
        })
    }

    /// unshare(2): descriptors, and working directory with mask.
    pub(crate) fn unshare<H: Host>(
        &mut self,
        port: &Port<'_, H>,
        flags: u32,
    ) -> Result<i64, Errno> {
        let of_process = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
        let known = CLONE_FILES | CLONE_FS | CLONE_SYSVSEM | NAMESPACES | of_process;
        if flags & !known != 0 {
            return Err(Errno::EINVAL);
        }
        let task = self.tasks.get(port.task).ok_or(Errno::ESRCH)?;
        let (tid, tgid) = (task.tid, task.tgid);
        let others = |task: &crate::task::Task| task.tgid == tgid && task.tid != tid;
        if flags & of_process != 0 && self.tasks.values().any(others) {
            return Err(Errno::EINVAL);
        }
        if flags & NAMESPACES != 0 {
            return Err(match port.who.capable(Capability::CAP_SYS_ADMIN) {
                true => Errno::EINVAL,
                false => Errno::EPERM,
            });
        }
        if flags & CLONE_FILES != 0 {
            self.unshare_table(port.task)?;
        }
        if flags & CLONE_FS != 0 {
            self.unshare_context(port.task)?;
        }
        Ok(0)
    }
}

impl<H: Host> Port<'_, H> {
    /// What a number stands for now.
    fn find_pid(&mut self, tid: u32, thread: bool) -> Result<PidName, Errno> {
        let viewer = self.task;
        self.ask_pid(abi::fs::Call::FindPid {
            viewer,
            tid,
            thread,
        })
    }
}
