//! Invocations: what can be asked of a kernel object (seL4 manual, appendix B).

use crate::cap::CPtr;
use crate::ipc_buffer;
use crate::syscall::{self, MessageInfo, Words};

macro_rules! labels {
    ($($name:ident $value:literal)*) => {
        /// Invocation labels: `enum invocation_label`, `arch_invocation_label` and
        /// `sel4_arch_invocation_label` of the kernel's generated headers, for this
        /// configuration (hardware debug API, one core, no IOMMU, no VT-x).
        #[allow(missing_docs, non_upper_case_globals)]
        pub mod label {
            $(pub const $name: u64 = $value;)*
        }

        /// The labels by name, for the comparison with the headers of the kernel that was built.
        pub const LABELS: &[(&str, u64)] = &[$((stringify!($name), $value)),*];
    };
}

labels! {
    UntypedRetype 1
    TCBReadRegisters 2
    TCBWriteRegisters 3
    TCBConfigure 5
    TCBSetPriority 6
    TCBSetSpace 9
    TCBSuspend 10
    TCBResume 11
    TCBBindNotification 12
    TCBSetBreakpoint 14
    TCBUnsetBreakpoint 16
    TCBConfigureSingleStepping 17
    CNodeRevoke 18
    CNodeDelete 19
    CNodeCopy 21
    CNodeMint 22
    CNodeMove 23
    CNodeSaveCaller 26
    IRQAckIRQ 28
    IRQSetIRQHandler 29
    X86PDPTMap 32
    X86PageDirectoryMap 34
    X86PageTableMap 37
    X86PageMap 41
    X86PageRemap 42
    X86PageUnmap 43
    X86ASIDControlMakePool 46
    X86ASIDPoolAssign 47
    X86IOPortIn8 48
    X86IOPortOut8 51
    X86IOPortOut32 53
    X86IRQIssueIRQHandlerIOAPIC 54
}

/// Why the kernel refused an invocation (`seL4_Error`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelError {
    /// An argument is not valid.
    InvalidArgument,
    /// A capability is of the wrong kind.
    InvalidCapability,
    /// Not possible with this object as it is.
    IllegalOperation,
    /// A number is out of range.
    RangeError,
    /// An address is not aligned.
    AlignmentError,
    /// A slot cannot be found, or a paging structure is missing.
    FailedLookup,
    /// The message is too short.
    TruncatedMessage,
    /// What is in the way must go first.
    DeleteFirst,
    /// What was derived must go first.
    RevokeFirst,
    /// The untyped memory has not enough left.
    NotEnoughMemory,
}

impl KernelError {
    /// The error with this number, the label of the kernel's answer.
    #[cold]
    pub const fn from_label(label: u64) -> KernelError {
        use KernelError::*;
        match label {
            1 => InvalidArgument,
            2 => InvalidCapability,
            4 => RangeError,
            5 => AlignmentError,
            6 => FailedLookup,
            7 => TruncatedMessage,
            8 => DeleteFirst,
            9 => RevokeFirst,
            10 => NotEnoughMemory,
            _ => IllegalOperation,
        }
    }
}

/// The result of an invocation that returns nothing.
pub type Result<T = ()> = core::result::Result<T, KernelError>;

/// Invokes `object`. Returns the words of the answer that come in registers.
#[inline]
pub fn invoke<const W: usize, const C: usize>(
    object: CPtr,
    label: u64,
    words: [u64; W],
    caps: [CPtr; C],
) -> Result<Words> {
    let mut registers = [0; 4];
    registers[..W.min(4)].copy_from_slice(&words[..W.min(4)]);
    if W > 4 || C > 0 {
        ipc_buffer::with(|buffer| {
            if W > 4 {
                buffer.words[4..W].copy_from_slice(&words[4..]);
            }
            buffer.caps[..C].copy_from_slice(&caps.map(|cap| cap.0));
        });
    }
    // The kernel tries whatever is short as a message first.
    let words = W.max(syscall::MAX_SHORT + 1);
    let answer = syscall::call(object, MessageInfo::new(label, C, words), registers);
    match answer.info.label() {
        0 => Ok(answer.words),
        error => Err(KernelError::from_label(error)),
    }
}

/// Invokes `object` without an answer, for what the kernel never refuses: without one to give, an
/// invocation takes the kernel less. The words beyond the fourth are in the IPC buffer already.
#[inline]
pub(crate) fn tell(object: CPtr, info: MessageInfo, words: Words) {
    syscall::send(object, info, words);
}
