//! Bytes become packets.

use std::collections::VecDeque;

use super::hex;

/// The longest packet that is taken, in bytes of its payload as sent. gdb is told.
pub const MAX_PACKET: usize = 0x8000;

/// Begins a packet.
const START: u8 = b'$';
/// Ends the payload; two digits of checksum follow.
const END: u8 = b'#';
/// Makes the next byte, exclusive-or 0x20, a plain one.
const ESCAPE: u8 = b'}';
/// ^C.
const INTERRUPT: u8 = 0x03;
/// End of transmission: sent between packets, or where a packet has just begun, on a line that cannot tell
/// by itself that the other end has gone.
const HANG_UP: u8 = 0x04;
/// Our word for whoever minds such a line: what follows is for who comes next. Said at the beginning, and in
/// answer to the end of a debugger. No packet contains it, and between packets debuggers do not hear it.
pub const NEXT: &[u8] = b"#\x04";

/// What has come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A packet whose checksum is right, without escapes.
    Packet(Vec<u8>),
    /// A packet that is damaged or too long.
    Damaged,
    /// `-`: our last packet has come damaged.
    Again,
    /// Whoever debugs wants everything to stop.
    Interrupt,
    /// Whoever debugs has gone.
    HangUp,
}

/// Takes bytes as they come and gives packets.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    payload: Vec<u8>,
    ready: VecDeque<Input>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    Payload,
    /// Behind the `#`; the first digit of the checksum is still to come, or was this byte.
    Checksum(Option<u8>),
}

impl Decoder {
    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.take(byte);
        }
    }

    /// What has come in and was not looked at, in order.
    pub fn pop(&mut self) -> Option<Input> {
        self.ready.pop_front()
    }

    /// Takes one interrupt out of what has come in, past the packets before it.
    pub fn pop_interrupt(&mut self) -> bool {
        let at = self.ready.iter().position(|it| *it == Input::Interrupt);
        at.is_some_and(|at| self.ready.remove(at).is_some())
    }

    /// Whether the other end has said that it is gone.
    pub fn hung_up(&self) -> bool {
        self.ready.contains(&Input::HangUp)
    }

    fn take(&mut self, byte: u8) {
        match self.state {
            // A packet cannot contain its own beginning: the one before was cut off.
            _ if byte == START => {
                self.payload.clear();
                self.state = State::Payload;
            }
            State::Between => match byte {
                b'-' => self.ready.push_back(Input::Again),
                INTERRUPT => self.ready.push_back(Input::Interrupt),
                HANG_UP => self.ready.push_back(Input::HangUp),
                // `+` needs no answer, and what else is between packets is noise.
                _ => {}
            },
            // No request begins so.
            State::Payload if byte == HANG_UP && self.payload.is_empty() => {
                self.state = State::Between;
                self.ready.push_back(Input::HangUp);
            }
            State::Payload if byte == END => self.state = State::Checksum(None),
            State::Payload => {
                // One more than the limit shows that it was too long.
                if self.payload.len() <= MAX_PACKET {
                    self.payload.push(byte);
                }
            }
            State::Checksum(None) => self.state = State::Checksum(Some(byte)),
            State::Checksum(Some(first)) => {
                self.state = State::Between;
                let input = self.finish([first, byte]);
                self.ready.push_back(input);
            }
        }
    }

    fn finish(&mut self, digits: [u8; 2]) -> Input {
        let payload = std::mem::take(&mut self.payload);
        let sum = payload
            .iter()
            .fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        if payload.len() > MAX_PACKET || hex::byte(digits) != Some(sum) {
            return Input::Damaged;
        }
        match unescape(&payload) {
            Some(payload) => Input::Packet(payload),
            None => Input::Damaged,
        }
    }
}

/// Undoes the escapes; none where the last one escapes nothing.
fn unescape(payload: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(payload.len());
    let mut bytes = payload.iter();
    while let Some(&byte) = bytes.next() {
        plain.push(match byte {
            ESCAPE => bytes.next()? ^ 0x20,
            byte => byte,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet;
    use proptest::prelude::*;

    fn all(bytes: &[u8]) -> Vec<Input> {
        let mut decoder = Decoder::default();
        decoder.push(bytes);
        std::iter::from_fn(|| decoder.pop()).collect()
    }

    fn plain(payload: &[u8]) -> Input {
        Input::Packet(payload.to_vec())
    }

    #[test]
    fn packets_and_what_is_between_them() {
        assert_eq!(
            all(b"+$g#67+-\x03noise$?#3f\x04"),
            [
                plain(b"g"),
                Input::Again,
                Input::Interrupt,
                plain(b"?"),
                Input::HangUp
            ]
        );
    }

    #[test]
    fn the_other_end_may_go_in_the_middle_of_a_packet() {
        assert_eq!(all(b"$g#6$\x04$?#3f"), [Input::HangUp, plain(b"?")]);
    }

    #[test]
    fn an_interrupt_inside_a_packet_is_data() {
        assert_eq!(all(b"$X\x03\x04#5f"), [plain(b"X\x03\x04")]);
    }

    #[test]
    fn a_wrong_checksum_and_a_cut_packet() {
        assert_eq!(all(b"$g#66"), [Input::Damaged]);
        assert_eq!(all(b"$g#6x"), [Input::Damaged]);
        assert_eq!(all(b"$gg$g#67"), [plain(b"g")]);
        assert_eq!(all(b"$g#6$g#67"), [plain(b"g")]);
        assert_eq!(all(b"$}#7d"), [Input::Damaged]);
    }

    #[test]
    fn a_packet_that_is_too_long_is_damaged_and_costs_no_more_memory() {
        let mut decoder = Decoder::default();
        decoder.push(b"$");
        for _ in 0..4 {
            decoder.push(&[b'a'; MAX_PACKET]);
        }
        assert_eq!(decoder.payload.len(), MAX_PACKET + 1);
        decoder.push(b"#00$?#3f");
        assert_eq!(decoder.pop(), Some(Input::Damaged));
        assert_eq!(decoder.pop(), Some(plain(b"?")));
    }

    #[test]
    fn an_interrupt_is_found_behind_packets() {
        let mut decoder = Decoder::default();
        decoder.push(b"$g#67\x03");
        assert!(decoder.pop_interrupt());
        assert!(!decoder.pop_interrupt());
        assert_eq!(decoder.pop(), Some(plain(b"g")));
    }

    proptest! {
        #![proptest_config(crate::packet::repeatable(256))]
        #[test]
        fn what_is_encoded_is_decoded(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assume!(payload.first() != Some(&HANG_UP));
            // Runs are for gdb alone; we are never sent any.
            let sent = packet::escape(&payload);
            let sum = sent.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
            let framed = [b"$".as_slice(), &sent, format!("#{sum:02x}").as_bytes()].concat();
            prop_assert_eq!(all(&framed), [plain(&payload)]);
        }

        #[test]
        fn any_bytes_are_taken_in_any_pieces(
            bytes in proptest::collection::vec(prop_oneof![
                Just(b'$'), Just(b'#'), Just(b'}'), Just(3u8), Just(b'0'), any::<u8>()
            ], 0..400),
            cut in 0usize..400,
        ) {
            let (a, b) = bytes.split_at(cut.min(bytes.len()));
            let mut decoder = Decoder::default();
            decoder.push(a);
            decoder.push(b);
            let pieces: Vec<_> = std::iter::from_fn(|| decoder.pop()).collect();
            prop_assert_eq!(pieces, all(&bytes));
        }
    }
}
