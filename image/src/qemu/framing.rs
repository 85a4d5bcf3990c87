//! How the program's standard input travels over COM1, which has no end of file of its own.
//!
//! The first byte is not part of the input. The receiver waits for it (line status bit 0) and then switches the device's FIFO on, which
//! throws it away: QEMU delivers input from the start, and without FIFO no second byte comes before the first is gone, so nothing that
//! matters can get lost.
//!
//! After that, a byte 0xFF is sent twice, and 0xFF 0x04 is the end of the input. Everything else is sent as it is.

/// Begins every sequence that is not a plain byte.
const ESCAPE: u8 = 0xff;

/// Goes ahead of the input.
pub const START: [u8; 1] = [0];

/// The end of the input.
pub const END: [u8; 2] = [ESCAPE, 0x04];

/// `input` as it is sent.
pub fn encode(input: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(input.len());
    for &byte in input {
        if byte == ESCAPE {
            output.push(ESCAPE);
        }
        output.push(byte);
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_escape_is_doubled() {
        assert_eq!(encode(b"a\x04\xff\xff\0"), b"a\x04\xff\xff\xff\xff\0");
        assert_eq!(encode(b""), b"");
    }

    #[test]
    fn no_input_looks_like_the_end() {
        let all: Vec<u8> = (0..=255).chain([0xff, 0x04]).collect();
        let mut sent = encode(&all).into_iter();
        while let Some(byte) = sent.next() {
            if byte == ESCAPE {
                assert_eq!(sent.next(), Some(ESCAPE));
            }
        }
    }
}
