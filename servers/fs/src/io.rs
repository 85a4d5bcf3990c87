//! A read or write on its way through a task's memory.

use crate::host::{Host, Port};
use crate::socket::{Receives, Sent};
use abi::Errno;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// One read or write on its way.
#[derive(Clone, Hash)]
pub(crate) struct Io {
    pub file: u32,
    pub write: bool,
    /// How many bytes are asked for.
    pub total: u64,
    /// How many bytes the last step moved.
    pub moved: u64,
    pieces: Pieces,
    /// The piece that is next, and how much of it is done.
    index: usize,
    inside: u64,
    done: u64,
    /// pread(2)'s and pwrite(2)'s.
    pub position: Option<u64>,
    /// The task's memory, or what can be stored, ended: what is done is all.
    cut: bool,
    /// MSG_PEEK: what is read stays.
    pub peek: bool,
    /// MSG_TRUNC: the result is a message's whole length.
    pub trunc: bool,
    /// MSG_NOSIGNAL: no SIGPIPE.
    pub quiet: bool,
    /// MSG_WAITALL: a read goes on until it has all.
    pub whole: bool,
    /// What is written goes to the end, wherever that is (RWF_APPEND).
    pub append: bool,
    /// It ends with what is done at once, rather than wait for more.
    pub partial: bool,
    /// What a message brings along.
    pub sends: Option<Box<Sent>>,
    /// Where to tell of more than the bytes that are received.
    pub receives: Option<Box<Receives>>,
    /// VTIME: when a read ends with nothing, and that it is over.
    pub deadline: Option<u64>,
    pub expired: bool,
}

/// The task's memory: addresses and lengths.
#[derive(Clone, Hash)]
pub(crate) enum Pieces {
    One((u64, u64)),
    Many(Vec<(u64, u64)>),
}

impl Io {
    /// One that has not begun.
    pub fn new(file: u32, write: bool, pieces: Pieces, position: Option<u64>) -> Io {
        Io {
            file,
            write,
            total: pieces.total(),
            moved: 0,
            pieces,
            index: 0,
            inside: 0,
            done: 0,
            position,
            cut: false,
            peek: false,
            trunc: false,
            quiet: false,
            whole: false,
            append: false,
            partial: false,
            sends: None,
            receives: None,
            deadline: None,
            expired: false,
        }
    }

    /// The result so far.
    pub fn done(&self) -> i64 {
        self.done as i64
    }

    pub fn finished(&self) -> bool {
        self.cut || self.done == self.total
    }

    /// Moves up to `limit` bytes with `move_bytes(address, length, moved before)`, which moves
    /// some and says how many. An error counts only if nothing was moved by the whole call.
    pub fn step(
        &mut self,
        limit: u64,
        mut move_bytes: impl FnMut(u64, u64, u64) -> Result<u64, Errno>,
    ) -> Result<(), Errno> {
        self.moved = 0;
        while self.moved < limit {
            let Some((addr, len)) = self.piece() else {
                break;
            };
            match move_bytes(addr, len.min(limit - self.moved), self.moved) {
                Ok(0) => {
                    self.cut = true;
                    break;
                }
                Ok(count) => {
                    self.moved += count;
                    self.inside += count;
                    self.done += count;
                }
                Err(errno) if self.done == 0 => return Err(errno),
                Err(_) => {
                    self.cut = true;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Gives the task these bytes, as many as it has asked for.
    pub fn put<H: Host>(&mut self, port: &mut Port<'_, H>, bytes: &[u8]) -> Result<(), Errno> {
        self.step(bytes.len() as u64, |addr, len, moved| {
            let moved = moved as usize;
            port.write(addr, &bytes[moved..moved + len as usize])?;
            Ok(len)
        })
    }

    /// The first words of what the task writes, which has not begun.
    pub fn peek_words<H: Host, const N: usize>(
        &mut self,
        port: &mut Port<'_, H>,
    ) -> Result<[u64; N], Errno> {
        let (addr, len) = self.piece().ok_or(Errno::EINVAL)?;
        // Nobody writes a number in pieces.
        if len < 8 * N as u64 {
            return Err(Errno::EINVAL);
        }
        port.words(addr)
    }

    /// The rest of the piece that is next.
    fn piece(&mut self) -> Option<(u64, u64)> {
        let pieces = match &self.pieces {
            Pieces::One(piece) => core::slice::from_ref(piece),
            Pieces::Many(pieces) => pieces,
        };
        loop {
            let &(addr, len) = pieces.get(self.index)?;
            if self.inside < len {
                return Some((addr + self.inside, len - self.inside));
            }
            self.index += 1;
            self.inside = 0;
        }
    }
}

impl Pieces {
    fn total(&self) -> u64 {
        match self {
            Pieces::One((_, len)) => *len,
            Pieces::Many(pieces) => pieces.iter().map(|(_, len)| len).sum(),
        }
    }
}
