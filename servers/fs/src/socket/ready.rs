//! What a socket is ready for, and how much could be read.

use super::mailbox::Mailbox;
use super::{Socket, State};
use crate::Fs;
use crate::anon::{READABLE, WRITABLE};
use crate::pipe::{PIPE_BUF, Pipe};
use abi::linux::general::{POLLHUP, POLLRDHUP};

impl Fs {
    /// How many bytes could be read.
    pub(crate) fn socket_unread(&self, id: u32) -> Option<u64> {
        if let Some(mailbox) = self.mailbox_of(id) {
            let first = self.pipes[mailbox.input].parcels.front();
            return Some(first.map_or(0, |first| first.to - first.from));
        }
        Some(self.pipes[self.stream(id)?.input].len)
    }

    pub(crate) fn socket_readiness(&self, id: u32, socket: &Socket) -> u32 {
        let stream = match &socket.state {
            State::Fresh => return WRITABLE | POLLHUP,
            State::Datagrams(mailbox) => return self.mailbox_readiness(id, mailbox),
            State::Listening { queue, .. } if queue.is_empty() => return 0,
            State::Listening { .. } => return READABLE,
            State::Connected(stream) => stream,
        };
        let (input, output) = (&self.pipes[stream.input], &self.pipes[stream.output]);
        let ended = stream.input_shut || input.writers == 0;
        let deaf = stream.output_shut || output.readers == 0;
        let mut ready = 0;
        ready |= if input.len > 0 || !input.parcels.is_empty() {
            READABLE
        } else {
            0
        };
        ready |= if ended { READABLE | POLLRDHUP } else { 0 };
        ready |= if deaf || output.free() >= PIPE_BUF && self.takes_parcels(output) {
            WRITABLE
        } else {
            0
        };
        ready |= if ended && deaf { POLLHUP } else { 0 };
        ready
    }

    pub(crate) fn socket_activity(&self, socket: &Socket) -> (u64, u64) {
        match &socket.state {
            State::Fresh => (0, 0),
            State::Datagrams(mailbox) => {
                let other = mailbox.peer.and_then(|peer| self.mailbox_of(peer));
                let other = other.map_or(0, |other| self.pipes[other.input].activity.1);
                (self.pipes[mailbox.input].activity.0, other)
            }
            State::Listening { arrived, .. } => (*arrived, 0),
            State::Connected(stream) => (
                self.pipes[stream.input].activity.0,
                self.pipes[stream.output].activity.1,
            ),
        }
    }

    /// What a SOCK_DGRAM socket is ready for.
    pub(super) fn mailbox_readiness(&self, id: u32, mailbox: &Mailbox) -> u32 {
        let (input, shut) = (&self.pipes[mailbox.input], mailbox.input_shut);
        let mut ready = 0;
        ready |= match shut || !input.parcels.is_empty() {
            true => READABLE,
            false => 0,
        };
        ready |= if shut { POLLRDHUP } else { 0 };
        ready |= match shut && mailbox.output_shut {
            true => POLLHUP,
            false => 0,
        };
        let full = mailbox.peer.is_some_and(|peer| {
            let other = self.mailbox_of(peer).map(|other| &self.pipes[other.input]);
            let room = |pipe: &Pipe| pipe.free() >= PIPE_BUF && self.takes_parcels(pipe);
            self.mailbox_full(id, peer) || !other.is_some_and(room)
        });
        ready | if full { 0 } else { WRITABLE }
    }
}
