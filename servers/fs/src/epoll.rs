//! epoll(7).

use crate::Fs;
use crate::anon::Kind;
use crate::host::{Host, Port};
use crate::poll::{Timeout, check_mask};
use crate::tree::{Body, Node};
use crate::wait::{Flow, Op};
use abi::linux::general::{
    O_CLOEXEC, O_RDWR, POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDHUP, POLLRDNORM,
    POLLWRNORM,
};
use abi::{Errno, TaskId};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The most files one watches.
const MAX_WATCHED: usize = 4096;
/// How deep they may watch each other (epoll_ctl(2), ELOOP).
pub(crate) const MAX_DEPTH: usize = 5;
/// The longest list of events that is asked for (Linux's EP_MAX_EVENTS).
const MAX_EVENTS: i32 = i32::MAX / 12;

const EPOLL_CTL_ADD: u32 = 1;
const EPOLL_CTL_DEL: u32 = 2;
const EPOLL_CTL_MOD: u32 = 3;
const EPOLLET: u32 = 1 << 31;
const EPOLLONESHOT: u32 = 1 << 30;

/// What new input makes news, and what new room does.
const INPUT: u32 = POLLIN | POLLRDNORM | POLLPRI | POLLRDHUP | POLLHUP;
const OUTPUT: u32 = POLLOUT | POLLWRNORM | POLLERR | POLLHUP;

/// An epoll instance.
#[derive(Clone, Default, Hash)]
pub(crate) struct Epoll {
    watched: BTreeMap<Key, Item>,
    /// What has become ready, in this order, which is the order of telling. What stays ready without an edge is told again behind
    /// the others.
    queue: Vec<Key>,
}

impl Epoll {
    /// The open files that it watches.
    pub fn files(&self) -> impl Iterator<Item = u32> {
        self.watched.keys().map(|key| key.1)
    }
}

/// A file by the descriptor that it was added as.
type Key = (i32, u32);

#[derive(Clone, Copy, Hash)]
struct Item {
    events: u32,
    data: u64,
    /// The file's activity when an edge was told.
    told: Option<(u64, u64)>,
    /// EPOLLONESHOT has had its shot.
    spent: bool,
    /// It stands in the queue.
    queued: bool,
}

/// One epoll_wait on its way.
#[derive(Clone, Hash)]
pub(crate) struct EpollWait {
    pub file: u32,
    epoll: u32,
    out: u64,
    max: usize,
    pub deadline: Option<u64>,
    pub expired: bool,
}

impl Fs {
    /// epoll_create1(2).
    pub(crate) fn epoll_create<H: Host>(
        &mut self,
        port: &Port<'_, H>,
        flags: u32,
    ) -> Result<i64, Errno> {
        if flags & !O_CLOEXEC != 0 {
            return Err(Errno::EINVAL);
        }
        let kind = Kind::Epoll(Epoll::default());
        self.open_anon(port, kind, O_RDWR, flags != 0)
    }

    /// epoll_ctl(2).
    pub(crate) fn epoll_ctl<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        epfd: i32,
        operation: u32,
        fd: i32,
        event: u64,
    ) -> Result<i64, Errno> {
        let (mut events, mut data) = (0, 0);
        if operation != EPOLL_CTL_DEL {
            let mut buffer = [0; abi::wire::MAX];
            let bytes = port.read(event, 12, &mut buffer)?;
            events = u32::from_le_bytes(bytes[..4].try_into().expect("four bytes"));
            data = u64::from_le_bytes(bytes[4..].try_into().expect("eight bytes"));
        }
        let own = self.file(port.task, epfd)?;
        let file = self.file(port.task, fd)?;
        let node = self.files[file].node;
        if !self.pollable(node) {
            return Err(Errno::EPERM);
        }
        let id = self.epoll_of(own).ok_or(Errno::EINVAL)?;
        if own == file {
            return Err(Errno::EINVAL);
        }
        let key = (fd, file);
        let item = Item {
            events: events | POLLERR | POLLHUP,
            data,
            told: None,
            spent: false,
            queued: false,
        };
        let known = self.epoll(id).is_some_and(|e| e.watched.contains_key(&key));
        match operation {
            EPOLL_CTL_ADD if known => return Err(Errno::EEXIST),
            EPOLL_CTL_ADD => {
                if self
                    .depth(id, node, 0)
                    .is_none_or(|depth| depth >= MAX_DEPTH)
                {
                    return Err(Errno::ELOOP);
                }
                let count = self.epoll(id).map_or(0, |e| e.watched.len());
                if count >= MAX_WATCHED {
                    return Err(Errno::ENOSPC);
                }
                self.files[file].watchers += 1;
            }
            EPOLL_CTL_DEL | EPOLL_CTL_MOD if !known => return Err(Errno::ENOENT),
            EPOLL_CTL_DEL => self.files[file].watchers -= 1,
            EPOLL_CTL_MOD => {}
            _ => return Err(Errno::EINVAL),
        }
        if let Kind::Epoll(epoll) = &mut self.anons[id].kind {
            if operation == EPOLL_CTL_DEL {
                epoll.watched.remove(&key);
                epoll.queue.retain(|queued| *queued != key);
            } else {
                // What is changed keeps its place.
                let queued = epoll.watched.get(&key).is_some_and(|old| old.queued);
                epoll.watched.insert(key, Item { queued, ..item });
            }
        }
        self.queue_ready(port.task, id);
        self.dirty = true;
        Ok(0)
    }

    /// epoll_wait(2); epoll_pwait(2), whose mask is the process manager's business.
    pub(crate) fn epoll_wait<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        (out, max): (u64, i32),
        timeout: Timeout,
        (mask, mask_size): (u64, u64),
    ) -> Result<Flow, Errno> {
        check_mask(mask, mask_size)?;
        if max <= 0 || max > MAX_EVENTS {
            return Err(Errno::EINVAL);
        }
        crate::host::check_range(out, max as u64 * 12)?;
        let file = self.file(port.task, fd)?;
        let epoll = self.epoll_of(file).ok_or(Errno::EINVAL)?;
        let deadline = timeout.deadline(port)?;
        let wait = EpollWait {
            file,
            epoll,
            out,
            max: max as usize,
            deadline,
            expired: deadline == Some(0),
        };
        self.begin(port, Op::Epoll(wait), false)
    }

    /// Looks whether anything has happened; none while nothing has and there is time.
    pub(crate) fn attempt_epoll<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        wait: &EpollWait,
    ) -> Result<Option<i64>, Errno> {
        self.watch_file(port, wait.file)?;
        self.queue_ready(port.task, wait.epoll);
        let found = self.events(port.task, wait.epoll, wait.max);
        if found.is_empty() && !wait.expired {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        for &(key, ready) in &found {
            let data = self.epoll(wait.epoll).map_or(0, |e| e.watched[&key].data);
            bytes.extend_from_slice(&ready.to_le_bytes());
            bytes.extend_from_slice(&data.to_le_bytes());
        }
        port.write(wait.out, &bytes)?;
        for &(key, _) in &found {
            let activity = self.activity(key.1);
            if let Kind::Epoll(epoll) = &mut self.anons[wait.epoll].kind
                && let Some(item) = epoll.watched.get_mut(&key)
            {
                item.told = Some(activity);
                item.spent = item.events & EPOLLONESHOT != 0;
                item.queued = item.events & (EPOLLET | EPOLLONESHOT) == 0;
                if item.queued {
                    epoll.queue.push(key);
                }
            }
        }
        // What was told stands in front still, too.
        if let Kind::Epoll(epoll) = &mut self.anons[wait.epoll].kind {
            epoll.queue.drain(..found.len());
        }
        Ok(Some(found.len() as i64))
    }

    /// What there is to tell, in the order in which it came about.
    fn events(&self, task: TaskId, id: u32, max: usize) -> Vec<(Key, u32)> {
        let Some(epoll) = self.epoll(id) else {
            return Vec::new();
        };
        let ready = |key: &Key| (*key, self.news(task, *key, &epoll.watched[key]));
        epoll.queue.iter().map(ready).take(max).collect()
    }

    /// Puts what has become ready at the end of the queue, and takes out what is no more.
    fn queue_ready(&mut self, task: TaskId, id: u32) {
        let Some(epoll) = self.epoll(id) else { return };
        let is_ready = |key: &Key| self.news(task, *key, &epoll.watched[key]) != 0;
        let mut queue: Vec<Key> = epoll.queue.iter().copied().filter(is_ready).collect();
        let fresh = epoll.watched.iter().filter(|(_, item)| !item.queued);
        queue.extend(fresh.map(|(key, _)| *key).filter(is_ready));
        if let Kind::Epoll(epoll) = &mut self.anons[id].kind {
            for item in epoll.watched.values_mut() {
                item.queued = false;
            }
            for key in &queue {
                if let Some(item) = epoll.watched.get_mut(key) {
                    item.queued = true;
                }
            }
            epoll.queue = queue;
        }
    }

    /// What of a watched file is to be told.
    fn news(&self, task: TaskId, key: Key, item: &Item) -> u32 {
        if item.spent {
            return 0;
        }
        let ready = self.file_readiness(task, key.1) & item.events & !(EPOLLET | EPOLLONESHOT);
        match item.told {
            Some(told) if item.events & EPOLLET != 0 => {
                let now = self.activity(key.1);
                let input = if now.0 != told.0 { INPUT } else { 0 };
                let output = if now.1 != told.1 { OUTPUT } else { 0 };
                // What is new makes everything be told that is ready.
                if ready & (input | output) != 0 {
                    ready
                } else {
                    0
                }
            }
            _ => ready,
        }
    }

    pub(crate) fn any_ready(&self, task: TaskId, epoll: &Epoll) -> bool {
        let mut watched = epoll.watched.iter();
        watched.any(|(key, item)| self.news(task, *key, item) != 0)
    }

    /// A file is closed: nobody watches it any more.
    pub(crate) fn unwatch(&mut self, file: u32) {
        for anon in self.anons.iter_mut() {
            if let Kind::Epoll(epoll) = &mut anon.kind {
                epoll.watched.retain(|key, _| key.1 != file);
                epoll.queue.retain(|key| key.1 != file);
            }
        }
    }

    pub(crate) fn release_epoll(&mut self, epoll: Epoll) {
        for (_, file) in epoll.watched.into_keys() {
            self.files[file].watchers -= 1;
        }
    }

    /// How deep a node watches others; none if `top` is among them.
    fn depth(&self, top: u32, node: Node, above: usize) -> Option<usize> {
        let Node::Anon(id) = node else {
            return Some(above);
        };
        let Some(epoll) = self.epoll(id) else {
            return Some(above);
        };
        if id == top || above >= MAX_DEPTH {
            return None;
        }
        let mut below = epoll.watched.keys();
        below.try_fold(above + 1, |deepest, &(_, file)| {
            let node = self.files[file].node;
            Some(deepest.max(self.depth(top, node, above + 1)?))
        })
    }

    fn epoll(&self, id: u32) -> Option<&Epoll> {
        match &self.anons[id].kind {
            Kind::Epoll(epoll) => Some(epoll),
            _ => None,
        }
    }

    fn epoll_of(&self, file: u32) -> Option<u32> {
        match self.files[file].node {
            Node::Anon(id) if self.epoll(id).is_some() => Some(id),
            _ => None,
        }
    }

    fn pollable(&self, node: Node) -> bool {
        match node {
            Node::Inode(ino) => match self.tree.get(ino).body {
                Body::Device(device) => device.is_console(),
                Body::Fifo(_) => true,
                _ => false,
            },
            Node::Proc(_) => false,
            Node::Pipe(_) | Node::Anon(_) => true,
        }
    }
}
