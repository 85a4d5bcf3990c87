//! What goes along with the bytes of a connection: open files and credentials (unix(7),
//! "Ancillary messages").

use super::Credentials;
use crate::Fs;
use crate::host::{Host, Port};
use crate::io::Io;
use crate::pipe::Pipe;
use abi::Errno;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The most parcels of a connection's direction. Who has more to send waits as for a full one.
pub const MAX_PARCELS: usize = 256;
/// The most parcels in all connections together.
pub const MAX_ALL_PARCELS: usize = 8192;
/// The most places of open files on their way, in all connections together.
pub const MAX_IN_FLIGHT: usize = 16384;
/// The longest piece of a message that its files go with: what Linux puts into one buffer.
const MAX_PIECE: u64 = 36544;

/// Bytes that belong together, and what goes with them.
#[derive(Clone, Hash)]
pub(crate) struct Parcel {
    /// Where they begin and end, counted from the first byte that ever was in the pipe.
    pub from: u64,
    pub to: u64,
    /// Open files, each held and counted as in flight.
    pub files: Vec<u32>,
    pub credentials: Option<Credentials>,
    /// The name of who has sent it, where it is a message by itself.
    pub name: Box<[u8]>,
}

/// What a message brings along.
#[derive(Clone, Default, Hash)]
pub(crate) struct Sent {
    /// Open files. They are held while the message waits to be sent.
    pub files: Vec<u32>,
    pub credentials: Option<Credentials>,
    /// The name to send it to.
    pub to: Option<Box<[u8]>>,
}

/// What a reader has got beside bytes, and looks for.
#[derive(Clone, Default, Hash)]
pub(crate) struct Got {
    /// Open files, each held.
    pub files: Vec<u32>,
    /// Who sent the first byte, once there was one.
    pub sender: Option<Option<Credentials>>,
    /// The name of who has sent a message, and that there was more of it.
    pub name: Box<[u8]>,
    pub cut: bool,
}

impl Pipe {
    /// Who sent the next byte.
    fn sender(&self) -> Option<Credentials> {
        let first = self.parcels.front()?;
        first.credentials.filter(|_| first.from <= self.taken)
    }

    /// How many bytes one read may take: not across the end of a parcel with files, nor, where
    /// it matters who sends, from two senders.
    fn run(&self, sender: Option<Option<Credentials>>) -> u64 {
        let alien = |other: Option<Credentials>| sender.is_some_and(|own| own != other);
        let mut at = self.taken;
        for parcel in &self.parcels {
            if parcel.from > at && alien(None) {
                return at - self.taken;
            }
            at = at.max(parcel.from);
            if alien(parcel.credentials) {
                return at - self.taken;
            }
            at = parcel.to;
            if !parcel.files.is_empty() {
                return at - self.taken;
            }
        }
        match at < self.tail() && alien(None) {
            true => at - self.taken,
            false => self.len,
        }
    }

    /// The files of what begins before a place.
    fn files_before(&self, reach: u64) -> &[u32] {
        let mut reached = self.parcels.iter().take_while(|parcel| parcel.from < reach);
        reached
            .find(|parcel| !parcel.files.is_empty())
            .map_or(&[], |parcel| &parcel.files)
    }

    /// What a burst has needed is not kept.
    pub fn shrink_parcels(&mut self) {
        if self.parcels.capacity() > 4 * self.parcels.len() {
            self.parcels.shrink_to(2 * self.parcels.len());
        }
    }

    /// Whether bytes with these credentials continue the last parcel.
    fn continues(&self, credentials: Option<Credentials>) -> bool {
        let tail = self.tail();
        let fits = |last: &Parcel| last.to == tail && last.credentials == credentials;
        self.parcels.back().is_some_and(fits)
    }
}

impl Fs {
    /// Whether something that goes along with bytes could be put into a pipe.
    pub(super) fn takes_parcels(&self, pipe: &Pipe) -> bool {
        pipe.parcels.len() < MAX_PARCELS && self.parcels < MAX_ALL_PARCELS
    }

    /// Reads from a connection; none while there is nothing and somebody could still write.
    /// `passes` says that it matters who sends.
    pub(super) fn read_parcels<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        io: &mut Io,
        got: &mut Got,
        passes: bool,
    ) -> Result<Option<i64>, Errno> {
        let pipe = &self.pipes[id];
        if pipe.len == 0 {
            return Ok((pipe.writers == 0).then(|| io.done()));
        }
        let sender = *got.sender.get_or_insert_with(|| pipe.sender());
        let run = pipe.run(passes.then_some(sender));
        io.step(run, |addr, len, moved| {
            let (at, rest) = pipe.place(moved);
            let len = len.min(rest);
            port.transfer(addr, len, pipe.object, at, abi::fs::Direction::ToTask)
        })?;
        // Who asks for nothing gets what goes along with the next byte.
        let reached = if io.total == 0 { 1 } else { io.moved };
        if io.peek {
            got.files = pipe.files_before(pipe.taken + reached).to_vec();
            for &file in &got.files {
                self.hold_file(file);
            }
        } else {
            got.files = self.take_parcels(id, io.moved, reached);
        }
        let pipe = &self.pipes[id];
        let more = io.whole && !io.finished() && pipe.len == 0 && pipe.writers > 0;
        Ok((!more || !got.files.is_empty()).then(|| io.done()))
    }

    /// Takes bytes out, and the files of what begins before `reached` of them.
    fn take_parcels(&mut self, id: u32, moved: u64, reached: u64) -> Vec<u32> {
        let pipe = &mut self.pipes[id];
        let reach = pipe.taken + reached;
        let mut files = Vec::new();
        pipe.took(moved);
        pipe.activity.1 += u64::from(moved > 0);
        while let Some(first) = pipe.parcels.front_mut()
            && first.from < reach
        {
            files.append(&mut first.files);
            if first.to > pipe.taken && first.credentials.is_some() {
                break;
            }
            pipe.parcels.pop_front();
            self.parcels -= 1;
        }
        pipe.shrink_parcels();
        self.dirty |= moved > 0 || !files.is_empty();
        self.landed(&files);
        files
    }

    /// Writes to a connection, with what the message brings along.
    pub(super) fn write_parcels<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        io: &mut Io,
        ahead: usize,
        shut: bool,
    ) -> Result<Option<i64>, Errno> {
        let pipe = &self.pipes[id];
        let before = pipe.tail();
        let (first, open) = (io.done() == 0, !shut && pipe.readers > 0);
        let credentials = self.stamp(port, id, io.sends.as_deref());
        let files = io.sends.as_ref().map_or(0, |sent| sent.files.len());
        let parcel = credentials.is_some() || files > 0 && first;
        if open
            && parcel
            && !self.takes_parcels(pipe)
            && (files > 0 || !pipe.continues(credentials))
        {
            return Ok(None);
        }
        if open && first && self.in_flight + files > MAX_IN_FLIGHT {
            return Err(Errno::ETOOMANYREFS);
        }
        let result = self.write_stream(port, id, io, ahead, shut);
        let after = self.pipes[id].tail();
        if after > before && parcel {
            let files = match &io.sends {
                Some(sent) if first => sent.files.clone(),
                _ => Vec::new(),
            };
            self.take_off(&files);
            self.add_parcel(id, (before, after), files, credentials);
        }
        result
    }

    /// Whether it could be noted who sends bytes of our own.
    pub(crate) fn may_push<H: Host>(&self, port: &Port<'_, H>, id: u32) -> bool {
        let pipe = &self.pipes[id];
        match self.stamp(port, id, None) {
            credentials @ Some(_) => pipe.continues(credentials) || self.takes_parcels(pipe),
            None => true,
        }
    }

    /// Notes who sends bytes of our own that have gone into a pipe.
    pub(crate) fn stamp_pushed<H: Host>(&mut self, port: &Port<'_, H>, id: u32, count: u64) {
        let tail = self.pipes[id].tail();
        if let credentials @ Some(_) = self.stamp(port, id, None) {
            self.add_parcel(id, (tail - count, tail), Vec::new(), credentials);
        }
    }

    /// Whose bytes they are: what the message says, or the caller where an end wants to know.
    pub(super) fn stamp<H: Host>(
        &self,
        port: &Port<'_, H>,
        id: u32,
        sent: Option<&Sent>,
    ) -> Option<Credentials> {
        let told = sent.and_then(|sent| sent.credentials);
        let wanted = self.pipes[id].stamps > 0;
        told.or_else(|| wanted.then(|| self.real_credentials(port)).flatten())
    }

    fn add_parcel(
        &mut self,
        id: u32,
        (from, to): (u64, u64),
        files: Vec<u32>,
        credentials: Option<Credentials>,
    ) {
        let pipe = &mut self.pipes[id];
        let piece = match files.is_empty() {
            true => to,
            false => to.min(from + MAX_PIECE),
        };
        match pipe.parcels.back_mut() {
            Some(last)
                if files.is_empty()
                    && last.files.is_empty()
                    && last.to == from
                    && last.credentials == credentials =>
            {
                last.to = piece;
            }
            _ => {
                self.parcels += 1;
                pipe.parcels.push_back(Parcel {
                    from,
                    to: piece,
                    files,
                    credentials,
                    name: Box::default(),
                });
            }
        }
        if piece < to && credentials.is_some() {
            self.add_parcel(id, (piece, to), Vec::new(), credentials);
        }
    }
}
