//! `abi`'s messages in kernel messages: the length in bytes, then the bytes, eight to a word.
//!
//! A request has the label [`REQUEST`]. An answer has the label [`OK`], or an error number and no
//! bytes.

use crate::cap::Endpoint;
use crate::ipc_buffer::{self, MAX_WORDS};
use crate::syscall::{MessageInfo, Received, Words};
use abi::{Errno, wire};

/// The label of a request.
pub const REQUEST: u64 = 1;
/// The label of an answer that is no error.
pub const OK: u64 = 0;
/// The most bytes that fit behind the length.
pub const MAX_BYTES: usize = (MAX_WORDS - 1) * 8;
// What `wire` promises of every type: its data and less than 56 bytes beside it.
const _: () = assert!(wire::MAX_DATA + 56 <= MAX_BYTES);

/// Puts bytes into the message that is sent next; the result are the arguments to send it with.
///
/// # Panics
/// If there are more than [`MAX_BYTES`].
#[inline]
pub fn put(label: u64, bytes: &[u8]) -> (MessageInfo, Words) {
    let words = ipc_buffer::with(|buffer| {
        as_bytes_mut(&mut buffer.words[1..])[..bytes.len()].copy_from_slice(bytes);
        [
            bytes.len() as u64,
            buffer.words[1],
            buffer.words[2],
            buffer.words[3],
        ]
    });
    (
        MessageInfo::new(label, 0, 1 + bytes.len().div_ceil(8)),
        words,
    )
}

/// Takes the bytes out of a message just received; returns how many there are. A length that the
/// message does not have gives 0, which no message decodes from.
#[inline]
pub fn take(received: &Received, into: &mut wire::Buffer) -> usize {
    let len = received.words[0] as usize;
    if len > MAX_BYTES || received.info.words() < 1 + len.div_ceil(8) {
        return 0;
    }
    ipc_buffer::with(|buffer| {
        buffer.words[1..4].copy_from_slice(&received.words[1..]);
        into[..len].copy_from_slice(&as_bytes_mut(&mut buffer.words[1..])[..len]);
    });
    len
}

/// Sends the first `len` bytes of `buffer` as a request and puts the answer there; returns its
/// length.
///
/// # Errors
/// The server's.
#[inline]
pub fn call(server: Endpoint, buffer: &mut wire::Buffer, len: usize) -> Result<usize, Errno> {
    let (info, words) = put(REQUEST, &buffer[..len]);
    let answer = server.call(info, words);
    match answer.info.label() {
        OK => Ok(take(&answer, buffer)),
        errno => Err(Errno(errno as u16)),
    }
}

fn as_bytes_mut(words: &mut [u64]) -> &mut [u8] {
    // SAFETY: the same memory, for as long; any bytes are words and the other way round.
    unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), size_of_val(words)) }
}
