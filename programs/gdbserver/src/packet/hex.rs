//! Numbers and bytes in hexadecimal digits.

/// The two digits of a byte.
pub fn digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [
        DIGITS[usize::from(byte >> 4)],
        DIGITS[usize::from(byte & 15)],
    ]
}

/// Bytes as digits.
pub fn encode(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| digits(*byte))
        .map(char::from)
        .collect()
}

/// The byte with these two digits.
pub fn byte(digits: [u8; 2]) -> Option<u8> {
    Some(digit(digits[0])? << 4 | digit(digits[1])?)
}

/// Bytes from digits; none where there is anything else, or half a byte.
pub fn decode(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    pairs.iter().map(|pair| byte(*pair)).collect()
}

/// Text from digits.
pub fn decode_text(digits: &[u8]) -> Option<String> {
    String::from_utf8(decode(digits)?).ok()
}

/// A number: one to sixteen digits, the most significant first.
pub fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    let mut number = 0;
    for &it in digits {
        number = number << 4 | u64::from(digit(it)?);
    }
    Some(number)
}

/// A number with a sign, that fits an `i32`.
pub fn signed(digits: &[u8]) -> Option<i32> {
    let (negative, digits) = match digits.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, digits),
    };
    let number = i32::try_from(number(digits)?).ok()?;
    Some(if negative { -number } else { number })
}

fn digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_digits() {
        assert_eq!(encode(b"\x00\xfe9"), "00fe39");
        assert_eq!(decode(b"00fE39"), Some(b"\x00\xfe9".to_vec()));
        assert_eq!(decode(b"0"), None);
        assert_eq!(decode(b"0g"), None);
        assert_eq!(decode_text(b"ff"), None);
    }

    #[test]
    fn numbers() {
        assert_eq!(number(b"ffffffffffffffff"), Some(u64::MAX));
        assert_eq!(number(b"10000000000000000"), None);
        assert_eq!(number(b""), None);
        assert_eq!(number(b"-1"), None);
        assert_eq!(signed(b"-1"), Some(-1));
        assert_eq!(signed(b"7fffffff"), Some(i32::MAX));
        assert_eq!(signed(b"80000000"), None);
        assert_eq!(signed(b"-"), None);
    }
}
