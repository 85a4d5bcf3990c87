//! Classes of system calls: for `-e trace=%CLASS`, and for the colours of a picture.

use syscalls::x86_64::Sysno;

/// The calls of class `class`; none where there is no such class.
pub fn members(class: &str) -> Vec<Sysno> {
    let names = match class {
        "file" => FILE,
        "process" => PROCESS,
        "signal" | "signals" => SIGNAL,
        "memory" => MEMORY,
        "network" | "net" => NETWORK,
        "desc" => DESC,
        "ipc" => IPC,
        "creds" => CREDS,
        "clock" => CLOCK,
        "pure" => PURE,
        "stat" => "stat",
        "lstat" => "lstat",
        "fstat" => "fstat newfstatat statx",
        "%stat" => "stat lstat fstat newfstatat statx",
        "statfs" => "statfs",
        "fstatfs" => "fstatfs",
        "%statfs" => "statfs fstatfs ustat",
        _ => return Vec::new(),
    };
    names
        .split_whitespace()
        .filter_map(|name| name.parse().ok())
        .collect()
}

/// The one class that a call is shown as in a picture.
pub fn category(call: &str) -> &'static str {
    const ORDER: [(&str, &str); 8] = [
        ("network", NETWORK),
        ("process", PROCESS),
        ("process", CREDS),
        ("signal", SIGNAL),
        ("memory", MEMORY),
        ("time", TIME),
        ("file", FILE),
        ("io", DESC),
    ];
    ORDER
        .iter()
        .find(|(_, names)| names.split_whitespace().any(|name| name == call))
        .map_or("other", |(category, _)| category)
}

/// They tell the time, or let it pass.
const TIME: &str = "time gettimeofday settimeofday clock_gettime clock_settime clock_getres
    clock_adjtime adjtimex nanosleep clock_nanosleep getitimer setitimer alarm timer_create
    timer_settime timer_gettime timer_getoverrun timer_delete timerfd_create timerfd_settime
    timerfd_gettime futex futex_waitv sched_yield times";

/// They are about who a task is.
const CREDS: &str = "getuid getgid geteuid getegid setuid setgid setreuid setregid setresuid
    setresgid getresuid getresgid setfsuid setfsgid getgroups setgroups capget capset prctl";

/// They are System V's.
const IPC: &str = "msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmdt
    shmget";

/// They are about the system's clocks.
const CLOCK: &str = "time gettimeofday settimeofday adjtimex clock_adjtime clock_getres
    clock_gettime clock_settime";

/// They always succeed and have no arguments.
const PURE: &str = "getegid geteuid getgid getpgrp getpid getppid gettid getuid";

/// They take a file's name.
const FILE: &str = "open openat openat2 creat stat lstat newfstatat statx access faccessat
    faccessat2 readlink readlinkat unlink unlinkat rename renameat renameat2 link linkat symlink
    symlinkat mkdir mkdirat rmdir chdir chroot pivot_root getcwd chmod fchmodat chown lchown
    fchownat mknod mknodat mount umount2 move_mount open_tree mount_setattr fspick swapon swapoff
    acct uselib truncate statfs execve execveat utime utimes futimesat utimensat getxattr
    lgetxattr setxattr lsetxattr listxattr llistxattr removexattr lremovexattr inotify_add_watch
    name_to_handle_at quotactl fanotify_mark fsconfig";

/// They make, change or end processes, or wait for them.
const PROCESS: &str = "clone clone3 fork vfork execve execveat exit exit_group wait4 waitid kill
    tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal";

/// They are about signals.
const SIGNAL: &str = "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait
    rt_sigqueueinfo rt_tgsigqueueinfo rt_sigsuspend sigaltstack kill tkill tgkill pause signalfd
    signalfd4 pidfd_send_signal io_uring_enter";

/// They change the address space.
const MEMORY: &str = "brk mmap munmap mprotect mremap msync mincore madvise mlock mlock2 munlock
    mlockall munlockall remap_file_pages pkey_mprotect mbind migrate_pages move_pages
    set_mempolicy get_mempolicy set_mempolicy_home_node shmat shmdt io_uring_register io_setup
    io_destroy";

/// They are about sockets.
const NETWORK: &str = "socket connect accept accept4 sendto recvfrom sendmsg recvmsg sendmmsg
    recvmmsg shutdown bind listen getsockname getpeername socketpair setsockopt getsockopt sendfile
    getpmsg putpmsg";

/// They take or make a file descriptor.
const DESC: &str = "read write open openat openat2 creat close fstat newfstatat statx lseek mmap
    ioctl pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 pipe pipe2 select pselect6
    poll ppoll dup dup2 dup3 sendfile fcntl flock fsync fdatasync ftruncate getdents getdents64
    fchdir fchmod fchown unlinkat mkdirat mknodat fchownat futimesat renameat renameat2 linkat
    symlinkat readlinkat fchmodat faccessat faccessat2 splice tee vmsplice sync_file_range
    fallocate fadvise64 readahead fstatfs syncfs fsetxattr fgetxattr flistxattr fremovexattr
    epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2
    signalfd signalfd4 timerfd_create timerfd_settime timerfd_gettime inotify_init inotify_init1
    inotify_add_watch inotify_rm_watch fanotify_init fanotify_mark utimensat name_to_handle_at
    open_by_handle_at copy_file_range memfd_create memfd_secret execveat setns perf_event_open
    finit_module kexec_file_load bpf userfaultfd io_uring_setup io_uring_enter io_uring_register
    open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr pidfd_open pidfd_getfd
    pidfd_send_signal process_madvise process_mrelease mq_open mq_timedsend mq_timedreceive
    mq_notify mq_getsetattr landlock_create_ruleset landlock_add_rule landlock_restrict_self
    quotactl_fd";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_telling_class_is_the_category() {
        for (call, expected) in [
            ("openat", "file"),
            ("read", "io"),
            ("mmap", "memory"),
            ("kill", "process"),
            ("rt_sigaction", "signal"),
            ("sendfile", "network"),
            ("nanosleep", "time"),
            ("uname", "other"),
        ] {
            assert_eq!(category(call), expected, "{call}");
        }
    }
}
