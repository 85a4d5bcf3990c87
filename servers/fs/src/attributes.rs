//! Permissions, owners, times and sizes.

use crate::Fs;
use crate::host::{Host, Port};
use crate::tree::{Body, Ino, Mount, Node};
use abi::linux::general::{
    AT_EACCESS, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, R_OK, S_ISGID, S_ISUID, UTIME_NOW, UTIME_OMIT,
    W_OK, X_OK,
};
use abi::{Capability, Errno};
use alloc::rc::Rc;

/// "Leave it as it is" in chown(2).
const KEEP: u32 = u32::MAX;

/// What a time is set to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NewTime {
    Omit,
    Now,
    At(u64),
}

impl Fs {
    /// access(2), faccessat2(2): as the real ids unless AT_EACCESS says otherwise.
    pub(crate) fn faccessat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        want: u32,
        flags: u32,
    ) -> Result<i64, Errno> {
        if want & !(R_OK | W_OK | X_OK) != 0
            || flags & !(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0
        {
            return Err(Errno::EINVAL);
        }
        if flags & AT_EACCESS == 0 {
            port.who = Rc::new(port.who.of_real_ids());
        }
        let node = self.at(port, dirfd, path, flags)?;
        self.permitted(port, node, want).map(|()| 0)
    }

    /// The inode whose attributes are to change: EROFS where nothing changes, none for a pipe,
    /// which keeps none.
    fn changeable(&self, node: Node) -> Result<Option<Ino>, Errno> {
        match node {
            Node::Inode(ino) if self.tree.get(ino).mount == Mount::Archive => Err(Errno::EROFS),
            Node::Inode(ino) => Ok(Some(ino)),
            Node::Proc(_) => Err(Errno::EPERM),
            Node::Pipe(_) | Node::Anon(_) => Ok(None),
        }
    }

    /// fchmodat(2) and its relatives.
    pub(crate) fn chmod<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        node: Node,
        mode: u32,
    ) -> Result<i64, Errno> {
        let Some(ino) = self.changeable(node)? else {
            return Ok(0);
        };
        if self.is_link(node) {
            return Err(Errno::EOPNOTSUPP);
        }
        let inode = self.tree.get(ino);
        if !port.who.owns(inode.uid) {
            return Err(Errno::EPERM);
        }
        self.check_mode_seals(ino, mode)?;
        let mut mode = mode & 0o7777;
        if !port.who.keeps_set_gid(inode.gid) {
            mode &= !S_ISGID;
        }
        let (_, now) = port.time()?;
        let inode = self.tree.get_mut(ino);
        inode.mode = mode;
        inode.times.changed = now;
        Ok(0)
    }

    /// fchownat(2) and its relatives; -1 keeps an id.
    pub(crate) fn chown<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        node: Node,
        uid: u32,
        gid: u32,
    ) -> Result<i64, Errno> {
        let Some(ino) = self.changeable(node)? else {
            return Ok(0);
        };
        let inode = self.tree.get(ino);
        let who = &port.who;
        let own = who.told.fsuid == inode.uid;
        let may_user = uid == KEEP || (own && uid == inode.uid);
        let may_group = gid == KEEP || (own && (who.in_group(gid) || gid == inode.gid));
        let allowed = may_user && may_group;
        if !allowed && !who.capable(Capability::CAP_CHOWN) {
            return Err(Errno::EPERM);
        }
        let lost = match inode.body {
            Body::Directory(_) => 0,
            _ => S_ISUID | self.lost_set_gid(port, ino),
        };
        let (_, now) = port.time()?;
        let inode = self.tree.get_mut(ino);
        inode.mode &= !lost;
        if uid != KEEP {
            inode.uid = uid;
        }
        if gid != KEEP {
            inode.gid = gid;
        }
        inode.times.changed = now;
        Ok(0)
    }

    /// fchownat(2).
    pub(crate) fn fchownat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (dirfd, path): (i32, u64),
        (uid, gid): (u32, u32),
        flags: u32,
    ) -> Result<i64, Errno> {
        if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
            return Err(Errno::EINVAL);
        }
        let node = self.at(port, dirfd, path, flags)?;
        self.chown(port, node, uid, gid)
    }

    /// utimensat(2); without a path it is the descriptor's file.
    pub(crate) fn utimensat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        times: u64,
        flags: u32,
    ) -> Result<i64, Errno> {
        let new = match times {
            0 => [NewTime::Now; 2],
            addr => {
                let [accessed, accessed_rest, modified, modified_rest] = port.words(addr)?;
                [
                    NewTime::parse(accessed, accessed_rest)?,
                    NewTime::parse(modified, modified_rest)?,
                ]
            }
        };
        if let [NewTime::Omit, NewTime::Omit] = new {
            return Ok(0);
        }
        if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
            return Err(Errno::EINVAL);
        }
        let node = match path {
            0 => self.files[self.file(port.task, dirfd)?].node,
            path => self.at(port, dirfd, path, flags)?,
        };
        self.set_times(port, node, new)
    }

    /// utime(2), and utimes(2) with its microseconds.
    pub(crate) fn utimes<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (dirfd, path): (i32, u64),
        times: u64,
        microseconds: bool,
    ) -> Result<i64, Errno> {
        let new = match (times, microseconds) {
            (0, _) => [NewTime::Now; 2],
            (addr, false) => port
                .words::<2>(addr)?
                .map(|seconds| NewTime::At(seconds.saturating_mul(1_000_000_000))),
            (addr, true) => {
                let [accessed, accessed_rest, modified, modified_rest] = port.words(addr)?;
                if accessed_rest >= 1_000_000 || modified_rest >= 1_000_000 {
                    return Err(Errno::EINVAL);
                }
                [
                    NewTime::parse(accessed, accessed_rest * 1000)?,
                    NewTime::parse(modified, modified_rest * 1000)?,
                ]
            }
        };
        let node = self.at(port, dirfd, path, 0)?;
        self.set_times(port, node, new)
    }

    fn set_times<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        node: Node,
        new: [NewTime; 2],
    ) -> Result<i64, Errno> {
        let Some(ino) = self.changeable(node)? else {
            return Ok(0);
        };
        if !port.who.owns(self.tree.get(ino).uid) {
            // "Now" is what any write would do; to set a time is the owner's.
            match new {
                [NewTime::Now, NewTime::Now] => self.permitted(port, node, W_OK)?,
                _ => return Err(Errno::EPERM),
            }
        }
        let [accessed, modified] = new;
        let (_, now) = port.time()?;
        let inode = self.tree.get_mut(ino);
        inode.written = false;
        accessed.apply(&mut inode.times.accessed, now);
        modified.apply(&mut inode.times.modified, now);
        inode.times.changed = now;
        Ok(0)
    }

    /// truncate(2).
    pub(crate) fn truncate<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        path: u64,
        size: u64,
    ) -> Result<i64, Errno> {
        if (size as i64) < 0 {
            return Err(Errno::EINVAL);
        }
        let path = port.string(path)?;
        let cwd = self.cwd(port.task)?;
        let node = self.resolve(port, cwd, &path, true)?;
        if self.is_directory(node) {
            return Err(Errno::EISDIR);
        }
        match node {
            Node::Inode(ino) if matches!(self.tree.get(ino).body, Body::File(_)) => {
                self.permitted(port, node, W_OK)?;
                self.cut(port, ino, size).map(|()| 0)
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// ftruncate(2).
    pub(crate) fn ftruncate<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        size: u64,
    ) -> Result<i64, Errno> {
        if (size as i64) < 0 {
            return Err(Errno::EINVAL);
        }
        let file = &self.files[self.file(port.task, fd)?];
        match file.node {
            Node::Inode(ino) if file.writable() => self.cut(port, ino, size).map(|()| 0),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Gives a regular file another size at a program's wish: EFBIG and SIGXFSZ above
    /// RLIMIT_FSIZE.
    fn cut<H: Host>(&mut self, port: &mut Port<'_, H>, ino: Ino, size: u64) -> Result<(), Errno> {
        if let Body::File(range) = self.tree.get(ino).body
            && size > range.size
        {
            port.within_file_limit(size)?;
        }
        self.check_size_seals(ino, size)?;
        self.resize(port, ino, size)?;
        self.drop_set_ids(port, ino);
        Ok(())
    }
}

impl NewTime {
    /// A struct timespec of utimensat(2).
    fn parse(seconds: u64, nanoseconds: u64) -> Result<NewTime, Errno> {
        match nanoseconds {
            now if now == u64::from(UTIME_NOW) => Ok(NewTime::Now),
            omit if omit == u64::from(UTIME_OMIT) => Ok(NewTime::Omit),
            rest if rest < 1_000_000_000 => {
                let whole = seconds.saturating_mul(1_000_000_000);
                Ok(NewTime::At(whole.saturating_add(rest)))
            }
            _ => Err(Errno::EINVAL),
        }
    }

    fn apply(self, time: &mut u64, now: u64) {
        match self {
            NewTime::Omit => {}
            NewTime::Now => *time = now,
            NewTime::At(at) => *time = at,
        }
    }
}
