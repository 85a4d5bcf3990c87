//! socketpair(2), and what joins two sockets.

use super::{Credentials, SOCK_DGRAM, Socket, State, Stream, check_kind};
use crate::Fs;
use crate::anon::{Anon, Kind};
use crate::host::{Host, Port};
use crate::pipe::Pipe;
use abi::Errno;
use abi::linux::general::{O_CLOEXEC, O_NONBLOCK, O_RDWR};
use alloc::boxed::Box;

impl Fs {
    /// socketpair(2).
    pub(crate) fn socketpair<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (family, kind, protocol): (u32, u32, u32),
        out: u64,
    ) -> Result<i64, Errno> {
        check_kind(family, kind, protocol)?;
        let owner = self.credentials(port)?;
        let [first, second] = self.free_fds(port)?;
        self.anon_room(2)?;
        let mut fds = [0; 8];
        fds[..4].copy_from_slice(&first.to_le_bytes());
        fds[4..].copy_from_slice(&second.to_le_bytes());
        port.write(out, &fds)?;
        let ends = [(); 2].map(|()| Socket::fresh(kind, owner));
        let ends = self.join(port, ends)?;
        for (fd, end) in [first, second].into_iter().zip(ends) {
            let status = O_RDWR | kind & O_NONBLOCK;
            self.open_as(port, fd, end, status, kind & O_CLOEXEC != 0)?;
        }
        Ok(0)
    }

    /// Connects two sockets that are no files yet; there is room for them. ENFILE for pipes.
    fn join<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        [mut a, mut b]: [Socket; 2],
    ) -> Result<[u32; 2], Errno> {
        let maker = a.owner;
        if a.kind == SOCK_DGRAM {
            if self.pipes.room() < 2 {
                return Err(Errno::ENFILE);
            }
            a.state = self.mailbox(port)?;
            b.state = match self.mailbox(port) {
                Ok(state) => state,
                Err(errno) => {
                    self.release_socket(u32::MAX, a);
                    return Err(errno);
                }
            };
        } else {
            let [there, back] = self.two_pipes(port)?;
            let (a_name, b_name) = (a.name.clone(), b.name.clone());
            a.state = State::Connected(self.end(back, there, b_name, b.owner));
            b.state = State::Connected(self.end(there, back, a_name, a.owner));
        }
        let mut ends = [0; 2];
        for (end, socket) in ends.iter_mut().zip([a, b]) {
            let kind = Kind::Socket(socket);
            let anon = self.anons.insert(Anon {
                holds: 0,
                owner: port.who.ids(),
                kind,
            });
            *end = anon.expect("there was room for two");
        }
        self.join_mailboxes(ends, maker);
        Ok(ends)
    }

    pub(super) fn two_pipes<H: Host>(&mut self, port: &mut Port<'_, H>) -> Result<[u32; 2], Errno> {
        if self.pipes.room() < 2 {
            return Err(Errno::ENFILE);
        }
        let first = port.create().map_err(|_| Errno::ENFILE)?;
        let Ok(second) = port.create() else {
            self.freed.push(first);
            return Err(Errno::ENFILE);
        };
        let owner = port.who.ids();
        let mut add = |object| self.pipes.insert(Pipe::new(object, owner));
        match (add(first), add(second)) {
            (Some(there), Some(back)) => Ok([there, back]),
            _ => unreachable!("there was room for two"),
        }
    }

    /// One end of two pipes.
    pub(super) fn end(
        &mut self,
        input: u32,
        output: u32,
        peer_name: Box<[u8]>,
        peer: Credentials,
    ) -> Stream {
        self.pipes[input].readers += 1;
        self.pipes[output].writers += 1;
        self.pipes[input].holds += 1;
        self.pipes[output].holds += 1;
        Stream {
            input,
            output,
            input_shut: false,
            output_shut: false,
            peer_name,
            peer,
        }
    }
}
