//! send(2) and recv(2) with their relatives.

use super::control::{Header, Receives};
use super::name::read_name;
use super::parcel::{Got, Sent};
use crate::Fs;
use crate::host::{Host, Port, check_range};
use crate::io::{Io, Pieces};
use crate::rw::{MAX_COUNT, MAX_PIECES};
use crate::wait::{Flow, Op};
use abi::Errno;
use alloc::boxed::Box;
use alloc::vec::Vec;

const MSG_OOB: u32 = 1;
const MSG_PEEK: u32 = 2;
const MSG_TRUNC: u32 = 0x20;
const MSG_DONTWAIT: u32 = 0x40;
const MSG_WAITALL: u32 = 0x100;
const MSG_NOSIGNAL: u32 = 0x4000;

impl Fs {
    /// sendto(2).
    pub(crate) fn send<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        (addr, len): (u64, u64),
        flags: u32,
        to: (u64, u32),
    ) -> Result<Flow, Errno> {
        let (id, file) = self.socket_file(port, fd)?;
        check_range(addr, len)?;
        let pieces = Pieces::One((addr, len.min(MAX_COUNT)));
        let to = self.check_send(port, id, flags, to)?;
        let sent = Sent {
            to,
            ..Sent::default()
        };
        self.begin_sending(port, Io::new(file, true, pieces, None), sent, flags)
    }

    /// sendmsg(2).
    pub(crate) fn sendmsg<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        header: u64,
        flags: u32,
    ) -> Result<Flow, Errno> {
        let (id, file) = self.socket_file(port, fd)?;
        let [name, name_len, pieces, count, control, control_len] = port.words::<6>(header)?;
        let pieces = message_pieces(port, pieces, count)?;
        let mut sent = self.read_control(port, (control, control_len))?;
        sent.to = self.check_send(port, id, flags, (name, name_len as u32))?;
        self.begin_sending(port, Io::new(file, true, pieces, None), sent, flags)
    }

    fn begin_sending<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        mut io: Io,
        sent: Sent,
        flags: u32,
    ) -> Result<Flow, Errno> {
        if !sent.files.is_empty() || sent.credentials.is_some() || sent.to.is_some() {
            io.sends = Some(Box::new(sent));
        }
        self.begin_message(port, io, flags)
    }

    /// What is wrong with sending there; else the name that a datagram goes to.
    fn check_send<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        id: u32,
        flags: u32,
        name: (u64, u32),
    ) -> Result<Option<Box<[u8]>>, Errno> {
        if flags & MSG_OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        let named = name.0 != 0 && name.1 != 0;
        match (self.stream(id), named) {
            _ if self.mailbox_of(id).is_some() => {
                let to = named.then(|| read_name(port, name)).transpose()?;
                match to {
                    Some(to) if to.is_empty() => Err(Errno::EINVAL),
                    to => Ok(to.map(Vec::into_boxed_slice)),
                }
            }
            (Some(_), true) if !self.has_packets(id) => Err(Errno::EISCONN),
            (None, true) if !self.has_packets(id) => Err(Errno::EOPNOTSUPP),
            (None, _) => Err(Errno::ENOTCONN),
            (Some(_), _) => Ok(None),
        }
    }

    /// recvfrom(2).
    pub(crate) fn receive<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        (addr, len): (u64, u64),
        flags: u32,
        from: (u64, u64),
    ) -> Result<Flow, Errno> {
        let (id, file) = self.socket_file(port, fd)?;
        let peer_name = self.check_receive(id, flags)?;
        check_range(addr, len)?;
        let pieces = Pieces::One((addr, len.min(MAX_COUNT)));
        let mut io = Io::new(file, false, pieces, None);
        io.receives = Some(Box::new(Receives {
            header: None,
            got: Got::default(),
            peer_name,
            from,
            waits: flags & MSG_DONTWAIT == 0,
        }));
        self.begin_message(port, io, flags)
    }

    /// recvmsg(2).
    pub(crate) fn recvmsg<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        at: u64,
        flags: u32,
    ) -> Result<Flow, Errno> {
        let (id, file) = self.socket_file(port, fd)?;
        let [name, _, pieces, count, control, control_len] = port.words::<6>(at)?;
        let pieces = message_pieces(port, pieces, count)?;
        let peer_name = self.check_receive(id, flags)?;
        let header = Header {
            at,
            control,
            control_len,
            flags,
        };
        let mut io = Io::new(file, false, pieces, None);
        io.receives = Some(Box::new(Receives {
            header: Some(header),
            got: Got::default(),
            peer_name,
            from: (name, at + 8),
            waits: flags & MSG_DONTWAIT == 0,
        }));
        self.begin_message(port, io, flags)
    }

    /// The name of who sends to a connection.
    fn check_receive(&self, id: u32, flags: u32) -> Result<Box<[u8]>, Errno> {
        if flags & MSG_OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        if self.mailbox_of(id).is_some() {
            return Ok(Box::default());
        }
        let errno = match self.has_packets(id) {
            true => Errno::ENOTCONN,
            false => Errno::EINVAL,
        };
        let stream = self.stream(id).ok_or(errno)?;
        Ok(stream.peer_name.clone())
    }

    fn begin_message<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        mut io: Io,
        flags: u32,
    ) -> Result<Flow, Errno> {
        let packets = self
            .socket_of(io.file)
            .is_some_and(|id| self.has_packets(id));
        if io.write && io.total == 0 && !packets {
            return Ok(Flow::Done(0));
        }
        io.trunc = flags & MSG_TRUNC != 0;
        io.peek = flags & MSG_PEEK != 0;
        io.quiet = flags & MSG_NOSIGNAL != 0;
        let nonblocking = flags & MSG_DONTWAIT != 0 || self.files[io.file].nonblocking();
        io.whole = flags & MSG_WAITALL != 0 && !io.peek && !nonblocking;
        self.begin(port, Op::Io(io), nonblocking)
    }
}

/// The memory of a message; EMSGSIZE for more pieces than there may be.
fn message_pieces<H: Host>(port: &mut Port<'_, H>, addr: u64, count: u64) -> Result<Pieces, Errno> {
    match count > MAX_PIECES {
        true => Err(Errno::EMSGSIZE),
        false => port.pieces(addr, count),
    }
}
