//! PTRACE_PEEKUSER and POKEUSER: `struct user` by layout (A7).

use super::{Done, OK, Request};
use crate::Procmgr;
use crate::machine::Machine;
use abi::Errno;
use abi::user::Segment;

impl Procmgr {
    pub(super) fn peek_user(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let word = match Segment::at(r.addr)? {
            Segment::Register(at) => {
                let word = self.user_regs(m, r.target)?.to_words()[at];
                self.show_stop(m, r);
                word
            }
            Segment::Debug(n) => self.task(r.target).trace.debug.get(n),
            Segment::Gap => 0,
        };
        Ok(Done::Word(word))
    }

    pub(super) fn poke_user(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        match Segment::at(r.addr)? {
            Segment::Register(at) => self.write_user_regs(m, r.target, at, &[r.data])?,
            Segment::Debug(n) => self.set_debug_register(m, r.target, n, r.data)?,
            Segment::Gap => return Err(Errno::EIO),
        }
        Ok(OK)
    }
}
