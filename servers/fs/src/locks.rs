//! Locks: flock(2), and fcntl(2) "Advisory record locking" and "Open file description locks".

use crate::Fs;
use crate::host::{Host, Port};
use crate::tree::{Body, Node};
use crate::wait::{Flow, Op};
use abi::Errno;
use abi::linux::general::{
    F_GETLK, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_RDLCK, F_SETLKW, F_UNLCK, F_WRLCK, SEEK_CUR,
    SEEK_END, SEEK_SET,
};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The most locks of all files together.
pub const MAX_LOCKS: usize = 8192;

const LOCK_SH: u32 = 1;
const LOCK_EX: u32 = 2;
const LOCK_NB: u32 = 4;
const LOCK_UN: u32 = 8;

/// What locks are on, by device and inode number.
type Key = (u64, u64);

/// Whose a lock is. Those of one kind do not see those of flock(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Owner {
    /// A table of descriptors: in effect, a process.
    Table(u32),
    /// An open file description.
    File(u32),
    /// The same, of flock(2).
    Flock(u32),
}

impl Owner {
    /// Whether locks of both are of the same world.
    fn meets(self, other: Owner) -> bool {
        matches!(self, Owner::Flock(_)) == matches!(other, Owner::Flock(_))
    }
}

/// A lock on a range of bytes.
#[derive(Clone, Copy, Debug, Hash)]
struct Lock {
    owner: Owner,
    exclusive: bool,
    start: u64,
    /// The last byte of it.
    end: u64,
    /// The process that set it.
    pid: u32,
}

impl Lock {
    fn conflicts(&self, other: &Lock) -> bool {
        self.owner != other.owner
            && self.owner.meets(other.owner)
            && (self.exclusive || other.exclusive)
            && self.start <= other.end
            && other.start <= self.end
    }
}

/// Every lock there is.
#[derive(Clone, Default, Hash)]
pub(crate) struct Locks {
    by_file: BTreeMap<Key, Vec<Lock>>,
    count: usize,
}

impl Locks {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    fn conflict(&self, key: Key, lock: &Lock) -> Option<Lock> {
        let mut locks = self.by_file.get(&key)?.iter();
        locks.find(|other| lock.conflicts(other)).copied()
    }

    /// Takes a range away from an owner's locks.
    fn clear(&mut self, key: Key, owner: Owner, start: u64, end: u64) {
        let Some(locks) = self.by_file.get_mut(&key) else {
            return;
        };
        self.count -= locks.len();
        let mut left = Vec::new();
        for lock in locks.drain(..) {
            if lock.owner != owner || lock.end < start || lock.start > end {
                left.push(lock);
                continue;
            }
            if lock.start < start {
                let end = start - 1;
                left.push(Lock { end, ..lock });
            }
            if lock.end > end {
                let start = end + 1;
                left.push(Lock { start, ..lock });
            }
        }
        self.count += left.len();
        if left.is_empty() {
            self.by_file.remove(&key);
        } else {
            *locks = left;
        }
    }

    /// Sets a lock that conflicts with none, joined to the neighbours that are like it. ENOLCK.
    fn set(&mut self, key: Key, mut lock: Lock) -> Result<(), Errno> {
        // One that it is in the middle of becomes three.
        if self.count + 2 > MAX_LOCKS {
            return Err(Errno::ENOLCK);
        }
        self.clear(key, lock.owner, lock.start, lock.end);
        let locks = self.by_file.entry(key).or_default();
        let before = locks.len();
        locks.retain(|other| {
            let alike = other.owner == lock.owner && other.exclusive == lock.exclusive;
            let touches = other.end.checked_add(1) == Some(lock.start)
                || lock.end.checked_add(1) == Some(other.start);
            if alike && touches {
                lock.start = lock.start.min(other.start);
                lock.end = lock.end.max(other.end);
            }
            !(alike && touches)
        });
        locks.push(lock);
        locks.sort_by_key(|lock| lock.start);
        self.count = self.count + locks.len() - before;
        Ok(())
    }
}

/// A lock that waits until those in its way are gone.
#[derive(Clone, Hash)]
pub(crate) struct LockWait {
    pub file: u32,
    key: Key,
    lock: Lock,
}

/// struct flock (fcntl(2)).
struct Flock {
    kind: u32,
    whence: u32,
    start: i64,
    len: i64,
    pid: i32,
}

impl Fs {
    /// F_GETLK, F_SETLK, F_SETLKW, and the same for open file descriptions.
    pub(crate) fn record_lock<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        file: u32,
        command: u32,
        addr: u64,
    ) -> Result<Flow, Errno> {
        let flock = read_flock(port, addr)?;
        let of_file = matches!(command, F_OFD_GETLK | F_OFD_SETLK | F_OFD_SETLKW);
        let asks = matches!(command, F_GETLK | F_OFD_GETLK);
        if asks && !matches!(flock.kind, F_RDLCK | F_WRLCK) {
            return Err(Errno::EINVAL);
        }
        let (start, end) = self.range(file, &flock)?;
        if of_file && flock.pid != 0 {
            return Err(Errno::EINVAL);
        }
        let task = self.tasks.get(port.task).ok_or(Errno::ESRCH)?;
        let lock = Lock {
            owner: match of_file {
                true => Owner::File(file),
                false => Owner::Table(task.table),
            },
            exclusive: flock.kind == F_WRLCK,
            start,
            end,
            pid: task.tgid,
        };
        let key = self.lock_key(file);
        if asks {
            let found = self.locks.conflict(key, &lock);
            return tell(port, addr, found).map(Flow::Done);
        }
        let opened = &self.files[file];
        match flock.kind {
            F_RDLCK if !opened.readable() => return Err(Errno::EBADF),
            F_WRLCK if !opened.writable() => return Err(Errno::EBADF),
            F_RDLCK | F_WRLCK => {}
            F_UNLCK => {
                self.locks.clear(key, lock.owner, start, end);
                self.dirty = true;
                return Ok(Flow::Done(0));
            }
            _ => return Err(Errno::EINVAL),
        }
        let waits = matches!(command, F_SETLKW | F_OFD_SETLKW);
        self.begin(port, Op::Lock(LockWait { file, key, lock }), !waits)
    }

    /// flock(2).
    pub(crate) fn flock<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        operation: u32,
    ) -> Result<Flow, Errno> {
        let kind = operation & !LOCK_NB;
        if !matches!(kind, LOCK_SH | LOCK_EX | LOCK_UN) {
            return Err(Errno::EINVAL);
        }
        let file = self.file(port.task, fd)?;
        let task = self.tasks.get(port.task).ok_or(Errno::ESRCH)?;
        let lock = Lock {
            owner: Owner::Flock(file),
            exclusive: kind == LOCK_EX,
            start: 0,
            end: u64::MAX,
            pid: task.tgid,
        };
        let key = self.lock_key(file);
        if kind == LOCK_UN || self.locks.conflict(key, &lock).is_some() {
            // One that it has of the other kind goes before it waits for this one.
            self.locks.clear(key, lock.owner, 0, u64::MAX);
            self.dirty = true;
        }
        if kind == LOCK_UN {
            return Ok(Flow::Done(0));
        }
        let nonblocking = operation & LOCK_NB != 0;
        self.begin(port, Op::Lock(LockWait { file, key, lock }), nonblocking)
    }

    /// Sets a lock; none while another one is in its way. EDEADLK where it would wait for itself.
    pub(crate) fn attempt_lock(&mut self, wait: &LockWait) -> Result<Option<i64>, Errno> {
        let Some(in_the_way) = self.locks.conflict(wait.key, &wait.lock) else {
            self.locks.set(wait.key, wait.lock)?;
            // A shared lock in place of an exclusive one lets others in.
            self.dirty = true;
            return Ok(Some(0));
        };
        if self.would_deadlock(wait.lock.owner, in_the_way.owner) {
            return Err(Errno::EDEADLK);
        }
        Ok(None)
    }

    /// Whether `holder` waits, however indirectly, for a lock of `owner`. Only processes are
    /// looked at, as on Linux.
    fn would_deadlock(&self, owner: Owner, holder: Owner) -> bool {
        let (Owner::Table(_), mut at) = (owner, holder) else {
            return false;
        };
        // Everybody waits for at most one lock, so the way is no longer than the list.
        for _ in 0..=self.waits.len() {
            let waits = self.waits.iter().find_map(|wait| match &wait.op {
                Op::Lock(lock) if lock.lock.owner == at => Some(lock),
                _ => None,
            });
            let Some(next) = waits.and_then(|wait| self.locks.conflict(wait.key, &wait.lock))
            else {
                return false;
            };
            if next.owner == owner {
                return true;
            }
            at = next.owner;
        }
        false
    }

    /// A table of descriptors closes one of a file: its locks on that file go.
    pub(crate) fn drop_table_locks(&mut self, table: u32, file: u32) {
        if self.locks.count > 0 {
            let key = self.lock_key(file);
            self.locks.clear(key, Owner::Table(table), 0, u64::MAX);
            self.dirty = true;
        }
    }

    /// An open file is closed for good: its own locks go.
    pub(crate) fn drop_file_locks(&mut self, file: u32, node: Node) {
        if self.locks.count > 0 {
            let key = (self.device_number(node), self.ino(node));
            for owner in [Owner::File(file), Owner::Flock(file)] {
                self.locks.clear(key, owner, 0, u64::MAX);
            }
            self.dirty = true;
        }
    }

    fn lock_key(&self, file: u32) -> Key {
        let node = self.files[file].node;
        (self.device_number(node), self.ino(node))
    }

    /// The first and the last byte that a struct flock means.
    fn range(&self, file: u32, flock: &Flock) -> Result<(u64, u64), Errno> {
        let opened = &self.files[file];
        let base = match flock.whence {
            SEEK_SET => 0,
            SEEK_CUR => opened.offset as i64,
            SEEK_END => match opened.node {
                Node::Inode(ino) => match self.tree.get(ino).body {
                    Body::File(range) => range.size as i64,
                    _ => 0,
                },
                _ => 0,
            },
            _ => return Err(Errno::EINVAL),
        };
        let start = base.checked_add(flock.start).ok_or(Errno::EOVERFLOW)?;
        if start < 0 {
            return Err(Errno::EINVAL);
        }
        let (start, end) = match flock.len {
            0 => return Ok((start as u64, u64::MAX)),
            len if len > 0 => {
                let end = start.checked_add(len - 1).ok_or(Errno::EOVERFLOW)?;
                (start, end)
            }
            len => (start.checked_add(len).ok_or(Errno::EINVAL)?, start - 1),
        };
        if start < 0 {
            return Err(Errno::EINVAL);
        }
        Ok((start as u64, end as u64))
    }
}

fn read_flock<H: Host>(port: &mut Port<'_, H>, addr: u64) -> Result<Flock, Errno> {
    let [first, start, len, pid] = port.words::<4>(addr)?;
    Ok(Flock {
        kind: u32::from(first as u16),
        whence: u32::from((first >> 16) as u16),
        start: start as i64,
        len: len as i64,
        pid: pid as i32,
    })
}

/// Says which lock is in the way, or that none is.
fn tell<H: Host>(port: &mut Port<'_, H>, addr: u64, lock: Option<Lock>) -> Result<i64, Errno> {
    let Some(lock) = lock else {
        port.write(addr, &(F_UNLCK as u16).to_le_bytes())?;
        return Ok(0);
    };
    let len = match lock.end {
        u64::MAX => 0,
        end => end - lock.start + 1,
    };
    let kind = if lock.exclusive { F_WRLCK } else { F_RDLCK };
    let pid = match lock.owner {
        Owner::Table(_) => lock.pid as i32,
        Owner::File(_) | Owner::Flock(_) => -1,
    };
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&(kind as u16).to_le_bytes());
    bytes[8..16].copy_from_slice(&lock.start.to_le_bytes());
    bytes[16..24].copy_from_slice(&len.to_le_bytes());
    bytes[24..28].copy_from_slice(&pid.to_le_bytes());
    port.write(addr, &bytes).map(|()| 0)
}
