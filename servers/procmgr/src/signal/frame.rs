//! The stack frame of a signal handler: Linux's `struct rt_sigframe` on x86-64.

use super::action::Action;
use abi::regs::{RF, TF, USER_CS, USER_SS};
use abi::{Regs, SigInfo, SigSet};

/// SA_ONSTACK's alternative stack (`stack_t`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AltStack {
    /// Its lowest address.
    pub base: u64,
    /// Its size; 0 when there is none.
    pub size: u64,
    /// SS_AUTODISARM or 0.
    pub flags: u32,
}

/// `ss_flags`: running on it.
pub const SS_ONSTACK: u32 = 1;
/// `ss_flags`: there is none.
pub const SS_DISABLE: u32 = 2;
/// `ss_flags`: forget it while a handler runs on it.
pub const SS_AUTODISARM: u32 = 1 << 31;

impl AltStack {
    /// Whether a stack pointer is on it.
    pub fn holds(&self, rsp: u64) -> bool {
        self.flags & SS_AUTODISARM == 0 && rsp > self.base && rsp - self.base <= self.size
    }

    /// `ss_flags` as sigaltstack(2) and the frame show it.
    pub fn shown_flags(&self, rsp: u64) -> u32 {
        let state = match (self.size, self.holds(rsp)) {
            (0, _) => SS_DISABLE,
            (_, true) => SS_ONSTACK,
            _ => 0,
        };
        state | self.flags
    }
}

/// Bytes of the FXSAVE area.
pub const FPU_SIZE: u64 = 512;
/// Bytes below the stack pointer that belong to the interrupted function.
const RED_ZONE: u64 = 128;
/// uc_flags: the stack segment is saved and restored strictly.
const UC_FLAGS: u64 = 6;

/// Bytes from the return address up to the end of siginfo.
pub const FRAME_SIZE: usize = 8 + UCONTEXT_SIZE + abi::signal::SIGINFO_SIZE;
/// Bytes of `struct ucontext` as the kernel lays it out.
pub const UCONTEXT_SIZE: usize = 8 + 8 + 24 + SIGCONTEXT_SIZE + 8;
const SIGCONTEXT_SIZE: usize = 256;
const SIGCONTEXT_AT: usize = 40;
const SIGMASK_AT: usize = SIGCONTEXT_AT + SIGCONTEXT_SIZE;
const FPSTATE_AT: usize = SIGCONTEXT_AT + 184;

/// A frame about to be written.
pub struct Frame {
    /// Where it goes.
    pub addr: u64,
    /// Where the FPU state goes.
    pub fpu: u64,
    /// Its bytes.
    pub bytes: [u8; FRAME_SIZE],
    /// The registers the handler starts with.
    pub regs: Regs,
}

/// What a fault was, for the frame: trap number, error code, address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FaultDetail {
    /// The vector.
    pub vector: u64,
    /// The error code.
    pub error: u64,
    /// The address, for a page fault.
    pub addr: u64,
}

impl FaultDetail {
    /// An exception that has nothing but its vector.
    pub fn of(vector: u64) -> FaultDetail {
        FaultDetail {
            vector,
            ..FaultDetail::default()
        }
    }
}

/// Lays out the frame for a handler interrupting a task with `regs`.
pub fn build(
    regs: &Regs,
    action: &Action,
    info: &SigInfo,
    mask: SigSet,
    altstack: &AltStack,
    detail: FaultDetail,
) -> Frame {
    use abi::linux::general::SA_ONSTACK;
    let mut sp = regs.rsp.wrapping_sub(RED_ZONE);
    if action.flags & u64::from(SA_ONSTACK) != 0 && altstack.size != 0 && !altstack.holds(regs.rsp)
    {
        sp = altstack.base.wrapping_add(altstack.size);
    }
    let fpu = sp.wrapping_sub(FPU_SIZE) & !63;
    let addr = (fpu.wrapping_sub(FRAME_SIZE as u64) & !15).wrapping_sub(8);

    let mut bytes = [0; FRAME_SIZE];
    let mut out = Words {
        bytes: &mut bytes,
        at: 0,
    };
    out.put(action.restorer);
    out.put(UC_FLAGS);
    out.put(0);
    out.put(altstack.base);
    out.put(u64::from(altstack.shown_flags(regs.rsp)));
    out.put(altstack.size);
    for word in saved_words(regs) {
        out.put(word);
    }
    out.put(USER_CS | USER_SS << 48);
    out.put(detail.error);
    out.put(detail.vector);
    out.put(mask.0);
    out.put(detail.addr);
    out.put(fpu);
    out.at = 8 + SIGMASK_AT;
    out.put(mask.0);
    bytes[8 + UCONTEXT_SIZE..].copy_from_slice(&info.to_bytes());

    let handler = Regs {
        rip: action.handler,
        rsp: addr,
        rflags: regs.rflags & !(TF | RF | 0x400),
        rax: 0,
        rdi: info.signo as u64,
        rsi: addr.wrapping_add(8 + UCONTEXT_SIZE as u64),
        rdx: addr.wrapping_add(8),
        ..*regs
    };
    Frame {
        addr,
        fpu,
        bytes,
        regs: handler,
    }
}

/// What sigreturn takes from a frame.
pub struct Restored {
    /// The registers.
    pub regs: Regs,
    /// The signal mask.
    pub mask: SigSet,
    /// The alternative stack, unless it is nonsense.
    pub altstack: (u64, u32, u64),
    /// Where the FPU state is; 0 for the state a program starts with.
    pub fpu: u64,
}

/// Reads the `ucontext` that sigreturn finds at its stack pointer.
pub fn restore(uc: &[u8; UCONTEXT_SIZE], now: &Regs) -> Restored {
    let word = |at: usize| u64::from_le_bytes(uc[at..at + 8].try_into().expect("eight bytes"));
    let saved = |n: usize| word(SIGCONTEXT_AT + 8 * n);
    let keep = abi::regs::USER_FLAGS;
    let regs = Regs {
        r8: saved(0),
        r9: saved(1),
        r10: saved(2),
        r11: saved(3),
        r12: saved(4),
        r13: saved(5),
        r14: saved(6),
        r15: saved(7),
        rdi: saved(8),
        rsi: saved(9),
        rbp: saved(10),
        rbx: saved(11),
        rdx: saved(12),
        rax: saved(13),
        rcx: saved(14),
        rsp: saved(15),
        rip: saved(16),
        rflags: (now.rflags & !keep) | (saved(17) & keep),
        fs_base: now.fs_base,
    };
    Restored {
        regs,
        mask: SigSet(word(SIGMASK_AT)),
        altstack: (word(16), word(24) as u32, word(32)),
        fpu: word(FPSTATE_AT),
    }
}

fn saved_words(r: &Regs) -> [u64; 18] {
    [
        r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rdi, r.rsi, r.rbp, r.rbx, r.rdx,
        r.rax, r.rcx, r.rsp, r.rip, r.rflags,
    ]
}

struct Words<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Words<'_> {
    fn put(&mut self, word: u64) {
        self.bytes[self.at..self.at + 8].copy_from_slice(&word.to_le_bytes());
        self.at += 8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regs() -> Regs {
        Regs {
            rip: 0x40_1000,
            rsp: 0x7fff_0000_1238,
            rflags: 0x246,
            rax: 1,
            rbx: 2,
            rcx: 3,
            rdx: 4,
            rsi: 5,
            rdi: 6,
            rbp: 7,
            r8: 8,
            r9: 9,
            r10: 10,
            r11: 11,
            r12: 12,
            r13: 13,
            r14: 14,
            r15: 15,
            fs_base: 0x1000,
        }
    }

    #[test]
    fn a_frame_is_restored_to_what_was_interrupted() {
        let action = Action {
            handler: 0x5000,
            restorer: 0x6000,
            ..Action::default()
        };
        let info = SigInfo::from_process(10, 0, 1, 0);
        let alt = AltStack {
            base: 0x9000,
            size: 0x2000,
            flags: 0,
        };
        let frame = build(
            &regs(),
            &action,
            &info,
            SigSet(5),
            &alt,
            FaultDetail::default(),
        );
        assert_eq!(frame.addr % 16, 8, "as after a call");
        assert_eq!(frame.fpu % 64, 0);
        assert_eq!((frame.regs.rip, frame.regs.rdi), (0x5000, 10));
        assert!(frame.fpu + FPU_SIZE <= regs().rsp - RED_ZONE);
        let uc: &[u8; UCONTEXT_SIZE] = frame.bytes[8..8 + UCONTEXT_SIZE].try_into().unwrap();
        let back = restore(uc, &regs());
        assert_eq!(back.regs, regs());
        assert_eq!(
            (back.mask, back.fpu, back.altstack),
            (SigSet(5), frame.fpu, (0x9000, 0, 0x2000))
        );
    }

    #[test]
    fn sa_onstack_goes_to_the_alternative_stack_once() {
        let action = Action {
            handler: 1,
            flags: 0x0800_0000,
            ..Action::default()
        };
        let alt = AltStack {
            base: 0x10_0000,
            size: 0x4000,
            flags: 0,
        };
        let info = SigInfo::new(10, 0);
        let first = build(
            &regs(),
            &action,
            &info,
            SigSet(0),
            &alt,
            FaultDetail::default(),
        );
        assert!(alt.holds(first.regs.rsp));
        let nested = build(
            &first.regs,
            &action,
            &info,
            SigSet(0),
            &alt,
            FaultDetail::default(),
        );
        assert!(nested.addr < first.addr - RED_ZONE && alt.holds(nested.addr));
    }
}
