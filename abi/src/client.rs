//! What a task says to a server directly: four words each way, so that no message buffer is needed.
//! The sender is the badge, never a word of the message.
//!
//! A task may be stopped in the middle of a message, and then says it again when it goes on. So a
//! message carries a number, the task's own count of its messages to that server, and a server that
//! has done what a message says answers the same as before when it comes again ([`Said`]).
//!
//! A label is a kind in its low 8 bits, and the number in the 12 bits above. Kinds begin at 16:
//! lower labels are those of the kernel's fault messages, which come to the same endpoint.

use crate::{Errno, Regs};
use core::hash::{Hash, Hasher};

/// To either server: a ptrace request. Words: request, pid, address, data as in ptrace(2).
///
/// The answer's first word is the result as a system call would leave it in `rax`; for the PEEK
/// requests the word read is the second (it is not stored through `data`). Every other result that
/// does not fit a word is written into the client's memory at `data`, as Linux does.
///
/// It is made to the process manager first. Where a request is the tracer's, or is this time, the result is
/// [`ASK_TRACER`].
pub const PTRACE: u64 = 16;
/// To the process manager: wait4(2) without rusage. Words: pid, options, and where the task goes on
/// when it has waited: an instruction's address and a stack pointer.
///
/// The result is in the answer's first word if there is an answer at once. A task that waits has none:
/// it goes on there, with the result in `rax` and its other registers as they were but `rcx`, `rdx` and
/// the flags. The result of a wait that found something has the status in its upper half.
pub const WAIT: u64 = 17;

/// To the process manager: process_vm_readv(2) of one range. Words: pid, the other's address, the
/// sender's address, how many bytes. The answer's first word is the result.
pub const READ_MEMORY: u64 = 32;
/// The same for process_vm_writev(2).
pub const WRITE_MEMORY: u64 = 33;

/// To either server: the same as [`PTRACE`] in the words of a 32-bit tracer ([`crate::compat`]).
pub const PTRACE_COMPAT: u64 = 34;

/// To the process manager: the client's process is shown its tracees' stops from now on
/// ([`crate::stops`]). Word: the address of a page of its own, which it does not use for anything else. The
/// answer's first word is the sender's tid. EINVAL: not the address of a page; EFAULT: it cannot be written.
pub const SHARE_STOPS: u64 = 36;

/// No result of a request: it is to be made to the tracer.
pub const ASK_TRACER: i64 = i64::MIN;

/// A ptrace request that Linux does not have, for tests: how many entries the tracer's table has
/// that `addr` names, 0 for traced tasks, 1 for clients, 2 for engines, 3 for children whose creators'
/// clone reports are not over; or how much it has done, 4 for messages it has heard from tasks, 5 for system
/// calls of the kernel's it has made. EPERM for who may not see all contexts, EINVAL.
pub const PTRACE_COUNT: u32 = 0x7374_0001;

/// A ptrace request that Linux does not have, for tests: the tracer faults. EPERM for who may not see all
/// contexts.
pub const PTRACE_FAULT: u32 = 0x7374_0002;

/// The number of the private system call with which a task asks for its capabilities to the
/// servers. It returns the address of the process manager's in `rax`; the tracer's is the next one.
/// Linux returns ENOSYS. The number is far from Linux's tables.
pub const NR_SERVER_CAPS: u32 = 0x7374_0001;

/// The number of the private system call about contexts (docs/contexts.md): command, argument.
/// Linux returns ENOSYS. The result is the number of a context. EINVAL for another command.
pub const NR_CONTEXT: u32 = 0x7374_0002;
/// Command: the context of the process whose pid is the argument, 0 for the caller. ESRCH.
pub const CONTEXT_GET: u64 = 0;
/// Command: the caller's process goes into the context whose number is the argument, which is made
/// if there is none; 0 for a new one. EPERM for who is not privileged or in another context than
/// the host's already; EINVAL for a number that no context has; EBUSY for who traces somebody;
/// EAGAIN when there are too many contexts; ENOMEM.
pub const CONTEXT_ENTER: u64 = 1;

/// The number of the private system call that tells how much has been done since the machine started, for
/// the benchmark. Argument: where to store [`crate::proc::WORK_WORDS`] words. EACCES for who may not see
/// all, EFAULT. Linux returns ENOSYS.
pub const NR_WORK: u32 = 0x7374_0003;

/// The instruction by which a message is sent.
pub const SYSENTER: [u8; 2] = [0x0f, 0x34];
/// The kernel's number for sending a message and waiting for its answer, in `rax`.
const CALL: u64 = -1i64 as u64;
/// The kernel's word for an answer: label 0, four words.
const ANSWER: u64 = 4;

/// Whether a task that stands at [`SYSENTER`] with these registers has its answer already, and only
/// has not run since: its message must not be sent again, for the answer has taken its place.
pub fn has_answer(regs: &Regs) -> bool {
    regs.rax == CALL && regs.rsi == ANSWER
}

/// The registers of a task whose message has this error for an answer.
pub fn fail(regs: &mut Regs, why: Errno) {
    regs.rsi = ANSWER;
    (regs.r10, regs.r8, regs.r9, regs.r15) = (why.as_result() as u64, 0, 0, 0);
}

const KIND_BITS: u32 = 8;
const NUMBER_BITS: u32 = 12;
/// The highest number of a message; a program's first one is 1, and the one after it is 1 again.
pub const MAX_NUMBER: u16 = 0x800;

/// The label of a message.
pub const fn label(kind: u64, number: u16) -> u64 {
    kind | (number as u64) << KIND_BITS
}

/// The kind and the number of a label.
pub const fn kind_and_number(label: u64) -> (u64, u16) {
    (
        label & ((1 << KIND_BITS) - 1),
        (label >> KIND_BITS) as u16 & ((1 << NUMBER_BITS) - 1),
    )
}

/// What a server has answered a task lately. More than one, because a task whose answer was lost
/// when it was stopped may run a signal handler that says something else before it asks again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    numbers: [u16; Said::KEPT],
    answers: [[u64; 4]; Said::KEPT],
    at: usize,
}

impl Said {
    /// How many answers are kept.
    pub const KEPT: usize = 4;

    /// The answer to a message that has been answered before. Number 0 is none.
    #[inline]
    pub fn find(&self, number: u16) -> Option<[u64; 4]> {
        let known = |kept: &u16| *kept == number && number != 0;
        let at = self.numbers.iter().position(known)?;
        Some(self.answers[at])
    }

    /// Keeps an answer.
    #[inline]
    pub fn keep(&mut self, number: u16, answer: [u64; 4]) {
        self.at = (self.at + 1) % Said::KEPT;
        self.numbers[self.at] = number;
        self.answers[self.at] = answer;
    }
}

/// For a search of all states: what a task without signal handlers can ask for again, which is the
/// latest answer.
impl Hash for Said {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.numbers[self.at], self.answers[self.at]).hash(hasher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_kind_and_a_number_in_20_bits() {
        assert_eq!(kind_and_number(label(WAIT, MAX_NUMBER)), (WAIT, MAX_NUMBER));
        assert!(label(0xff, MAX_NUMBER) < 1 << 20);
    }

    #[test]
    fn the_latest_answers_are_kept_and_number_0_never_is() {
        let mut said = Said::default();
        assert_eq!(said.find(0), None);
        for number in 1..=6 {
            said.keep(number, [number.into(), 0, 0, 0]);
        }
        assert_eq!(said.find(2), None);
        assert_eq!(said.find(3), Some([3, 0, 0, 0]));
        assert_eq!(said.find(6), Some([6, 0, 0, 0]));
    }
}
