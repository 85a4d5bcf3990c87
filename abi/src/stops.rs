//! The page of stops: a client is shown its tracees' registers and siginfo where they stop, so that it
//! asks for them without a message.
//!
//! A client names a page of its own memory ([`SHARE_STOPS`](crate::client::SHARE_STOPS)); from then on
//! the process manager writes there what it would answer, and takes it away before it would answer
//! anything else. So what a client finds is as good as an answer, and what it does not find it asks for.
//! The page is the client's: whoever spoils it misleads itself.
//!
//! A word is the unit, and offsets are in words. The page begins with one that is not 0 while it is kept
//! up to date. A process that forks finds 0 there, as its child does, and names the page again.
//! Places for stops follow; a tracee's is [`place_of`] its tid:
//!
//! | word | what |
//! |---|---|
//! | 0 | the tracee's tid, and its tracer's in the upper half; 0 for none |
//! | 1 | how often the page was written, for who reads it to see that nothing changed meanwhile |
//! | 2 | what there is to read: [`REGISTERS`] and [`SIGINFO`]; and [`LOOKED_AT`] |
//! | 3 | `struct user_regs_struct` |
//! | 30 | the siginfo, 128 bytes |

use crate::regs::USER_REGS_WORDS;
use crate::signal::SIGINFO_SIZE;

/// Bytes of a page, and what the address of one is a multiple of.
pub const PAGE: u64 = 4096;
/// Words in front of the places.
pub const HEAD: usize = 1;
/// How many places there are.
pub const PLACES: usize = 8;
/// Words of a place.
pub const PLACE_WORDS: usize = INFO + SIGINFO_SIZE / 8;
/// Where the registers are in a place.
pub const REGS: usize = 3;
/// Where the siginfo is in a place.
pub const INFO: usize = REGS + USER_REGS_WORDS;
/// A bit of a place's third word: the registers are there.
pub const REGISTERS: u64 = 1;
/// The same for the siginfo.
pub const SIGINFO: u64 = 2;
/// The bit that a client sets there when it reads: without it, it is shown no more until it asks again.
pub const LOOKED_AT: u64 = 4;

const _: () = assert!((HEAD + PLACES * PLACE_WORDS) * 8 <= PAGE as usize);

/// The first word of a tracee's place.
pub const fn place_of(tid: u32) -> usize {
    HEAD + tid as usize % PLACES * PLACE_WORDS
}

/// A place's first word.
pub const fn owner(tracee: u32, tracer: u32) -> u64 {
    tracee as u64 | (tracer as u64) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_have_places_of_their_own() {
        for tid in 1..PLACES as u32 {
            assert_eq!(place_of(tid), place_of(tid - 1) + PLACE_WORDS);
        }
        assert_eq!(place_of(PLACES as u32), place_of(0));
    }
}
