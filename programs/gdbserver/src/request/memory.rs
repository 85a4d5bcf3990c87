//! `m`, `M` and `X`.

use super::Request;
use super::words::Words;
use crate::packet::hex;

/// Some of a task's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Where it begins.
    pub addr: u64,
    /// How many bytes it has.
    pub len: u64,
}

impl Range {
    /// Reads `ADDR,LENGTH`.
    pub fn parse(text: &[u8]) -> Option<Range> {
        let (addr, len) = Words::new(text).pair(b',')?;
        Some(Range {
            addr: hex::number(addr)?,
            len: hex::number(len)?,
        })
    }
}

/// `ADDR,LENGTH:DIGITS`
pub fn write_digits(text: &[u8]) -> Option<Request> {
    let (range, digits) = Words::new(text).pair(b':')?;
    write(range, hex::decode(digits)?)
}

/// `ADDR,LENGTH:BYTES`
pub fn write_binary(text: &[u8]) -> Option<Request> {
    let (range, bytes) = Words::new(text).pair(b':')?;
    write(range, bytes.to_vec())
}

fn write(range: &[u8], bytes: Vec<u8>) -> Option<Request> {
    let range = Range::parse(range)?;
    let fits = range.len == bytes.len() as u64;
    fits.then_some(Request::WriteMemory(range.addr, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_write() {
        let expected = Some(Request::WriteMemory(0x1000, b"\x00:".to_vec()));
        assert_eq!(write_digits(b"1000,2:003a"), expected);
        assert_eq!(write_binary(b"1000,2:\x00:"), expected);
        assert_eq!(write_binary(b"1000,3:\x00:"), None);
        assert_eq!(
            write_binary(b"0,0:"),
            Some(Request::WriteMemory(0, Vec::new()))
        );
    }
}
