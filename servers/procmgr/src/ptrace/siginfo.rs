//! PTRACE_GETSIGINFO and PTRACE_SETSIGINFO.

use super::{Done, OK, Request};
use crate::Procmgr;
use crate::machine::Machine;
use abi::signal::SIGINFO_SIZE;
use abi::{Errno, SigInfo};
use alloc::boxed::Box;

impl Procmgr {
    /// EINVAL when the stop has no siginfo, before the buffer is looked at.
    pub(super) fn get_siginfo(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let info = self.stop_info(r.target)?.ok_or(Errno::EINVAL)?;
        self.put(m, r.client, r.data, &info.to_bytes())?;
        self.show_stop(m, r);
        Ok(OK)
    }

    /// The buffer is read (EFAULT) before the stop is looked at (EINVAL), as Linux does.
    pub(super) fn set_siginfo(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let bytes: [u8; SIGINFO_SIZE] = self.get(m, r.client, r.data)?;
        self.stop_info(r.target)?.ok_or(Errno::EINVAL)?;
        self.hide_stop(m, r.target);
        self.at_stop_mut(r.target)?.info = Some(Box::new(SigInfo::from_bytes(&bytes)));
        Ok(OK)
    }
}
