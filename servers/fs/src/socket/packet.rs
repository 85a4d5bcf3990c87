//! Sockets that keep the boundaries of messages: SOCK_DGRAM and SOCK_SEQPACKET. A message is a
//! parcel, and its bytes are in the pipe of whoever receives it.

use super::parcel::{Got, MAX_IN_FLIGHT, Parcel};
use super::{Credentials, SOCK_STREAM, Socket, State};
use crate::Fs;
use crate::anon::{Kind, READABLE, WRITABLE};
use crate::host::{Host, Port};
use crate::io::Io;
use crate::pipe::{CAPACITY, PIPE_BUF, Pipe};
use abi::Errno;
use abi::fs::Direction;
use abi::linux::general::{POLLHUP, POLLRDHUP};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The longest message, which is Linux's for a send buffer of this size.
const MAX_MESSAGE: u64 = CAPACITY - 32;
/// How many messages wait in a socket for all but its peer before it is full, and one more
/// (Linux's net.unix.max_dgram_qlen).
const MAX_QUEUE: usize = 10;

/// What a SOCK_DGRAM socket has.
#[derive(Clone, Hash)]
pub(crate) struct Mailbox {
    /// The pipe with what was sent to it.
    pub input: u32,
    /// Whom connect(2) or socketpair(2) has named.
    pub peer: Option<u32>,
    /// The name of a peer that is closed, until somebody has noticed.
    pub gone: Option<Box<[u8]>>,
    /// shutdown(2) has closed it.
    pub input_shut: bool,
    pub output_shut: bool,
    /// Who made the pair that it is of.
    pub maker: Option<Credentials>,
}

impl Fs {
    /// A mailbox of its own; ENFILE.
    pub(super) fn mailbox<H: Host>(&mut self, port: &mut Port<'_, H>) -> Result<State, Errno> {
        if self.pipes.room() == 0 {
            return Err(Errno::ENFILE);
        }
        let object = port.create().map_err(|_| Errno::ENFILE)?;
        let mut pipe = Pipe::new(object, port.who.ids());
        (pipe.readers, pipe.holds) = (1, 1);
        let input = self.pipes.insert(pipe).expect("there was room");
        Ok(State::Datagrams(Mailbox {
            input,
            peer: None,
            gone: None,
            input_shut: false,
            output_shut: false,
            maker: None,
        }))
    }

    pub(super) fn mailbox_of(&self, id: u32) -> Option<&Mailbox> {
        match &self.anons[id].kind {
            Kind::Socket(Socket {
                state: State::Datagrams(mailbox),
                ..
            }) => Some(mailbox),
            _ => None,
        }
    }

    pub(super) fn mailbox_mut(&mut self, id: u32) -> Option<&mut Mailbox> {
        match &mut self.anons[id].kind {
            Kind::Socket(Socket {
                state: State::Datagrams(mailbox),
                ..
            }) => Some(mailbox),
            _ => None,
        }
    }

    /// Whether a socket keeps the boundaries of messages.
    pub(crate) fn has_packets(&self, id: u32) -> bool {
        matches!(&self.anons[id].kind, Kind::Socket(socket) if socket.kind != SOCK_STREAM)
    }

    /// Joins two sockets to a pair.
    pub(super) fn join_mailboxes(&mut self, [a, b]: [u32; 2], maker: Credentials) {
        for (own, peer) in [(a, b), (b, a)] {
            if let Some(mailbox) = self.mailbox_mut(own) {
                mailbox.peer = Some(peer);
                mailbox.maker = Some(maker);
            }
        }
    }

    /// EPERM where a socket hears only its peer, which is somebody else.
    fn may_send(&self, id: u32, to: u32) -> Result<(), Errno> {
        let other = self.mailbox_of(to).ok_or(Errno::ECONNREFUSED)?;
        match other.gone.is_some() || other.peer.is_some_and(|peer| peer != id) {
            true => Err(Errno::EPERM),
            false => Ok(()),
        }
    }

    /// connect(2) of a SOCK_DGRAM socket; without a name it has no peer any more.
    pub(super) fn set_peer(&mut self, id: u32, peer: Option<u32>) -> Result<i64, Errno> {
        if let Some(peer) = peer {
            self.may_send(id, peer)?;
        }
        let Some(mailbox) = self.mailbox_mut(id) else {
            return Err(Errno::EINVAL);
        };
        let had = mailbox.peer.is_some() || mailbox.gone.is_some();
        let another = had && (mailbox.peer != peer || mailbox.gone.is_some());
        (mailbox.peer, mailbox.gone) = (peer, None);
        // What the old one has sent, or anybody, is lost.
        if another {
            self.purge(id);
        }
        self.dirty = true;
        Ok(0)
    }

    /// Drops everything that a socket has not received.
    fn purge(&mut self, id: u32) {
        let Some(&Mailbox { input, .. }) = self.mailbox_of(id) else {
            return;
        };
        self.drop_parcels(input);
        let pipe = &mut self.pipes[input];
        pipe.took(pipe.len);
        pipe.activity.1 += 1;
        self.dirty = true;
    }

    /// The last file of a SOCK_DGRAM socket is closed: whose peer it was notices when it sends.
    pub(super) fn release_mailbox(&mut self, id: u32, mailbox: &Mailbox, name: &[u8]) {
        for anon in self.anons.iter_mut() {
            if let Kind::Socket(Socket {
                state: State::Datagrams(other),
                ..
            }) = &mut anon.kind
                && other.peer == Some(id)
            {
                (other.peer, other.gone) = (None, Some(name.into()));
            }
        }
        self.drop_parcels(mailbox.input);
        self.release_pipe(mailbox.input);
    }

    /// Sends a datagram.
    pub(super) fn write_datagram<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        io: &mut Io,
        ahead: usize,
    ) -> Result<Option<i64>, Errno> {
        let mailbox = self.mailbox_of(id).ok_or(Errno::ENOTCONN)?;
        let (peer, gone, shut) = (mailbox.peer, mailbox.gone.is_some(), mailbox.output_shut);
        let name = io.sends.as_ref().and_then(|sent| sent.to.clone());
        if name.is_none() && peer.is_none() && !gone {
            return Err(Errno::ENOTCONN);
        }
        self.autobind_to_pass(id)?;
        check_packet(io.total, shut)?;
        let to = match (name, peer) {
            (Some(name), _) => self.socket_named(port, id, &name)?,
            (None, Some(peer)) => peer,
            (None, None) => {
                self.set_peer(id, None)?;
                return Err(Errno::ECONNREFUSED);
            }
        };
        self.may_send(id, to)?;
        let other = self.mailbox_of(to).ok_or(Errno::ECONNREFUSED)?;
        if other.input_shut {
            return Err(Errno::EPIPE);
        }
        if self.mailbox_full(id, to) {
            return Ok(None);
        }
        let input = other.input;
        self.write_packet(port, (id, input), io, ahead)
    }

    /// Whether a socket takes no more from another one, which is not its peer.
    fn mailbox_full(&self, from: u32, to: u32) -> bool {
        self.mailbox_of(to).is_some_and(|other| {
            let queue = self.pipes[other.input].parcels.len();
            from != to && other.peer != Some(from) && queue > MAX_QUEUE
        })
    }

    /// Sends a message to the other end of a connection.
    pub(super) fn write_seqpacket<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        io: &mut Io,
        ahead: usize,
    ) -> Result<Option<i64>, Errno> {
        let stream = self.stream(id).ok_or(Errno::ENOTCONN)?;
        let (output, shut) = (stream.output, stream.output_shut);
        self.autobind_to_pass(id)?;
        check_packet(io.total, shut)?;
        if self.pipes[output].readers == 0 {
            return Err(Errno::EPIPE);
        }
        self.write_packet(port, (id, output), io, ahead)
    }

    /// Puts a message into a pipe, all of it or nothing.
    fn write_packet<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (id, to): (u32, u32),
        io: &mut Io,
        ahead: usize,
    ) -> Result<Option<i64>, Errno> {
        let (name, passes) = {
            let socket = self.socket_mut(id);
            (socket.name.clone(), socket.passes)
        };
        let mut waits = self.waits[..ahead].iter();
        let queued = waits.any(|wait| self.writes_pipe(&wait.op, to));
        let pipe = &self.pipes[to];
        if queued || pipe.free() < io.total || !self.takes_parcels(pipe) {
            return Ok(None);
        }
        let sent = io.sends.as_deref();
        let files = sent.map_or(0, |sent| sent.files.len());
        if self.in_flight + files > MAX_IN_FLIGHT {
            return Err(Errno::ETOOMANYREFS);
        }
        let told = self.stamp(port, to, sent);
        let credentials = match passes {
            true => told.or_else(|| self.real_credentials(port)),
            false => told,
        };
        let files = sent.map(|sent| sent.files.clone()).unwrap_or_default();
        let (len, object) = (pipe.len, pipe.object);
        io.step(io.total, |addr, count, moved| {
            let (at, run) = pipe.place(len + moved);
            port.transfer(addr, count.min(run), object, at, Direction::FromTask)
        })?;
        if io.done() as u64 != io.total {
            return Err(Errno::EFAULT);
        }
        self.take_off(&files);
        let pipe = &mut self.pipes[to];
        let from = pipe.tail();
        pipe.len += io.total;
        pipe.activity.0 += 1;
        pipe.parcels.push_back(Parcel {
            from,
            to: pipe.tail(),
            files,
            credentials,
            name,
        });
        self.parcels += 1;
        self.dirty = true;
        Ok(Some(io.done()))
    }

    /// Receives a message, or at the end nothing; none while none has come.
    pub(super) fn read_packet<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        io: &mut Io,
        got: &mut Got,
        ended: bool,
    ) -> Result<Option<i64>, Errno> {
        let pipe = &self.pipes[id];
        let Some(first) = pipe.parcels.front() else {
            return Ok(ended.then_some(0));
        };
        let len = first.to - first.from;
        got.sender = Some(first.credentials);
        got.name = first.name.clone();
        got.cut = len > io.total;
        let result = io.step(len, |addr, count, moved| {
            let (at, run) = pipe.place(moved);
            port.transfer(addr, count.min(run), pipe.object, at, Direction::ToTask)
        });
        if io.peek {
            got.files = first.files.clone();
            for &file in &got.files {
                self.hold_file(file);
            }
        } else {
            got.files = self.take_packet(id, len);
        }
        // As on Linux, it is lost where it could not be written.
        if result.is_err() || (io.done() as u64) < len.min(io.total) {
            self.drop_files(core::mem::take(&mut got.files));
            return Err(Errno::EFAULT);
        }
        Ok(Some(match io.trunc {
            true => len as i64,
            false => io.done(),
        }))
    }

    /// Takes the first message out; its files.
    fn take_packet(&mut self, id: u32, len: u64) -> Vec<u32> {
        let pipe = &mut self.pipes[id];
        pipe.took(len);
        pipe.activity.1 += 1;
        let files = pipe.parcels.pop_front().map(|parcel| parcel.files);
        let files = files.unwrap_or_default();
        pipe.shrink_parcels();
        self.parcels -= 1;
        self.dirty = true;
        self.landed(&files);
        files
    }

    pub(super) fn mailbox_readiness(&self, id: u32, mailbox: &Mailbox) -> u32 {
        let (input, shut) = (&self.pipes[mailbox.input], mailbox.input_shut);
        let mut ready = 0;
        ready |= match shut || !input.parcels.is_empty() {
            true => READABLE,
            false => 0,
        };
        ready |= if shut { POLLRDHUP } else { 0 };
        ready |= match shut && mailbox.output_shut {
            true => POLLHUP,
            false => 0,
        };
        let full = mailbox.peer.is_some_and(|peer| {
            let other = self.mailbox_of(peer).map(|other| &self.pipes[other.input]);
            let room = |pipe: &Pipe| pipe.free() >= PIPE_BUF && self.takes_parcels(pipe);
            self.mailbox_full(id, peer) || !other.is_some_and(room)
        });
        ready | if full { 0 } else { WRITABLE }
    }
}

/// What is wrong with a message before it is known where it goes.
fn check_packet(len: u64, shut: bool) -> Result<(), Errno> {
    match (len > MAX_MESSAGE, shut) {
        (true, _) => Err(Errno::EMSGSIZE),
        (_, true) => Err(Errno::EPIPE),
        _ => Ok(()),
    }
}
