//! The calls that are the file server's.

use super::Done;
use crate::Procmgr;
use crate::machine::Machine;
use crate::task::FsPurpose;
use abi::linux::general as g;
use abi::signal::UNBLOCKABLE;
use abi::{Errno, SigSet, TaskId};

const CALLS: &[u32] = &[
    g::__NR_read,
    g::__NR_write,
    g::__NR_open,
    g::__NR_close,
    g::__NR_stat,
    g::__NR_fstat,
    g::__NR_lstat,
    g::__NR_poll,
    g::__NR_lseek,
    g::__NR_ioctl,
    g::__NR_pread64,
    g::__NR_pwrite64,
    g::__NR_readv,
    g::__NR_writev,
    g::__NR_access,
    g::__NR_pipe,
    g::__NR_select,
    g::__NR_dup,
    g::__NR_dup2,
    g::__NR_sendfile,
    g::__NR_fcntl,
    g::__NR_flock,
    g::__NR_fsync,
    g::__NR_fdatasync,
    g::__NR_truncate,
    g::__NR_ftruncate,
    g::__NR_getdents,
    g::__NR_getcwd,
    g::__NR_chdir,
    g::__NR_fchdir,
    g::__NR_rename,
    g::__NR_mkdir,
    g::__NR_rmdir,
    g::__NR_creat,
    g::__NR_link,
    g::__NR_unlink,
    g::__NR_symlink,
    g::__NR_readlink,
    g::__NR_chmod,
    g::__NR_fchmod,
    g::__NR_chown,
    g::__NR_fchown,
    g::__NR_lchown,
    g::__NR_umask,
    g::__NR_utime,
    g::__NR_mknod,
    g::__NR_statfs,
    g::__NR_fstatfs,
    g::__NR_sync,
    g::__NR_mount,
    g::__NR_umount2,
    g::__NR_getdents64,
    g::__NR_utimes,
    g::__NR_openat,
    g::__NR_mkdirat,
    g::__NR_mknodat,
    g::__NR_fchownat,
    g::__NR_futimesat,
    g::__NR_newfstatat,
    g::__NR_unlinkat,
    g::__NR_renameat,
    g::__NR_linkat,
    g::__NR_symlinkat,
    g::__NR_readlinkat,
    g::__NR_fchmodat,
    g::__NR_faccessat,
    g::__NR_pselect6,
    g::__NR_ppoll,
    g::__NR_utimensat,
    g::__NR_dup3,
    g::__NR_pipe2,
    g::__NR_preadv,
    g::__NR_pwritev,
    g::__NR_syncfs,
    g::__NR_renameat2,
    g::__NR_copy_file_range,
    g::__NR_preadv2,
    g::__NR_pwritev2,
    g::__NR_statx,
    g::__NR_close_range,
    g::__NR_openat2,
    g::__NR_faccessat2,
    g::__NR_fadvise64,
    g::__NR_fallocate,
    g::__NR_chroot,
    g::__NR_eventfd,
    g::__NR_eventfd2,
    g::__NR_timerfd_create,
    g::__NR_timerfd_settime,
    g::__NR_timerfd_gettime,
    g::__NR_epoll_create,
    g::__NR_epoll_create1,
    g::__NR_epoll_ctl,
    g::__NR_epoll_wait,
    g::__NR_epoll_pwait,
    g::__NR_epoll_pwait2,
    g::__NR_socket,
    g::__NR_socketpair,
    g::__NR_bind,
    g::__NR_listen,
    g::__NR_accept,
    g::__NR_accept4,
    g::__NR_connect,
    g::__NR_sendto,
    g::__NR_recvfrom,
    g::__NR_sendmsg,
    g::__NR_recvmsg,
    g::__NR_shutdown,
    g::__NR_getsockname,
    g::__NR_getpeername,
    g::__NR_getsockopt,
    g::__NR_setsockopt,
    g::__NR_splice,
    g::__NR_readahead,
    g::__NR_sync_file_range,
    g::__NR_tee,
    g::__NR_vmsplice,
    g::__NR_signalfd,
    g::__NR_signalfd4,
    g::__NR_pidfd_open,
    g::__NR_pidfd_send_signal,
    g::__NR_pidfd_getfd,
    g::__NR_memfd_create,
    g::__NR_setns,
    g::__NR_unshare,
    g::__NR_ustat,
    g::__NR_fchmodat2,
    g::__NR_pivot_root,
    g::__NR_swapon,
    g::__NR_swapoff,
    g::__NR_vhangup,
    g::__NR_kcmp,
    g::__NR_name_to_handle_at,
    g::__NR_open_by_handle_at,
    g::__NR_setxattr,
    g::__NR_lsetxattr,
    g::__NR_fsetxattr,
    g::__NR_getxattr,
    g::__NR_lgetxattr,
    g::__NR_fgetxattr,
    g::__NR_listxattr,
    g::__NR_llistxattr,
    g::__NR_flistxattr,
    g::__NR_removexattr,
    g::__NR_lremovexattr,
    g::__NR_fremovexattr,
];

const WORDS: usize = 8;

const fn bitmap() -> [u64; WORDS] {
    let mut words = [0; WORDS];
    let mut i = 0;
    while i < CALLS.len() {
        words[CALLS[i] as usize / 64] |= 1 << (CALLS[i] % 64);
        i += 1;
    }
    words
}

static BITMAP: [u64; WORDS] = bitmap();

/// Whether the file server performs this call.
pub fn is_file_call(nr: u32) -> bool {
    BITMAP
        .get(nr as usize / 64)
        .is_some_and(|word| word >> (nr % 64) & 1 != 0)
}

impl Procmgr {
    /// Reports a call to the file server.
    pub(super) fn file_call(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        nr: u32,
        a: [u64; 6],
    ) -> Done {
        let mask = match self.mask_of_call(m, id, nr, a) {
            Ok(mask) => mask,
            Err(e) => return e.into(),
        };
        self.report_fs(m, id, FsPurpose::Syscall { nr, args: a });
        if let Some(mask) = mask {
            // ppoll(2): atomically, so what it lets through ends the call at once. It comes back
            // where the call ends.
            let task = self.task_mut(id);
            task.saved_mask = Some(task.mask);
            task.mask = mask.without(UNBLOCKABLE);
            self.wake_for_signal(m, id);
        }
        Done::Later
    }

    /// The signal mask that ppoll and pselect6 run with.
    fn mask_of_call(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        nr: u32,
        a: [u64; 6],
    ) -> Result<Option<SigSet>, Errno> {
        let (at, size) = match nr {
            g::__NR_ppoll => (a[3], a[4]),
            g::__NR_epoll_pwait | g::__NR_epoll_pwait2 => (a[4], a[5]),
            g::__NR_pselect6 if a[5] != 0 => {
                let [at, size] = self.get_words(m, id, a[5])?;
                (at, size)
            }
            _ => return Ok(None),
        };
        if at == 0 {
            return Ok(None);
        }
        if size != size_of::<SigSet>() as u64 {
            return Err(Errno::EINVAL);
        }
        let [set] = self.get_words(m, id, at)?;
        Ok(Some(SigSet(set)))
    }
}
