//! `#!`: scripts and their interpreters.

use abi::Errno;
use alloc::vec::Vec;

/// The first line of a script.
pub struct Script {
    /// The interpreter's path.
    pub interpreter: Vec<u8>,
    /// What follows it, as one argument.
    pub argument: Option<Vec<u8>>,
}

/// How much of the first line counts, as Linux's BINPRM_BUF_SIZE.
const LINE: usize = 256;

/// Reads the first line of a file, if it is a script's. ENOEXEC where it names nothing, or its
/// interpreter's name does not fit.
pub fn parse(head: &[u8]) -> Result<Option<Script>, Errno> {
    let Some(line) = head.strip_prefix(b"#!") else {
        return Ok(None);
    };
    let line = &line[..line.len().min(LINE - 2)];
    let end = line.iter().position(|b| *b == b'\n');
    let text = trim(&line[..end.unwrap_or(line.len())]);
    let split = text.iter().position(|b| is_blank(*b) || *b == 0);
    if text.is_empty() || (end.is_none() && split.is_none() && line.len() == LINE - 2) {
        return Err(Errno::ENOEXEC);
    }
    let (name, rest) = text.split_at(split.unwrap_or(text.len()));
    if name.len() > abi::fs::MAX_INLINE_PATH {
        return Err(Errno::ENOEXEC);
    }
    let argument = trim(rest);
    Ok(Some(Script {
        interpreter: name.to_vec(),
        argument: (!argument.is_empty()).then(|| argument.to_vec()),
    }))
}

fn is_blank(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_blank(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && (is_blank(*last) || *last == 0)
    {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_the_line_is_one_argument() {
        let s = parse(b"#! /bin/sh  -e x \nrest").unwrap().unwrap();
        assert_eq!(s.interpreter, b"/bin/sh");
        assert_eq!(s.argument.as_deref(), Some(&b"-e x"[..]));
    }

    #[test]
    fn no_name_or_an_endless_one_is_enoexec() {
        assert_eq!(parse(b"#! \n").err(), Some(Errno::ENOEXEC));
        let mut long = b"#!".to_vec();
        long.resize(400, b'a');
        assert_eq!(parse(&long).err(), Some(Errno::ENOEXEC));
        assert!(parse(b"\x7fELF").unwrap().is_none());
    }
}
