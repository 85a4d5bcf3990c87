//! The ptrace system call itself, checked: no request can be paired with a buffer that
//! does not suit it, which is why this gate is a safe function.

use crate::{Errno, Pid, Result, transport};

macro_rules! requests {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $shape:expr;)*) => {
        /// A request of ptrace(2), by Linux's number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum Request {
            $($(#[$doc])* $name = $number,)*
        }

        impl Request {
            /// What the request takes as its data.
            pub const fn shape(self) -> Shape {
                match self {
                    $(Request::$name => $shape,)*
                }
            }
        }
    };
}

requests! {
    /// The caller wants to be traced by its parent.
    TraceMe = 0, Shape::Word;
    /// Read a word of the tracee's memory.
    PeekData = 2, Shape::Out(8);
    /// Read a word of the tracee's `struct user`.
    PeekUser = 3, Shape::Out(8);
    /// Write a word of the tracee's memory.
    PokeData = 5, Shape::Word;
    /// Write a word of the tracee's `struct user`.
    PokeUser = 6, Shape::Word;
    /// Resume.
    Cont = 7, Shape::Word;
    /// Kill the tracee.
    Kill = 8, Shape::Word;
    /// Resume for one instruction.
    SingleStep = 9, Shape::Word;
    /// Read the general registers.
    GetRegs = 12, Shape::Out(216);
    /// Write the general registers.
    SetRegs = 13, Shape::In(216);
    /// Read the floating-point registers in FXSAVE's layout.
    GetFpRegs = 14, Shape::Out(512);
    /// Write the floating-point registers in FXSAVE's layout.
    SetFpRegs = 15, Shape::In(512);
    /// Trace a running task, and stop it.
    Attach = 16, Shape::Word;
    /// Let the tracee go.
    Detach = 17, Shape::Word;
    /// Resume until the next entry to or exit from a system call.
    Syscall = 24, Shape::Word;
    /// Resume until the next system call, which is then not made.
    SysEmu = 31, Shape::Word;
    /// Resume for one instruction, without making system calls.
    SysEmuSingleStep = 32, Shape::Word;
    /// Resume until the next branch.
    SingleBlock = 33, Shape::Word;
    /// Set the `PTRACE_O_` options.
    SetOptions = 0x4200, Shape::Word;
    /// Read the message of an event stop.
    GetEventMsg = 0x4201, Shape::Out(8);
    /// Read the siginfo of a signal stop.
    GetSigInfo = 0x4202, Shape::Out(128);
    /// Replace the siginfo of a signal stop.
    SetSigInfo = 0x4203, Shape::In(128);
    /// Read a register set; the address is its note type.
    GetRegSet = 0x4204, Shape::Vector;
    /// Write a register set; the address is its note type.
    SetRegSet = 0x4205, Shape::Vector;
    /// Trace a running task without stopping it.
    Seize = 0x4206, Shape::Word;
    /// Stop a seized tracee.
    Interrupt = 0x4207, Shape::Word;
    /// Leave a seized tracee in its group-stop but hear of its end.
    Listen = 0x4208, Shape::Word;
    /// Read what system call a syscall stop is about; the address is the buffer's size.
    GetSyscallInfo = 0x420e, Shape::Out(SYSCALL_INFO);
}

/// The size of Linux's `struct ptrace_syscall_info`.
pub const SYSCALL_INFO: usize = 88;

/// What a request takes as its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A number: a signal, options, a word to write, or nothing.
    Word,
    /// A buffer of so many bytes that is read.
    In(usize),
    /// A buffer of so many bytes that is filled.
    Out(usize),
    /// A buffer of any length, whose used length comes back.
    Vector,
}

/// The data argument of a request.
#[derive(Debug)]
pub enum Data<'a> {
    /// For [`Shape::Word`].
    Word(u64),
    /// For [`Shape::In`].
    In(&'a [u8]),
    /// For [`Shape::Out`], and for [`Shape::Vector`] in either direction.
    Out(&'a mut [u8]),
}

/// Makes the request `request` about task `pid`.
///
/// The result is 0, but for a register set the number of bytes read or written. What
/// is read goes into the data's buffer, also for the requests whose C function returns
/// it: there is no result to confuse with an error.
///
/// # Errors
/// What ptrace(2) lists. `EFAULT` where `data` does not suit the request.
pub fn ptrace(request: Request, pid: Pid, addr: u64, data: Data<'_>) -> Result<i64> {
    let suits = match (request.shape(), &data) {
        (Shape::Word, Data::Word(_)) | (Shape::Vector, Data::Out(_)) => true,
        (Shape::In(size), Data::In(buffer)) => buffer.len() == size,
        (Shape::Out(size), Data::Out(buffer)) => buffer.len() == size,
        _ => false,
    };
    if !suits {
        return Err(Errno::EFAULT);
    }
    transport::ptrace(request, pid, addr, data)
}
