//! PTRACE_PEEKTEXT, PEEKDATA, POKETEXT, POKEDATA: one word of the tracee's memory.

use super::{Done, OK, Request};
use crate::Procmgr;
use crate::machine::Machine;
use abi::Errno;

impl Procmgr {
    /// EIO when the word cannot all be read.
    pub(super) fn peek_data(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let space = self.task(r.target).space.ok_or(Errno::EIO)?;
        let mut word = [0; 8];
        if self.memory.peek(m, space, r.addr, &mut word) < word.len() {
            return Err(Errno::EIO);
        }
        Ok(Done::Word(u64::from_le_bytes(word)))
    }

    /// Goes through read-only private pages. EIO when not all was written; what could be, was.
    pub(super) fn poke_data(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let space = self.task(r.target).space.ok_or(Errno::EIO)?;
        let word = r.data.to_le_bytes();
        if self.memory.poke(m, space, r.addr, &word) < word.len() {
            return Err(Errno::EIO);
        }
        Ok(OK)
    }
}
