//! What the notes of a core file say: Linux's `struct elf_prstatus`, `struct elf_prpsinfo`,
//! siginfo and auxiliary vector (its include/linux/elfcore.h; elf(5), "Notes").

use crate::Procmgr;
use crate::machine::Machine;
use crate::process::ProcessIx;
use crate::signal::frame::FPU_SIZE;
use abi::regs::USER_REGS_WORDS;
use abi::{SigInfo, TaskId, UserRegs};
use alloc::vec::Vec;

/// The size of `struct elf_prstatus`.
pub const PRSTATUS_SIZE: usize = 336;
/// Where its registers are, and what says whether there is an NT_PRFPREG beside it.
const REGISTERS_AT: usize = 112;
const FPVALID_AT: usize = REGISTERS_AT + USER_REGS_WORDS * 8;
/// The size of `struct elf_prpsinfo`.
pub const PRPSINFO_SIZE: usize = 136;
/// Where its name and its arguments are.
const NAME_AT: usize = 40;
const ARGUMENTS_AT: usize = 56;
/// An auxiliary vector is not longer than this.
const MAX_AUXV: u64 = 1024;
/// The flags of a process that dies of a signal: PF_RANDOMIZE, PF_SIGNALED, PF_DUMPCORE.
const FLAGS: u64 = 0x0040_0000 | 0x400 | 0x200;

/// The FPU state of a program that has none of its own.
fn initial_fpu() -> [u8; FPU_SIZE as usize] {
    let mut image = [0; FPU_SIZE as usize];
    image[..2].copy_from_slice(&0x37f_u16.to_le_bytes());
    image[24..28].copy_from_slice(&0x1f80_u32.to_le_bytes());
    image
}

/// A structure being filled.
struct Bytes<'a>(&'a mut [u8]);

impl Bytes<'_> {
    fn int(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn word(&mut self, at: usize, value: u64) {
        self.0[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }

    /// `struct timeval` of nanoseconds.
    fn time(&mut self, at: usize, ns: u64) {
        self.word(at, ns / 1_000_000_000);
        self.word(at + 8, ns % 1_000_000_000 / 1000);
    }
}

impl Procmgr {
    /// NT_PRSTATUS and NT_PRFPREG of a task that stands still.
    pub(super) fn thread_notes(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        info: &SigInfo,
    ) -> ([u8; PRSTATUS_SIZE], [u8; FPU_SIZE as usize]) {
        self.read_registers(m, id);
        let fpu = self.fpu_state(m, id);
        let ix = self.process_of(id);
        let leads = self.process(ix).leader == id;
        let used = if leads {
            self.process_usage(m, ix)
        } else {
            self.task_usage(m, id)
        };
        let (task, process) = (self.task(id), self.process(ix));
        let mut bytes = [0; PRSTATUS_SIZE];
        let mut out = Bytes(&mut bytes);
        // Linux shows the number alone here; the rest is in NT_SIGINFO.
        out.int(0, info.signo as u32);
        out.int(12, info.signo as u32 & 0xffff);
        out.word(16, task.pending.set().0);
        out.word(24, task.mask.0);
        for (at, number) in
            (32..)
                .step_by(4)
                .zip([task.tid, self.parent_pid(ix), process.pgid, process.sid])
        {
            out.int(at, number);
        }
        let children = process.usage_children;
        for (at, ns) in
            (48..)
                .step_by(16)
                .zip([used.user, used.system, children.user, children.system])
        {
            out.time(at, ns);
        }
        let registers = UserRegs {
            gs_base: task.gs_base,
            ..UserRegs::of(task.registers.get(), task.registers.call())
        };
        for (at, word) in (REGISTERS_AT..).step_by(8).zip(registers.to_words()) {
            out.word(at, word);
        }
        out.int(FPVALID_AT, fpu.is_ok().into());
        (bytes, fpu.unwrap_or_else(|_| initial_fpu()))
    }

    /// NT_PRPSINFO: of the leader.
    pub(super) fn process_note(
        &mut self,
        m: &mut impl Machine,
        ix: ProcessIx,
    ) -> [u8; PRPSINFO_SIZE] {
        let process = self.process(ix);
        let (leader, dumper) = (process.leader, process.dump.as_deref().map(|d| d.dumper));
        let ids = self.credentials(leader);
        let (start, end) = process.layout.arguments;
        let mut bytes = [0; PRPSINFO_SIZE];
        // The dumper runs, as far as Linux is concerned; the others sleep.
        let (state, letter) = match self.task(leader).space {
            None => (4, b'Z'),
            Some(_) if dumper == Some(leader) => (0, b'R'),
            Some(_) => (2, b'D'),
        };
        bytes[..3].copy_from_slice(&[state, letter, u8::from(letter == b'Z')]);
        let mut out = Bytes(&mut bytes);
        out.word(8, FLAGS);
        for (at, number) in (16..).step_by(4).zip([
            ids.uid[0],
            ids.gid[0],
            process.pid,
            self.parent_pid(ix),
            process.pgid,
            process.sid,
        ]) {
            out.int(at, number);
        }
        bytes[NAME_AT..ARGUMENTS_AT].copy_from_slice(&self.task(leader).comm);
        let arguments = &mut bytes[ARGUMENTS_AT..PRPSINFO_SIZE - 1];
        let len = arguments.len().min(end.saturating_sub(start) as usize);
        let space = dumper.and_then(|d| self.task(d).space);
        if let Some(space) = space {
            self.memory.peek(m, space, start, &mut arguments[..len]);
        }
        for byte in &mut arguments[..len] {
            if *byte == 0 {
                *byte = b' ';
            }
        }
        bytes
    }

    /// NT_AUXV: as the program finds it, which is as it has left it.
    pub(super) fn auxiliary_note(&mut self, m: &mut impl Machine, dumper: TaskId) -> Vec<u8> {
        let (start, end) = self.process(self.process_of(dumper)).layout.auxiliary;
        let mut bytes = alloc::vec![0; end.saturating_sub(start).min(MAX_AUXV) as usize];
        if let Some(space) = self.task(dumper).space {
            let there = self.memory.peek(m, space, start, &mut bytes);
            bytes.truncate(there / 16 * 16);
        }
        bytes
    }
}
