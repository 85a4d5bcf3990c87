//! The FPU state of a held task, for whoever traces it.

use crate::Procmgr;
use crate::fork::FPU_AREA;
use crate::machine::{Machine, Stub};
use crate::signal::frame::FPU_SIZE;
use abi::{Errno, TaskId};
use alloc::boxed::Box;

/// An FXSAVE image.
pub type Image = [u8; IMAGE_SIZE];
/// How many bytes it has.
pub const IMAGE_SIZE: usize = FPU_SIZE as usize;

/// The same state in XSAVE's layout, as a processor with x87 and SSE and nothing more would have
/// it: the image, and a header of 64 bytes that begins with the set of parts that are not as they
/// are initially. Linux tells the supported set in bytes that FXSAVE leaves to software.
pub struct Xstate(pub [u8; Xstate::SIZE]);

/// x87 and SSE in an XSAVE feature set.
const FEATURES: u64 = 3;
const SSE: u64 = 2;
/// Where Linux tells the feature set.
const SOFTWARE: usize = 464;
/// Where the SSE registers are in the image.
const XMM: core::ops::Range<usize> = 160..416;
/// The x87 state that a program starts with: the control word.
const INITIAL_CONTROL: u16 = 0x37f;

impl Xstate {
    /// Bytes of the layout.
    pub const SIZE: usize = IMAGE_SIZE + 64;

    /// The state of an image.
    pub fn of(image: &Image) -> Xstate {
        let mut bytes = [0; Xstate::SIZE];
        bytes[..IMAGE_SIZE].copy_from_slice(image);
        for at in [SOFTWARE, IMAGE_SIZE] {
            bytes[at..at + 8].copy_from_slice(&FEATURES.to_le_bytes());
        }
        Xstate(bytes)
    }

    /// The image that it means. EINVAL: a header with parts that do not exist.
    pub fn image(&self) -> Result<Image, Errno> {
        let header = &self.0[IMAGE_SIZE..];
        let features = u64::from_le_bytes(header[..8].try_into().expect("eight bytes"));
        if features & !FEATURES != 0 || header[8..].iter().any(|byte| *byte != 0) {
            return Err(Errno::EINVAL);
        }
        let mut image: Image = self.0[..IMAGE_SIZE].try_into().expect("the image's bytes");
        if features & SSE == 0 {
            image[XMM].fill(0);
        }
        if features & (FEATURES & !SSE) == 0 {
            image[..MXCSR].fill(0);
            image[32..XMM.start].fill(0);
            image[..2].copy_from_slice(&INITIAL_CONTROL.to_le_bytes());
        }
        Ok(image)
    }
}

/// The state as it was looked at or set. It is fetched once per stop, and loaded once.
#[derive(Clone, Hash)]
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
        let mut image = [0; IMAGE_SIZE];
        self.with_area(m, id, &image, Stub::FpuSave)?;
        let space = self.task(id).space.ok_or(Errno::ESRCH)?;
        self.memory.read_exact(m, space, FPU_AREA, &mut image)?;
        self.task_mut(id).trace.fpu = Some(Box::new(Seen {
            image,
            changed: false,
        }));
        Ok(image)
    }

    /// Sets it, for when the task goes on. EINVAL: a value of MXCSR with bits that do not exist.
    pub(crate) fn set_fpu_state(&mut self, id: TaskId, image: &Image) -> Result<(), Errno> {
        let mxcsr = image[MXCSR..MXCSR + 4].try_into().expect("four bytes");
        if u32::from_le_bytes(mxcsr) & !MXCSR_MASK != 0 {
            return Err(Errno::EINVAL);
        }
        match &mut self.task_mut(id).trace.fpu {
            Some(seen) => {
                seen.image.copy_from_slice(image);
                seen.changed = true;
            }
            unseen => {
                *unseen = Some(Box::new(Seen {
                    image: *image,
                    changed: true,
                }));
            }
        }
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
        self.task_mut(id).registers.lost();
        if done { Ok(()) } else { Err(Errno::EIO) }
    }
}
