//! Makes one of every kind of system call, for comparing how two tracers print them.
//!
//! Single-threaded and with fixed descriptors, so that two runs differ only in addresses,
//! ids and times. It works in a directory of its own that it makes and removes.

use std::ffi::CStr;
use std::ptr::null_mut;

/// Makes system call `SYS_$name`; what it returns does not matter.
macro_rules! call {
    ($name:ident $(, $arg:expr)*) => {{
        // SAFETY: the arguments point to static or local data that outlives the call, or to
        // nothing mapped; no call given here changes memory that Rust relies on.
        unsafe { libc::syscall(libc::$name $(, $arg as u64)*) }
    }};
}

fn s(text: &CStr) -> u64 {
    text.as_ptr() as u64
}

fn p<T>(value: &mut T) -> u64 {
    &raw mut *value as u64
}

/// An address that is never mapped.
const BAD: u64 = 0x1000;

fn main() {
    let mut buffer = [0u8; 4096];
    let buf = buffer.as_mut_ptr() as u64;
    let base = c"zoo.dir";
    call!(SYS_mkdir, s(base), 0o755);
    call!(SYS_chdir, s(base));
    files(buf);
    descriptors(buf);
    memory(buf);
    signals(buf);
    time(buf);
    identity(buf);
    tasks(buf);
    sockets(buf);
    odd(buf);
    call!(SYS_chdir, s(c".."));
    call!(SYS_rmdir, s(base));
    call!(SYS_exit_group, 5);
}

fn files(buf: u64) {
    let dir = libc::AT_FDCWD;
    for flags in [
        0,
        1,
        2,
        3,
        0o100 | 1,
        0o1101,
        0o2001,
        0o4000,
        0o10000,
        0o4010000,
        0o40000,
        0o100000,
        0o200000,
        0o400000,
        0o1000000,
        0o2000000,
        0o10000000,
        0o20200002,
        0o20000,
        0o77777774,
        0x7f000001,
    ] {
        call!(
            SYS_openat,
            dir,
            s(c"/nonexistent/\x01\"\n\x7f1"),
            flags,
            0o644
        );
    }
    let fd = call!(SYS_open, s(c"file"), 0o102, 0o600);
    call!(
        SYS_write,
        fd,
        s(c"hello, zoo\t\x01\x02\x033\\ and more than thirty-two bytes"),
        40
    );
    call!(SYS_write, fd, s(c"a"), 0);
    call!(SYS_write, 99, s(c"a"), 1);
    call!(SYS_write, fd, BAD, 1);
    call!(SYS_write, fd, 0, 1);
    call!(SYS_pwrite64, fd, s(c"xyz"), 3, 5);
    call!(SYS_lseek, fd, 0, 0);
    call!(SYS_lseek, fd, -1i64, 2);
    call!(SYS_lseek, fd, 3, 1);
    call!(SYS_lseek, fd, 3, 9);
    call!(SYS_lseek, fd, 0, 0);
    call!(SYS_read, fd, buf, 10);
    call!(SYS_read, fd, buf, 0);
    call!(SYS_read, 99, buf, 10);
    call!(SYS_read, fd, BAD, 10);
    call!(SYS_pread64, fd, buf, 40, 1);
    let iov = [
        libc::iovec {
            iov_base: s(c"first") as *mut _,
            iov_len: 5,
        },
        libc::iovec {
            iov_base: s(c"second") as *mut _,
            iov_len: 6,
        },
        libc::iovec {
            iov_base: null_mut(),
            iov_len: 0,
        },
    ];
    call!(SYS_writev, fd, iov.as_ptr(), 3);
    call!(SYS_writev, fd, iov.as_ptr(), 0);
    call!(SYS_writev, fd, BAD, 2);
    call!(SYS_writev, 99, iov.as_ptr(), 2);
    call!(SYS_lseek, fd, 0, 0);
    let iov = [
        libc::iovec {
            iov_base: buf as *mut _,
            iov_len: 5,
        },
        libc::iovec {
            iov_base: (buf + 100) as *mut _,
            iov_len: 1000,
        },
    ];
    call!(SYS_readv, fd, iov.as_ptr(), 2);
    call!(SYS_readv, fd, iov.as_ptr(), 2);
    call!(SYS_preadv, fd, iov.as_ptr(), 2, 0, 0);
    call!(SYS_pwritev, fd, iov.as_ptr(), 1, 0, 0);
    call!(SYS_preadv2, fd, iov.as_ptr(), 2, 0, 0, 8);
    call!(SYS_ftruncate, fd, 4096);
    call!(SYS_truncate, s(c"file"), 100);
    call!(SYS_fallocate, fd, 3, 0, 4096);
    call!(SYS_fallocate, fd, 0, 0, 4096);
    call!(SYS_fsync, fd);
    call!(SYS_fdatasync, fd);
    call!(SYS_fadvise64, fd, 0, 0, 2);
    call!(SYS_flock, fd, 6);
    call!(SYS_flock, fd, 8);
    call!(SYS_stat, s(c"file"), buf);
    call!(SYS_lstat, s(c"file"), buf);
    call!(SYS_fstat, fd, buf);
    call!(SYS_stat, s(c"none"), buf);
    call!(SYS_stat, s(c"/dev/null"), buf);
    call!(SYS_stat, s(c"/tmp"), buf);
    call!(SYS_stat, BAD, buf);
    call!(SYS_stat, 0, 0);
    for flags in [0, 0x100, 0x1000, 0x800, 0x200, 0x80000] {
        call!(SYS_newfstatat, fd, s(c""), buf, flags);
    }
    call!(SYS_statx, dir, s(c"file"), 0, 0xfff, buf);
    call!(SYS_statx, dir, s(c"file"), 0x2100, 0x7ff, buf);
    call!(SYS_statx, dir, s(c"/"), 0x4100, 0x17ff, buf);
    call!(SYS_statx, dir, s(c"file"), 0x6000, 0x3, buf);
    call!(SYS_statx, dir, s(c"none"), 0, 0, buf);
    call!(SYS_statfs, s(c"/proc"), buf);
    call!(SYS_statfs, s(c"none"), buf);
    for mode in [0, 4, 6, 7, 1, 8] {
        call!(SYS_access, s(c"file"), mode);
    }
    call!(SYS_faccessat, dir, s(c"file"), 4);
    call!(SYS_faccessat2, dir, s(c"file"), 4, 0x200);
    call!(SYS_symlink, s(c"file"), s(c"link"));
    call!(SYS_symlinkat, s(c"file"), dir, s(c"link2"));
    call!(SYS_readlink, s(c"link"), buf, 100);
    call!(SYS_readlink, s(c"file"), buf, 100);
    call!(SYS_readlinkat, dir, s(c"link"), buf, 2);
    call!(SYS_link, s(c"file"), s(c"hard"));
    call!(SYS_linkat, dir, s(c"file"), dir, s(c"hard2"), 0x400);
    call!(SYS_rename, s(c"hard"), s(c"hard3"));
    call!(SYS_renameat, dir, s(c"hard3"), dir, s(c"hard4"));
    call!(SYS_renameat2, dir, s(c"hard4"), dir, s(c"hard2"), 1);
    call!(SYS_mkdirat, dir, s(c"sub"), 0o700);
    let sub = call!(SYS_openat, dir, s(c"sub"), 0o200000);
    call!(SYS_getdents64, sub, buf, 4096);
    call!(SYS_getdents, sub, buf, 4096);
    call!(SYS_getdents64, fd, buf, 4096);
    call!(SYS_fchdir, sub);
    call!(SYS_getcwd, buf, 4096);
    call!(SYS_getcwd, buf, 2);
    call!(SYS_chdir, s(c".."));
    call!(SYS_close, sub);
    call!(SYS_chmod, s(c"file"), 0o4755);
    call!(SYS_fchmod, fd, 0);
    call!(SYS_fchmodat, dir, s(c"file"), 0o7);
    call!(SYS_chown, s(c"file"), 1, -1i64);
    call!(SYS_lchown, s(c"link"), 0, 0);
    call!(SYS_fchown, fd, 0, 0);
    call!(SYS_fchownat, dir, s(c"link"), 0, 0, 0x100);
    call!(SYS_mknod, s(c"fifo"), 0o10644, 0);
    call!(SYS_mknod, s(c"null"), 0o20644, 0x103);
    call!(SYS_mknodat, dir, s(c"plain"), 0o644, 0);
    call!(SYS_mknodat, dir, s(c"null2"), 0o20000, 0x103);
    for name in [
        c"fifo", c"null", c"plain", c"null2", c"link", c"link2", c"hard2", c"hard4",
    ] {
        call!(SYS_unlink, s(name));
    }
    call!(SYS_unlinkat, dir, s(c"sub"), 0x200);
    call!(SYS_umask, 0o22);
    call!(SYS_umask, 0);
    call!(SYS_umask, 0o22);
    call!(SYS_setxattr, s(c"file"), s(c"user.zoo"), s(c"value"), 5, 1);
    call!(SYS_getxattr, s(c"file"), s(c"user.zoo"), buf, 100);
    call!(SYS_getxattr, s(c"file"), s(c"user.none"), buf, 100);
    call!(SYS_listxattr, s(c"none"), buf, 100);
    call!(SYS_removexattr, s(c"file"), s(c"user.zoo"));
    call!(
        SYS_mount,
        s(c"none"),
        s(c"/nonexistent"),
        s(c"tmpfs"),
        0x1001,
        0
    );
    call!(
        SYS_mount,
        s(c"none"),
        s(c"/nonexistent"),
        0,
        0,
        s(c"mode=1")
    );
    call!(SYS_umount2, s(c"/nonexistent"), 2);
    call!(SYS_umount2, s(c"/nonexistent"), 0);
    call!(SYS_chroot, s(c"/nonexistent"));
    call!(SYS_close, fd);
    call!(SYS_unlink, s(c"file"));
    call!(SYS_unlinkat, dir, s(c"none"), 0);
    call!(SYS_creat, s(c"/nonexistent/x"), 0o777);
}

fn descriptors(buf: u64) {
    let mut fds = [0i32; 2];
    call!(SYS_pipe, p(&mut fds));
    call!(SYS_close, fds[0]);
    call!(SYS_close, fds[1]);
    call!(SYS_pipe2, p(&mut fds), 0o2004000);
    call!(SYS_pipe2, p(&mut fds), 0o40);
    call!(SYS_pipe2, 0, 0);
    let [r, w] = fds;
    call!(SYS_dup, r);
    call!(SYS_dup2, r, 20);
    call!(SYS_dup3, r, 21, 0o2000000);
    call!(SYS_dup3, r, r, 0);
    call!(SYS_fcntl, r, 0, 30);
    call!(SYS_fcntl, r, 1030, 30);
    call!(SYS_fcntl, r, 1);
    call!(SYS_fcntl, r, 2, 1);
    call!(SYS_fcntl, r, 2, 0);
    call!(SYS_fcntl, r, 1);
    call!(SYS_fcntl, r, 3);
    call!(SYS_fcntl, w, 3);
    call!(SYS_fcntl, r, 4, 0o4000);
    call!(SYS_fcntl, r, 1031, 4096);
    call!(SYS_fcntl, r, 1032);
    call!(SYS_fcntl, r, 10, 10);
    call!(SYS_fcntl, r, 11);
    call!(SYS_fcntl, r, 9);
    call!(SYS_fcntl, r, 99, 1);
    let mut lock = libc::flock {
        l_type: 1,
        l_whence: 0,
        l_start: 0,
        l_len: 10,
        l_pid: 0,
    };
    call!(SYS_fcntl, 99, 6, p(&mut lock));
    call!(SYS_fcntl, 99, 5, p(&mut lock));
    let mut polls = [
        libc::pollfd {
            fd: r,
            events: 1,
            revents: 0,
        },
        libc::pollfd {
            fd: w,
            events: 4 | 8,
            revents: 0,
        },
        libc::pollfd {
            fd: -1,
            events: 1,
            revents: 0,
        },
        libc::pollfd {
            fd: 99,
            events: 0x41,
            revents: 0,
        },
    ];
    call!(SYS_poll, p(&mut polls), 1, 0);
    call!(SYS_poll, p(&mut polls), 4, -1i64);
    call!(SYS_poll, 0, 0, 0);
    call!(SYS_poll, BAD, 1, 0);
    let mut mask = 0x1200u64;
    call!(SYS_ppoll, p(&mut polls), 2, 0, 0, 8);
    call!(
        SYS_ppoll,
        p(&mut polls),
        1,
        p(&mut libc::timespec {
            tv_sec: 0,
            tv_nsec: 0
        }),
        p(&mut mask),
        8
    );
    let mut set = [0u64; 16];
    set[0] = 1 << w | 1 << r;
    let mut none = [0u64; 16];
    call!(SYS_select, 10, 0, p(&mut set), 0, 0);
    set[0] = 1 << r;
    call!(
        SYS_select,
        10,
        p(&mut set),
        0,
        p(&mut none),
        p(&mut libc::timeval {
            tv_sec: 0,
            tv_usec: 0
        })
    );
    call!(SYS_select, -1i64, 0, 0, 0, 0);
    set[0] = 1 << w;
    call!(
        SYS_pselect6,
        10,
        0,
        p(&mut set),
        0,
        p(&mut libc::timespec {
            tv_sec: 0,
            tv_nsec: 0
        }),
        0
    );
    set[0] = 1 << r;
    let mut pair = [p(&mut mask), 8];
    call!(
        SYS_pselect6,
        10,
        p(&mut set),
        0,
        0,
        p(&mut libc::timespec {
            tv_sec: 0,
            tv_nsec: 5
        }),
        p(&mut pair)
    );
    let epoll = call!(SYS_epoll_create1, 0o2000000);
    call!(SYS_epoll_create1, 1);
    let mut event = libc::epoll_event {
        events: 0x8000_0004,
        u64: 0x1_0000_0007,
    };
    call!(SYS_epoll_ctl, epoll, 1, w, p(&mut event));
    call!(SYS_epoll_ctl, epoll, 2, 99, 0);
    call!(SYS_epoll_ctl, epoll, 9, 99, 0);
    call!(SYS_epoll_wait, epoll, buf, 8, 0);
    call!(SYS_epoll_wait, epoll, buf, 8, 0);
    call!(SYS_epoll_wait, 99, buf, 8, 0);
    call!(SYS_epoll_pwait, epoll, buf, 8, 0, 0, 8);
    call!(SYS_eventfd2, 3, 0o2004001);
    call!(SYS_eventfd, 3);
    call!(SYS_inotify_init1, 0o2000000);
    call!(SYS_sendfile, w, r, 0, 10);
    call!(SYS_splice, r, 0, w, 0, 10, 3);
    call!(SYS_tee, r, w, 10, 2);
    call!(SYS_ioctl, r, libc::TCGETS, buf);
    call!(SYS_ioctl, r, libc::TIOCGWINSZ, buf);
    call!(SYS_ioctl, r, libc::FIONREAD, buf);
    call!(SYS_ioctl, r, libc::FIONBIO, p(&mut 1i32));
    call!(SYS_ioctl, r, libc::FIOCLEX);
    call!(SYS_ioctl, r, 0x8008_7a7bu64, buf);
    call!(SYS_ioctl, r, 0x12345, buf);
    call!(SYS_close_range, 10, 40, 0);
    call!(SYS_close_range, 50, 60, 4);
    call!(SYS_close, -1i64);
    call!(SYS_memfd_create, s(c"zoo"), 3);
}

fn memory(buf: u64) {
    let map = call!(SYS_mmap, 0, 8192, 3, 0x22, -1i64, 0);
    call!(SYS_mmap, 0, 4096, 1, 2, 99, 4096);
    call!(SYS_mmap, 0, 4096, 7, 0x21, -1i64, 0);
    call!(SYS_mmap, 0, 4096, 0, 0x4022, -1i64, 0);
    call!(SYS_mmap, 0, 4096, 0x17, 0x20122, -1i64, 0);
    call!(SYS_mmap, map, 4096, 3, 0x32, -1i64, 0);
    call!(SYS_mmap, map, 0, 3, 0x80_0000_0000u64, -1i64, 0);
    call!(SYS_mmap, 0, 4096, 3, 0x3, 99, 0);
    call!(SYS_mmap, map, 4096, 3, 0x10_8822, -1i64, 0);
    call!(SYS_mprotect, map, 4096, 1);
    call!(SYS_mprotect, map, 4096, 0x01000003);
    call!(SYS_mprotect, 1, 4096, 0x40);
    call!(SYS_madvise, map, 4096, 4);
    call!(SYS_madvise, map, 4096, 77);
    call!(SYS_msync, map, 4096, 4);
    call!(SYS_msync, map, 4096, 3);
    call!(SYS_mincore, map, 8192, buf);
    call!(SYS_mlock, map, 4096);
    call!(SYS_munlock, map, 4096);
    call!(SYS_mlock2, map, 4096, 1);
    call!(SYS_mlockall, 8);
    call!(SYS_munlockall);
    let map = call!(SYS_mremap, map, 8192, 16384, 1);
    call!(SYS_mremap, map, 16384, 4096, 3, 0);
    call!(SYS_mremap, 1, 16384, 4096, 0);
    call!(SYS_munmap, map, 16384);
    call!(SYS_munmap, 1, 1);
    call!(SYS_brk, 0);
}

extern "C" fn handler(_: i32) {}

fn signals(buf: u64) {
    let mut action = [
        handler as extern "C" fn(i32) as usize as u64,
        0x1400_0000,
        0,
        0,
    ];
    call!(SYS_rt_sigaction, 10, 0, buf, 8);
    for flags in [0, 4, 0x5c00_0007, 0x8000_0000, 0x2000_0010] {
        action = [1, flags, 0x123, !0];
        call!(SYS_rt_sigaction, 12, p(&mut action), buf, 8);
    }
    action[0] = 0;
    action[3] = 0xffff;
    call!(SYS_rt_sigaction, 12, p(&mut action), 0, 8);
    call!(SYS_rt_sigaction, 9, p(&mut action), 0, 8);
    call!(SYS_rt_sigaction, 64, 0, buf, 8);
    call!(SYS_rt_sigaction, 65, 0, buf, 8);
    call!(SYS_rt_sigaction, 10, BAD, buf, 8);
    // SAFETY: the handler does nothing.
    unsafe { libc::signal(10, handler as extern "C" fn(i32) as usize) };
    let mut mask;
    for bits in 0..64 {
        if bits % 4 == 0 || (36..48).contains(&bits) {
            mask = (1u64 << bits) - 1;
            call!(SYS_rt_sigprocmask, 2, p(&mut mask), buf, 8);
        }
    }
    mask = !0;
    call!(SYS_rt_sigprocmask, 0, p(&mut mask), 0, 8);
    call!(SYS_rt_sigprocmask, 1, p(&mut mask), buf, 8);
    call!(SYS_rt_sigprocmask, 5, p(&mut mask), buf, 8);
    mask = 0x200;
    call!(SYS_rt_sigprocmask, 0, p(&mut mask), buf, 8);
    let me = call!(SYS_getpid);
    call!(SYS_kill, me, 10);
    call!(SYS_rt_sigpending, buf, 8);
    let mut time = libc::timespec {
        tv_sec: 1,
        tv_nsec: 500,
    };
    call!(SYS_rt_sigtimedwait, p(&mut mask), buf, p(&mut time), 8);
    time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 500,
    };
    call!(SYS_rt_sigtimedwait, p(&mut mask), buf, p(&mut time), 8);
    call!(SYS_rt_sigprocmask, 1, p(&mut mask), 0, 8);
    call!(SYS_tkill, me, 10);
    call!(SYS_tgkill, me, me, 10);
    let mut info = [0u64; 16];
    info[0] = 10;
    info[1] = (-1i32) as u32 as u64;
    info[2] = me as u64;
    info[3] = 77;
    call!(SYS_rt_sigqueueinfo, me, 10, p(&mut info));
    info[3] = 0;
    call!(SYS_rt_sigqueueinfo, me, 10, p(&mut info));
    call!(SYS_kill, me, 0);
    call!(SYS_kill, me, 99);
    call!(SYS_kill, 0x7fff_ffff, 15);
    call!(SYS_kill, me, 17);
    call!(SYS_kill, me, 28);
    let mut stack = [buf, 2, 0];
    call!(SYS_sigaltstack, 0, buf);
    call!(SYS_sigaltstack, p(&mut stack), 0);
    call!(SYS_signalfd4, -1i64, p(&mut mask), 8, 0o2004000);
    let mut timer = [0u64; 4];
    timer[3] = 20_000;
    // SAFETY: as above.
    unsafe { libc::signal(14, handler as extern "C" fn(i32) as usize) };
    call!(SYS_setitimer, 0, p(&mut timer), 0);
    call!(SYS_pause);
    call!(SYS_setitimer, 0, p(&mut timer), 0);
    call!(
        SYS_nanosleep,
        p(&mut libc::timespec {
            tv_sec: 9,
            tv_nsec: 0
        }),
        buf
    );
    call!(SYS_setitimer, 0, p(&mut timer), 0);
    mask = 0;
    call!(SYS_rt_sigsuspend, p(&mut mask), 8);
    call!(SYS_setitimer, 0, p(&mut timer), 0);
    let mut fds = [0i32; 2];
    call!(SYS_pipe2, p(&mut fds), 0);
    timer[3] = 0;
    call!(SYS_setitimer, 0, p(&mut timer), buf);
    call!(SYS_setitimer, 9, p(&mut timer), buf);
    call!(SYS_getitimer, 0, buf);
    call!(SYS_close, fds[0]);
    call!(SYS_write, fds[1], s(c"x"), 1);
    call!(SYS_close, fds[1]);
    call!(SYS_alarm, 100);
    call!(SYS_alarm, 0);
}

fn time(buf: u64) {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 1000,
    };
    call!(SYS_nanosleep, p(&mut time), 0);
    call!(SYS_nanosleep, p(&mut time), buf);
    call!(SYS_nanosleep, 0, 0);
    call!(SYS_clock_nanosleep, 1, 0, p(&mut time), buf);
    call!(SYS_clock_nanosleep, 0, 1, p(&mut time), 0);
    for clock in 0..13 {
        call!(SYS_clock_getres, clock, buf);
    }
    call!(SYS_clock_gettime, 0, buf);
    call!(SYS_clock_gettime, 99, buf);
    call!(SYS_clock_settime, 99, p(&mut time));
    call!(SYS_gettimeofday, buf, 0);
    call!(SYS_gettimeofday, buf, buf + 64);
    call!(SYS_settimeofday, BAD, BAD);
    call!(SYS_time, 0);
    call!(SYS_time, buf);
    let dir = libc::AT_FDCWD;
    let mut times = [libc::timespec {
        tv_sec: 5,
        tv_nsec: 6,
    }; 2];
    call!(SYS_utimensat, dir, s(c"none"), p(&mut times), 0x100);
    times[1].tv_nsec = (1 << 30) - 2;
    call!(SYS_utimensat, dir, s(c"none"), p(&mut times), 0);
    times[0].tv_nsec = (1 << 30) - 1;
    call!(SYS_utimensat, dir, s(c"none"), p(&mut times), 0);
    times[1].tv_nsec = (1 << 30) - 1;
    call!(SYS_utimensat, dir, s(c"none"), p(&mut times), 0);
    call!(SYS_utimensat, dir, s(c"none"), 0, 0);
    let mut values = [libc::timeval {
        tv_sec: 1,
        tv_usec: 2,
    }; 2];
    call!(SYS_utimes, s(c"none"), p(&mut values));
    call!(SYS_futimesat, dir, s(c"none"), p(&mut values));
    let mut event = [7u64, 12, 0, 0, 0, 0, 0, 0];
    let mut timer = 0i32;
    call!(SYS_timer_create, 0, p(&mut event), p(&mut timer));
    let mut spec = [0u64, 0, 0, 0];
    call!(SYS_timer_settime, timer, 0, p(&mut spec), 0);
    call!(SYS_timer_gettime, timer, buf);
    call!(SYS_timer_delete, timer);
    let fd = call!(SYS_timerfd_create, 1, 0o2004000);
    call!(SYS_timerfd_settime, fd, 0, p(&mut spec), buf);
    call!(SYS_timerfd_gettime, fd, buf);
}

fn identity(buf: u64) {
    call!(SYS_uname, buf);
    call!(SYS_uname, BAD);
    call!(SYS_getuid);
    call!(SYS_geteuid);
    call!(SYS_getgid);
    call!(SYS_getegid);
    call!(SYS_setuid, 0);
    call!(SYS_setreuid, -1i64, -1i64);
    call!(SYS_setresuid, -1i64, -1i64, -1i64);
    call!(SYS_getresuid, buf, buf + 8, buf + 16);
    call!(SYS_getresgid, buf, buf + 8, BAD);
    call!(SYS_getgroups, 0, 0);
    call!(SYS_getgroups, 64, buf);
    call!(SYS_setfsuid, 0);
    call!(SYS_getpgid, 0);
    call!(SYS_getsid, 0);
    call!(SYS_setpgid, 0, 99999);
    call!(SYS_setsid);
    call!(SYS_personality, 0xffff_ffffu64);
    call!(SYS_personality, 0x40000);
    call!(SYS_personality, 0);
    call!(SYS_getrandom, buf, 8, 1);
    call!(SYS_getrandom, buf, 8, 0x10);
    call!(SYS_getrlimit, 7, buf);
    call!(SYS_getrlimit, 99, buf);
    call!(SYS_setrlimit, 7, BAD);
    let mut limits = [1024u64, 4096];
    call!(SYS_setrlimit, 7, p(&mut limits));
    call!(SYS_prlimit64, 0, 4, 0, buf);
    call!(SYS_prlimit64, 0, 4, p(&mut limits), 0);
    call!(SYS_getrusage, -1i64, buf);
    call!(SYS_getrusage, 9, buf);
    call!(SYS_getrusage, 0, BAD);
    call!(SYS_times, 0);
    call!(SYS_getpriority, 0, 0);
    call!(SYS_setpriority, 0, 0, 0);
    call!(SYS_sched_yield);
    call!(SYS_sched_getscheduler, 0);
    call!(SYS_sched_getparam, 0, buf);
    call!(SYS_sched_get_priority_max, 1);
    call!(SYS_sched_getaffinity, 0, 128, buf);
    let mut cpus = 3u64;
    call!(SYS_sched_setaffinity, 0, 8, p(&mut cpus));
    call!(SYS_sched_setscheduler, 0, 0, p(&mut 0i32));
    call!(SYS_sched_rr_get_interval, 99999, buf);
    call!(
        SYS_prctl,
        libc::PR_SET_NAME,
        s(c"a long name for a task"),
        0,
        0,
        0
    );
    call!(SYS_prctl, libc::PR_SET_NAME, s(c"zoo"), 0, 0, 0);
    call!(SYS_prctl, libc::PR_GET_NAME, buf, 0, 0, 0);
    call!(SYS_prctl, libc::PR_SET_PDEATHSIG, 9, 0, 0, 0);
    call!(SYS_prctl, libc::PR_GET_PDEATHSIG, buf, 0, 0, 0);
    call!(SYS_prctl, libc::PR_SET_PDEATHSIG, 0, 0, 0, 0);
    call!(SYS_prctl, libc::PR_GET_DUMPABLE, 0, 0, 0, 0);
    call!(SYS_prctl, libc::PR_SET_DUMPABLE, 1, 0, 0, 0);
    call!(SYS_prctl, libc::PR_GET_KEEPCAPS, 0, 0, 0, 0);
    call!(SYS_prctl, libc::PR_SET_KEEPCAPS, 0, 0, 0, 0);
    call!(SYS_prctl, libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    call!(SYS_prctl, libc::PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    call!(SYS_prctl, libc::PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    call!(SYS_prctl, libc::PR_GET_CHILD_SUBREAPER, buf, 0, 0, 0);
    call!(SYS_prctl, libc::PR_CAPBSET_READ, 0, 0, 0, 0);
    call!(SYS_prctl, libc::PR_GET_TIMERSLACK, 0, 0, 0, 0);
    call!(SYS_prctl, 12345, 1, 2, 3, 4);
    call!(SYS_arch_prctl, 0x1003, buf);
    call!(SYS_arch_prctl, 0x1004, buf);
    call!(SYS_arch_prctl, 0x9999, buf);
    call!(SYS_getcpu, 0, 0, 0);
    call!(SYS_sethostname, BAD, 3);
    call!(SYS_membarrier, 0, 0, 0);
}

fn tasks(buf: u64) {
    for code in 0..3 {
        // SAFETY: the child only exits.
        if unsafe { libc::fork() } == 0 {
            call!(SYS_exit_group, code);
        }
        call!(SYS_wait4, -1i64, buf, 0, buf + 64);
    }
    call!(SYS_wait4, -1i64, buf, 1, 0);
    // SAFETY: the child only kills itself.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let me = call!(SYS_getpid);
        call!(SYS_kill, me, 9);
    }
    call!(SYS_waitid, 1, child, buf, 4 | 0x0100_0000, 0);
    call!(SYS_wait4, child, buf, 2 | 8, 0);
    call!(SYS_wait4, child, buf, 0x4000_0000, buf);
    call!(SYS_waitid, 0, 0, buf, 4, 0);
    call!(SYS_waitid, 9, 0, buf, 2, 0);
    // SAFETY: the child only exits.
    let child = unsafe { libc::syscall(libc::SYS_clone, 0x0110_0011, 0, buf, buf + 8, 0) };
    if child == 0 {
        call!(SYS_exit, 3);
    }
    call!(SYS_wait4, child, 0, 0, 0);
    call!(SYS_clone, 0x10000, 0, 0, 0, 0);
    call!(SYS_clone3, BAD, 88);
    call!(SYS_unshare, 0x8000_0000u64);
    call!(SYS_execve, s(c"/nonexistent"), 0, 0);
    call!(SYS_execve, s(c"/nonexistent"), BAD, BAD);
    let argv = [
        s(c"a\n"),
        s(c"an argument of more than thirty-two bytes"),
        0,
    ];
    let envp = [s(c"A=1"), 0];
    call!(SYS_execve, s(c"/nonexistent"), argv.as_ptr(), envp.as_ptr());
    call!(
        SYS_execveat,
        -100i64,
        s(c"/nonexistent"),
        argv.as_ptr(),
        argv.as_ptr(),
        0x1100
    );
    let mut word = 0u32;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 1000,
    };
    call!(SYS_futex, p(&mut word), 0, 1, 0);
    call!(SYS_futex, p(&mut word), 0x80, 0, p(&mut time));
    call!(SYS_futex, p(&mut word), 1, 1);
    call!(SYS_futex, p(&mut word), 0x81, 0x7fff_ffff);
    call!(SYS_futex, p(&mut word), 0x189, 1, p(&mut time), 0, -1i64);
    call!(SYS_futex, p(&mut word), 9, 1, 0, 0, 1);
    call!(SYS_futex, p(&mut word), 10, 1, 0, 0, 1);
    call!(SYS_futex, p(&mut word), 3, 1, 1, buf, 0);
    call!(SYS_futex, p(&mut word), 4, 1, 1, buf, 1);
    call!(SYS_futex, p(&mut word), 0x77, 1, 1, buf, 1);
    call!(SYS_set_tid_address, buf);
    call!(SYS_get_robust_list, 0, buf, buf + 8);
    call!(SYS_set_robust_list, 0, 1);
    call!(SYS_rseq, 0, 32, 1, 0x53053053);
    call!(SYS_pidfd_open, 0x7fff_ffff, 0);
}

fn sockets(buf: u64) {
    let tcp = call!(SYS_socket, 2, 1, 0);
    call!(SYS_socket, 10, 0o2004002, 17);
    let netlink = call!(SYS_socket, 16, 3, 0);
    call!(SYS_socket, 1, 0o2000001, 0);
    call!(SYS_socket, 77, 99, 3);
    let mut pair = [0i32; 2];
    call!(SYS_socketpair, 1, 1, 0, p(&mut pair));
    // SAFETY: an address is bytes.
    let mut inet: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    inet.sin_family = 2;
    inet.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
    call!(SYS_bind, tcp, p(&mut inet), 16);
    call!(SYS_getsockname, tcp, buf, p(&mut 16u32));
    call!(SYS_getpeername, tcp, buf, p(&mut 16u32));
    call!(SYS_listen, tcp, 5);
    call!(SYS_setsockopt, tcp, 1, 2, p(&mut 1i32), 4);
    call!(SYS_getsockopt, tcp, 1, 4, buf, p(&mut 4u32));
    call!(SYS_setsockopt, tcp, 6, 1, p(&mut 1i32), 4);
    // SAFETY: as above.
    let mut unix: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    unix.sun_family = 1;
    unix.sun_path[1] = b'z' as i8;
    call!(SYS_connect, pair[0], p(&mut unix), 5);
    unix.sun_path[0] = b'/' as i8;
    call!(SYS_connect, pair[0], p(&mut unix), 110);
    call!(SYS_connect, pair[0], p(&mut unix), 2);
    // SAFETY: as above.
    let mut inet6: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
    inet6.sin6_family = 10;
    inet6.sin6_port = 80u16.to_be();
    call!(SYS_connect, 99, p(&mut inet6), 28);
    // SAFETY: as above.
    let mut nl: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    nl.nl_family = 16;
    call!(SYS_bind, netlink, p(&mut nl), 12);
    call!(SYS_sendto, pair[0], s(c"ping"), 4, 0x4000, 0, 0);
    call!(SYS_recvfrom, pair[1], buf, 100, 0, 0, 0);
    call!(SYS_recvfrom, pair[1], buf, 100, 0x40, 0, 0);
    call!(SYS_sendto, 99, s(c"ping"), 4, 0, p(&mut inet), 16);
    call!(SYS_accept4, 99, buf, p(&mut 16u32), 0o2000000);
    let mut iov = libc::iovec {
        iov_base: s(c"message") as *mut _,
        iov_len: 7,
    };
    // SAFETY: a msghdr is integers and pointers that may be null.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut iov;
    message.msg_iovlen = 1;
    call!(SYS_sendmsg, pair[0], p(&mut message), 0);
    let mut iov = libc::iovec {
        iov_base: buf as *mut _,
        iov_len: 100,
    };
    message.msg_iov = &raw mut iov;
    call!(SYS_recvmsg, pair[1], p(&mut message), 0);
    call!(SYS_recvmsg, pair[1], p(&mut message), 0x40);
    call!(SYS_shutdown, pair[0], 2);
}

fn odd(buf: u64) {
    // SAFETY: there are no such calls.
    unsafe {
        libc::syscall(0x1ff, 1u64, 2u64, 3u64, 0u64, 5u64, 6u64);
        libc::syscall(9999, buf, 2u64, 3u64, 4u64, 5u64, 6u64);
    }
}
