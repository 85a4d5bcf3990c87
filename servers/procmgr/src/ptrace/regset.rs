//! PTRACE_GETREGSET and SETREGSET: register sets by their note type.

use super::registers::REGS_SIZE;
use super::{Done, OK, Request, bytes_of, words_of};
use crate::Procmgr;
use crate::fpu::{IMAGE_SIZE, Image, Xstate};
use crate::machine::Machine;
use abi::Errno;
use abi::regs::USER_REGS_WORDS;

/// A register set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    /// NT_PRSTATUS: the general registers.
    General,
    /// NT_PRFPREG: the FPU state as FXSAVE lays it out.
    Fpu,
    /// NT_X86_XSTATE: the same as XSAVE lays it out.
    Extended,
}

impl Set {
    fn of_note(note: u64) -> Option<Set> {
        match note {
            1 => Some(Set::General),
            2 => Some(Set::Fpu),
            0x202 => Some(Set::Extended),
            _ => None,
        }
    }

    const fn size(self) -> usize {
        match self {
            Set::General => REGS_SIZE,
            Set::Fpu => IMAGE_SIZE,
            Set::Extended => Xstate::SIZE,
        }
    }
}

impl Procmgr {
    /// `addr` is the note type, `data` points to an iovec whose length is written back. EINVAL:
    /// no such set, or a length that is not whole words. Short buffers get what fits.
    pub(super) fn get_regset(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let [base, len] = self.get_words(m, r.client, r.data)?;
        let len = self.read_regset(m, r, (base, len))?;
        self.put_len(m, r, len)
    }

    /// The reverse, with the same errors. The FPU's sets take no less than all of them: EINVAL and,
    /// for the extended one, EFAULT.
    pub(super) fn set_regset(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let [base, len] = self.get_words(m, r.client, r.data)?;
        let len = self.write_regset(m, r, (base, len))?;
        self.put_len(m, r, len)
    }

    /// Stores what fits of a register set into the client's buffer; how many bytes.
    pub(super) fn read_regset(
        &mut self,
        m: &mut impl Machine,
        r: &Request,
        buffer: (u64, u64),
    ) -> Result<usize, Errno> {
        let (set, base, len) = regset_buffer(r, buffer)?;
        match set {
            Set::General => {
                let words = self.user_regs(m, r.target)?.to_words();
                self.put(m, r.client, base, &bytes_of::<REGS_SIZE>(&words)[..len])?;
            }
            Set::Fpu => {
                let image = self.fpu_state(m, r.target)?;
                self.put(m, r.client, base, &image[..len])?;
            }
            Set::Extended => {
                let image = self.fpu_state(m, r.target)?;
                self.put(m, r.client, base, &Xstate::of(&image).0[..len])?;
            }
        }
        Ok(len)
    }

    /// Sets a register set, or the first part of it, from the client's buffer; how many bytes.
    pub(super) fn write_regset(
        &mut self,
        m: &mut impl Machine,
        r: &Request,
        buffer: (u64, u64),
    ) -> Result<usize, Errno> {
        let (set, base, len) = regset_buffer(r, buffer)?;
        match set {
            Set::General => {
                let mut bytes = [0; REGS_SIZE];
                self.fetch(m, r.client, base, &mut bytes[..len])?;
                let words: [u64; USER_REGS_WORDS] = words_of(&bytes);
                self.write_user_regs(m, r.target, 0, &words[..len / 8])?;
            }
            Set::Fpu if len < set.size() => return Err(Errno::EINVAL),
            Set::Fpu => {
                let image: Image = self.get(m, r.client, base)?;
                self.set_fpu_state(r.target, &image)?;
            }
            Set::Extended if len < set.size() => return Err(Errno::EFAULT),
            Set::Extended => {
                let state = Xstate(self.get(m, r.client, base)?);
                self.set_fpu_state(r.target, &state.image()?)?;
            }
        }
        Ok(len)
    }

    fn put_len(&mut self, m: &mut impl Machine, r: &Request, len: usize) -> Result<Done, Errno> {
        let at = r.data.wrapping_add(8);
        self.put(m, r.client, at, &(len as u64).to_le_bytes())?;
        Ok(OK)
    }
}

/// Which register set is meant, and the client's buffer for it, its length cut to the set's.
fn regset_buffer(r: &Request, (base, len): (u64, u64)) -> Result<(Set, u64, usize), Errno> {
    let set = Set::of_note(r.addr).ok_or(Errno::EINVAL)?;
    if len % 8 != 0 {
        return Err(Errno::EINVAL);
    }
    Ok((set, base, len.min(set.size() as u64) as usize))
}
