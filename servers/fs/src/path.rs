//! From a path to a node (path_resolution(7), openat2(2)).

use crate::Fs;
use crate::host::{Host, Port};
use crate::proc::Target;
use crate::tree::{Body, Node, ROOT};
use abi::linux::general::{
    AT_FDCWD, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS,
    RESOLVE_NO_XDEV, S_IFDIR, S_IFLNK, S_IFMT, X_OK,
};
use abi::{Errno, TaskId};
use alloc::vec::Vec;

/// The most symbolic links one path leads through (path_resolution(7)).
const MAX_LINKS: u32 = 40;
/// The longest path, with what symbolic links put into it.
const PATH_MAX: usize = 4096;
/// The longest name.
pub(crate) const NAME_MAX: usize = 255;

/// Which symbolic link at the end of a path is followed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    /// Any.
    Always,
    /// One with a slash behind it.
    Slash,
    /// None: the name is what counts, as for unlink(2).
    Never,
}

/// The end of a path.
pub(crate) struct Walk {
    /// The directory that the last name is in.
    pub dir: Node,
    pub last: Last,
    /// A slash follows the last name.
    pub slash: bool,
    /// What is there.
    pub node: Option<Node>,
}

pub(crate) enum Last {
    Name(Vec<u8>),
    Dot,
    DotDot,
    Root,
}

/// A path on the way.
struct Way {
    /// What `/` is, and where `..` leads no further.
    root: Node,
    /// Where it began.
    start: Node,
    dir: Node,
    path: Vec<u8>,
    /// How much of the path is done.
    at: usize,
    /// How many symbolic links it has led through.
    links: u32,
    follow: Follow,
    /// openat2(2)'s RESOLVE_ bits.
    resolve: u32,
}

/// The name that comes next on a way.
#[derive(Clone, Copy)]
struct Step {
    /// Where in the path it begins and ends, and where what follows the slashes behind it begins.
    start: usize,
    end: usize,
    next: usize,
    last: bool,
}

impl Fs {
    /// Where a path starts that a task gave together with a descriptor. A missing directory is
    /// EBADF, and what is none is ENOTDIR when the path is walked.
    pub(crate) fn base(&self, task: TaskId, dirfd: i32, path: &[u8]) -> Result<Node, Errno> {
        if path.first() == Some(&b'/') {
            Ok(self.root_of(task))
        } else if dirfd == AT_FDCWD {
            self.cwd(task)
        } else {
            Ok(self.files[self.any_file(task, dirfd)?].node)
        }
    }

    /// A task's root directory (chroot(2)).
    pub(crate) fn root_of(&self, task: TaskId) -> Node {
        let task = self.tasks.get(task);
        task.map_or(Node::Inode(ROOT), |task| self.contexts[task.context].root)
    }

    /// The node that a path names.
    pub(crate) fn resolve<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        base: Node,
        path: &[u8],
        follow: bool,
    ) -> Result<Node, Errno> {
        let follow = if follow {
            Follow::Always
        } else {
            Follow::Slash
        };
        let walk = self.walk(port, base, path, follow)?;
        let node = walk.node.ok_or(Errno::ENOENT)?;
        if walk.slash && !self.is_directory(node) {
            return Err(Errno::ENOTDIR);
        }
        Ok(node)
    }

    /// Goes along a path up to its last name, which need not exist.
    pub(crate) fn walk<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        base: Node,
        path: &[u8],
        follow: Follow,
    ) -> Result<Walk, Errno> {
        self.walk_with(port, base, path, follow, 0)
    }

    /// The same within the bounds of openat2(2)'s RESOLVE_ bits.
    pub(crate) fn walk_with<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        base: Node,
        path: &[u8],
        follow: Follow,
        resolve: u32,
    ) -> Result<Walk, Errno> {
        let absolute = match path.first() {
            None => return Err(Errno::ENOENT),
            Some(first) => *first == b'/',
        };
        if absolute && resolve & RESOLVE_BENEATH != 0 {
            return Err(Errno::EXDEV);
        }
        let root = match resolve & RESOLVE_IN_ROOT {
            0 => self.root_of(port.task),
            _ => base,
        };
        let start = if absolute { root } else { base };
        let mut way = Way {
            root,
            start,
            dir: start,
            path: path.to_vec(),
            at: 0,
            links: 0,
            follow,
            resolve,
        };
        loop {
            if let Some(walk) = self.step(port, &mut way)? {
                return Ok(walk);
            }
        }
    }

    /// Goes on by one name; the end, if it was the last.
    fn step<H: Host>(&self, port: &mut Port<'_, H>, way: &mut Way) -> Result<Option<Walk>, Errno> {
        way.at += count_slashes(&way.path[way.at..]);
        if way.at == way.path.len() {
            return Ok(Some(Walk {
                dir: way.dir,
                last: Last::Root,
                slash: false,
                node: Some(way.dir),
            }));
        }
        if !self.is_directory(way.dir) {
            return Err(Errno::ENOTDIR);
        }
        self.permitted(port, way.dir, X_OK)?;
        let step = way.next_name()?;
        let found = match way.name(step) {
            b"." => Some(way.dir),
            b".." => Some(self.above(way)?),
            name => self.lookup(port, way.dir, name)?,
        };
        let slashes = step.next > step.end;
        let follows =
            !step.last || way.follow == Follow::Always || (way.follow == Follow::Slash && slashes);
        if let Some(link) = found.filter(|&node| follows && self.is_link(node)) {
            return self.follow(port, way, step, link);
        }
        if let Some(node) = found {
            self.check_crossing(way, node)?;
        }
        if step.last {
            return Ok(Some(way.end(step, found)));
        }
        way.dir = found.ok_or(Errno::ENOENT)?;
        way.at = step.next;
        Ok(None)
    }

    /// What `..` leads to.
    fn above(&self, way: &Way) -> Result<Node, Errno> {
        if way.resolve & RESOLVE_BENEATH != 0 && way.dir == way.start {
            return Err(Errno::EXDEV);
        }
        Ok(match way.dir == way.root {
            true => way.dir,
            false => self.parent(way.dir),
        })
    }

    /// A symbolic link on the way: its text takes its place in the path, or it leads somewhere at
    /// once.
    fn follow<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        way: &mut Way,
        step: Step,
        link: Node,
    ) -> Result<Option<Walk>, Errno> {
        way.links += 1;
        if way.links > MAX_LINKS || way.resolve & RESOLVE_NO_SYMLINKS != 0 {
            return Err(Errno::ELOOP);
        }
        let node = match self.link_target(port, link)? {
            Target::Text(target) => return way.replace(step, target).map(|()| None),
            Target::Node(node) => node,
        };
        if way.resolve & RESOLVE_NO_MAGICLINKS != 0 {
            return Err(Errno::ELOOP);
        }
        if way.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT) != 0 {
            return Err(Errno::EXDEV);
        }
        self.check_crossing(way, node)?;
        if step.last {
            return Ok(Some(way.end(step, Some(node))));
        }
        way.dir = node;
        way.at = step.next;
        Ok(None)
    }

    /// EXDEV where a way may not lead into another file system.
    fn check_crossing(&self, way: &Way, node: Node) -> Result<(), Errno> {
        if way.resolve & RESOLVE_NO_XDEV != 0
            && self.device_number(node) != self.device_number(way.start)
        {
            return Err(Errno::EXDEV);
        }
        Ok(())
    }

    /// What a name stands for in a directory.
    fn lookup<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        dir: Node,
        name: &[u8],
    ) -> Result<Option<Node>, Errno> {
        match dir {
            Node::Inode(ino) => Ok(self
                .tree
                .directory(ino)
                .and_then(|directory| directory.entries.get(name))
                .map(|entry| entry.node)),
            Node::Proc(node) => self.proc_lookup(port, node, name),
            Node::Pipe(_) | Node::Anon(_) => Err(Errno::ENOTDIR),
        }
    }

    pub(crate) fn parent(&self, dir: Node) -> Node {
        match dir {
            Node::Inode(ino) => Node::Inode(self.tree.get(ino).parent),
            Node::Proc(node) => node.parent(),
            Node::Pipe(_) | Node::Anon(_) => dir,
        }
    }

    /// Where a symbolic link leads.
    pub(crate) fn link_target<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        link: Node,
    ) -> Result<Target, Errno> {
        match link {
            Node::Inode(ino) => match &self.tree.get(ino).body {
                Body::Link(target) => Ok(Target::Text(target.to_vec())),
                _ => Err(Errno::EINVAL),
            },
            Node::Proc(node) => self.proc_target(port, node),
            Node::Pipe(_) | Node::Anon(_) => Err(Errno::EINVAL),
        }
    }

    pub(crate) fn is_directory(&self, node: Node) -> bool {
        self.mode(node) & S_IFMT == S_IFDIR
    }

    pub(crate) fn is_link(&self, node: Node) -> bool {
        self.mode(node) & S_IFMT == S_IFLNK
    }
}

impl Way {
    fn next_name(&self) -> Result<Step, Errno> {
        let rest = &self.path[self.at..];
        let len = rest.iter().position(|&b| b == b'/').unwrap_or(rest.len());
        if len > NAME_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let end = self.at + len;
        let next = end + count_slashes(&self.path[end..]);
        Ok(Step {
            start: self.at,
            end,
            next,
            last: next == self.path.len(),
        })
    }

    fn name(&self, step: Step) -> &[u8] {
        &self.path[step.start..step.end]
    }

    /// Goes on with the text of a symbolic link and what follows it.
    fn replace(&mut self, step: Step, mut target: Vec<u8>) -> Result<(), Errno> {
        if target.first() == Some(&b'/') {
            if self.resolve & RESOLVE_BENEATH != 0 {
                return Err(Errno::EXDEV);
            }
            self.dir = self.root;
        }
        target.extend_from_slice(&self.path[step.end..]);
        if target.len() > PATH_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        self.path = target;
        self.at = 0;
        Ok(())
    }

    fn end(&self, step: Step, node: Option<Node>) -> Walk {
        Walk {
            dir: self.dir,
            slash: step.next > step.end,
            node,
            last: match self.name(step) {
                b"." => Last::Dot,
                b".." => Last::DotDot,
                name => Last::Name(name.to_vec()),
            },
        }
    }
}

fn count_slashes(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|&&byte| byte == b'/').count()
}
