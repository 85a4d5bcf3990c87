//! PTRACE_GET_RSEQ_CONFIGURATION.

use super::{Done, Request};
use crate::Procmgr;
use crate::machine::Machine;
use abi::Errno;

/// `struct ptrace_rseq_configuration` of a task that has registered nothing: there is no rseq(2).
const NOTHING: [u8; 24] = [0; 24];

impl Procmgr {
    /// `addr` is the buffer's size. Returns how much there is, stores what fits.
    pub(super) fn rseq_configuration(
        &mut self,
        m: &mut impl Machine,
        r: &Request,
    ) -> Result<Done, Errno> {
        let fits = NOTHING
            .len()
            .min(usize::try_from(r.addr).unwrap_or(usize::MAX));
        if fits > 0 {
            self.put(m, r.client, r.data, &NOTHING[..fits])?;
        }
        Ok(Done::Result(NOTHING.len() as i64))
    }
}
