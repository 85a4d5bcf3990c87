//! What a task says to the tracer directly: four words each way, so that no message buffer is
//! needed. The sender is the badge, never a word of the message.

/// Label of a ptrace request: words are request, pid, address, data as in ptrace(2).
///
/// The answer's first word is the result as a system call would leave it in `rax`; for the PEEK
/// requests the word read is the second (it is not stored through `data`). Every other result that
/// does not fit a word is written into the client's memory at `data`, as Linux does.
pub const PTRACE: u64 = 1;

/// The number of the private system call with which a task asks for its capability to the tracer.
/// It returns the capability's address in `rax`; Linux, and a machine without a tracer, returns
/// ENOSYS. The number is far from Linux's tables.
pub const NR_TRACER_CAP: u32 = 0x7374_0001;
