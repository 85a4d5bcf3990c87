//! send(2) and recv(2) with their relatives.

use super::connect::write_name;
use super::control::{Header, Receives};
use super::parcel::Got;
use crate::Fs;
use crate::host::{Host, Port, check_range};
use crate::io::{Io, Pieces};
use crate::rw::{MAX_COUNT, MAX_PIECES};
use crate::wait::{Flow, Op};
use abi::Errno;
use alloc::boxed::Box;

const MSG_OOB: u32 = 1;
const MSG_PEEK: u32 = 2;
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
        to: u64,
    ) -> Result<Flow, Errno> {
        let (id, file) = self.socket_file(port, fd)?;
        self.check_send(id, flags, to != 0)?;
        check_range(addr, len)?;
        let pieces = Pieces::One((addr, len.min(MAX_COUNT)));
        self.begin_message(port, Io::new(file, true, pieces, None), flags)
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
        let sent = self.read_control(port, (control, control_len))?;
        self.check_send(id, flags, name != 0 && name_len as u32 != 0)?;
        let mut io = Io::new(file, true, pieces, None);
        if !sent.files.is_empty() || sent.credentials.is_some() {
            io.sends = Some(Box::new(sent));
        }
        self.begin_message(port, io, flags)
    }

    fn check_send(&self, id: u32, flags: u32, named: bool) -> Result<(), Errno> {
        if flags & MSG_OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        match (self.stream(id), named) {
            (Some(_), true) => Err(Errno::EISCONN),
            (None, true) => Err(Errno::EOPNOTSUPP),
            (None, false) => Err(Errno::ENOTCONN),
            (Some(_), false) => Ok(()),
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
        let peer = self.check_receive(id, flags)?;
        check_range(addr, len)?;
        // Who sends is known before anything comes.
        if from.0 != 0 && !peer.is_empty() {
            write_name(port, from, &peer)?;
        } else if from.0 != 0 {
            port.write(from.1, &[0; 4])?;
        }
        let pieces = Pieces::One((addr, len.min(MAX_COUNT)));
        let mut io = Io::new(file, false, pieces, None);
        io.receives = Some(Box::new(Receives {
            header: None,
            got: Got::default(),
            peer_name: Box::default(),
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
            name,
            control,
            control_len,
            flags,
        };
        let mut io = Io::new(file, false, pieces, None);
        io.receives = Some(Box::new(Receives {
            header: Some(header),
            got: Got::default(),
            peer_name,
        }));
        self.begin_message(port, io, flags)
    }

    /// The name of who sends.
    fn check_receive(&self, id: u32, flags: u32) -> Result<Box<[u8]>, Errno> {
        if flags & MSG_OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        let stream = self.stream(id).ok_or(Errno::EINVAL)?;
        Ok(stream.peer_name.clone())
    }

    fn begin_message<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        mut io: Io,
        flags: u32,
    ) -> Result<Flow, Errno> {
        if io.write && io.total == 0 {
            return Ok(Flow::Done(0));
        }
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
