//! From a path to a node.

use crate::Fs;
use crate::host::{Host, Port};
use crate::proc::Target;
use crate::tree::{Body, Node, ROOT};
use abi::linux::general::{AT_FDCWD, S_IFDIR, S_IFLNK, S_IFMT};
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

impl Fs {
    /// Where a path starts that a task gave together with a descriptor. A missing directory is
    /// EBADF, and what is none is ENOTDIR when the path is walked.
    pub(crate) fn base(&self, task: TaskId, dirfd: i32, path: &[u8]) -> Result<Node, Errno> {
        if path.first() == Some(&b'/') {
            Ok(Node::Inode(ROOT))
        } else if dirfd == AT_FDCWD {
            self.cwd(task)
        } else {
            Ok(self.files[self.any_file(task, dirfd)?].node)
        }
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
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        let mut path = path.to_vec();
        let mut at = 0;
        let mut dir = if path[0] == b'/' {
            Node::Inode(ROOT)
        } else {
            base
        };
        let mut links = 0;
        loop {
            at += count_slashes(&path[at..]);
            if at == path.len() {
                return Ok(Walk {
                    dir,
                    last: Last::Root,
                    slash: false,
                    node: Some(dir),
                });
            }
            if !self.is_directory(dir) {
                return Err(Errno::ENOTDIR);
            }
            let rest = &path[at..];
            let name = &rest[..rest.iter().position(|&b| b == b'/').unwrap_or(rest.len())];
            if name.len() > NAME_MAX {
                return Err(Errno::ENAMETOOLONG);
            }
            let slashes = count_slashes(&rest[name.len()..]);
            let next = at + name.len() + slashes;
            let is_last = next == path.len();
            let found = match name {
                b"." => Some(dir),
                b".." => Some(self.parent(dir)),
                name => self.lookup(port, dir, name)?,
            };
            let follows =
                !is_last || follow == Follow::Always || (follow == Follow::Slash && slashes > 0);
            if let Some(link) = found.filter(|&node| follows && self.is_link(node)) {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::ELOOP);
                }
                match self.link_target(port.task, link)? {
                    Target::Text(mut target) => {
                        if target.first() == Some(&b'/') {
                            dir = Node::Inode(ROOT);
                        }
                        target.extend_from_slice(&path[at + name.len()..]);
                        if target.len() > PATH_MAX {
                            return Err(Errno::ENAMETOOLONG);
                        }
                        path = target;
                        at = 0;
                    }
                    Target::Node(node) if is_last => {
                        return Ok(Walk {
                            dir,
                            last: Last::Name(name.to_vec()),
                            slash: slashes > 0,
                            node: Some(node),
                        });
                    }
                    Target::Node(node) => {
                        dir = node;
                        at = next;
                    }
                }
                continue;
            }
            if is_last {
                let last = match name {
                    b"." => Last::Dot,
                    b".." => Last::DotDot,
                    name => Last::Name(name.to_vec()),
                };
                return Ok(Walk {
                    dir,
                    last,
                    slash: slashes > 0,
                    node: found,
                });
            }
            dir = found.ok_or(Errno::ENOENT)?;
            at = next;
        }
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
    pub(crate) fn link_target(&self, task: TaskId, link: Node) -> Result<Target, Errno> {
        match link {
            Node::Inode(ino) => match &self.tree.get(ino).body {
                Body::Link(target) => Ok(Target::Text(target.to_vec())),
                _ => Err(Errno::EINVAL),
            },
            Node::Proc(node) => self.proc_target(task, node),
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

fn count_slashes(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|&&byte| byte == b'/').count()
}
