//! Linux error numbers.

use core::fmt;
use serde::{Deserialize, Serialize};

/// A Linux error number, positive: `Errno::ENOENT` is 2. A system call returns it negated.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Errno(pub u16);

macro_rules! errnos {
    ($($name:ident)*) => {
        impl Errno {
            $(#[doc = concat!("Linux's ", stringify!($name), ".")]
            pub const $name: Errno = Errno(crate::linux::errno::$name as u16);)*
        }
        const NAMES: &[(Errno, &str)] = &[$((Errno::$name, stringify!($name)),)*];
    };
}

errnos! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT
    EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC
    ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOSYS ENOTEMPTY ELOOP EOVERFLOW
    ENOTSOCK EOPNOTSUPP EAFNOSUPPORT ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EADDRINUSE EISCONN ENOTCONN ETIMEDOUT ECONNREFUSED ECONNRESET
    EALREADY ENOLCK ESTALE ENODATA ETOOMANYREFS EMSGSIZE EPROTOTYPE EDESTADDRREQ ENOBUFS
}

/// Results a system call leaves in `rax` for the signal code to act on; only a tracer sees them.
impl Errno {
    /// Restart if a handler with SA_RESTART runs, or none runs; else EINTR.
    pub const ERESTARTSYS: Errno = Errno(512);
    /// Restart always.
    pub const ERESTARTNOINTR: Errno = Errno(513);
    /// Restart only if no handler runs.
    pub const ERESTARTNOHAND: Errno = Errno(514);
    /// Restart through `restart_syscall` if no handler runs.
    pub const ERESTART_RESTARTBLOCK: Errno = Errno(516);
}

impl Errno {
    /// The value a system call leaves in `rax`.
    pub const fn as_result(self) -> i64 {
        -(self.0 as i64)
    }

    /// Splits a value of `rax` into success and error, as a C library does.
    pub const fn check(result: i64) -> Result<i64, Errno> {
        if result < 0 && result > -4096 {
            Err(Errno(-result as u16))
        } else {
            Ok(result)
        }
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(e, _)| e == self) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "errno {}", self.0),
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl core::error::Error for Errno {}

/// `rax` for a result: the value, or the error number negated.
pub fn to_rax(result: Result<i64, Errno>) -> i64 {
    result.unwrap_or_else(Errno::as_result)
}
