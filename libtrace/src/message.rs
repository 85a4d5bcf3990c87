//! Speaking to the tracer directly: one kernel message of four words each way, which saves the
//! process manager's fault handling of a system call.

use std::arch::asm;
use std::num::NonZeroU64;

use abi::client::{NR_TRACER_CAP, PTRACE};

/// This process's capability to the tracer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracer(NonZeroU64);

/// seL4's number of the system call that sends a message and waits for its answer.
const CALL: i64 = -1;
/// A message's shape: label above bit 12, number of words below bit 7.
const SHAPE: u64 = PTRACE << 12 | 4;

impl Tracer {
    /// Asks the machine for it; none on Linux, which does not know the call.
    pub fn find() -> Option<Tracer> {
        // SAFETY: the call takes no arguments and touches no memory; where it does not exist it
        // fails with ENOSYS.
        let cap = unsafe { libc::syscall(NR_TRACER_CAP.into()) };
        u64::try_from(cap)
            .ok()
            .and_then(NonZeroU64::new)
            .map(Tracer)
    }

    /// Sends a ptrace request. The first word of the answer is the result as a system call would
    /// leave it in `rax`, the second the word that a PEEK request read.
    ///
    /// # Safety
    /// `data` must suit the request as for ptrace(2): the tracer writes through it.
    pub unsafe fn ptrace(self, request: u64, pid: u64, addr: u64, data: u64) -> (i64, u64) {
        let (result, word): (i64, u64);
        // SAFETY: in the machine `sysenter` enters the kernel with the return address in rdx and
        // the stack pointer in rcx; it changes the registers named and nothing else of this
        // program. Memory behind `data` is the caller's promise.
        unsafe {
            asm!(
                "mov rcx, rsp",
                "lea rdx, [rip + 2f]",
                "2: sysenter",
                inlateout("rax") CALL => _,
                inlateout("rdi") self.0.get() => _,
                inlateout("rsi") SHAPE => _,
                inlateout("r10") request => result,
                inlateout("r8") pid => word,
                inlateout("r9") addr => _,
                inlateout("r15") data => _,
                lateout("rcx") _,
                lateout("rdx") _,
                lateout("r11") _,
            );
        }
        (result, word)
    }
}
