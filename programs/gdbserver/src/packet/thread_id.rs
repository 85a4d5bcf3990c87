//! How the protocol names threads (gdb manual, "Packets", thread-id syntax).

use std::fmt;

use super::hex;

/// One, any, or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// `-1`.
    All,
    /// `0`.
    Any,
    /// This one.
    One(i32),
}

/// `p` PROCESS `.` THREAD, or THREAD alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadId {
    /// None where only a thread was named.
    pub process: Option<Choice>,
    /// `p` PROCESS alone means all its threads.
    pub thread: Choice,
}

impl Choice {
    fn parse(text: &[u8]) -> Option<Choice> {
        Some(match hex::signed(text)? {
            -1 => Choice::All,
            0 => Choice::Any,
            id if id > 0 => Choice::One(id),
            _ => return None,
        })
    }

    /// Whether it includes `id`.
    pub fn admits(self, id: i32) -> bool {
        match self {
            Choice::All | Choice::Any => true,
            Choice::One(one) => one == id,
        }
    }
}

impl ThreadId {
    /// Every thread there is.
    pub const ALL: ThreadId = ThreadId {
        process: Some(Choice::All),
        thread: Choice::All,
    };

    /// This thread.
    pub fn one(process: i32, thread: i32) -> ThreadId {
        ThreadId {
            process: Some(Choice::One(process)),
            thread: Choice::One(thread),
        }
    }

    /// Reads one; none for anything else.
    pub fn parse(text: &[u8]) -> Option<ThreadId> {
        let Some(text) = text.strip_prefix(b"p") else {
            // Without processes -1 means everything.
            return Some(ThreadId {
                process: None,
                thread: Choice::parse(text)?,
            });
        };
        let (process, thread) = match text.iter().position(|byte| *byte == b'.') {
            Some(dot) => (&text[..dot], Choice::parse(&text[dot + 1..])?),
            None => (text, Choice::All),
        };
        let process = Choice::parse(process)?;
        // One thread of all processes names nothing.
        let sensible = process != Choice::All || thread == Choice::All;
        sensible.then_some(ThreadId {
            process: Some(process),
            thread,
        })
    }

    /// Whether it includes this thread.
    pub fn admits(self, process: i32, thread: i32) -> bool {
        self.process.is_none_or(|it| it.admits(process)) && self.thread.admits(thread)
    }
}

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(process) = self.process {
            write!(f, "p{process}.")?;
        }
        write!(f, "{}", self.thread)
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::All => f.write_str("-1"),
            Choice::Any => f.write_str("0"),
            Choice::One(id) => write!(f, "{id:x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Choice::*;

    fn parsed(text: &str) -> Option<(Option<Choice>, Choice)> {
        ThreadId::parse(text.as_bytes()).map(|id| (id.process, id.thread))
    }

    #[test]
    fn all_forms() {
        assert_eq!(parsed("p1a.2b"), Some((Some(One(0x1a)), One(0x2b))));
        assert_eq!(parsed("p1.-1"), Some((Some(One(1)), All)));
        assert_eq!(parsed("p7"), Some((Some(One(7)), All)));
        assert_eq!(parsed("p-1"), Some((Some(All), All)));
        assert_eq!(parsed("p0.0"), Some((Some(Any), Any)));
        assert_eq!(parsed("5"), Some((None, One(5))));
        assert_eq!(parsed("-1"), Some((None, All)));
        for wrong in [
            "",
            "p",
            "p.",
            "p1.",
            "p-1.5",
            "-2",
            "x",
            "p1.2.3",
            "ffffffffff",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        for text in ["p1a.2b", "p1.-1", "p0.0", "5", "-1"] {
            let id = ThreadId::parse(text.as_bytes()).unwrap();
            assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn who_is_meant() {
        let id = |text: &str| ThreadId::parse(text.as_bytes()).unwrap();
        assert!(id("p1.2").admits(1, 2) && !id("p1.2").admits(1, 3));
        assert!(id("p1").admits(1, 3) && !id("p1").admits(2, 3));
        assert!(id("3").admits(2, 3) && ThreadId::ALL.admits(9, 9));
    }
}
