//! Open files in flight: they are in a connection, sent and not received. A socket in flight may
//! have others on their way to it, and in the end itself, so that counting alone would keep it
//! for ever.

use super::{Socket, State};
use crate::Fs;
use crate::anon::Kind;
use crate::file::File;
use crate::tree::Node;
use alloc::vec;
use alloc::vec::Vec;

impl Fs {
    /// Files are in flight from now on.
    pub(super) fn take_off(&mut self, files: &[u32]) {
        for &file in files {
            self.hold_file(file);
            self.files[file].in_flight += 1;
        }
        self.in_flight += files.len();
    }

    /// Files are in flight no more, and whoever has taken them has their holds.
    pub(super) fn landed(&mut self, files: &[u32]) {
        for &file in files {
            self.files[file].in_flight -= 1;
        }
        self.in_flight -= files.len();
    }

    /// Nobody will ever receive what is in a pipe.
    pub(crate) fn drop_parcels(&mut self, pipe: u32) {
        for parcel in core::mem::take(&mut self.pipes[pipe].parcels) {
            self.parcels -= 1;
            self.landed(&parcel.files);
            self.drop_files(parcel.files);
        }
    }

    /// Gives up holds. It is done later, since a file that is closed may hold others.
    pub(super) fn drop_files(&mut self, files: Vec<u32>) {
        self.dropped.extend(files);
    }

    /// A file is in flight everywhere that it is held: a cycle may have lost its last owner.
    pub(crate) fn only_in_flight(&mut self, file: u32) {
        let File { node, .. } = &self.files[file];
        self.astray |= self.is_socket(*node);
    }

    /// Closes what was given up, and what nobody can receive any more.
    pub(crate) fn settle_flights(&mut self) {
        loop {
            while let Some(file) = self.dropped.pop() {
                self.release_file(file);
            }
            if !core::mem::take(&mut self.astray) {
                break;
            }
            self.collect();
        }
    }

    /// Whether [`Fs::settle_flights`] has something to do.
    pub(crate) fn flights_settled(&self) -> bool {
        self.dropped.is_empty() && !self.astray
    }

    /// Empties the sockets that only such sockets lead to as are in flight themselves, by marking
    /// from those files that somebody has.
    fn collect(&mut self) {
        let owned = |file: &File| file.users() > file.in_flight;
        let held = self.files.iter().filter(|(_, file)| owned(file));
        let mut rest: Vec<u32> = held.map(|(id, _)| id).collect();
        let most = self.files.iter().map(|(id, _)| id + 1).max().unwrap_or(0);
        let mut marked = vec![false; most as usize];
        for &id in &rest {
            marked[id as usize] = true;
        }
        while let Some(id) = rest.pop() {
            for pipe in self.inputs(self.files[id].node) {
                for &next in self.pipes[pipe]
                    .parcels
                    .iter()
                    .flat_map(|parcel| &parcel.files)
                {
                    if !core::mem::replace(&mut marked[next as usize], true) {
                        rest.push(next);
                    }
                }
            }
        }
        let lost = self.files.iter().filter(|(id, _)| !marked[*id as usize]);
        let lost: Vec<Node> = lost.map(|(_, file)| file.node).collect();
        for node in lost {
            for pipe in self.inputs(node) {
                self.drop_parcels(pipe);
            }
        }
    }

    /// The pipes that a file is the way to what is in them: a socket's own, or those of the
    /// connections that nobody has accepted.
    fn inputs(&self, node: Node) -> Vec<u32> {
        let Node::Anon(id) = node else {
            return Vec::new();
        };
        match &self.anons[id].kind {
            Kind::Socket(Socket { state, .. }) => match state {
                State::Fresh => Vec::new(),
                State::Listening { queue, .. } => {
                    let ends = queue.iter().filter_map(|&end| self.stream(end));
                    ends.map(|stream| stream.input).collect()
                }
                State::Connected(stream) => vec![stream.input],
                State::Datagrams(mailbox) => vec![mailbox.input],
            },
            _ => Vec::new(),
        }
    }
}
