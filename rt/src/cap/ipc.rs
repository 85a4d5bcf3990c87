//! Endpoints and notifications (seL4 manual 4 and 5).

use super::{CPtr, capabilities};
use crate::syscall::{self, MessageInfo, Received, Words};

capabilities! {
    /// Where messages are sent to and received from.
    Endpoint
    /// A word of bits that collects signals.
    Notification
}

impl Endpoint {
    /// Sends and waits for the answer. Words beyond the fourth are in the IPC buffer.
    #[inline]
    pub fn call(self, info: MessageInfo, words: Words) -> Received {
        syscall::call(self.0, info, words)
    }

    /// Sends, waiting until it is received.
    #[inline]
    pub fn send(self, info: MessageInfo, words: Words) {
        syscall::send(self.0, info, words);
    }

    /// Waits for a message.
    #[inline]
    pub fn recv(self) -> Received {
        syscall::recv(self.0)
    }

    /// Takes a message if one is waiting.
    #[inline]
    pub fn poll(self) -> Option<Received> {
        let received = syscall::nb_recv(self.0);
        (received.badge != 0).then_some(received)
    }

    /// Answers the last caller and waits for the next message.
    #[inline]
    pub fn reply_recv(self, info: MessageInfo, words: Words) -> Received {
        syscall::reply_recv(self.0, info, words)
    }
}

impl Notification {
    /// Sets the badge's bits.
    #[inline]
    pub fn signal(self) {
        syscall::send(self.0, MessageInfo(0), [0; 4]);
    }
}
