//! PTRACE_PEEKUSER and POKEUSER: `struct user` by layout (A7).

use super::{Done, OK, Request, Target};
use crate::frame::TASK_SIZE_MAX;
use crate::{Host, Tracer};
use abi::Errno;
use abi::regs::USER_REGS_WORDS;

/// The size of Linux's `struct user`.
const USER_SIZE: u64 = 928;
/// Where its registers end.
const REGS_END: u64 = USER_REGS_WORDS as u64 * 8;
/// Where its `u_debugreg` is.
const DEBUG: u64 = 848;
/// Where that ends.
const DEBUG_END: u64 = DEBUG + 8 * 8;
/// The bits of DR6 that read as ones, and with which Linux shows and takes it inverted.
const DR6_RESERVED: u64 = 0xffff_0ff0;
/// The bits of DR7 that enable a breakpoint.
const DR7_ENABLE: u64 = 0xff;

/// The debug registers as POKEUSER left them. No breakpoint can be enabled through them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DebugRegisters {
    addresses: [u64; 4],
    status: u64,
    control: u64,
}

impl DebugRegisters {
    fn get(&self, n: u64) -> u64 {
        match n {
            0..=3 => self.addresses[n as usize],
            6 => self.status ^ DR6_RESERVED,
            7 => self.control,
            _ => 0,
        }
    }

    fn set(&mut self, n: u64, value: u64) -> Result<(), Errno> {
        match n {
            0..=3 if value < TASK_SIZE_MAX => self.addresses[n as usize] = value,
            6 => self.status = value ^ DR6_RESERVED,
            7 if value & DR7_ENABLE == 0 => self.control = value,
            _ => return Err(Errno::EIO),
        }
        Ok(())
    }
}

/// A segment of `struct user`.
enum Segment {
    /// A word of the general registers.
    Register(usize),
    /// A debug register.
    Debug(u64),
    /// Reads 0 and cannot be written.
    Gap,
}

impl Segment {
    /// The segment of an offset; EIO for one that is misaligned or outside.
    fn at(offset: u64) -> Result<Segment, Errno> {
        if !offset.is_multiple_of(8) || offset >= USER_SIZE {
            return Err(Errno::EIO);
        }
        Ok(match offset {
            0..REGS_END => Segment::Register((offset / 8) as usize),
            DEBUG..DEBUG_END => Segment::Debug((offset - DEBUG) / 8),
            _ => Segment::Gap,
        })
    }
}

impl Tracer {
    pub(super) fn peek_user(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        let word = match Segment::at(request.addr)? {
            Segment::Register(at) => self.read_regs(host, target)?.to_words()[at],
            Segment::Debug(n) => self.tracee(target)?.debug.get(n),
            Segment::Gap => 0,
        };
        Ok(Done::Word(word))
    }

    pub(super) fn poke_user(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        match Segment::at(request.addr)? {
            Segment::Register(at) => self.write_regs(host, target, at, &[request.data])?,
            Segment::Debug(n) => self.tracee(target)?.debug.set(n, request.data)?,
            Segment::Gap => return Err(Errno::EIO),
        }
        Ok(OK)
    }
}
