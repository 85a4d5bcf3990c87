//! A processor: runs x86-64 code out of a thread's address space.
//!
//! It knows the instructions that test programs are made of. One it does not know is an invalid
//! opcode, so a program cannot run on with a wrong result.

use super::alu::{self, ARITHMETIC, CF, DF, OF, PF, SF, ZF};
use super::frames::Frames;
use super::machine::SERVER_CAPS;
use super::memory::{Fault, Spaces};
use super::operand::get_reg;
use super::threads::{Activity, Pending, Server, Thread};
use abi::Regs;
use abi::regs::{RF, TF, USER_FLAGS};
use core::cell::Cell;
use iced_x86::{ConditionCode, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};
use procmgr::Trap;
use procmgr::machine::{BreakOn, Breakpoint};

/// Bits of a message's tag above which its label is.
const LABEL_SHIFT: u32 = 12;
/// The first of the software interrupts by which a test program speaks to the test.
const HOOKS: u64 = 0x90;

/// What a program asks of the test it is part of: the number of its software interrupt, less the
/// first one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook(pub u8);

/// A thread on the processor.
pub struct Core<'a> {
    /// It.
    pub thread: &'a mut Thread,
    /// What it can reach.
    pub spaces: &'a Spaces,
    /// The memory itself.
    pub frames: &'a mut Frames,
    /// The breakpoints that this instruction's accesses have hit, as DR6 tells them.
    pub hits: Cell<u64>,
}

/// The bit of DR6 for a step.
const STEPPED: u64 = 0x4000;

/// Why an instruction did not simply run.
enum Halt {
    Trap(Trap),
    Call {
        server: Server,
        label: u64,
        words: [u64; 4],
    },
    Hook(Hook),
}

impl From<Fault> for Halt {
    fn from(f: Fault) -> Halt {
        Halt::Trap(Trap::PageFault {
            addr: f.addr,
            access: f.access,
            present: f.present,
        })
    }
}

const INVALID: Halt = Halt::Trap(Trap::Exception { vector: 6, code: 0 });

/// Runs at most `budget` instructions; how many, and how the thread stands then.
pub fn run(
    thread: &mut Thread,
    spaces: &Spaces,
    frames: &mut Frames,
    budget: u32,
    hook: &mut dyn FnMut(Hook, &mut Regs),
) -> (u32, Pending) {
    let mut core = Core {
        thread,
        spaces,
        frames,
        hits: Cell::new(0),
    };
    for done in 0..budget {
        let status = core.execution_hits();
        if status != 0 {
            core.thread.regs.rflags |= RF;
            let trap = Trap::Breakpoint { status };
            return (done, Pending::Trapped(trap, Activity::Program));
        }
        core.hits.set(0);
        let stepped = core.thread.regs.rflags & TF != 0;
        match core.step() {
            Ok(()) => {}
            Err(Halt::Hook(which)) => hook(which, &mut core.thread.regs),
            Err(Halt::Call {
                server,
                label,
                words,
            }) => {
                core.thread.speak();
                return (
                    done + 1,
                    Pending::Calling {
                        server,
                        label,
                        words,
                        taken: false,
                    },
                );
            }
            Err(Halt::Trap(trap)) => {
                return (done, Pending::Trapped(trap, Activity::Program));
            }
        }
        core.thread.regs.rflags &= !RF;
        let status = core.hits.get() | if stepped { STEPPED } else { 0 };
        let trap = match status {
            0 => continue,
            STEPPED => Trap::Step,
            _ => Trap::Breakpoint { status },
        };
        return (done + 1, Pending::Trapped(trap, Activity::Program));
    }
    (budget, Pending::Running(Activity::Program))
}

impl Core<'_> {
    /// The breakpoints for execution at the instruction, unless RF lets it pass.
    fn execution_hits(&self) -> u64 {
        if self.thread.regs.rflags & RF != 0 {
            return 0;
        }
        let at = Some(Breakpoint {
            addr: self.thread.regs.rip,
            on: BreakOn::Execute,
        });
        let all = self.thread.breakpoints.iter().enumerate();
        all.filter(|(_, breakpoint)| **breakpoint == at)
            .map(|(n, _)| 1 << n)
            .sum()
    }

    /// Notes which breakpoints an access hits.
    pub fn watch(&self, addr: u64, size: usize, write: bool) {
        for (n, breakpoint) in self.thread.breakpoints.iter().enumerate() {
            let Some(breakpoint) = breakpoint else {
                continue;
            };
            let watched: u64 = match breakpoint.on {
                BreakOn::Write(size) if write => size.into(),
                BreakOn::Access(size) => size.into(),
                _ => 0,
            };
            let before = addr.wrapping_add(size as u64) <= breakpoint.addr;
            if !before && addr < breakpoint.addr + watched {
                self.hits.set(self.hits.get() | 1 << n);
            }
        }
    }

    fn decode(&self) -> Result<Instruction, Halt> {
        let rip = self.thread.regs.rip;
        let mut bytes = [0; 15];
        let (n, end) = self
            .spaces
            .fetch(self.frames, self.thread.space, rip, &mut bytes);
        if n == 0 {
            end?;
        }
        let mut decoder = Decoder::with_ip(64, &bytes[..n], rip, DecoderOptions::NONE);
        let i = decoder.decode();
        if i.is_invalid() {
            // The rest of it may be on the page that could not be fetched.
            end?;
            return Err(INVALID);
        }
        Ok(i)
    }

    /// Runs one instruction. One that halts has changed nothing, but for a part of a string.
    fn step(&mut self) -> Result<(), Halt> {
        let i = self.decode()?;
        let next = i.next_ip();
        let mut rip = next;
        match i.mnemonic() {
            Mnemonic::Nop | Mnemonic::Pause | Mnemonic::Endbr64 => {}
            Mnemonic::Mov | Mnemonic::Movzx => {
                let value = self.get(&i, 1)?;
                self.put(&i, 0, value)?;
            }
            Mnemonic::Movsxd => {
                let value = self.get(&i, 1)? as i32;
                self.put(&i, 0, value as u64)?;
            }
            Mnemonic::Lea => {
                let address = self.address(&i);
                self.put(&i, 0, address)?;
            }
            Mnemonic::Add => self.binary(&i, alu::add, true)?,
            Mnemonic::Sub => self.binary(&i, alu::sub, true)?,
            Mnemonic::Cmp => self.binary(&i, alu::sub, false)?,
            Mnemonic::And => self.binary(&i, |a, b, size| alu::logic(a & b, size), true)?,
            Mnemonic::Or => self.binary(&i, |a, b, size| alu::logic(a | b, size), true)?,
            Mnemonic::Xor => self.binary(&i, |a, b, size| alu::logic(a ^ b, size), true)?,
            Mnemonic::Test => self.binary(&i, |a, b, size| alu::logic(a & b, size), false)?,
            Mnemonic::Cmpxchg => self.compare_and_exchange(&i)?,
            Mnemonic::Inc => self.count(&i, alu::add)?,
            Mnemonic::Dec => self.count(&i, alu::sub)?,
            Mnemonic::Shl => self.shift(&i, |v, by| v << by)?,
            Mnemonic::Shr => self.shift(&i, |v, by| v >> by)?,
            Mnemonic::Div => self.divide(&i)?,
            Mnemonic::Jmp => rip = self.get(&i, 0)?,
            Mnemonic::Call => {
                rip = self.get(&i, 0)?;
                self.push(next)?;
            }
            Mnemonic::Ret => rip = self.pop()?,
            Mnemonic::Push => {
                let value = self.get(&i, 0)?;
                self.push(value)?;
            }
            Mnemonic::Pop => {
                let value = self.pop()?;
                if let Err(fault) = self.put(&i, 0, value) {
                    self.thread.regs.rsp = self.thread.regs.rsp.wrapping_sub(8);
                    return Err(fault.into());
                }
            }
            Mnemonic::Pushfq => self.push(self.thread.regs.rflags & !RF)?,
            Mnemonic::Popfq => {
                let flags = self.pop()?;
                self.set_flags(USER_FLAGS, flags);
            }
            Mnemonic::Movsb => {
                if self.move_byte(&i)? {
                    rip = i.ip();
                }
            }
            Mnemonic::Movq => self.move_quad(&i)?,
            Mnemonic::Cld => self.thread.regs.rflags &= !DF,
            Mnemonic::Int3 => return Err(Halt::Trap(Trap::Int3)),
            Mnemonic::Int if (HOOKS..HOOKS + 16).contains(&i.immediate(0)) => {
                self.thread.regs.rip = next;
                return Err(Halt::Hook(Hook((i.immediate(0) - HOOKS) as u8)));
            }
            Mnemonic::Sysenter => return Err(self.message()),
            Mnemonic::Syscall | Mnemonic::Ud2 => return Err(INVALID),
            _ if i.is_jcc_short_or_near() => {
                if self.holds(i.condition_code()) {
                    rip = self.get(&i, 0)?;
                }
            }
            _ => return Err(INVALID),
        }
        self.thread.regs.rip = rip;
        Ok(())
    }

    fn message(&self) -> Halt {
        let r = &self.thread.regs;
        let server = match r.rdi.wrapping_sub(SERVER_CAPS) {
            0 => Server::Procmgr,
            1 => Server::Tracer,
            _ => return Halt::Trap(Trap::BadCall),
        };
        Halt::Call {
            server,
            label: r.rsi >> LABEL_SHIFT,
            words: [r.r10, r.r8, r.r9, r.r15],
        }
    }

    fn binary(
        &mut self,
        i: &Instruction,
        op: fn(u64, u64, usize) -> (u64, u64),
        keep: bool,
    ) -> Result<(), Halt> {
        let (a, b) = (self.get(i, 0)?, self.get(i, 1)?);
        let (result, flags) = op(a, b, self.size(i, 0));
        if keep {
            self.put(i, 0, result)?;
        }
        self.set_flags(ARITHMETIC, flags);
        Ok(())
    }

    /// Of 64 bits.
    fn compare_and_exchange(&mut self, i: &Instruction) -> Result<(), Halt> {
        let (found, new) = (self.get(i, 0)?, self.get(i, 1)?);
        let (difference, flags) = alu::sub(self.thread.regs.rax, found, self.size(i, 0));
        if difference == 0 {
            self.put(i, 0, new)?;
        } else {
            self.thread.regs.rax = found;
        }
        self.set_flags(ARITHMETIC, flags);
        Ok(())
    }

    fn count(
        &mut self,
        i: &Instruction,
        op: fn(u64, u64, usize) -> (u64, u64),
    ) -> Result<(), Halt> {
        let (result, flags) = op(self.get(i, 0)?, 1, self.size(i, 0));
        self.put(i, 0, result)?;
        self.set_flags(ARITHMETIC & !CF, flags);
        Ok(())
    }

    fn shift(&mut self, i: &Instruction, op: fn(u64, u32) -> u64) -> Result<(), Halt> {
        let by = self.get(i, 1)? as u32 & 63;
        let size = self.size(i, 0);
        let (result, flags) = alu::logic(op(self.get(i, 0)?, by), size);
        self.put(i, 0, result)?;
        self.set_flags(ARITHMETIC, flags);
        Ok(())
    }

    fn divide(&mut self, i: &Instruction) -> Result<(), Halt> {
        let divisor = self.get(i, 0)?;
        let r = &mut self.thread.regs;
        if divisor == 0 || r.rdx >= divisor {
            return Err(Halt::Trap(Trap::Exception { vector: 0, code: 0 }));
        }
        let dividend = u128::from(r.rdx) << 64 | u128::from(r.rax);
        r.rax = (dividend / u128::from(divisor)) as u64;
        r.rdx = (dividend % u128::from(divisor)) as u64;
        Ok(())
    }

    fn set_flags(&mut self, which: u64, flags: u64) {
        let old = &mut self.thread.regs.rflags;
        *old = *old & !which | flags & which;
    }

    fn push(&mut self, value: u64) -> Result<(), Fault> {
        let rsp = self.thread.regs.rsp.wrapping_sub(8);
        self.store(rsp, 8, value)?;
        self.thread.regs.rsp = rsp;
        Ok(())
    }

    fn pop(&mut self) -> Result<u64, Fault> {
        let rsp = self.thread.regs.rsp;
        let value = self.load(rsp, 8)?;
        self.thread.regs.rsp = rsp.wrapping_add(8);
        Ok(value)
    }

    /// One byte of a string; whether the instruction goes on with another.
    fn move_byte(&mut self, i: &Instruction) -> Result<bool, Fault> {
        let r = &self.thread.regs;
        let (rsi, rdi, rcx) = (r.rsi, r.rdi, r.rcx);
        let repeats = i.has_rep_prefix();
        if repeats && rcx == 0 {
            return Ok(false);
        }
        let by = if r.rflags & DF == 0 { 1 } else { u64::MAX };
        let byte = self.load(rsi, 1)?;
        self.store(rdi, 1, byte)?;
        let r = &mut self.thread.regs;
        (r.rsi, r.rdi) = (rsi.wrapping_add(by), rdi.wrapping_add(by));
        if repeats {
            r.rcx -= 1;
        }
        Ok(repeats && r.rcx != 0)
    }

    /// `movq` between an XMM register and a general one or memory.
    fn move_quad(&mut self, i: &Instruction) -> Result<(), Halt> {
        let xmm = |register: Register| 160 + 16 * (register as usize - Register::XMM0 as usize);
        let is_xmm = |op: u32| i.op_kind(op) == OpKind::Register && i.op_register(op).is_xmm();
        let value = match is_xmm(1) {
            true => {
                let at = xmm(i.op_register(1));
                u64::from_le_bytes(self.thread.fpu[at..at + 8].try_into().expect("eight bytes"))
            }
            false => self.get(i, 1)?,
        };
        if is_xmm(0) {
            let at = xmm(i.op_register(0));
            self.thread.fpu[at..at + 16].fill(0);
            self.thread.fpu[at..at + 8].copy_from_slice(&value.to_le_bytes());
            return Ok(());
        }
        Ok(self.put(i, 0, value)?)
    }

    fn holds(&self, code: ConditionCode) -> bool {
        let flag = |which: u64| self.thread.regs.rflags & which != 0;
        match code {
            ConditionCode::e => flag(ZF),
            ConditionCode::ne => !flag(ZF),
            ConditionCode::b => flag(CF),
            ConditionCode::ae => !flag(CF),
            ConditionCode::be => flag(CF) || flag(ZF),
            ConditionCode::a => !flag(CF) && !flag(ZF),
            ConditionCode::s => flag(SF),
            ConditionCode::ns => !flag(SF),
            ConditionCode::l => flag(SF) != flag(OF),
            ConditionCode::ge => flag(SF) == flag(OF),
            ConditionCode::le => flag(ZF) || flag(SF) != flag(OF),
            ConditionCode::g => !flag(ZF) && flag(SF) == flag(OF),
            ConditionCode::o => flag(OF),
            ConditionCode::no => !flag(OF),
            ConditionCode::p => flag(PF),
            ConditionCode::np => !flag(PF),
            other => panic!("condition {other:?} is not modelled"),
        }
    }
}

/// A general register's value.
pub fn register(regs: &Regs, which: Register) -> u64 {
    get_reg(regs, which)
}
