//! The system calls by number.

// Linux's names of the numbers.
#![allow(non_upper_case_globals)]

use crate::Fs;
use crate::dirent::Form;
use crate::host::{Host, Port};
use crate::poll::{TimeForm, Timeout, read_timeout};
use crate::tree::Node;
use crate::wait::Flow;
use crate::xattr::By;
use abi::Errno;
use abi::linux::general::*;

impl Fs {
    /// Does a system call; ENOSYS for one that is not ours.
    pub(crate) fn syscall<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        nr: u32,
        args: [u64; 6],
    ) -> Result<Flow, Errno> {
        let [a, b, c, d, e, f] = args;
        let fd = a as i32;
        let result = match nr {
            __NR_read => return self.read_write(port, fd, b, c, false),
            __NR_write => return self.read_write(port, fd, b, c, true),
            __NR_pread64 => return self.read_write_at(port, fd, (b, c), d, false),
            __NR_pwrite64 => return self.read_write_at(port, fd, (b, c), d, true),
            __NR_readv => return self.read_write_pieces(port, fd, (b, c), None, false),
            __NR_writev => return self.read_write_pieces(port, fd, (b, c), None, true),
            __NR_preadv => return self.read_write_pieces(port, fd, (b, c), Some(d), false),
            __NR_pwritev => return self.read_write_pieces(port, fd, (b, c), Some(d), true),
            __NR_preadv2 => return self.read_write_flagged(port, fd, (b, c), d, f as u32, false),
            __NR_pwritev2 => return self.read_write_flagged(port, fd, (b, c), d, f as u32, true),
            __NR_sendfile => return self.sendfile(port, (fd, b as i32), c, d),
            __NR_splice => return self.splice(port, (fd, b), (c as i32, d), e, f as u32),
            __NR_tee => return self.tee(port, (fd, b as i32), c, d as u32),
            __NR_vmsplice => return self.vmsplice(port, fd, (b, c), d as u32),
            __NR_copy_file_range => {
                return self.copy_file_range(port, (fd, b), (c as i32, d), e, f as u32);
            }
            __NR_fcntl => return self.fcntl(port, fd, b as u32, c),
            __NR_flock => return self.flock(port, fd, b as u32),
            __NR_poll => return self.poll(port, (a, b as u32 as u64), c as i32),
            __NR_ppoll => return self.ppoll(port, (a, b as u32 as u64), c, (d, e)),
            __NR_epoll_wait => {
                let timeout = Timeout::of_milliseconds(d as i32);
                return self.epoll_wait(port, fd, (b, c as i32), timeout, (0, 0));
            }
            __NR_epoll_pwait => {
                let timeout = Timeout::of_milliseconds(d as i32);
                return self.epoll_wait(port, fd, (b, c as i32), timeout, (e, f));
            }
            __NR_epoll_pwait2 => {
                let timeout = read_timeout(port, d, TimeForm::Nanoseconds)?;
                return self.epoll_wait(port, fd, (b, c as i32), timeout, (e, f));
            }
            __NR_open => return self.openat(port, AT_FDCWD, a, b as u32, c as u32),
            __NR_openat => return self.openat(port, fd, b, c as u32, d as u32),
            __NR_openat2 => return self.openat2(port, fd, b, (c, d)),
            __NR_creat => {
                let flags = O_CREAT | O_WRONLY | O_TRUNC;
                return self.openat(port, AT_FDCWD, a, flags, b as u32);
            }
            __NR_connect => return self.connect(port, fd, (b, c as u32)),
            __NR_accept => return self.accept4(port, fd, (b, c), 0),
            __NR_accept4 => return self.accept4(port, fd, (b, c), d as u32),
            __NR_sendto => return self.send(port, fd, (b, c), d as u32, (e, f as u32)),
            __NR_recvfrom => return self.receive(port, fd, (b, c), d as u32, (e, f)),
            __NR_sendmsg => return self.sendmsg(port, fd, b, c as u32),
            __NR_recvmsg => return self.recvmsg(port, fd, b, c as u32),
            __NR_select => return self.select(port, fd, [b, c, d], e),
            __NR_pselect6 => return self.pselect(port, fd, [b, c, d], e, f),

            __NR_signalfd => self.signalfd(port, fd, (b, c), 0),
            __NR_signalfd4 => self.signalfd(port, fd, (b, c), d as u32),
            __NR_pidfd_open => self.pidfd_open(port, fd, b as u32),
            __NR_pidfd_send_signal => self.pidfd_send_signal(port, fd, b as u32, c, d as u32),
            __NR_pidfd_getfd => self.pidfd_getfd(port, fd, b as i32, c as u32),
            __NR_setns => self.setns(port, fd, b as u32),
            __NR_unshare => self.unshare(port, a as u32),
            __NR_memfd_create => self.memfd_create(port, a, b as u32),
            __NR_eventfd => self.eventfd(port, a as u32, 0),
            __NR_eventfd2 => self.eventfd(port, a as u32, b as u32),
            __NR_timerfd_create => self.timerfd_create(port, a as u32, b as u32),
            __NR_timerfd_settime => self.timerfd_settime(port, fd, b as u32, (c, d)),
            __NR_timerfd_gettime => self.timerfd_gettime(port, fd, b),
            __NR_epoll_create if (a as i32) <= 0 => Err(Errno::EINVAL),
            __NR_epoll_create => self.epoll_create(port, 0),
            __NR_epoll_create1 => self.epoll_create(port, a as u32),
            __NR_epoll_ctl => self.epoll_ctl(port, fd, b as u32, c as i32, d),
            __NR_socket => self.socket(port, a as u32, b as u32, c as u32),
            __NR_socketpair => self.socketpair(port, (a as u32, b as u32, c as u32), d),
            __NR_bind => self.bind(port, fd, (b, c as u32)),
            __NR_listen => self.listen(port, fd, b as i32),
            __NR_shutdown => self.shutdown(port, fd, b as u32),
            __NR_getsockname => self.socket_name(port, fd, (b, c), false),
            __NR_getpeername => self.socket_name(port, fd, (b, c), true),
            __NR_getsockopt => self.getsockopt(port, fd, (b as u32, c as u32), (d, e)),
            __NR_setsockopt => self.setsockopt(port, fd, (b as u32, c as u32), (d, e as u32)),

            __NR_close => self.close(port, fd),
            __NR_close_range => self.close_range(port, a as u32, b as u32, c as u32),
            __NR_dup => self.duplicate(port, fd, 0, false),
            __NR_dup2 => self.dup2(port, fd, b as i32),
            __NR_dup3 => self.dup3(port, fd, b as i32, c as u32),
            __NR_pipe => self.pipe(port, a, 0),
            __NR_pipe2 => self.pipe(port, a, b as u32),
            __NR_ioctl => self.ioctl(port, fd, b as u32, c),
            __NR_lseek => self.lseek(port, fd, b as i64, c as u32),
            __NR_fsync | __NR_fdatasync => self.fsync(port, fd),
            __NR_syncfs => self.accept(port, fd),
            __NR_fadvise64 => self.fadvise(port, fd, c, d as u32),
            __NR_readahead => self.readahead(port, fd),
            __NR_sync_file_range => self.sync_file_range(port, fd, (b, c), d as u32),
            __NR_sync => Ok(0),

            __NR_stat => self.stat(port, a, b, true),
            __NR_lstat => self.stat(port, a, b, false),
            __NR_fstat => self.fstat(port, fd, b),
            __NR_newfstatat => self.fstatat(port, fd, b, c, d as u32),
            __NR_statx => self.statx(port, fd, b, c as u32, d as u32, e),
            __NR_statfs => self.statfs(port, a, b),
            __NR_fstatfs => self.fstatfs(port, fd, b),
            __NR_ustat => self.ustat(port, a, b),
            __NR_access => self.faccessat(port, AT_FDCWD, a, b as u32, 0),
            __NR_faccessat => self.faccessat(port, fd, b, c as u32, 0),
            __NR_faccessat2 => self.faccessat(port, fd, b, c as u32, d as u32),
            __NR_getdents64 => self.getdents(port, fd, (b, c as u32), Form::New),
            __NR_getdents => self.getdents(port, fd, (b, c as u32), Form::Old),

            __NR_getcwd => self.getcwd(port, a, b),
            __NR_chdir => self.chdir(port, a),
            __NR_fchdir => self.fchdir(port, fd),
            __NR_umask => self.umask(port, a as u32),
            __NR_mkdir => self.mkdirat(port, AT_FDCWD, a, b as u32),
            __NR_mkdirat => self.mkdirat(port, fd, b, c as u32),
            __NR_rmdir => self.unlinkat(port, AT_FDCWD, a, AT_REMOVEDIR),
            __NR_unlink => self.unlinkat(port, AT_FDCWD, a, 0),
            __NR_unlinkat => self.unlinkat(port, fd, b, c as u32),
            __NR_rename => self.renameat(port, (AT_FDCWD, a), (AT_FDCWD, b), 0),
            __NR_renameat => self.renameat(port, (fd, b), (c as i32, d), 0),
            __NR_renameat2 => self.renameat(port, (fd, b), (c as i32, d), e as u32),
            __NR_link => self.linkat(port, (AT_FDCWD, a), (AT_FDCWD, b), 0),
            __NR_linkat => self.linkat(port, (fd, b), (c as i32, d), e as u32),
            __NR_symlink => self.symlinkat(port, a, AT_FDCWD, b),
            __NR_symlinkat => self.symlinkat(port, a, b as i32, c),
            __NR_readlink => self.readlinkat(port, AT_FDCWD, a, b, c as i32),
            __NR_readlinkat => self.readlinkat(port, fd, b, c, d as i32),

            __NR_chmod => self
                .at(port, AT_FDCWD, a, 0)
                .and_then(|n| self.chmod(port, n, b as u32)),
            __NR_fchmod => self
                .node(port, fd)
                .and_then(|n| self.chmod(port, n, b as u32)),
            __NR_fchmodat => self
                .at(port, fd, b, 0)
                .and_then(|n| self.chmod(port, n, c as u32)),
            __NR_fchmodat2 if d as u32 & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 => {
                Err(Errno::EINVAL)
            }
            __NR_fchmodat2 => self
                .at(port, fd, b, d as u32)
                .and_then(|n| self.chmod(port, n, c as u32)),
            __NR_chown => self.fchownat(port, (AT_FDCWD, a), (b as u32, c as u32), 0),
            __NR_lchown => self.fchownat(
                port,
                (AT_FDCWD, a),
                (b as u32, c as u32),
                AT_SYMLINK_NOFOLLOW,
            ),
            __NR_fchown => self
                .node(port, fd)
                .and_then(|n| self.chown(port, n, b as u32, c as u32)),
            __NR_fchownat => self.fchownat(port, (fd, b), (c as u32, d as u32), e as u32),
            __NR_utimensat => self.utimensat(port, fd, b, c, d as u32),
            __NR_utime => self.utimes(port, (AT_FDCWD, a), b, false),
            __NR_utimes => self.utimes(port, (AT_FDCWD, a), b, true),
            __NR_futimesat => self.utimes(port, (fd, b), c, true),
            __NR_truncate => self.truncate(port, a, b),
            __NR_ftruncate => self.ftruncate(port, fd, b),
            __NR_fallocate => self.fallocate(port, fd, b as u32, (c, d)),

            __NR_mknod => self.mknodat(port, AT_FDCWD, a, b as u32, c),
            __NR_mknodat => self.mknodat(port, fd, b, c as u32, d),
            __NR_chroot => self.chroot(port, a),
            __NR_mount => self.mount_call(port, (a, b, c), d as u32, e),
            __NR_umount2 => self.umount(port, a, b as u32),
            __NR_pivot_root => self.pivot_root(port, a, b),
            __NR_swapon => self.swap(port, a, b as u32),
            __NR_swapoff => self.swap(port, a, 0),
            __NR_vhangup => self.vhangup(port),
            __NR_kcmp => self.kcmp(port, (a as u32, b as u32), c as u32, (d as i32, e as i32)),
            __NR_name_to_handle_at => self.name_to_handle(port, (fd, b), c, d, e as u32),
            __NR_open_by_handle_at => self.open_by_handle(port, fd, b),
            __NR_setxattr => self.set_attribute(port, By::path(a, true), (b, c, d), e as u32),
            __NR_lsetxattr => self.set_attribute(port, By::path(a, false), (b, c, d), e as u32),
            __NR_fsetxattr => self.set_attribute(port, By::Fd(fd), (b, c, d), e as u32),
            __NR_getxattr => self.get_attribute(port, By::path(a, true), b, (c, d)),
            __NR_lgetxattr => self.get_attribute(port, By::path(a, false), b, (c, d)),
            __NR_fgetxattr => self.get_attribute(port, By::Fd(fd), b, (c, d)),
            __NR_listxattr => self.list_attributes(port, By::path(a, true), (b, c)),
            __NR_llistxattr => self.list_attributes(port, By::path(a, false), (b, c)),
            __NR_flistxattr => self.list_attributes(port, By::Fd(fd), (b, c)),
            __NR_removexattr => self.remove_attribute(port, By::path(a, true), b),
            __NR_lremovexattr => self.remove_attribute(port, By::path(a, false), b),
            __NR_fremovexattr => self.remove_attribute(port, By::Fd(fd), b),
            _ => Err(Errno::ENOSYS),
        };
        result.map(Flow::Done)
    }

    fn node<H: Host>(&self, port: &Port<'_, H>, fd: i32) -> Result<Node, Errno> {
        Ok(self.files[self.file(port.task, fd)?].node)
    }

    /// umask(2): the mask before.
    fn umask<H: Host>(&mut self, port: &Port<'_, H>, mask: u32) -> Result<i64, Errno> {
        let context = self.context_mut(port.task)?;
        Ok(i64::from(core::mem::replace(
            &mut context.umask,
            mask & 0o777,
        )))
    }
}
