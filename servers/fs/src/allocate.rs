//! fallocate(2).

use crate::Fs;
use crate::host::{Host, Port};
use crate::tmp::MAX_FILE_SIZE;
use crate::tree::{Body, Node};
use abi::Errno;
use abi::linux::general::{
    F_SEAL_FUTURE_WRITE, F_SEAL_WRITE, FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE,
    FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_UNSHARE_RANGE, FALLOC_FL_ZERO_RANGE,
};

const KNOWN: u32 = FALLOC_FL_KEEP_SIZE
    | FALLOC_FL_PUNCH_HOLE
    | FALLOC_FL_COLLAPSE_RANGE
    | FALLOC_FL_ZERO_RANGE
    | FALLOC_FL_INSERT_RANGE
    | FALLOC_FL_UNSHARE_RANGE;

impl Fs {
    /// fallocate(2): memory is taken when it is written, so there is only the size to set, and
    /// holes to make.
    pub(crate) fn fallocate<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        mode: u32,
        (offset, len): (u64, u64),
    ) -> Result<i64, Errno> {
        let id = self.file(port.task, fd)?;
        if (offset as i64) < 0 || (len as i64) <= 0 {
            return Err(Errno::EINVAL);
        }
        let punch = mode & FALLOC_FL_PUNCH_HOLE != 0;
        let keep = mode & FALLOC_FL_KEEP_SIZE != 0;
        if mode & !KNOWN != 0 || (punch && !keep) {
            return Err(Errno::EOPNOTSUPP);
        }
        let file = &self.files[id];
        if !file.writable() {
            return Err(Errno::EBADF);
        }
        if self.pipe_of(file.node).is_some() {
            return Err(Errno::ESPIPE);
        }
        let Node::Inode(ino) = file.node else {
            return Err(Errno::ENODEV);
        };
        let Body::File(range) = self.tree.get(ino).body else {
            return Err(Errno::ENODEV);
        };
        let end = offset.checked_add(len).filter(|&end| end <= MAX_FILE_SIZE);
        let end = end.ok_or(Errno::EFBIG)?;
        if mode & !(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE) != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        if punch {
            let seals = self.tree.get(ino).seals;
            if seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) != 0 {
                return Err(Errno::EPERM);
            }
            port.zero(range.object, offset, len)?;
            self.tree.get_mut(ino).written = true;
            return Ok(0);
        }
        if end > range.size {
            port.within_file_limit(end)?;
            self.check_size_seals(ino, end)?;
            if !keep {
                self.resize(port, ino, end)?;
            }
        }
        self.drop_set_ids(port, ino);
        Ok(0)
    }
}
