//! Sockets that keep the boundaries of messages: SOCK_DGRAM and SOCK_SEQPACKET. A message is a
//! parcel, and its bytes are in the pipe of whoever receives it.

use super::SOCK_STREAM;
use super::parcel::{Got, MAX_IN_FLIGHT, Parcel};
use crate::Fs;
use crate::anon::Kind;
use crate::host::{Host, Port};
use crate::io::Io;
use crate::pipe::CAPACITY;
use abi::Errno;
use abi::fs::Direction;
use alloc::vec::Vec;

/// The longest message, which is Linux's for a send buffer of this size.
const MAX_MESSAGE: u64 = CAPACITY - 32;

impl Fs {
    /// Whether a socket keeps the boundaries of messages.
    pub(crate) fn has_packets(&self, id: u32) -> bool {
        matches!(&self.anons[id].kind, Kind::Socket(socket) if socket.kind != SOCK_STREAM)
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
    pub(super) fn write_packet<H: Host>(
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
}

/// What is wrong with a message before it is known where it goes.
pub(super) fn check_packet(len: u64, shut: bool) -> Result<(), Errno> {
    match (len > MAX_MESSAGE, shut) {
        (true, _) => Err(Errno::EMSGSIZE),
        (_, true) => Err(Errno::EPIPE),
        _ => Ok(()),
    }
}
