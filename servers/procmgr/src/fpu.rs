//! The FPU state of a held task, for whoever traces it.

use crate::Procmgr;
use crate::fork::FPU_AREA;
use crate::machine::{Machine, Stub};
use crate::signal::frame::FPU_SIZE;
use abi::{Errno, TaskId};
use alloc::boxed::Box;

/// An FXSAVE image.
pub type Image = [u8; FPU_SIZE as usize];

/// The state as it was looked at or set. It is fetched once per stop, and loaded once.
pub struct Seen {
    image: Image,
    changed: bool,
}

/// Where MXCSR is in the image, and the bits of it that exist.
const MXCSR: usize = 24;
const MXCSR_MASK: u32 = 0xffff;

impl Procmgr {
    /// A held task's FPU state.
    pub(crate) fn fpu_state(&mut self, m: &mut impl Machine, id: TaskId) -> Result<Image, Errno> {
        if let Some(seen) = &self.task(id).trace.fpu {
            return Ok(seen.image);
        }
        let mut image = [0; FPU_SIZE as usize];
        self.with_area(m, id, &image, Stub::FpuSave)?;
        let space = self.task(id).space.ok_or(Errno::ESRCH)?;
        self.memory.read_exact(m, space, FPU_AREA, &mut image)?;
        self.task_mut(id).trace.fpu = Some(Box::new(Seen {
            image,
            changed: false,
        }));
        Ok(image)
    }

    /// Sets it, for when the task goes on.
    pub(crate) fn set_fpu_state(&mut self, id: TaskId, bytes: &[u8]) -> Result<(), Errno> {
        let image: Image = bytes.try_into().map_err(|_| Errno::EINVAL)?;
        let mxcsr = image[MXCSR..MXCSR + 4].try_into().expect("four bytes");
        if u32::from_le_bytes(mxcsr) & !MXCSR_MASK != 0 {
            return Err(Errno::EINVAL);
        }
        self.task_mut(id).trace.fpu = Some(Box::new(Seen {
            image,
            changed: true,
        }));
        Ok(())
    }

    /// The task goes on: what was set takes effect, what was seen is out of date. A program that
    /// unmapped the area in this very moment keeps the state it had.
    pub(crate) fn load_fpu_state(&mut self, m: &mut impl Machine, id: TaskId) {
        if let Some(seen) = self.task_mut(id).trace.fpu.take()
            && seen.changed
            && self.task(id).space.is_some()
        {
            let _ = self.with_area(m, id, &seen.image, Stub::FpuLoad);
        }
    }

    /// Runs a stub on the area, filled with an image; the thread's registers are as before.
    fn with_area(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        image: &Image,
        stub: Stub,
    ) -> Result<(), Errno> {
        let space = self.task(id).space.ok_or(Errno::ESRCH)?;
        // Present and private before the stub gets there.
        if self.memory.write(m, space, FPU_AREA, image) != image.len() {
            return Err(Errno::EIO);
        }
        self.read_registers(m, id);
        let done = m.run_stub_now(id, stub, FPU_AREA);
        let registers = &mut self.task_mut(id).registers;
        registers.lost();
        registers.write(m, id);
        if done { Ok(()) } else { Err(Errno::EIO) }
    }
}
