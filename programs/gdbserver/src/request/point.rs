//! `Z` and `z`: breakpoints and watchpoints.

use super::words::Words;
use super::{Reject, need};
use crate::packet::hex;

/// A breakpoint or watchpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Point {
    /// What it waits for.
    pub kind: PointKind,
    /// Where.
    pub addr: u64,
    /// How many bytes are watched; for a breakpoint, the length of its instruction.
    pub len: u64,
}

/// What a breakpoint or watchpoint waits for, by the protocol's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PointKind {
    /// 0: an instruction, in memory.
    Software,
    /// 1: an instruction, in a debug register.
    Hardware,
    /// 2: a write.
    Write,
    /// 3: a read.
    Read,
    /// 4: either.
    Access,
}

impl Point {
    /// Reads `TYPE,ADDR,KIND`. Conditions and commands, which gdb sends only where they are offered, are
    /// not read.
    ///
    /// # Errors
    /// [`Reject`].
    pub fn parse(text: &[u8]) -> Result<Point, Reject> {
        let mut words = Words::new(text);
        let kind = match need(words.before(b','))? {
            b"0" => PointKind::Software,
            b"1" => PointKind::Hardware,
            b"2" => PointKind::Write,
            b"3" => PointKind::Read,
            b"4" => PointKind::Access,
            _ => return Err(Reject::Unsupported),
        };
        let addr = need(words.before(b',').and_then(hex::number))?;
        if words.rest().contains(&b';') {
            return Err(Reject::Malformed);
        }
        let len = need(hex::number(words.rest()))?;
        Ok(Point { kind, addr, len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points() {
        assert_eq!(
            Point::parse(b"2,404028,4"),
            Ok(Point {
                kind: PointKind::Write,
                addr: 0x404028,
                len: 4
            })
        );
        assert_eq!(Point::parse(b"5,1,1"), Err(Reject::Unsupported));
        assert_eq!(Point::parse(b"0,1,1;X1,00"), Err(Reject::Malformed));
    }
}
