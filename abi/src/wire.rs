//! Messages as bytes.
//!
//! A message is one postcard value in at most [`MAX`] bytes, which is what one kernel message
//! carries. Whoever receives bytes that are not one whole value of the expected type answers
//! EINVAL and changes nothing.

use crate::Errno;
use serde::{Deserialize, Serialize};

/// The most bytes a message has: the kernel's 120 message words.
pub const MAX: usize = 120 * 8;

/// The most bytes of task memory that one message carries, so that it fits beside the rest.
pub const MAX_DATA: usize = 896;

/// A message being built or taken apart.
pub type Buffer = [u8; MAX];

/// Encodes `value` into the front of `buffer`; returns how many bytes it takes.
///
/// # Panics
/// If the value does not fit, which no type of this crate can cause with data of at most
/// [`MAX_DATA`] bytes.
pub fn encode<T: Serialize>(value: &T, buffer: &mut Buffer) -> usize {
    postcard::to_slice(value, buffer)
        .expect("every message type fits a message")
        .len()
}

/// Decodes one whole value; EINVAL if the bytes are not exactly one.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Errno> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        _ => Err(Errno::EINVAL),
    }
}
