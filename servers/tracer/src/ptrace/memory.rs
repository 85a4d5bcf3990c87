//! PTRACE_PEEKTEXT, PEEKDATA, POKETEXT, POKEDATA: one word of the tracee's memory.

use super::{Done, OK, Request, Target};
use crate::{Host, Tracer, host};
use abi::Errno;

impl Tracer {
    /// EIO when the word cannot all be read.
    pub(super) fn peek(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        let mut word = [0; 8];
        host::read(host, target.task, request.addr, &mut word).map_err(io)?;
        Ok(Done::Word(u64::from_le_bytes(word)))
    }

    /// Goes through read-only private pages. EIO when not all was written; what could be, was.
    pub(super) fn poke(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        let word = request.data.to_le_bytes();
        host::write(host, target.task, request.addr, &word, true).map_err(io)?;
        Ok(OK)
    }
}

/// Memory that is not there is EIO; a task that is not there stays ESRCH.
fn io(e: Errno) -> Errno {
    if e == Errno::ESRCH { e } else { Errno::EIO }
}
