//! Threads (seL4 manual 6).

use super::{CNode, CPtr, Notification, Page, Pml4, capabilities};
use crate::invoke::{Result, invoke, label, tell};
use crate::ipc_buffer;
use crate::syscall::MessageInfo;
use abi::Regs;
use abi::regs::REGS_WORDS;

capabilities! {
    /// A thread.
    Tcb
}

/// What a hardware breakpoint watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakOn {
    /// The execution of an instruction.
    Execute,
    /// A write to this many bytes.
    Write(u8),
    /// Any access to this many bytes.
    Access(u8),
}

impl BreakOn {
    /// The arguments of `SetBreakpoint`: type (`seL4_BreakpointType`), size, access
    /// (`seL4_BreakpointAccess`).
    pub const fn arguments(self) -> [u64; 3] {
        match self {
            // The kernel wants size and access to be 0.
            BreakOn::Execute => [1, 0, 0],
            BreakOn::Write(size) => [0, size as u64, 1],
            BreakOn::Access(size) => [0, size as u64, 2],
        }
    }
}

/// The kernel's flag word of `WriteRegisters`: bit `WriteRegisters_resume` of its `src/object/tcb.c`.
const RESUME: u64 = 1;
/// The flags of a program that starts: interrupts on, and the bit that is always set.
const FLAGS: u64 = 0x202;

/// `ConfigureSingleStepping` also marks this breakpoint used or unused, for no reason. There are
/// four, so this number does no harm.
const NO_BREAKPOINT: u64 = 7;

impl Tcb {
    /// Gives a thread everything it needs. `fault_endpoint` is an address in its own CSpace,
    /// `cspace_data` a guard ([`super::guard`]) or 0.
    #[allow(clippy::too_many_arguments)]
    pub fn configure(
        self,
        fault_endpoint: u64,
        priority: u8,
        max_priority: u8,
        (cspace, cspace_data): (CNode, u64),
        space: Pml4,
        (buffer, buffer_frame): (u64, Page),
    ) -> Result {
        let args = [
            fault_endpoint,
            priority as u64 | (max_priority as u64) << 8,
            cspace_data,
            0,
            buffer,
        ];
        invoke(
            self.0,
            label::TCBConfigure,
            args,
            [cspace.0, space.0, buffer_frame.0],
        )
        .map(drop)
    }

    /// Gives a thread another priority, at most the caller's maximum.
    pub fn set_priority(self, priority: u8) -> Result {
        invoke(self.0, label::TCBSetPriority, [priority as u64], []).map(drop)
    }

    /// Gives a thread other spaces.
    pub fn set_space(
        self,
        fault_endpoint: u64,
        (cspace, data): (CNode, u64),
        space: Pml4,
    ) -> Result {
        invoke(
            self.0,
            label::TCBSetSpace,
            [fault_endpoint, data, 0],
            [cspace.0, space.0],
        )
        .map(drop)
    }

    /// Reads all registers. The thread may be running; they are those of a moment.
    #[inline]
    pub fn read_registers(self) -> Result<Regs> {
        let first = invoke(self.0, label::TCBReadRegisters, [0, REGS_WORDS as u64], [])?;
        let [rip, rsp, rflags, rax] = first;
        Ok(ipc_buffer::with(|buffer| {
            let w = &buffer.words;
            Regs {
                rip,
                rsp,
                rflags,
                rax,
                rbx: w[4],
                rcx: w[5],
                rdx: w[6],
                rsi: w[7],
                rdi: w[8],
                rbp: w[9],
                r8: w[10],
                r9: w[11],
                r10: w[12],
                r11: w[13],
                r12: w[14],
                r13: w[15],
                r14: w[16],
                r15: w[17],
                fs_base: w[18],
            }
        }))
    }

    /// Reads the first of them: the instruction pointer, and the flags.
    #[inline]
    pub fn read_ip_and_flags(self) -> Result<(u64, u64)> {
        let [rip, _, rflags, _] = invoke(self.0, label::TCBReadRegisters, [0, 3], [])?;
        Ok((rip, rflags))
    }

    /// Writes all registers, and with `resume` lets the thread run, whatever it waits for.
    /// Flags other than the arithmetic ones are lost.
    #[inline]
    pub fn write_registers(self, regs: &Regs, resume: bool) {
        self.write_first_registers(regs, REGS_WORDS, resume);
    }

    /// The same with the first `words` of them only; the others stay as they are.
    #[inline]
    pub fn write_first_registers(self, regs: &Regs, words: usize, resume: bool) {
        ipc_buffer::with(|buffer| {
            buffer.words[4..2 + REGS_WORDS].copy_from_slice(&[
                regs.rflags,
                regs.rax,
                regs.rbx,
                regs.rcx,
                regs.rdx,
                regs.rsi,
                regs.rdi,
                regs.rbp,
                regs.r8,
                regs.r9,
                regs.r10,
                regs.r11,
                regs.r12,
                regs.r13,
                regs.r14,
                regs.r15,
                regs.fs_base,
            ]);
        });
        let info = MessageInfo::new(label::TCBWriteRegisters, 0, 2 + words);
        let flags = if resume { RESUME } else { 0 };
        tell(self.0, info, [flags, words as u64, regs.rip, regs.rsp]);
    }

    /// Lets a thread that waits run on elsewhere, with a stack pointer, a result in `rax` and the
    /// flags of a program that starts.
    #[inline]
    pub fn land(self, rip: u64, rsp: u64, rax: u64) {
        ipc_buffer::with(|buffer| (buffer.words[4], buffer.words[5]) = (FLAGS, rax));
        let info = MessageInfo::new(label::TCBWriteRegisters, 0, 6);
        tell(self.0, info, [RESUME, 4, rip, rsp]);
    }

    /// Lets the thread run at `rip` with `rdi` set and the registers between them in the
    /// kernel's order lost.
    pub fn run_at(self, rip: u64, rdi: u64) {
        ipc_buffer::with(|buffer| buffer.words[4..11].copy_from_slice(&[2, 0, 0, 0, 0, 0, rdi]));
        let info = MessageInfo::new(label::TCBWriteRegisters, 0, 11);
        tell(self.0, info, [RESUME, 9, rip, 0]);
    }

    /// Stops the thread. What it waited for is cancelled.
    #[inline]
    pub fn suspend(self) {
        tell(self.0, MessageInfo::new(label::TCBSuspend, 0, 0), [0; 4]);
    }

    /// Lets a thread run on that was stopped or waits; what it was doing it does again.
    #[inline]
    pub fn resume(self) {
        tell(self.0, MessageInfo::new(label::TCBResume, 0, 0), [0; 4]);
    }

    /// Signals of this notification arrive with the thread's messages.
    pub fn bind_notification(self, notification: Notification) -> Result {
        invoke(self.0, label::TCBBindNotification, [], [notification.0]).map(drop)
    }

    /// A fault after every instruction, or none.
    pub fn single_step(self, on: bool) -> Result {
        let args = [NO_BREAKPOINT, on as u64];
        invoke(self.0, label::TCBConfigureSingleStepping, args, []).map(drop)
    }

    /// Sets hardware breakpoint `number`, 0 to 3.
    pub fn set_breakpoint(self, number: u8, addr: u64, on: BreakOn) -> Result {
        let [kind, size, access] = on.arguments();
        let args = [number as u64, addr, kind, size, access];
        invoke(self.0, label::TCBSetBreakpoint, args, []).map(drop)
    }

    /// Clears hardware breakpoint `number`.
    pub fn unset_breakpoint(self, number: u8) -> Result {
        invoke(self.0, label::TCBUnsetBreakpoint, [number as u64], []).map(drop)
    }
}
