//! PTRACE_GETFPREGS and SETFPREGS: the FPU state as FXSAVE lays it out (`user_fpregs_struct`).

use super::{Done, OK, Request};
use crate::Procmgr;
use crate::fpu::Image;
use crate::machine::Machine;
use abi::Errno;

impl Procmgr {
    pub(super) fn get_fpregs(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let image = self.fpu_state(m, r.target)?;
        self.put(m, r.client, r.data, &image)?;
        Ok(OK)
    }

    /// EINVAL: a value of MXCSR with bits that do not exist.
    #[inline]
    pub(super) fn set_fpregs(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        match self.buffer(m, r) {
            Some(image) => self.set_fpu_state(r.target, image)?,
            None => self.set_fpregs_from_two_pages(m, r)?,
        }
        Ok(OK)
    }

    #[cold]
    fn set_fpregs_from_two_pages(
        &mut self,
        m: &mut impl Machine,
        r: &Request,
    ) -> Result<(), Errno> {
        let image: Image = self.get(m, r.client, r.data)?;
        self.set_fpu_state(r.target, &image)
    }
}
