//! Sockets of the family AF_UNIX, two pipes between two ends, or one to each that gets datagrams.

mod connect;
mod control;
mod flight;
mod mailbox;
mod message;
mod name;
mod options;
mod packet;
mod pair;
mod parcel;
mod ready;

use crate::Fs;
use crate::anon::Kind;
use crate::host::{Host, Port};
use crate::io::Io;
use crate::tree::{Ino, Node};
use abi::Errno;
use abi::linux::general::{O_CLOEXEC, O_NONBLOCK, O_RDWR};
use alloc::boxed::Box;
use alloc::collections::VecDeque;

pub(crate) use connect::Connect;
pub(crate) use control::Receives;
use mailbox::Mailbox;
use parcel::Got;
pub use parcel::{MAX_ALL_PARCELS, MAX_IN_FLIGHT, MAX_PARCELS};
pub(crate) use parcel::{Parcel, Sent};

/// Process, user and group.
pub(crate) type Credentials = [u32; 3];

const AF_UNIX: u32 = 1;
const SOCK_STREAM: u32 = 1;
const SOCK_DGRAM: u32 = 2;
const SOCK_RAW: u32 = 3;
const SOCK_SEQPACKET: u32 = 5;
const SOL_SOCKET: u32 = 1;
/// Bits of a socket's type that are its descriptor's flags; they are those of open(2).
const FLAGS: u32 = O_CLOEXEC | O_NONBLOCK;
/// The type's own bits.
const TYPE: u32 = 0xf;

/// A socket.
#[derive(Clone, Hash)]
pub(crate) struct Socket {
    /// Its type.
    pub kind: u32,
    pub state: State,
    /// The name it is bound to, as in sun_path: the file's path, or a zero and any bytes.
    pub name: Box<[u8]>,
    /// The file of that name.
    pub file: Option<Ino>,
    /// Process, user and group of who made it.
    pub owner: Credentials,
    /// SO_PASSCRED: who receives is told who sends.
    pub passes: bool,
}

#[derive(Clone, Hash)]
pub(crate) enum State {
    Fresh,
    Listening {
        backlog: usize,
        /// Ends of connections that nobody has accepted, each held.
        queue: VecDeque<u32>,
        /// How many there have been.
        arrived: u64,
    },
    Connected(Stream),
    /// All that a SOCK_DGRAM socket is ever in.
    Datagrams(Mailbox),
}

/// One end of a connection.
#[derive(Clone, Hash)]
pub(crate) struct Stream {
    input: u32,
    output: u32,
    /// shutdown(2) has closed it.
    input_shut: bool,
    output_shut: bool,
    peer_name: Box<[u8]>,
    peer: Credentials,
}

impl Socket {
    fn fresh(kind: u32, owner: Credentials) -> Socket {
        Socket {
            // What a raw one would be is a datagram's.
            kind: match kind & TYPE {
                SOCK_RAW => SOCK_DGRAM,
                kind => kind,
            },
            state: State::Fresh,
            name: Box::default(),
            file: None,
            owner,
            passes: false,
        }
    }
}

impl Fs {
    /// socket(2).
    pub(crate) fn socket<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        family: u32,
        kind: u32,
        protocol: u32,
    ) -> Result<i64, Errno> {
        check_kind(family, kind, protocol)?;
        let mut socket = Socket::fresh(kind, self.credentials(port)?);
        if socket.kind == SOCK_DGRAM {
            self.free_fd(port, 0)?;
            self.anon_room(1)?;
            socket.state = self.mailbox(port)?;
        }
        let status = O_RDWR | kind & O_NONBLOCK;
        self.open_anon(port, Kind::Socket(socket), status, kind & O_CLOEXEC != 0)
    }

    /// Process, effective user and group of the caller.
    fn credentials<H: Host>(&self, port: &Port<'_, H>) -> Result<Credentials, Errno> {
        let tgid = self.tasks.get(port.task).ok_or(Errno::ESRCH)?.tgid;
        Ok([tgid, port.who.told.uid[1], port.who.told.gid[1]])
    }

    /// The same with the real user and group.
    fn real_credentials<H: Host>(&self, port: &Port<'_, H>) -> Option<Credentials> {
        let tgid = self.tasks.get(port.task)?.tgid;
        Some([tgid, port.who.told.uid[0], port.who.told.gid[0]])
    }

    /// The last file of a socket is closed.
    pub(crate) fn release_socket(&mut self, id: u32, socket: Socket) {
        if let Some(ino) = socket.file {
            self.release_node(Node::Inode(ino));
        }
        match socket.state {
            State::Fresh => {}
            State::Datagrams(mailbox) => self.release_mailbox(id, &mailbox, &socket.name),
            State::Listening { queue, .. } => {
                for end in queue {
                    self.release_anon(end);
                }
            }
            State::Connected(stream) => {
                self.pipes[stream.input].readers -= u32::from(!stream.input_shut);
                self.pipes[stream.output].writers -= u32::from(!stream.output_shut);
                for pipe in [stream.input, stream.output] {
                    self.pipes[pipe].stamps -= u32::from(socket.passes);
                }
                self.drop_parcels(stream.input);
                self.pipes[stream.input].activity.1 += 1;
                self.pipes[stream.output].activity.0 += 1;
                self.release_pipe(stream.input);
                self.release_pipe(stream.output);
            }
        }
        self.dirty = true;
    }

    /// Reads what has come.
    pub(crate) fn read_socket<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        // read(2) of nothing takes nothing.
        if io.receives.is_none() && io.total == 0 {
            return Ok(Some(0));
        }
        let mut got = match &io.receives {
            Some(receives) => receives.got.clone(),
            None => Got::default(),
        };
        let Socket { kind, passes, .. } = *self.socket_mut(id);
        let result = if kind == SOCK_DGRAM {
            let mailbox = self.mailbox_of(id).ok_or(Errno::EINVAL)?;
            let (input, shut) = (mailbox.input, mailbox.input_shut);
            // Who does not wait is told to come again.
            let waits = io.receives.as_ref().is_none_or(|receives| receives.waits)
                && !self.files[io.file].nonblocking();
            self.read_packet(port, input, io, &mut got, shut && waits)?
        } else if kind == SOCK_SEQPACKET {
            let stream = self.stream(id).ok_or(Errno::ENOTCONN)?;
            let (input, shut) = (stream.input, stream.input_shut);
            let ended = shut || self.pipes[input].writers == 0;
            self.read_packet(port, input, io, &mut got, ended)?
        } else {
            let stream = self.stream(id).ok_or(Errno::EINVAL)?;
            let (input, shut) = (stream.input, stream.input_shut);
            match shut {
                true => Some(io.done()),
                false => self.read_parcels(port, input, io, &mut got, passes)?,
            }
        };
        match (result, &mut io.receives) {
            (Some(_), Some(receives)) => {
                receives.got = got;
                self.received(port, id, receives)?;
            }
            (Some(_), None) => self.drop_files(got.files),
            (None, Some(receives)) => receives.got = got,
            (None, None) => {}
        }
        Ok(result)
    }

    /// Writes to the other end.
    pub(crate) fn write_socket<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        io: &mut Io,
        ahead: usize,
    ) -> Result<Option<i64>, Errno> {
        match self.socket_mut(id).kind {
            SOCK_DGRAM => return self.write_datagram(port, id, io, ahead),
            SOCK_SEQPACKET => return self.write_seqpacket(port, id, io, ahead),
            _ => {}
        }
        let stream = self.stream(id).ok_or(Errno::ENOTCONN)?;
        let (output, shut) = (stream.output, stream.output_shut);
        self.write_parcels(port, output, io, ahead, shut)
    }

    /// The end of a connection that a socket is.
    pub(crate) fn stream(&self, id: u32) -> Option<&Stream> {
        match &self.anons[id].kind {
            Kind::Socket(Socket {
                state: State::Connected(stream),
                ..
            }) => Some(stream),
            _ => None,
        }
    }

    /// The pipe that a socket writes to.
    pub(crate) fn output_of(&self, id: u32) -> Option<u32> {
        self.stream(id).map(|stream| stream.output)
    }

    /// The socket behind a descriptor, and its open file; ENOTSOCK.
    fn socket_file<H: Host>(&self, port: &Port<'_, H>, fd: i32) -> Result<(u32, u32), Errno> {
        let file = self.file(port.task, fd)?;
        match self.files[file].node {
            Node::Anon(id) if matches!(self.anons[id].kind, Kind::Socket(_)) => Ok((id, file)),
            _ => Err(Errno::ENOTSOCK),
        }
    }

    /// Whether a node is an open socket.
    pub(crate) fn is_socket(&self, node: Node) -> bool {
        matches!(node, Node::Anon(id) if matches!(self.anons[id].kind, Kind::Socket(_)))
    }

    /// The socket that an open file is.
    fn socket_of(&self, file: u32) -> Option<u32> {
        match self.files[file].node {
            node @ Node::Anon(id) if self.is_socket(node) => Some(id),
            _ => None,
        }
    }

    fn socket_mut(&mut self, id: u32) -> &mut Socket {
        match &mut self.anons[id].kind {
            Kind::Socket(socket) => socket,
            _ => unreachable!("socket_file has looked"),
        }
    }
}

fn check_kind(family: u32, kind: u32, protocol: u32) -> Result<(), Errno> {
    if kind & !(TYPE | FLAGS) != 0 {
        return Err(Errno::EINVAL);
    }
    if family != AF_UNIX {
        return Err(Errno::EAFNOSUPPORT);
    }
    if protocol != 0 && protocol != AF_UNIX {
        return Err(Errno::EPROTONOSUPPORT);
    }
    if ![SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET].contains(&(kind & TYPE)) {
        return Err(Errno::ESOCKTNOSUPPORT);
    }
    Ok(())
}
