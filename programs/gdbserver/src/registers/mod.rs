//! The registers as gdb numbers them (gdb manual, "Standard Target Features": i386), and where the
//! kernel keeps each.

mod description;
mod float;
mod table;

pub use description::target_description;
pub use table::{ALL, Place, Register, number};

use libtrace::ptrace::FpRegs;

/// The general registers as words, in the order of Linux's `user_regs_struct`.
pub type UserWords = [u64; 27];

impl Register {
    /// Appends the register's bytes, least significant first.
    ///
    /// The two sources are asked for what they have only if this register is theirs.
    pub fn read(&self, user: &UserWords, float: &FpRegs, to: &mut Vec<u8>) {
        match self.place {
            Place::User(word) => {
                to.extend_from_slice(&user[word].to_le_bytes()[..self.size]);
            }
            Place::Float(offset, length) => {
                to.extend_from_slice(&float[offset..offset + length]);
                to.extend(std::iter::repeat_n(0, self.size - length));
            }
            Place::Tags => to.extend(u32::from(float::tags(float)).to_le_bytes()),
        }
    }

    /// Sets the register from exactly its bytes.
    pub fn write(&self, bytes: &[u8], user: &mut UserWords, float: &mut FpRegs) {
        match self.place {
            Place::User(word) => {
                let mut whole = [0; 8];
                whole[..self.size].copy_from_slice(bytes);
                user[word] = u64::from_le_bytes(whole);
            }
            Place::Float(offset, length) => {
                float[offset..offset + length].copy_from_slice(&bytes[..length]);
            }
            Place::Tags => float::set_tags(float, u16::from_le_bytes([bytes[0], bytes[1]])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gdbstub_arch::x86::reg::X86_64CoreRegs;

    fn sample() -> (UserWords, FpRegs) {
        let user = std::array::from_fn(|i| 0x0101_0101_0101_0101 * (i as u64 + 1));
        let mut float: FpRegs = std::array::from_fn(|i| (i * 7) as u8);
        // Opcode and segments have fewer bits than their places.
        (float[4], float[7]) = (0x5a, 1);
        float[14..16].fill(0);
        float[22..24].fill(0);
        (user, float)
    }

    fn read_all(user: &UserWords, float: &FpRegs) -> Vec<u8> {
        let mut bytes = Vec::new();
        for register in ALL {
            register.read(user, float, &mut bytes);
        }
        bytes
    }

    #[test]
    fn what_is_read_can_be_written() {
        let (user, float) = sample();
        let bytes = read_all(&user, &float);
        let (mut user_2, mut float_2) = ([0; 27], [0; 512]);
        let mut rest = bytes.as_slice();
        for register in ALL {
            let (own, others) = rest.split_at(register.size);
            register.write(own, &mut user_2, &mut float_2);
            rest = others;
        }
        assert_eq!(read_all(&user_2, &float_2), bytes);
    }

    /// The layout of the core registers, as another implementation has it.
    #[test]
    fn the_core_registers_are_laid_out_as_gdbstub_has_them() {
        use gdbstub_arch::x86::reg::{X86SegmentRegs, X87FpuInternalRegs};
        let (user, float) = sample();
        let word = |name: &str| match ALL[number(name).unwrap()].place {
            Place::User(at) => user[at],
            _ => unreachable!("it is a general register"),
        };
        let float_word = |at: usize| u32::from_le_bytes(float[at..at + 4].try_into().unwrap());
        let half = |at: usize| u32::from(u16::from_le_bytes([float[at], float[at + 1]]));
        let names = [
            "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11",
            "r12", "r13", "r14", "r15",
        ];
        let theirs = X86_64CoreRegs {
            regs: names.map(word),
            eflags: word("eflags") as u32,
            rip: word("rip"),
            segments: X86SegmentRegs {
                cs: word("cs") as u32,
                ss: word("ss") as u32,
                ds: word("ds") as u32,
                es: word("es") as u32,
                fs: word("fs") as u32,
                gs: word("gs") as u32,
            },
            st: std::array::from_fn(|i| float[32 + 16 * i..42 + 16 * i].try_into().unwrap()),
            fpu: X87FpuInternalRegs {
                fctrl: half(0),
                fstat: half(2),
                ftag: u32::from(float::tags(&float)),
                fop: half(6),
                fioff: float_word(8),
                fiseg: half(12),
                fooff: float_word(16),
                foseg: half(20),
            },
            xmm: std::array::from_fn(|i| {
                u128::from_le_bytes(float[160 + 16 * i..176 + 16 * i].try_into().unwrap())
            }),
            mxcsr: float_word(24),
        };
        let mut bytes = Vec::new();
        gdbstub_arch_bytes(&theirs, |byte| bytes.push(byte));
        assert_eq!(read_all(&user, &float)[..bytes.len()], bytes);
    }

    fn gdbstub_arch_bytes(registers: &X86_64CoreRegs, mut put: impl FnMut(u8)) {
        use gdbstub::arch::Registers;
        registers.gdb_serialize(|byte| put(byte.expect("every register is there")));
    }
}
