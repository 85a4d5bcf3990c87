//! PTRACE_GETSIGINFO and PTRACE_SETSIGINFO.

use super::{Done, OK, Request, Target, get_user, put_user};
use crate::{Host, Tracer};
use abi::signal::SIGINFO_SIZE;
use abi::{Errno, SigInfo};

impl Tracer {
    /// EINVAL when the stop has no siginfo, before the buffer is looked at.
    pub(super) fn get_siginfo(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        let info = self.stopped(target)?.info.ok_or(Errno::EINVAL)?;
        put_user(host, request.client, request.data, &info.to_bytes())?;
        Ok(OK)
    }

    /// The buffer is read (EFAULT) before the stop is looked at (EINVAL), as Linux does.
    pub(super) fn set_siginfo(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        let mut bytes = [0; SIGINFO_SIZE];
        get_user(host, request.client, request.data, &mut bytes)?;
        let info = self.stopped(target)?.info.as_mut().ok_or(Errno::EINVAL)?;
        *info = SigInfo::from_bytes(&bytes);
        Ok(OK)
    }
}
