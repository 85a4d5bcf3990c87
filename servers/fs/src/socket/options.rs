//! shutdown(2), getsockopt(2), setsockopt(2).

use super::mailbox::Mailbox;
use super::{AF_UNIX, SOL_SOCKET, State};
use crate::Fs;
use crate::anon::Kind;
use crate::host::{Host, Port};
use crate::pipe::CAPACITY;
use abi::Errno;
use abi::wire::MAX;
use alloc::vec::Vec;

const SHUT_RD: u32 = 0;
const SHUT_WR: u32 = 1;
const SHUT_RDWR: u32 = 2;

const SO_REUSEADDR: u32 = 2;
const SO_TYPE: u32 = 3;
const SO_ERROR: u32 = 4;
const SO_SNDBUF: u32 = 7;
const SO_RCVBUF: u32 = 8;
const SO_KEEPALIVE: u32 = 9;
const SO_PASSCRED: u32 = 16;
const SO_PEERCRED: u32 = 17;
const SO_ACCEPTCONN: u32 = 30;
const SO_PROTOCOL: u32 = 38;
const SO_DOMAIN: u32 = 39;

impl Fs {
    /// shutdown(2).
    pub(crate) fn shutdown<H: Host>(
        &mut self,
        port: &Port<'_, H>,
        fd: i32,
        how: u32,
    ) -> Result<i64, Errno> {
        let (id, _) = self.socket_file(port, fd)?;
        if how > SHUT_RDWR {
            return Err(Errno::EINVAL);
        }
        if let Some(mailbox) = self.mailbox_mut(id) {
            mailbox.input_shut |= how != SHUT_WR;
            mailbox.output_shut |= how != SHUT_RD;
            let input = mailbox.input;
            self.pipes[input].activity.0 += 1;
            self.dirty = true;
            return Ok(0);
        }
        let State::Connected(stream) = &mut self.socket_mut(id).state else {
            return Err(Errno::ENOTCONN);
        };
        let reading = how != SHUT_WR && !stream.input_shut;
        let writing = how != SHUT_RD && !stream.output_shut;
        stream.input_shut |= reading;
        stream.output_shut |= writing;
        let (input, output) = (stream.input, stream.output);
        self.pipes[input].readers -= u32::from(reading);
        self.pipes[output].writers -= u32::from(writing);
        // News for both ends.
        for pipe in [input, output] {
            let activity = &mut self.pipes[pipe].activity;
            *activity = (activity.0 + 1, activity.1 + 1);
        }
        self.dirty = true;
        Ok(0)
    }

    /// getsockopt(2).
    pub(crate) fn getsockopt<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        (level, option): (u32, u32),
        (out, len_at): (u64, u64),
    ) -> Result<i64, Errno> {
        let (id, _) = self.socket_file(port, fd)?;
        let mut buffer = [0; MAX];
        let room = port.read(len_at, 4, &mut buffer)?;
        let room = i32::from_le_bytes(room.try_into().map_err(|_| Errno::EFAULT)?);
        let room = usize::try_from(room).map_err(|_| Errno::EINVAL)?;
        if level != SOL_SOCKET {
            return Err(Errno::EOPNOTSUPP);
        }
        let Kind::Socket(socket) = &self.anons[id].kind else {
            return Err(Errno::ENOTSOCK);
        };
        let value: Vec<u32> = match (option, &socket.state) {
            (SO_TYPE, _) => [socket.kind].into(),
            (SO_DOMAIN, _) => [AF_UNIX].into(),
            (SO_ERROR | SO_REUSEADDR | SO_KEEPALIVE | SO_PROTOCOL, _) => [0].into(),
            (SO_PASSCRED, _) => [socket.passes.into()].into(),
            (SO_SNDBUF | SO_RCVBUF, _) => [CAPACITY as u32].into(),
            (SO_ACCEPTCONN, state) => [matches!(state, State::Listening { .. }).into()].into(),
            (SO_PEERCRED, State::Connected(stream)) => stream.peer.into(),
            (
                SO_PEERCRED,
                State::Datagrams(Mailbox {
                    maker: Some(maker), ..
                }),
            ) => (*maker).into(),
            (SO_PEERCRED, _) => [0, u32::MAX, u32::MAX].into(),
            _ => return Err(Errno::ENOPROTOOPT),
        };
        let bytes: Vec<u8> = value.iter().flat_map(|word| word.to_le_bytes()).collect();
        let len = bytes.len().min(room);
        port.write(out, &bytes[..len])?;
        port.write(len_at, &(len as u32).to_le_bytes())?;
        Ok(0)
    }

    /// setsockopt(2): SO_PASSCRED; the rest of what is known is accepted, and changes nothing.
    pub(crate) fn setsockopt<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        (level, option): (u32, u32),
        (value, len): (u64, u32),
    ) -> Result<i64, Errno> {
        let (id, _) = self.socket_file(port, fd)?;
        if level != SOL_SOCKET {
            return Err(Errno::EOPNOTSUPP);
        }
        if len < 4 {
            return Err(Errno::EINVAL);
        }
        let on = port.read(value, 4, &mut [0; MAX])? != [0; 4];
        match option {
            SO_REUSEADDR | SO_SNDBUF | SO_RCVBUF | SO_KEEPALIVE => Ok(0),
            SO_PASSCRED => {
                self.pass_credentials(id, on);
                Ok(0)
            }
            _ => Err(Errno::ENOPROTOOPT),
        }
    }

    fn pass_credentials(&mut self, id: u32, on: bool) {
        let socket = self.socket_mut(id);
        let before = core::mem::replace(&mut socket.passes, on);
        if let Some(mailbox) = self.mailbox_of(id) {
            let input = mailbox.input;
            self.pipes[input].stamps = u32::from(on);
        } else if let Some(stream) = self.stream(id) {
            for pipe in [stream.input, stream.output] {
                let stamps = &mut self.pipes[pipe].stamps;
                *stamps = *stamps + u32::from(on) - u32::from(before);
            }
        }
    }
}
