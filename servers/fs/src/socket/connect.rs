//! Names of sockets, and how connections come about.

use super::{AF_UNIX, FLAGS, SOCK_DGRAM, Socket, State, Stream};
use crate::Fs;
use crate::anon::Kind;
use crate::host::{Host, Port};
use crate::path::{Follow, Last};
use crate::tree::{Body, Node};
use crate::wait::{Flow, Op};
use abi::Errno;
use abi::linux::general::{O_CLOEXEC, O_NONBLOCK, O_RDWR, W_OK};
use abi::wire::MAX;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// The size of struct sockaddr_un.
const ADDRESS: usize = 110;
/// The most connections that wait to be accepted (Linux's SOMAXCONN).
const MAX_BACKLOG: usize = 4096;

/// A connect or accept on its way.
#[derive(Clone, Hash)]
pub(crate) struct Connect {
    /// The socket that connects or accepts.
    pub file: u32,
    id: u32,
    pub what: What,
}

#[derive(Clone, Hash)]
pub(crate) enum What {
    Connect {
        /// The name to connect to.
        name: Vec<u8>,
    },
    Accept {
        address: u64,
        len: u64,
        flags: u32,
    },
}

impl Fs {
    /// bind(2).
    pub(crate) fn bind<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        address: (u64, u32),
    ) -> Result<i64, Errno> {
        let (id, _) = self.socket_file(port, fd)?;
        let name = read_name(port, address)?;
        if !self.socket_mut(id).name.is_empty() {
            return Err(Errno::EINVAL);
        }
        // Nothing but the family: any free name.
        let name = match name.first() {
            None => return self.autobind(id).map(|()| 0),
            Some(_) => name,
        };
        let mut file = None;
        if name[0] == 0 {
            let kind = self.socket_mut(id).kind;
            if self.bound_to(&name, None, kind).is_some() {
                return Err(Errno::EADDRINUSE);
            }
        } else {
            let base = self.cwd(port.task)?;
            let walk = self.walk(port, base, &name, Follow::Never)?;
            let Last::Name(last) = walk.last else {
                return Err(Errno::EADDRINUSE);
            };
            if walk.node.is_some() {
                return Err(Errno::EADDRINUSE);
            }
            let parent = self.writable_directory(walk.dir)?;
            let mode = 0o777 & !self.context_mut(port.task)?.umask;
            let ino = self.make(port, parent, &last, mode, Body::Socket)?;
            self.tree.hold(ino);
            file = Some(ino);
        }
        let socket = self.socket_mut(id);
        socket.name = name.into();
        socket.file = file;
        Ok(0)
    }

    /// Gives a socket any free name.
    pub(super) fn autobind(&mut self, id: u32) -> Result<(), Errno> {
        let kind = self.socket_mut(id).kind;
        let names = (id..1 << 20).map(|number| alloc::format!("\0{number:05x}").into_bytes());
        let mut free = names.filter(|name| self.bound_to(name, None, kind).is_none());
        let name = free.next().ok_or(Errno::ENOSPC)?;
        self.socket_mut(id).name = name.into();
        Ok(())
    }

    /// The same for one that wants to know who sends, before it sends or connects itself.
    pub(super) fn autobind_to_pass(&mut self, id: u32) -> Result<(), Errno> {
        let socket = self.socket_mut(id);
        match socket.passes && socket.name.is_empty() {
            true => self.autobind(id),
            false => Ok(()),
        }
    }

    /// listen(2).
    pub(crate) fn listen<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        count: i32,
    ) -> Result<i64, Errno> {
        let (id, _) = self.socket_file(port, fd)?;
        let owner = self.credentials(port)?;
        let socket = self.socket_mut(id);
        if socket.kind == SOCK_DGRAM {
            return Err(Errno::EOPNOTSUPP);
        }
        let most = usize::try_from(count)
            .unwrap_or(MAX_BACKLOG)
            .min(MAX_BACKLOG);
        match &mut socket.state {
            _ if socket.name.is_empty() => return Err(Errno::EINVAL),
            State::Connected(_) | State::Datagrams(_) => return Err(Errno::EINVAL),
            State::Listening { backlog, .. } => *backlog = most,
            State::Fresh => {
                socket.owner = owner;
                socket.state = State::Listening {
                    backlog: most,
                    queue: VecDeque::new(),
                    arrived: 0,
                };
            }
        }
        self.dirty = true;
        Ok(0)
    }

    /// connect(2).
    pub(crate) fn connect<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        address: (u64, u32),
    ) -> Result<Flow, Errno> {
        let (id, file) = self.socket_file(port, fd)?;
        let datagrams = self.socket_mut(id).kind == SOCK_DGRAM;
        if datagrams && names_nobody(port, address)? {
            return self.set_peer(id, None).map(Flow::Done);
        }
        let name = read_name(port, address)?;
        if name.is_empty() {
            return Err(Errno::EINVAL);
        }
        self.autobind_to_pass(id)?;
        if datagrams {
            let peer = self.socket_named(port, id, &name)?;
            return self.set_peer(id, Some(peer)).map(Flow::Done);
        }
        let what = What::Connect { name };
        let nonblocking = self.files[file].nonblocking();
        self.begin(port, Op::Connect(Connect { file, id, what }), nonblocking)
    }

    /// accept4(2).
    pub(crate) fn accept4<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        (address, len): (u64, u64),
        flags: u32,
    ) -> Result<Flow, Errno> {
        if flags & !FLAGS != 0 {
            return Err(Errno::EINVAL);
        }
        let (id, file) = self.socket_file(port, fd)?;
        if self.socket_mut(id).kind == SOCK_DGRAM {
            return Err(Errno::EOPNOTSUPP);
        }
        let what = What::Accept {
            address,
            len,
            flags,
        };
        let nonblocking = self.files[file].nonblocking();
        self.begin(port, Op::Connect(Connect { file, id, what }), nonblocking)
    }

    /// Goes on with a connect or accept; none while it has to wait for the other side.
    pub(crate) fn attempt_connect<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        connect: &Connect,
    ) -> Result<Option<i64>, Errno> {
        match &connect.what {
            What::Connect { name } => self.try_connect(port, connect.id, name),
            &What::Accept {
                address,
                len,
                flags,
            } => self.try_accept(port, connect.id, (address, len), flags),
        }
    }

    fn try_connect<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        name: &[u8],
    ) -> Result<Option<i64>, Errno> {
        let listener = self.socket_named(port, id, name)?;
        match self.socket_mut(id).state {
            State::Fresh => {}
            State::Connected(_) => return Err(Errno::EISCONN),
            State::Listening { .. } | State::Datagrams(_) => return Err(Errno::EINVAL),
        }
        let Kind::Socket(Socket {
            state: State::Listening { backlog, queue, .. },
            name: listener_name,
            owner: listener_owner,
            passes: listener_passes,
            ..
        }) = &self.anons[listener].kind
        else {
            return Err(Errno::ECONNREFUSED);
        };
        // As on Linux, one more than was asked for.
        if queue.len() > *backlog {
            return Ok(None);
        }
        let (listener_name, listener_owner) = (listener_name.clone(), *listener_owner);
        let listener_passes = *listener_passes;
        if self.anons.room() == 0 {
            return Err(Errno::ENFILE);
        }
        let owner = self.credentials(port)?;
        let own_name = self.socket_mut(id).name.clone();
        let [there, back] = self.two_pipes(port)?;
        let own = self.end(back, there, listener_name.clone(), listener_owner);
        let other = self.end(there, back, own_name, owner);
        let socket = self.socket_mut(id);
        socket.state = State::Connected(own);
        socket.owner = owner;
        let kind = socket.kind;
        let passing = u32::from(socket.passes) + u32::from(listener_passes);
        for pipe in [there, back] {
            self.pipes[pipe].stamps = passing;
        }
        let end = Socket {
            kind,
            state: State::Connected(other),
            name: listener_name,
            file: None,
            owner: listener_owner,
            passes: listener_passes,
        };
        let kind = Kind::Socket(end);
        let end = crate::anon::Anon {
            holds: 1,
            owner: self.anons[listener].owner,
            kind,
        };
        let end = self.anons.insert(end);
        let end = end.expect("there was room");
        if let State::Listening { queue, arrived, .. } = &mut self.socket_mut(listener).state {
            queue.push_back(end);
            *arrived += 1;
        }
        self.dirty = true;
        Ok(Some(0))
    }

    fn try_accept<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        address: (u64, u64),
        flags: u32,
    ) -> Result<Option<i64>, Errno> {
        let State::Listening { queue, .. } = &self.socket_mut(id).state else {
            return Err(Errno::EINVAL);
        };
        let Some(&end) = queue.front() else {
            return Ok(None);
        };
        let fd = self.free_fd(port, 0)?;
        if self.files.room() == 0 {
            return Err(Errno::ENFILE);
        }
        if address.0 != 0 {
            let name = self.stream(end).map(|s: &Stream| s.peer_name.clone());
            write_name(port, address, &name.unwrap_or_default())?;
        }
        if let State::Listening { queue, .. } = &mut self.socket_mut(id).state {
            queue.pop_front();
        }
        let status = O_RDWR | flags & O_NONBLOCK;
        let opened = self.open_as(port, fd, end, status, flags & O_CLOEXEC != 0)?;
        // The queue's hold is the file's now.
        self.anons[end].holds -= 1;
        self.dirty = true;
        Ok(Some(opened))
    }

    /// The socket of a name, for one of the same type: EPROTOTYPE.
    pub(super) fn socket_named<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        own: u32,
        name: &[u8],
    ) -> Result<u32, Errno> {
        let Kind::Socket(Socket { kind, .. }) = self.anons[own].kind else {
            return Err(Errno::ENOTSOCK);
        };
        if name[0] == 0 {
            let found = self.bound_to(name, None, kind);
            return found.ok_or(Errno::ECONNREFUSED);
        }
        let base = self.cwd(port.task)?;
        let node = self.resolve(port, base, name, true)?;
        let Node::Inode(ino) = node else {
            return Err(Errno::ECONNREFUSED);
        };
        self.permitted(port, node, W_OK)?;
        if !matches!(self.tree.get(ino).body, Body::Socket) {
            return Err(Errno::ECONNREFUSED);
        }
        let found = self.bound_to(b"", Some(ino), kind);
        let found = found.ok_or(Errno::ECONNREFUSED)?;
        match &self.anons[found].kind {
            Kind::Socket(socket) if socket.kind == kind => Ok(found),
            _ => Err(Errno::EPROTOTYPE),
        }
    }

    /// The socket of an abstract name, of this type, or of a file.
    fn bound_to(&self, name: &[u8], file: Option<u32>, kind: u32) -> Option<u32> {
        let mut sockets = self.anons.iter().filter_map(|(id, anon)| match &anon.kind {
            Kind::Socket(socket) => Some((id, socket)),
            _ => None,
        });
        let found = sockets.find(|(_, socket)| match file {
            Some(_) => socket.file == file,
            // The ends of its connections have its name too.
            None => {
                let own = !matches!(socket.state, State::Connected(_));
                own && socket.kind == kind && *socket.name == *name
            }
        });
        found.map(|(id, _)| id)
    }

    /// The name of whom a socket is connected to.
    fn peer_name(&self, id: u32) -> Option<Box<[u8]>> {
        if let Some(stream) = self.stream(id) {
            return Some(stream.peer_name.clone());
        }
        let mailbox = self.mailbox_of(id)?;
        match mailbox.peer.map(|peer| &self.anons[peer].kind) {
            Some(Kind::Socket(peer)) => Some(peer.name.clone()),
            _ => mailbox.gone.clone(),
        }
    }

    /// getsockname(2) and getpeername(2).
    pub(crate) fn socket_name<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        address: (u64, u64),
        peer: bool,
    ) -> Result<i64, Errno> {
        let (id, _) = self.socket_file(port, fd)?;
        let name: Box<[u8]> = match peer {
            true => self.peer_name(id).ok_or(Errno::ENOTCONN)?,
            false => self.socket_mut(id).name.clone(),
        };
        write_name(port, address, &name).map(|()| 0)
    }
}

/// Whether an address is of no family at all.
fn names_nobody<H: Host>(port: &mut Port<'_, H>, (addr, len): (u64, u32)) -> Result<bool, Errno> {
    if len < 2 {
        return Err(Errno::EINVAL);
    }
    Ok(port.read(addr, 2, &mut [0; MAX])? == [0; 2])
}

/// The name in a struct sockaddr_un (unix(7)).
pub(super) fn read_name<H: Host>(
    port: &mut Port<'_, H>,
    (addr, len): (u64, u32),
) -> Result<Vec<u8>, Errno> {
    let len = len as usize;
    if !(2..=ADDRESS).contains(&len) {
        return Err(Errno::EINVAL);
    }
    let mut buffer = [0; MAX];
    let bytes = port.read(addr, len, &mut buffer)?;
    if u32::from(u16::from_le_bytes([bytes[0], bytes[1]])) != AF_UNIX {
        return Err(Errno::EINVAL);
    }
    let name = &bytes[2..];
    match name.first() {
        Some(0) | None => Ok(name.to_vec()),
        Some(_) => {
            let len = name.iter().position(|&b| b == 0).unwrap_or(name.len());
            Ok(name[..len].to_vec())
        }
    }
}

/// Writes a struct sockaddr_un, cut to the length that is at `len_at`, and its whole length there.
pub(super) fn write_name<H: Host>(
    port: &mut Port<'_, H>,
    (addr, len_at): (u64, u64),
    name: &[u8],
) -> Result<(), Errno> {
    let mut address = Vec::from((AF_UNIX as u16).to_le_bytes());
    address.extend_from_slice(name);
    if name.first().is_some_and(|&b| b != 0) {
        address.push(0);
    }
    let mut buffer = [0; MAX];
    let room = port.read(len_at, 4, &mut buffer)?;
    let room = i32::from_le_bytes(room.try_into().map_err(|_| Errno::EFAULT)?);
    let room = usize::try_from(room).map_err(|_| Errno::EINVAL)?;
    port.write(addr, &address[..address.len().min(room)])?;
    port.write(len_at, &(address.len() as u32).to_le_bytes())
}
