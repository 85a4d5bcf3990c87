//! Whose the trap flag is.
//!
//! A program that is stepped has the processor's trap flag, and must not see it in its registers. It
//! may also set the flag itself, by `popf` at any time, and then it is its own: it shows, it stays,
//! and every instruction traps. As on Linux the flag of an instruction that loads all flags is taken
//! for the program's own, even where a tracer steps it.

use crate::Procmgr;
use crate::machine::Machine;
use abi::TaskId;

/// `popf` and `iret`.
const LOADS_FLAGS: [u8; 2] = [0x9d, 0xcf];
/// The longest instruction.
const LONGEST: usize = 15;

impl Procmgr {
    /// Whether a task that is going to be stepped has the trap flag for this reason alone.
    pub(crate) fn steps_by_force(&mut self, m: &mut impl Machine, id: TaskId) -> bool {
        self.settle_doubt(m, id);
        let (ip, own) = self.task_mut(id).registers.next_step(m, id);
        !own && !self.loads_flags(m, id, ip)
    }

    /// Whether an instruction loads all flags.
    fn loads_flags(&mut self, m: &mut impl Machine, id: TaskId, ip: u64) -> bool {
        let Some(space) = self.task(id).space else {
            return false;
        };
        match self.memory.fetch2(m, space, ip) {
            Some([first, _]) if !is_prefix(first) => return LOADS_FLAGS.contains(&first),
            None => return false,
            _ => {}
        }
        let mut bytes = [0; LONGEST];
        let there = self.memory.read(m, space, ip, &mut bytes);
        let opcode = bytes[..there].iter().find(|byte| !is_prefix(**byte));
        opcode.is_some_and(|opcode| LOADS_FLAGS.contains(opcode))
    }
}

fn is_prefix(byte: u8) -> bool {
    matches!(byte, 0x26 | 0x2e | 0x36 | 0x3e | 0x40..=0x4f | 0x64..=0x67 | 0xf0 | 0xf2 | 0xf3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_no_opcodes() {
        assert!([0x48, 0x66, 0xf3].into_iter().all(is_prefix));
        assert!(![0x9d, 0xcf, 0x0f, 0x90].into_iter().any(is_prefix));
    }
}
