//! How connections come about: listen(2), connect(2), accept(2).

use super::name::{names_nobody, read_name, write_name};
use super::{FLAGS, SOCK_DGRAM, Socket, State, Stream};
use crate::Fs;
use crate::anon::Kind;
use crate::host::{Host, Port};
use crate::wait::{Flow, Op};
use abi::Errno;
use abi::linux::general::{O_CLOEXEC, O_NONBLOCK, O_RDWR};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

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
}
