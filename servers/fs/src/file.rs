//! Open file descriptions.

use crate::Fs;
use crate::dev::Device;
use crate::tree::{Body, Node};
use abi::linux::general::{O_ACCMODE, O_NONBLOCK, O_PATH, O_RDONLY, O_RDWR, O_WRONLY};
use abi::{Errno, TaskId};
use alloc::boxed::Box;

/// The most open files of all tasks together.
pub const MAX_FILES: usize = 8192;

/// One open file description, shared by every descriptor that was made from it.
#[derive(Clone, Hash)]
pub(crate) struct File {
    /// Descriptors and waits that use it.
    users: u32,
    /// Those of them that are in a connection, sent and not received.
    pub in_flight: u32,
    pub node: Node,
    /// The access mode and the status flags, as F_GETFL tells them.
    pub flags: u32,
    pub offset: u64,
    /// How often a named pipe had been opened to write when this came to read without waiting;
    /// else a number that no pipe reaches.
    pub before: u64,
    /// The user who opened it.
    pub opener: u32,
    /// It keeps its inode from being run while it may write it.
    pub blocks_exec: bool,
    /// How many epoll instances watch it.
    pub watchers: u32,
    /// Whose memory a file of /proc shows; 0 for none.
    pub memory: u64,
    /// What a file of /proc said when its beginning was read.
    pub text: Box<[u8]>,
}

impl File {
    pub fn users(&self) -> u32 {
        self.users
    }

    pub fn readable(&self) -> bool {
        self.flags & O_PATH == 0 && matches!(self.flags & O_ACCMODE, O_RDONLY | O_RDWR)
    }

    pub fn writable(&self) -> bool {
        self.flags & O_PATH == 0 && matches!(self.flags & O_ACCMODE, O_WRONLY | O_RDWR)
    }

    pub fn nonblocking(&self) -> bool {
        self.flags & O_NONBLOCK != 0
    }
}

impl Fs {
    /// Opens a node, with no user yet; ENFILE.
    pub(crate) fn add_file(
        &mut self,
        node: Node,
        flags: u32,
        text: Box<[u8]>,
    ) -> Result<u32, Errno> {
        let file = File {
            users: 0,
            in_flight: 0,
            node,
            flags,
            offset: 0,
            before: u64::MAX,
            opener: 0,
            blocks_exec: true,
            watchers: 0,
            memory: 0,
            text,
        };
        let (readable, writable) = (file.readable(), file.writable());
        let id = self.files.insert(file).ok_or(Errno::ENFILE)?;
        self.hold_node(node);
        match self.device(node) {
            Some(Device::Pts(tty)) => self.hold_pts(tty),
            Some(Device::Line) => self.hold_serial(),
            _ => {}
        }
        if let Node::Inode(ino) = node {
            self.tree.get_mut(ino).writers += u32::from(writable);
        }
        if let Some(pipe) = self.pipe_of(node) {
            let named = self.is_fifo(node);
            let pipe = &mut self.pipes[pipe];
            pipe.readers += u32::from(readable);
            pipe.writers += u32::from(writable);
            pipe.opened.0 += u64::from(readable);
            pipe.opened.1 += u64::from(writable);
            pipe.holds += u32::from(named && (readable || writable));
            self.dirty = true;
        }
        Ok(id)
    }

    /// One more user.
    pub(crate) fn hold_file(&mut self, id: u32) {
        self.files[id].users += 1;
    }

    /// A table of descriptors closes one.
    pub(crate) fn close_file(&mut self, table: u32, file: u32) {
        self.drop_table_locks(table, file);
        self.release_file(file);
    }

    /// One user less; the last one closes it.
    pub(crate) fn release_file(&mut self, id: u32) {
        self.files[id].users -= 1;
        let file = &self.files[id];
        if file.users > 0 {
            if file.users == file.in_flight {
                self.only_in_flight(id);
            }
            return;
        }
        let file = self.files.remove(id).expect("it was just used");
        if file.watchers > 0 {
            self.unwatch(id);
        }
        if let Node::Inode(ino) = file.node {
            let counted = file.writable() && file.blocks_exec;
            self.tree.get_mut(ino).writers -= u32::from(counted);
        }
        self.drop_file_locks(id, file.node);
        if let Some(id) = self.pipe_of(file.node) {
            let pipe = &mut self.pipes[id];
            pipe.readers -= u32::from(file.readable());
            pipe.writers -= u32::from(file.writable());
            // Its end is news for whoever is left.
            pipe.activity = (pipe.activity.0 + 1, pipe.activity.1 + 1);
            self.dirty = true;
            if self.is_fifo(file.node) && (file.readable() || file.writable()) {
                self.close_fifo(file.node, id);
            }
        }
        match self.device(file.node) {
            Some(Device::Pts(tty)) => self.release_pts(tty),
            Some(Device::Line) => self.release_serial(),
            _ => {}
        }
        match file.node {
            // Its hold goes on until it has its time.
            Node::Inode(ino) if self.tree.get(ino).written => self.closed.push(ino),
            node => self.release_node(node),
        }
    }

    /// One open file of a named pipe less; with the last one goes what is in it.
    fn close_fifo(&mut self, node: Node, pipe: u32) {
        if self.pipes[pipe].holds == 1
            && let Node::Inode(ino) = node
        {
            self.tree.get_mut(ino).body = Body::Fifo(None);
        }
        self.release_pipe(pipe);
    }

    pub(crate) fn hold_node(&mut self, node: Node) {
        match node {
            Node::Inode(ino) => self.tree.hold(ino),
            Node::Pipe(pipe) => self.pipes[pipe].holds += 1,
            Node::Anon(anon) => self.anons[anon].holds += 1,
            Node::Proc(_) => {}
        }
    }

    pub(crate) fn release_node(&mut self, node: Node) {
        match node {
            Node::Inode(ino) => {
                self.tree.release(ino);
                self.freed.append(&mut self.tree.freed);
            }
            Node::Pipe(pipe) => self.release_pipe(pipe),
            Node::Anon(anon) => self.release_anon(anon),
            Node::Proc(_) => {}
        }
    }

    /// The open file behind a descriptor, O_PATH or not; EBADF.
    pub(crate) fn any_file(&self, task: TaskId, fd: i32) -> Result<u32, Errno> {
        let task = self.tasks.get(task).ok_or(Errno::ESRCH)?;
        let fd = self.tables[task.table].get(fd).ok_or(Errno::EBADF)?;
        Ok(fd.file)
    }

    /// The open file behind a descriptor; EBADF also for O_PATH, which is no open file to most
    /// calls.
    pub(crate) fn file(&self, task: TaskId, fd: i32) -> Result<u32, Errno> {
        let id = self.any_file(task, fd)?;
        if self.files[id].flags & O_PATH != 0 {
            return Err(Errno::EBADF);
        }
        Ok(id)
    }

    /// The device behind a node.
    pub(crate) fn device(&self, node: Node) -> Option<Device> {
        let Node::Inode(ino) = node else { return None };
        match self.tree.get(ino).body {
            Body::Device(device) => Some(device),
            _ => None,
        }
    }
}
