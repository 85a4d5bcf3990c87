//! Strings in C's notation.

/// How bytes that cannot be printed are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `\n` and the like, otherwise the shortest octal escape.
    Octal,
    /// Every byte as `\x5d`, for data that is no text.
    Hex,
}

/// Which strings are written in hexadecimal: `-x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hex {
    /// None of the text.
    Never,
    /// Text in which there is more than ASCII's printable characters and spaces.
    NonAscii,
    /// All.
    Always,
}

impl Hex {
    /// How `bytes`, which are text, are written.
    pub fn style_of(self, bytes: &[u8]) -> Style {
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t'..=b'\r');
        match self {
            Hex::Never => Style::Octal,
            Hex::NonAscii if bytes.iter().all(is_plain) => Style::Octal,
            Hex::NonAscii | Hex::Always => Style::Hex,
        }
    }
}

/// Appends `bytes` in quotes.
pub fn quote(text: &mut String, bytes: &[u8], style: Style) {
    text.push('"');
    escape(text, bytes, style);
    text.push('"');
}

/// Appends `bytes` without quotes.
pub fn escape(text: &mut String, bytes: &[u8], style: Style) {
    for (at, &byte) in bytes.iter().enumerate() {
        if style == Style::Hex {
            text.push_str(&format!("\\x{byte:02x}"));
            continue;
        }
        match byte {
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            b'\r' => text.push_str("\\r"),
            0x0b => text.push_str("\\v"),
            0x0c => text.push_str("\\f"),
            b' '..=b'~' => text.push(byte as char),
            // A digit behind the escape would be taken for a part of it.
            _ if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => {
                text.push_str(&format!("\\{byte:03o}"));
            }
            _ => text.push_str(&format!("\\{byte:o}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(bytes: &[u8], style: Style) -> String {
        let mut text = String::new();
        quote(&mut text, bytes, style);
        text
    }

    #[test]
    fn text_is_escaped_as_in_c() {
        assert_eq!(quoted(b"a\"b\\c\n\t", Style::Octal), r#""a\"b\\c\n\t""#);
    }

    #[test]
    fn octal_escapes_are_as_short_as_the_next_byte_allows() {
        assert_eq!(
            quoted(b"\0a\x001\x7f\xff", Style::Octal),
            r#""\0a\0001\177\377""#
        );
    }

    #[test]
    fn data_is_hexadecimal() {
        assert_eq!(quoted(b"a\xff", Style::Hex), r#""\x61\xff""#);
    }
}
