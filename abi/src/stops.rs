//! The page of stops: a client is shown its tracees' stops, so that it waits for them and asks about them
//! without a message.
//!
//! A client names a page of its own memory ([`SHARE_STOPS`](crate::client::SHARE_STOPS)); from then on
//! the process manager writes there what it would answer, and takes it away before it would answer
//! anything else. So what a client finds is as good as an answer, and what it does not find it asks for.
//! The page is the client's: whoever spoils it misleads itself.
//!
//! A stop that nobody has waited for has [`UNSEEN`]. The tracer takes it by clearing that bit, as one
//! operation on a word that nobody has written meanwhile, and then has waited for it. It is shown so to a
//! process whose last wait by message was for one task, because that is what it finds here.
//!
//! A word is the unit, and offsets are in words. The page begins with one that is not 0 while it is kept
//! up to date. A process that forks finds 0 there, as its child does, and names the page again.
//! Places for stops follow; a tracee's is [`place_of`] its tid:
//!
//! | word | what |
//! |---|---|
//! | 0 | the tracee's tid, and its tracer's in the upper half; 0 for none |
//! | 1 | what there is: [`REGISTERS`] and so on, eight bits; above them how often it was written |
//! | 2 | the wait status of a stop that is [`UNSEEN`] |
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
/// Where what there is stands in a place.
pub const WHAT: usize = 1;
/// Where the wait status is in a place.
pub const STATUS: usize = 2;
/// Where the registers are in a place.
pub const REGS: usize = 3;
/// Where the siginfo is in a place.
pub const INFO: usize = REGS + USER_REGS_WORDS;
/// The registers are there.
pub const REGISTERS: u64 = 1;
/// The siginfo is there.
pub const SIGINFO: u64 = 2;
/// The bit that a client sets when it reads one of these: without it, it is shown them no more until it asks
/// again.
pub const LOOKED_AT: u64 = 4;
/// Nobody has waited for the stop.
pub const UNSEEN: u64 = 8;
/// There is no stop, but the tracee was let go on while nobody else could run, and its next stop is going to be
/// shown as [`UNSEEN`]: who gives way to it may find that, and need not ask.
pub const GOES_ON: u64 = 16;
/// How often a place was written is counted in steps of this.
pub const CHANGE: u64 = 1 << 8;

const _: () = assert!((HEAD + PLACES * PLACE_WORDS) * 8 <= PAGE as usize);

/// The number of a tracee's place.
pub const fn number_of(tid: u32) -> usize {
    tid as usize % PLACES
}

/// The first word of a tracee's place.
pub const fn place_of(tid: u32) -> usize {
    HEAD + number_of(tid) * PLACE_WORDS
}

/// What there is in a place that is written once more.
pub const fn written(before: u64, what: u64) -> u64 {
    (before & !(CHANGE - 1)).wrapping_add(CHANGE) | what
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
