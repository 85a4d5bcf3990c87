//! Operands of instructions: registers, memory, immediates.

use super::alu::mask;
use super::cpu::Core;
use super::memory::Fault;
use abi::Regs;
use iced_x86::{Instruction, OpKind, Register};

impl Core<'_> {
    /// An operand's value, zero-extended.
    pub fn get(&self, i: &Instruction, op: u32) -> Result<u64, Fault> {
        match i.op_kind(op) {
            OpKind::Register => Ok(get_reg(&self.thread.regs, i.op_register(op))),
            OpKind::Memory => self.load(self.address(i), i.memory_size().size()),
            OpKind::NearBranch64 => Ok(i.near_branch64()),
            _ => Ok(i.immediate(op)),
        }
    }

    /// Stores into an operand.
    pub fn put(&mut self, i: &Instruction, op: u32, value: u64) -> Result<(), Fault> {
        match i.op_kind(op) {
            OpKind::Register => {
                put_reg(&mut self.thread.regs, i.op_register(op), value);
                Ok(())
            }
            OpKind::Memory => self.store(self.address(i), i.memory_size().size(), value),
            other => panic!("{other:?} is written"),
        }
    }

    /// An operand's size in bytes.
    pub fn size(&self, i: &Instruction, op: u32) -> usize {
        match i.op_kind(op) {
            OpKind::Register => i.op_register(op).size(),
            OpKind::Memory => i.memory_size().size(),
            _ => 8,
        }
    }

    /// The address of a memory operand.
    pub fn address(&self, i: &Instruction) -> u64 {
        let part = |register: Register| match register {
            Register::None => 0,
            Register::RIP => 0,
            other => get_reg(&self.thread.regs, other),
        };
        let base = match i.memory_base() {
            Register::RIP => return i.memory_displacement64(),
            other => part(other),
        };
        let index = part(i.memory_index()).wrapping_mul(i.memory_index_scale().into());
        let segment = match i.memory_segment() {
            Register::FS => self.thread.regs.fs_base,
            _ => 0,
        };
        base.wrapping_add(index)
            .wrapping_add(i.memory_displacement64())
            .wrapping_add(segment)
    }

    /// Reads memory.
    pub fn load(&self, addr: u64, size: usize) -> Result<u64, Fault> {
        let mut bytes = [0; 8];
        let space = self.thread.space;
        self.spaces
            .read(self.frames, space, addr, &mut bytes[..size])?;
        self.watch(addr, size, false);
        Ok(u64::from_le_bytes(bytes))
    }

    /// Writes memory.
    pub fn store(&mut self, addr: u64, size: usize, value: u64) -> Result<(), Fault> {
        let bytes = value.to_le_bytes();
        self.spaces
            .write(self.frames, self.thread.space, addr, &bytes[..size])?;
        self.watch(addr, size, true);
        Ok(())
    }
}

/// A register's value, zero-extended.
pub fn get_reg(regs: &Regs, register: Register) -> u64 {
    assert!(!is_high_byte(register), "{register:?} is not modelled");
    *slot(&mut regs.clone(), register) & mask(register.size())
}

/// Writes a register: 32 bits clear the upper half, fewer leave it.
pub fn put_reg(regs: &mut Regs, register: Register, value: u64) {
    assert!(!is_high_byte(register), "{register:?} is not modelled");
    let size = register.size();
    let slot = slot(regs, register);
    *slot = match size {
        4 | 8 => value & mask(size),
        _ => *slot & !mask(size) | value & mask(size),
    };
}

fn is_high_byte(register: Register) -> bool {
    matches!(
        register,
        Register::AH | Register::BH | Register::CH | Register::DH
    )
}

fn slot(regs: &mut Regs, register: Register) -> &mut u64 {
    match register.full_register() {
        Register::RAX => &mut regs.rax,
        Register::RBX => &mut regs.rbx,
        Register::RCX => &mut regs.rcx,
        Register::RDX => &mut regs.rdx,
        Register::RSI => &mut regs.rsi,
        Register::RDI => &mut regs.rdi,
        Register::RBP => &mut regs.rbp,
        Register::RSP => &mut regs.rsp,
        Register::R8 => &mut regs.r8,
        Register::R9 => &mut regs.r9,
        Register::R10 => &mut regs.r10,
        Register::R11 => &mut regs.r11,
        Register::R12 => &mut regs.r12,
        Register::R13 => &mut regs.r13,
        Register::R14 => &mut regs.r14,
        Register::R15 => &mut regs.r15,
        other => panic!("register {other:?} is not modelled"),
    }
}
