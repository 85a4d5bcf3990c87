//! Calls on descriptors.

use crate::Fs;
use crate::fdtable::Fd;
use crate::host::{Host, Port};
use crate::pipe;
use crate::tree::{Body, Node};
use crate::wait::Flow;
use abi::Errno;
use abi::linux::general::*;
use alloc::vec::Vec;

// Linux's asm-generic/ioctls.h and linux/close_range.h.
const FIONREAD: u32 = 0x541b;
const FIONBIO: u32 = 0x5421;
const FIONCLEX: u32 = 0x5450;
const FIOCLEX: u32 = 0x5451;
/// Linux's linux/fs.h.
const FICLONE: u32 = 0x4004_9409;
const CLOSE_RANGE_UNSHARE: u32 = 1 << 1;
const CLOSE_RANGE_CLOEXEC: u32 = 1 << 2;

/// What F_SETFL changes (fcntl(2)).
const SETTABLE: u32 = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME;

impl Fs {
    /// close(2).
    pub(crate) fn close<H: Host>(&mut self, port: &Port<'_, H>, fd: i32) -> Result<i64, Errno> {
        let table = self.tasks.get(port.task).ok_or(Errno::ESRCH)?.table;
        let entry = self.tables[table].take(fd).ok_or(Errno::EBADF)?;
        self.close_file(table, entry.file);
        Ok(0)
    }

    /// close_range(2).
    pub(crate) fn close_range<H: Host>(
        &mut self,
        port: &Port<'_, H>,
        first: u32,
        last: u32,
        flags: u32,
    ) -> Result<i64, Errno> {
        if flags & !(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) != 0 || first > last {
            return Err(Errno::EINVAL);
        }
        if flags & CLOSE_RANGE_UNSHARE != 0 {
            self.unshare_table(port.task)?;
        }
        let within = |fd: i32| (first..=last).contains(&(fd as u32));
        if flags & CLOSE_RANGE_CLOEXEC == 0 {
            let table = self.tasks.get(port.task).ok_or(Errno::ESRCH)?.table;
            self.close_where(table, |fd, _| within(fd));
            return Ok(0);
        }
        let table = self.table_mut(port.task)?;
        let chosen = table.iter().map(|(fd, _)| fd).filter(|&fd| within(fd));
        for fd in chosen.collect::<Vec<i32>>() {
            table.set_cloexec(fd, true)?;
        }
        Ok(0)
    }

    /// dup(2) and F_DUPFD.
    pub(crate) fn duplicate<H: Host>(
        &mut self,
        port: &Port<'_, H>,
        fd: i32,
        least: usize,
        cloexec: bool,
    ) -> Result<i64, Errno> {
        let file = self.any_file(port.task, fd)?;
        let new = self.free_fd(port, least)?;
        self.hold_file(file);
        self.set_fd(port.task, new, Fd { file, cloexec })?;
        Ok(i64::from(new))
    }

    /// dup2(2).
    pub(crate) fn dup2<H: Host>(
        &mut self,
        port: &Port<'_, H>,
        old: i32,
        new: i32,
    ) -> Result<i64, Errno> {
        if old == new {
            self.any_file(port.task, old)?;
            return Ok(i64::from(new));
        }
        self.dup3(port, old, new, 0)
    }

    /// dup3(2).
    pub(crate) fn dup3<H: Host>(
        &mut self,
        port: &Port<'_, H>,
        old: i32,
        new: i32,
        flags: u32,
    ) -> Result<i64, Errno> {
        if flags & !O_CLOEXEC != 0 || old == new {
            return Err(Errno::EINVAL);
        }
        let place = usize::try_from(new).map_err(|_| Errno::EBADF)?;
        if place >= port.max_fds() {
            return Err(Errno::EBADF);
        }
        let file = self.any_file(port.task, old)?;
        self.room_for_fd(port.task, place)?;
        self.hold_file(file);
        let cloexec = flags & O_CLOEXEC != 0;
        if let Some(before) = self.set_fd(port.task, new, Fd { file, cloexec })? {
            let table = self.tasks.get(port.task).ok_or(Errno::ESRCH)?.table;
            self.close_file(table, before.file);
        }
        Ok(i64::from(new))
    }

    /// fcntl(2).
    pub(crate) fn fcntl<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        command: u32,
        arg: u64,
    ) -> Result<Flow, Errno> {
        let id = self.any_file(port.task, fd)?;
        let path_only = matches!(
            command,
            F_DUPFD | F_DUPFD_CLOEXEC | F_GETFD | F_SETFD | F_GETFL
        );
        if !path_only {
            self.file(port.task, fd)?;
        }
        let result = match command {
            F_GETLK | F_SETLK | F_SETLKW | F_OFD_GETLK | F_OFD_SETLK | F_OFD_SETLKW => {
                return self.record_lock(port, id, command, arg);
            }
            F_DUPFD | F_DUPFD_CLOEXEC => {
                let least = usize::try_from(arg as u32).map_err(|_| Errno::EINVAL)?;
                if least >= port.max_fds() {
                    return Err(Errno::EINVAL);
                }
                self.duplicate(port, fd, least, command == F_DUPFD_CLOEXEC)
            }
            F_GETFD => {
                let entry = self.table(port.task)?.get(fd).ok_or(Errno::EBADF)?;
                Ok(i64::from(entry.cloexec))
            }
            F_SETFD => {
                let cloexec = arg & u64::from(FD_CLOEXEC) != 0;
                self.table_mut(port.task)?.set_cloexec(fd, cloexec)?;
                Ok(0)
            }
            F_GETFL => Ok(i64::from(self.files[id].flags)),
            F_SETFL => {
                let (arg, file) = (arg as u32, &self.files[id]);
                let newly = arg & !file.flags;
                let (owner, _) = self.owner(port, file.node)?;
                if newly & O_NOATIME != 0 && !port.who.owns(owner) {
                    return Err(Errno::EPERM);
                }
                let flags = &mut self.files[id].flags;
                *flags = *flags & !SETTABLE | arg & SETTABLE;
                Ok(0)
            }
            F_GET_SEALS => self.seals(id).map(i64::from),
            F_ADD_SEALS => self.add_seals(port, id, arg as u32),
            F_GETPIPE_SZ | F_SETPIPE_SZ => {
                let pipe = self.pipe_of(self.files[id].node).ok_or(Errno::EBADF)?;
                let pipe = &mut self.pipes[pipe];
                let limit = match command {
                    F_SETPIPE_SZ => pipe.set_limit(arg as u32)?,
                    _ => pipe.limit(),
                };
                Ok(limit as i64)
            }
            F_GETOWN => Ok(0),
            _ => Err(Errno::EINVAL),
        };
        result.map(Flow::Done)
    }

    /// ioctl(2).
    pub(crate) fn ioctl<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        request: u32,
        arg: u64,
    ) -> Result<i64, Errno> {
        let id = self.file(port.task, fd)?;
        match request {
            FIOCLEX | FIONCLEX => {
                let cloexec = request == FIOCLEX;
                self.table_mut(port.task)?.set_cloexec(fd, cloexec)?;
                Ok(0)
            }
            FIONBIO => {
                let mut buffer = [0; abi::wire::MAX];
                let on = port.read(arg, 4, &mut buffer)? != [0; 4];
                let flags = &mut self.files[id].flags;
                *flags = *flags & !O_NONBLOCK | if on { O_NONBLOCK } else { 0 };
                Ok(0)
            }
            FIONREAD => {
                let unread = self.unread(id).ok_or(Errno::ENOTTY)?.min(i32::MAX as u64);
                port.write(arg, &(unread as u32).to_le_bytes())?;
                Ok(0)
            }
            FICLONE => Err(self.why_not_cloned(port.task, id, arg as i32)),
            request => {
                let node = self.files[id].node;
                match (self.tty_of(node), self.master_of(node)) {
                    (Some(tty), _) => self.tty_ioctl(port, tty, (request, arg), false),
                    (_, Some(tty)) => self.master_ioctl(port, tty, (request, arg)),
                    _ => Err(Errno::ENOTTY),
                }
            }
        }
    }

    /// ioctl_ficlone(2) into a file, whose blocks nothing shares: what is wrong, in Linux's order.
    fn why_not_cloned(&self, task: abi::TaskId, output: u32, input: i32) -> Errno {
        let input = match self.file(task, input) {
            Ok(input) => &self.files[input],
            Err(errno) => return errno,
        };
        let output = &self.files[output];
        if self.device_number(input.node) != self.device_number(output.node) {
            return Errno::EXDEV;
        }
        let nodes = [input.node, output.node];
        if nodes.iter().any(|node| self.is_directory(*node)) {
            return Errno::EISDIR;
        }
        if nodes.iter().any(|node| self.regular(*node).is_none()) {
            return Errno::EINVAL;
        }
        match input.readable() && output.writable() && output.flags & O_APPEND == 0 {
            true => Errno::EOPNOTSUPP,
            false => Errno::EBADF,
        }
    }

    /// How many bytes FIONREAD says a file has unread.
    fn unread(&self, id: u32) -> Option<u64> {
        let file = &self.files[id];
        if let Some(tty) = self.tty_of(file.node) {
            return Some(self.tty_unread(tty));
        }
        if let Some(pipe) = self.pipe_of(file.node) {
            return Some(self.pipes[pipe].len.min(pipe::CAPACITY));
        }
        match file.node {
            Node::Inode(ino) => match self.tree.get(ino).body {
                Body::File(range) => Some(range.size.saturating_sub(file.offset)),
                Body::Device(device) if device.is_console() => Some(self.console.len() as u64),
                _ => None,
            },
            Node::Anon(anon) => self.socket_unread(anon),
            Node::Proc(_) | Node::Pipe(_) => None,
        }
    }

    /// lseek(2).
    pub(crate) fn lseek<H: Host>(
        &mut self,
        port: &Port<'_, H>,
        fd: i32,
        offset: i64,
        whence: u32,
    ) -> Result<i64, Errno> {
        let id = self.file(port.task, fd)?;
        if whence > SEEK_MAX {
            return Err(Errno::EINVAL);
        }
        let file = &self.files[id];
        if let Node::Anon(anon) = file.node
            && self.ignores_seeks(anon)
        {
            return Ok(0);
        }
        if !self.seekable(file.node) {
            return Err(Errno::ESPIPE);
        }
        let mut end = None;
        if let Node::Inode(ino) = file.node {
            match self.tree.get(ino).body {
                // Linux's null_lseek.
                Body::Device(_) => return Ok(0),
                Body::File(range) => end = Some(range.size as i64),
                _ => {}
            }
        }
        let at = match (whence, end) {
            (SEEK_SET, _) => Some(offset),
            (SEEK_CUR, _) => (file.offset as i64).checked_add(offset),
            (SEEK_END, Some(end)) => end.checked_add(offset),
            (SEEK_DATA | SEEK_HOLE, Some(end)) => {
                if offset < 0 || offset >= end {
                    return Err(Errno::ENXIO);
                }
                Some(if whence == SEEK_DATA { offset } else { end })
            }
            _ => None,
        };
        let at = at.filter(|&at| at >= 0).ok_or(Errno::EINVAL)?;
        self.files[id].offset = at as u64;
        Ok(at)
    }

    /// fsync(2), fdatasync(2): nothing is ever behind, but not everything can be asked.
    pub(crate) fn fsync<H: Host>(&self, port: &Port<'_, H>, fd: i32) -> Result<i64, Errno> {
        match self.files[self.file(port.task, fd)?].node {
            node @ Node::Inode(_) if self.device(node).is_none() && !self.is_fifo(node) => Ok(0),
            _ => Err(Errno::EINVAL),
        }
    }

    /// posix_fadvise(2): all files are in memory anyway.
    pub(crate) fn fadvise<H: Host>(
        &self,
        port: &Port<'_, H>,
        fd: i32,
        len: u64,
        advice: u32,
    ) -> Result<i64, Errno> {
        let file = &self.files[self.file(port.task, fd)?];
        if self.pipe_of(file.node).is_some() {
            return Err(Errno::ESPIPE);
        }
        // From POSIX_FADV_NORMAL to POSIX_FADV_NOREUSE.
        if (len as i64) < 0 || advice > 5 {
            return Err(Errno::EINVAL);
        }
        Ok(0)
    }

    /// readahead(2).
    pub(crate) fn readahead<H: Host>(&self, port: &Port<'_, H>, fd: i32) -> Result<i64, Errno> {
        let file = &self.files[self.file(port.task, fd)?];
        if !file.readable() {
            return Err(Errno::EBADF);
        }
        match file.node {
            Node::Inode(ino) if matches!(self.tree.get(ino).body, Body::File(_)) => Ok(0),
            _ => Err(Errno::EINVAL),
        }
    }

    /// sync_file_range(2).
    pub(crate) fn sync_file_range<H: Host>(
        &self,
        port: &Port<'_, H>,
        fd: i32,
        (offset, len): (u64, u64),
        flags: u32,
    ) -> Result<i64, Errno> {
        let node = self.files[self.file(port.task, fd)?].node;
        let end = (offset as i64).checked_add(len as i64);
        if flags > 7 || (offset as i64) < 0 || end.is_none_or(|end| end < offset as i64) {
            return Err(Errno::EINVAL);
        }
        match node {
            Node::Inode(ino) => match self.tree.get(ino).body {
                Body::File(_) | Body::Directory(_) | Body::Link(_) => Ok(0),
                _ => Err(Errno::ESPIPE),
            },
            _ => Err(Errno::ESPIPE),
        }
    }

    /// For calls that only ask whether the descriptor is one: syncfs(2), posix_fadvise(2).
    pub(crate) fn accept<H: Host>(&self, port: &Port<'_, H>, fd: i32) -> Result<i64, Errno> {
        self.file(port.task, fd).map(|_| 0)
    }
}
