//! Names of sockets (unix(7), "Address format").

use super::{AF_UNIX, Socket, State};
use crate::Fs;
use crate::anon::Kind;
use crate::host::{Host, Port};
use crate::path::{Follow, Last};
use crate::tree::{Body, Node};
use abi::Errno;
use abi::linux::general::W_OK;
use abi::wire::MAX;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The size of struct sockaddr_un.
const ADDRESS: usize = 110;

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
pub(super) fn names_nobody<H: Host>(
    port: &mut Port<'_, H>,
    (addr, len): (u64, u32),
) -> Result<bool, Errno> {
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
