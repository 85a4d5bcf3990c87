//! PTRACE_GETFPREGS and SETFPREGS: the FPU state as FXSAVE lays it out (`user_fpregs_struct`).

use super::{Done, OK, Request, Target, get_user, put_user};
use crate::{Host, Tracer};
use abi::Errno;
use abi::tracer::{Call, Reply};
use abi::wire::{MAX, decode};

/// Bytes of the state.
pub const FPU_SIZE: usize = 512;

impl Tracer {
    pub(super) fn get_fpregs(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        let image = self.read_fpu(host, target)?;
        put_user(host, request.client, request.data, &image)?;
        Ok(OK)
    }

    /// EINVAL: a value of MXCSR with bits that do not exist.
    pub(super) fn set_fpregs(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        let mut image = [0; FPU_SIZE];
        get_user(host, request.client, request.data, &mut image)?;
        self.write_fpu(host, target, &image)?;
        Ok(OK)
    }

    pub(super) fn read_fpu(
        &mut self,
        host: &mut impl Host,
        target: Target,
    ) -> Result<[u8; FPU_SIZE], Errno> {
        let (task, number) = self.held_report(target)?;
        let mut buffer = [0; MAX];
        let n = host.call(&Call::GetFpu { task, number }, &mut buffer)?;
        match decode(buffer.get(..n).unwrap_or_default())? {
            Reply::Bytes(image) => image.try_into().map_err(|_| Errno::EIO),
            _ => Err(Errno::EIO),
        }
    }

    pub(super) fn write_fpu(
        &mut self,
        host: &mut impl Host,
        target: Target,
        image: &[u8; FPU_SIZE],
    ) -> Result<(), Errno> {
        let (task, number) = self.held_report(target)?;
        let bytes = image;
        crate::host::done(
            host,
            &Call::SetFpu {
                task,
                number,
                bytes,
            },
        )
    }

    /// The report by which the target is held.
    fn held_report(&mut self, target: Target) -> Result<(abi::TaskId, u32), Errno> {
        let task = self.tasks.get_mut(target.task).ok_or(Errno::ESRCH)?;
        let report = task.chain.report().ok_or(Errno::ESRCH)?;
        Ok((target.task, report.number))
    }
}
