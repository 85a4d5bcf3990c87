//! memfd_create(2) and file seals (fcntl(2), F_ADD_SEALS).

use crate::fdtable::Fd;
use crate::host::{Host, Port};
use crate::tree::{Body, Ino, Inode, Mount, Node, ROOT, Times};
use crate::{Fs, PAGE};
use abi::Errno;
use abi::fs::FileRange;
use abi::linux::general::{
    F_SEAL_EXEC, F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE,
    MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC, MFD_HUGE_MASK, MFD_HUGE_SHIFT, MFD_HUGETLB,
    MFD_NOEXEC_SEAL, O_LARGEFILE, O_RDWR,
};
use alloc::boxed::Box;

/// The longest name (memfd_create(2)).
const NAME: usize = 249;
const SEALS: u32 =
    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC;

impl Fs {
    /// memfd_create(2).
    pub(crate) fn memfd_create<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        name: u64,
        flags: u32,
    ) -> Result<i64, Errno> {
        let sizes = MFD_HUGE_MASK << MFD_HUGE_SHIFT;
        let known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC | MFD_NOEXEC_SEAL;
        let both = MFD_EXEC | MFD_NOEXEC_SEAL;
        if flags & MFD_HUGETLB != 0 && flags & !(known | MFD_HUGETLB | sizes) == 0 {
            // No huge pages: as a kernel without them.
            return Err(Errno::ENOSYS);
        }
        if flags & !known != 0 || flags & both == both {
            return Err(Errno::EINVAL);
        }
        let text = port.string(name).map_err(|errno| match errno {
            Errno::ENAMETOOLONG => Errno::EINVAL,
            errno => errno,
        })?;
        if text.len() > NAME {
            return Err(Errno::EINVAL);
        }
        let fd = self.free_fd(port, 0)?;
        if self.files.room() == 0 {
            return Err(Errno::ENFILE);
        }
        let (_, now) = port.time()?;
        let object = port.create().map_err(|_| Errno::ENFILE)?;
        let range = FileRange {
            object,
            offset: 0,
            size: 0,
        };
        let noexec = flags & MFD_NOEXEC_SEAL != 0;
        let mode = if noexec { 0o666 } else { 0o777 };
        let mut inode = Inode::new(Mount::Memory, mode, Body::File(range));
        (inode.uid, inode.gid) = port.who.ids();
        inode.times = Times::all(now);
        inode.name = [b"memfd:", &text[..]].concat().into();
        inode.seals = match (flags & MFD_ALLOW_SEALING != 0, noexec) {
            (_, true) => F_SEAL_EXEC,
            (true, false) => 0,
            (false, false) => F_SEAL_SEAL,
        };
        let Some(ino) = self.tree.add_unnamed(ROOT, inode) else {
            self.freed.push(object);
            return Err(Errno::ENFILE);
        };
        let file = self.add_file(Node::Inode(ino), O_RDWR | O_LARGEFILE, Box::default())?;
        // As on Linux, the file that was made with it does not count as open for writing.
        self.files[file].blocks_exec = false;
        self.tree.get_mut(ino).writers -= 1;
        self.hold_file(file);
        let cloexec = flags & MFD_CLOEXEC != 0;
        self.set_fd(port.task, fd, Fd { file, cloexec })?;
        Ok(i64::from(fd))
    }

    /// F_GET_SEALS. EINVAL for what cannot have any; what has a name is sealed against seals.
    pub(crate) fn seals(&self, file: u32) -> Result<u32, Errno> {
        let inode = self.tree.get(self.sealable(file)?);
        Ok(match inode.mount {
            Mount::Memory => inode.seals,
            _ => F_SEAL_SEAL,
        })
    }

    fn sealable(&self, file: u32) -> Result<Ino, Errno> {
        match self.files[file].node {
            Node::Inode(ino) => match self.tree.get(ino) {
                inode if !inode.mount.writable() => Err(Errno::EINVAL),
                inode if matches!(inode.body, Body::File(_)) => Ok(ino),
                _ => Err(Errno::EINVAL),
            },
            _ => Err(Errno::EINVAL),
        }
    }

    /// F_ADD_SEALS.
    pub(crate) fn add_seals<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        file: u32,
        seals: u32,
    ) -> Result<i64, Errno> {
        if !self.files[file].writable() {
            return Err(Errno::EPERM);
        }
        if seals & !SEALS != 0 {
            return Err(Errno::EINVAL);
        }
        let ino = self.sealable(file)?;
        if self.seals(file)? & F_SEAL_SEAL != 0 {
            return Err(Errno::EPERM);
        }
        let inode = self.tree.get(ino);
        let mut seals = seals;
        if let Body::File(range) = inode.body
            && seals & F_SEAL_WRITE != 0
            && inode.seals & F_SEAL_WRITE == 0
            && port.writers(range.object)? > 0
        {
            return Err(Errno::EBUSY);
        }
        // What cannot become executable and could not be changed would be of no use.
        if seals & F_SEAL_EXEC != 0 && inode.mode & 0o111 != 0 {
            seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
        }
        self.tree.get_mut(ino).seals |= seals;
        Ok(0)
    }

    /// EPERM where a file's seals forbid that it gets this size.
    pub(crate) fn check_size_seals(&self, ino: Ino, size: u64) -> Result<(), Errno> {
        let inode = self.tree.get(ino);
        let Body::File(range) = inode.body else {
            return Ok(());
        };
        let shrinks = size < range.size && inode.seals & F_SEAL_SHRINK != 0;
        let grows = size > range.size && inode.seals & F_SEAL_GROW != 0;
        if shrinks || grows {
            return Err(Errno::EPERM);
        }
        Ok(())
    }

    /// How many of `len` bytes from `at` on may be written as a file's seals say: EPERM for none.
    /// A file that may not grow is written page by page, so the last one counts as a whole.
    pub(crate) fn sealed_room(&self, ino: Ino, at: u64, len: u64) -> Result<u64, Errno> {
        let inode = self.tree.get(ino);
        if inode.seals & (F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) == 0 {
            return Ok(len);
        }
        let Body::File(range) = inode.body else {
            return Ok(len);
        };
        let written = inode.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) != 0;
        if !written && at.saturating_add(len) <= range.size {
            return Ok(len);
        }
        let whole_pages = (range.size & !(PAGE - 1)).saturating_sub(at);
        if written || whole_pages == 0 {
            return Err(Errno::EPERM);
        }
        Ok(whole_pages)
    }

    /// EPERM where the seals forbid that a file becomes executable, or stops being so.
    pub(crate) fn check_mode_seals(&self, ino: Ino, mode: u32) -> Result<(), Errno> {
        let inode = self.tree.get(ino);
        if inode.seals & F_SEAL_EXEC != 0 && (inode.mode ^ mode) & 0o111 != 0 {
            return Err(Errno::EPERM);
        }
        Ok(())
    }

    /// Whether a shared mapping of a file may be written, now or later: EPERM where it is to be and
    /// seals forbid it.
    pub(crate) fn may_map_writable(&self, ino: Ino, write: bool) -> Result<bool, Errno> {
        match self.tree.get(ino).seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) {
            0 => Ok(true),
            _ if write => Err(Errno::EPERM),
            _ => Ok(false),
        }
    }
}
