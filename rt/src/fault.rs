//! What the kernel says when a thread faults (seL4 manual 6.2; `seL4_Fault_tag`).

use crate::ipc_buffer;
use crate::syscall::Received;

/// A fault. The thread is held until it is answered or resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It used a capability address that leads nowhere.
    Cap {
        /// The instruction.
        ip: u64,
        /// The address.
        address: u64,
    },
    /// It made a system call that this kernel does not have.
    UnknownSyscall {
        /// The instruction.
        ip: u64,
    },
    /// The processor raised an exception.
    Exception {
        /// The instruction.
        ip: u64,
        /// Which.
        vector: u8,
        /// Its error code.
        code: u64,
    },
    /// Hardware breakpoints were hit: at this instruction or, those for data, by the one before.
    Breakpoint {
        /// The instruction.
        ip: u64,
        /// Which, and whether the instruction before was stepped: the bits of DR6 (fix P10).
        status: u64,
    },
    /// An instruction was stepped.
    Step {
        /// The next instruction.
        ip: u64,
    },
    /// `int3`.
    Int3 {
        /// The instruction behind it.
        ip: u64,
    },
    /// Memory was not there, or not to be written.
    Page {
        /// The instruction.
        ip: u64,
        /// What it touched; all 64 bits.
        address: u64,
        /// The processor's error code: [`PRESENT`], [`WRITE`], [`FETCH`], user.
        code: u64,
    },
    /// Not a fault that this kernel sends.
    Unknown {
        /// The label.
        label: u64,
    },
}

impl Fault {
    /// The instruction that the fault names; 0 for one that this kernel does not send.
    #[inline]
    pub fn ip(&self) -> u64 {
        match *self {
            Fault::Cap { ip, .. }
            | Fault::UnknownSyscall { ip }
            | Fault::Exception { ip, .. }
            | Fault::Breakpoint { ip, .. }
            | Fault::Step { ip }
            | Fault::Int3 { ip }
            | Fault::Page { ip, .. } => ip,
            Fault::Unknown { .. } => 0,
        }
    }
}

/// The labels of fault messages (`seL4_FaultType`).
pub mod label {
    /// A capability address that leads nowhere.
    pub const CAP: u64 = 1;
    /// A system call that this kernel does not have.
    pub const UNKNOWN_SYSCALL: u64 = 2;
    /// An exception.
    pub const EXCEPTION: u64 = 3;
    /// A debug exception; [`super::reason`] says which.
    pub const DEBUG: u64 = 4;
    /// A page fault.
    pub const PAGE: u64 = 5;
    /// No fault has a higher one.
    pub const LAST: u64 = PAGE;
}

/// What a debug exception was (`seL4_BreakpointType`).
pub mod reason {
    /// Hardware breakpoints, whatever their kind.
    pub const BREAKPOINT: u64 = 0;
    /// A single step.
    pub const STEP: u64 = 2;
    /// `int3`.
    pub const INT3: u64 = 3;
}

/// In a page fault's code (the processor's own): the page is mapped, so its rights forbid the access.
pub const PRESENT: u64 = 1;
/// In a page fault's code: a write.
pub const WRITE: u64 = 2;
/// In a page fault's code: an instruction fetch. The processor says so since fix P7.
pub const FETCH: u64 = 16;

impl Fault {
    /// Decodes a message that was just received.
    #[inline]
    pub fn decode(received: &Received) -> Fault {
        let [w0, w1, w2, w3] = received.words;
        match (received.info.label(), received.info.words()) {
            (label::CAP, 5..) => Fault::Cap {
                ip: w0,
                address: w1,
            },
            (label::UNKNOWN_SYSCALL, 16..) => Fault::UnknownSyscall {
                ip: ipc_buffer::with(|buffer| buffer.words[15]),
            },
            (label::EXCEPTION, 5) => Fault::Exception {
                ip: w0,
                vector: w3 as u8,
                code: ipc_buffer::with(|buffer| buffer.words[4]),
            },
            (label::DEBUG, 4) if w1 == reason::BREAKPOINT => {
                Fault::Breakpoint { ip: w0, status: w2 }
            }
            (label::DEBUG, 2) if w1 == reason::STEP => Fault::Step { ip: w0 },
            (label::DEBUG, 2) if w1 == reason::INT3 => Fault::Int3 { ip: w0 },
            (label::PAGE, 4) => Fault::Page {
                ip: w0,
                address: w1,
                code: w3,
            },
            (label, _) => Fault::Unknown { label },
        }
    }
}
