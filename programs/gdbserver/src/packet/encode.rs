//! Packets become bytes.

use super::hex;

/// A payload as it is sent: with its checksum, runs of one byte shortened.
pub fn packet(payload: &[u8]) -> Vec<u8> {
    framed(b'$', payload)
}

/// A notification (gdb manual, "Notification Packets"): nobody acknowledges it.
pub fn notification(payload: &[u8]) -> Vec<u8> {
    framed(b'%', payload)
}

/// Binary data with escapes before the bytes that mean something to the protocol.
pub fn escape(data: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(data.len() + data.len() / 16);
    for &byte in data {
        match byte {
            // The last begins a run.
            b'$' | b'#' | b'}' | b'*' => escaped.extend([b'}', byte ^ 0x20]),
            byte => escaped.push(byte),
        }
    }
    escaped
}

fn framed(start: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![start];
    shorten(payload, &mut bytes);
    let sum = bytes[1..].iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
    bytes.push(b'#');
    bytes.extend(hex::digits(sum));
    bytes
}

/// The longest run: 97 further bytes are `~`, the last printable one.
const MAX_RUN: usize = 98;

/// Run lengths (gdb manual, "Overview"): a byte, `*`, and the number of further bytes plus 29.
fn shorten(mut payload: &[u8], to: &mut Vec<u8>) {
    while let Some(&byte) = payload.first() {
        let run = payload.iter().take(MAX_RUN).take_while(|b| **b == byte);
        let mut run = run.count();
        // `#` and `$` cannot be counts: they are six and seven further bytes.
        if let 7 | 8 = run {
            run = 6;
        }
        to.push(byte);
        // The second byte of an escape counts for itself, so it cannot begin a run.
        let escaped = to.len() >= 2 && to[to.len() - 2] == b'}';
        if run > 3 && byte != b'}' && !escaped {
            to.extend([b'*', (run - 1 + 29) as u8]);
            payload = &payload[run..];
        } else {
            payload = &payload[1..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Undoes runs and escapes, as gdb does: runs first.
    fn read(sent: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut sent = sent[1..sent.len() - 3].iter();
        while let Some(&byte) = sent.next() {
            if byte == b'*' {
                let count = sent.next().unwrap() - 29;
                let last = *bytes.last().unwrap();
                bytes.extend(std::iter::repeat_n(last, count.into()));
            } else {
                bytes.push(byte);
            }
        }
        bytes
    }

    #[test]
    fn runs_are_shortened() {
        assert_eq!(packet(b""), b"$#00");
        assert_eq!(packet(b"OK"), b"$OK#9a");
        assert_eq!(packet(b"0000"), b"$0* #7a");
        assert_eq!(packet(b"000"), b"$000#90");
        assert_eq!(notification(b"Stop:T05"), b"%Stop:T05#99".as_slice());
    }

    #[test]
    fn no_count_is_a_byte_that_means_something() {
        for length in 0..400 {
            let sent = packet(&vec![b'0'; length]);
            let inner = &sent[1..sent.len() - 3];
            assert!(!inner.contains(&b'#') && !inner.contains(&b'$'), "{length}");
            assert_eq!(read(&sent), vec![b'0'; length]);
        }
    }

    proptest! {
        #![proptest_config(crate::packet::repeatable(256))]
        #[test]
        fn what_is_shortened_is_read_back(
            data in proptest::collection::vec(prop_oneof![Just(0u8), Just(b'*'), Just(b'}'), any::<u8>()], 0..300)
        ) {
            let escaped = escape(&data);
            prop_assert_eq!(read(&packet(&escaped)), escaped);
        }
    }
}
