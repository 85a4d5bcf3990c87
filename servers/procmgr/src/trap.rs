//! What stops a running task.

/// What an instruction does with memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// It reads.
    Read,
    /// It writes.
    Write,
    /// It is fetched itself.
    Execute,
}

/// Why a thread came to a stand, as the kernel's fault message tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trap {
    /// A processor exception that has no kind of its own here. A `syscall` instruction is
    /// vector 6, because the kernel leaves EFER.SCE off.
    Exception {
        /// The vector: 0 divide error, 6 invalid opcode, 13 general protection.
        vector: u8,
        /// The error code.
        code: u64,
    },
    /// A page that is not there or does not allow this.
    PageFault {
        /// The address.
        addr: u64,
        /// What was tried.
        access: Access,
        /// The page was there.
        present: bool,
    },
    /// One instruction ran while stepping, or the task had set TF itself.
    Step,
    /// An `int3`; the instruction pointer is behind it.
    Int3,
    /// Hardware breakpoints were hit: those for execution at the instruction, which then has RF set
    /// and is passed, those for data by the one before.
    Breakpoint {
        /// Which, and whether the instruction before was stepped: the bits of DR6.
        status: u64,
    },
    /// The `int3` at the end of a stub.
    StubDone,
    /// The task spoke to the kernel or to the process manager in a way no program does.
    BadCall,
}
