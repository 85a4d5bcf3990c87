//! SOCK_DGRAM: each socket has a pipe of its own, and perhaps a peer.

use super::packet::check_packet;
use super::{Credentials, Socket, State};
use crate::Fs;
use crate::anon::Kind;
use crate::host::{Host, Port};
use crate::io::Io;
use crate::pipe::Pipe;
use abi::Errno;
use alloc::boxed::Box;

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

    /// What a SOCK_DGRAM socket has.
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
    pub(super) fn mailbox_full(&self, from: u32, to: u32) -> bool {
        self.mailbox_of(to).is_some_and(|other| {
            let queue = self.pipes[other.input].parcels.len();
            from != to && other.peer != Some(from) && queue > MAX_QUEUE
        })
    }
}
