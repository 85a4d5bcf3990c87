//! All the data that goes through some descriptors, in hexadecimal: `-e read=3 -e write=1`.

use syscalls::x86_64::Sysno;

use crate::cx::Subject;
use crate::tracee::Ongoing;

/// A set of descriptors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Descriptors {
    listed: Vec<i32>,
    /// All but those in the list.
    negated: bool,
}

/// Which way data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the tracee.
    Read,
    /// From the tracee.
    Write,
}

impl Descriptors {
    /// Numbers with commas between, `all` or `none`; `!` negates.
    pub fn parse(text: &str) -> Option<Descriptors> {
        let (mut negated, list) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut listed = Vec::new();
        for word in list.split(',') {
            match word {
                "none" => {}
                "all" => {
                    negated = !negated;
                    listed.clear();
                }
                _ => listed.push(word.parse().ok().filter(|fd| *fd >= 0)?),
            }
        }
        Some(Descriptors { listed, negated })
    }

    /// The descriptor is in the set.
    pub fn has(&self, fd: i32) -> bool {
        self.listed.contains(&fd) != self.negated
    }
}

/// What the second argument points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// The data.
    Data,
    /// A list of iovecs.
    List,
    /// A message header, in which such a list is.
    Message,
}

/// Which way a call moves data, and how it says where that is.
fn kind(nr: u64) -> Option<(Direction, Target)> {
    use Direction::{Read, Write};
    use Target::{Data, List, Message};
    const KINDS: [(Sysno, Direction, Target); 14] = [
        (Sysno::read, Read, Data),
        (Sysno::pread64, Read, Data),
        (Sysno::recvfrom, Read, Data),
        (Sysno::readv, Read, List),
        (Sysno::preadv, Read, List),
        (Sysno::preadv2, Read, List),
        (Sysno::recvmsg, Read, Message),
        (Sysno::sendmsg, Write, Message),
        (Sysno::write, Write, Data),
        (Sysno::pwrite64, Write, Data),
        (Sysno::sendto, Write, Data),
        (Sysno::writev, Write, List),
        (Sysno::pwritev, Write, List),
        (Sysno::pwritev2, Write, List),
    ];
    KINDS
        .iter()
        .find(|(call, ..)| call.id() as u64 == nr)
        .map(|(_, direction, target)| (*direction, *target))
}

/// The data of a call that has come back with `result`, as lines; nothing where neither set asks
/// for it. What could not be written is shown as well, as strace does.
pub fn dump(
    call: &Ongoing,
    tracee: &dyn Subject,
    result: i64,
    read: &Descriptors,
    write: &Descriptors,
) -> String {
    const LIST_MAX: u64 = 1024;
    let Some((direction, target)) = kind(call.nr) else {
        return String::new();
    };
    let [fd, at, length, ..] = *call.registers();
    let (wanted, mut left) = match direction {
        Direction::Read => (read, result.max(0) as u64),
        Direction::Write => (write, u64::MAX),
    };
    if !wanted.has(fd as i32) {
        return String::new();
    }
    let (at, count) = match target {
        Target::Data => return lines(tracee, at, length.min(left)),
        Target::List => (at, length),
        Target::Message => match (word(tracee, at + 16), word(tracee, at + 24)) {
            (Some(list), Some(count)) => (list, count),
            _ => return String::new(),
        },
    };
    let mut text = String::new();
    for place in 0..count.min(LIST_MAX) {
        let entry = at + place * 16;
        let (Some(base), Some(length)) = (word(tracee, entry), word(tracee, entry + 8)) else {
            break;
        };
        let here = length.min(left);
        left -= here;
        if here > 0 {
            text += &format!(" * {here} bytes in buffer {place}\n");
            text += &lines(tracee, base, here);
        }
    }
    text
}

fn word(tracee: &dyn Subject, addr: u64) -> Option<u64> {
    let mut bytes = [0; 8];
    (tracee.read(addr, &mut bytes) == bytes.len()).then(|| u64::from_ne_bytes(bytes))
}

/// Sixteen bytes to a line, as far as they can be read.
fn lines(tracee: &dyn Subject, addr: u64, length: u64) -> String {
    let mut text = String::new();
    let mut offset = 0;
    while offset < length {
        let mut row = [0; 16];
        let row = &mut row[..(length - offset).min(16) as usize];
        if tracee.read(addr + offset, row) != row.len() {
            break;
        }
        text += &line(offset, row);
        offset += 16;
    }
    text
}

/// ` | 00000  68 65 6c 6c 6f 0a ...  hello.           |`.
fn line(offset: u64, row: &[u8]) -> String {
    let mut hex = String::new();
    for at in 0..16 {
        if at == 8 {
            hex.push(' ');
        }
        hex += &row
            .get(at)
            .map_or("   ".to_owned(), |byte| format!("{byte:02x} "));
    }
    let printable = |byte: &u8| match byte {
        b' '..=b'~' => *byte as char,
        _ => '.',
    };
    let ascii: String = row.iter().map(printable).collect();
    format!(" | {offset:05x}  {hex} {ascii:<16} |\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_two_halves_and_its_text() {
        assert_eq!(
            line(16, b"hello\n"),
            " | 00010  68 65 6c 6c 6f 0a                                 hello.           |\n"
        );
        assert_eq!(
            line(0, b"aaaaaaaaaaaaaaaa"),
            " | 00000  61 61 61 61 61 61 61 61  61 61 61 61 61 61 61 61  aaaaaaaaaaaaaaaa |\n"
        );
    }

    #[test]
    fn descriptors_are_chosen_by_number() {
        let has = |text: &str, fd| Descriptors::parse(text).unwrap().has(fd);
        assert!(has("3,5", 5) && !has("3,5", 4));
        assert!(!has("!3", 3) && has("!3", 4));
        assert!(has("all", 7) && !has("none", 7) && !has("!all", 7));
        assert_eq!(Descriptors::parse("x"), None);
    }
}
