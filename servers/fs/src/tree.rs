//! Inodes and the tree of their names: the boot archive, /dev and /tmp.

use crate::dev::Device;
use crate::proc::ProcNode;
use crate::slab::Slab;
use crate::special::Special;
use crate::xattr::{Attributes, cost};
use abi::fs::{FileRange, ObjectId};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The number of an inode, less one.
pub(crate) type Ino = u32;

/// The root directory.
pub(crate) const ROOT: Ino = 0;

/// The most inodes of all file systems together: /tmp's limit and room for a large archive.
const LIMIT: usize = 1 << 16;

/// Anything a path can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    Inode(Ino),
    Proc(ProcNode),
    Pipe(u32),
    Anon(u32),
}

/// Which file system an inode is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mount {
    Archive,
    Dev,
    Tmp,
    /// Files without a name, of memfd_create(2).
    Memory,
}

/// A file, directory, symbolic link or device.
#[derive(Clone, Hash)]
pub(crate) struct Inode {
    pub mount: Mount,
    /// Permission and set-id bits.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// How many names it has, as st_nlink tells.
    pub links: u32,
    /// Open files, working directories, programs, and the inodes whose parent it is.
    holds: u32,
    /// The directory and the name that it has got last.
    pub parent: Ino,
    pub name: Box<[u8]>,
    pub times: Times,
    /// Written since anybody asked for the time: asking for the time at every write would cost a
    /// message each, so a written file's time is that of the next stat or close.
    pub written: bool,
    /// Open files that may write it, and tasks whose program it is: either keeps the other away.
    pub writers: u32,
    pub programs: u32,
    /// A name may be given to it although it has none (O_TMPFILE).
    pub linkable: bool,
    /// What may not be done to it any more (F_ADD_SEALS).
    pub seals: u32,
    /// Its extended attributes, if it has any.
    pub attributes: Option<Box<Attributes>>,
    pub body: Body,
}

/// Nanoseconds since 1970.
#[derive(Clone, Copy, Default, Hash)]
pub(crate) struct Times {
    pub accessed: u64,
    pub modified: u64,
    pub changed: u64,
}

impl Times {
    pub fn all(now: u64) -> Times {
        Times {
            accessed: now,
            modified: now,
            changed: now,
        }
    }
}

#[derive(Clone, Hash)]
pub(crate) enum Body {
    Directory(Directory),
    File(FileRange),
    Link(Box<[u8]>),
    Device(Device),
    /// A device file of which there is no device.
    Special(Special),
    /// A named pipe, and the pipe while somebody has it open.
    Fifo(Option<u32>),
    /// Where a socket is bound.
    Socket,
}

/// Names in a directory. Each has a number that grows with time, so that reading a directory
/// piece by piece neither repeats nor loses what stayed in it.
#[derive(Clone, Default, Hash)]
pub(crate) struct Directory {
    pub entries: BTreeMap<Box<[u8]>, Entry>,
    next: u64,
}

#[derive(Clone, Copy, Hash)]
pub(crate) struct Entry {
    pub node: Node,
    pub position: u64,
}

/// The first position of a name; before it are `.` and `..`.
pub(crate) const FIRST_POSITION: u64 = 2;

#[derive(Clone, Hash)]
pub(crate) struct Tree {
    inodes: Slab<Inode>,
    /// How many are in /tmp.
    pub in_tmp: usize,
    /// /tmp's own.
    pub tmp: Ino,
    /// /dev/pts.
    pub pts: Ino,
    /// Objects whose inode is gone.
    pub freed: Vec<ObjectId>,
    /// What extended attributes take, of their budget.
    pub attribute_bytes: usize,
}

impl Tree {
    /// The root, /dev, /proc and /tmp.
    pub fn new() -> Tree {
        let mut inodes = Slab::new(LIMIT);
        inodes.insert(Inode::new(
            Mount::Archive,
            0o755,
            Body::Directory(Directory::default()),
        ));
        let mut tree = Tree {
            inodes,
            in_tmp: 0,
            tmp: ROOT,
            pts: ROOT,
            freed: Vec::new(),
            attribute_bytes: 0,
        };
        let tmp = Inode::new(Mount::Tmp, 0o1777, Body::Directory(Directory::default()));
        tree.tmp = tree.add(ROOT, b"tmp", tmp).expect("the table is empty");
        tree.add_devices();
        tree.link(ROOT, b"proc", Node::Proc(ProcNode::Root));
        tree
    }

    pub fn len(&self) -> usize {
        self.inodes.len()
    }

    /// How many more there can be.
    pub fn room(&self) -> usize {
        self.inodes.room()
    }

    pub fn get(&self, ino: Ino) -> &Inode {
        &self.inodes[ino]
    }

    pub fn get_mut(&mut self, ino: Ino) -> &mut Inode {
        &mut self.inodes[ino]
    }

    /// Gives every inode these times.
    pub fn set_times(&mut self, now: u64) {
        for inode in self.inodes.iter_mut() {
            inode.times = Times::all(now);
        }
    }

    /// Makes an inode with a name in a directory where the name is free; none if there are too
    /// many.
    pub fn add(&mut self, parent: Ino, name: &[u8], mut inode: Inode) -> Option<Ino> {
        inode.parent = parent;
        inode.name = name.into();
        let directory = matches!(inode.body, Body::Directory(_));
        let tmp = inode.mount == Mount::Tmp;
        let ino = self.inodes.insert(inode)?;
        self.in_tmp += usize::from(tmp);
        self.hold(parent);
        self.get_mut(parent).links += u32::from(directory);
        self.link(parent, name, Node::Inode(ino));
        Some(ino)
    }

    /// Makes an inode without a name, which is gone when nobody holds it any more. It is called
    /// after its number.
    pub fn add_unnamed(&mut self, parent: Ino, mut inode: Inode) -> Option<Ino> {
        inode.parent = parent;
        inode.links = 0;
        let tmp = inode.mount == Mount::Tmp;
        let ino = self.inodes.insert(inode)?;
        if self.get(ino).name.is_empty() {
            let name = alloc::format!("#{}", ino + 1);
            self.get_mut(ino).name = name.into_bytes().into();
        }
        self.in_tmp += usize::from(tmp);
        self.hold(parent);
        Some(ino)
    }

    /// Gives a node a name; what it was called before this, if anything, the caller knows.
    pub fn link(&mut self, parent: Ino, name: &[u8], node: Node) {
        if let Node::Inode(ino) = node {
            self.hold(parent);
            let inode = self.get_mut(ino);
            inode.name = name.into();
            let before = core::mem::replace(&mut inode.parent, parent);
            self.release(before);
        }
        if let Some(directory) = self.directory_mut(parent) {
            let position = directory.next + FIRST_POSITION;
            directory.next += 1;
            directory
                .entries
                .insert(name.into(), Entry { node, position });
        }
    }

    /// Takes a name away.
    pub fn unlink(&mut self, parent: Ino, name: &[u8]) {
        if let Some(directory) = self.directory_mut(parent) {
            directory.entries.remove(name);
        }
    }

    /// One more user.
    pub fn hold(&mut self, ino: Ino) {
        self.get_mut(ino).holds += 1;
    }

    /// One user less; an inode without users and names is gone.
    pub fn release(&mut self, ino: Ino) {
        let inode = self.get_mut(ino);
        inode.holds -= 1;
        self.reap(ino);
    }

    /// Frees an inode that has neither users nor names.
    pub fn reap(&mut self, mut ino: Ino) {
        loop {
            let inode = self.get(ino);
            if inode.holds > 0 || inode.links > 0 {
                return;
            }
            let Some(inode) = self.inodes.remove(ino) else {
                return;
            };
            self.in_tmp -= usize::from(inode.mount == Mount::Tmp);
            self.attribute_bytes -= inode.attributes.as_deref().map_or(0, cost);
            if let Body::File(range) = inode.body {
                self.freed.push(range.object);
            }
            ino = inode.parent;
            self.get_mut(ino).holds -= 1;
        }
    }

    pub fn directory(&self, ino: Ino) -> Option<&Directory> {
        match &self.get(ino).body {
            Body::Directory(directory) => Some(directory),
            _ => None,
        }
    }

    fn directory_mut(&mut self, ino: Ino) -> Option<&mut Directory> {
        match &mut self.get_mut(ino).body {
            Body::Directory(directory) => Some(directory),
            _ => None,
        }
    }

    /// The inode of a part of an object, as exec names its program.
    pub fn by_range(&self, range: FileRange) -> Option<Ino> {
        let same = |inode: &Inode| match inode.body {
            Body::File(own) => {
                own.object == range.object && own.offset == range.offset && own.size > 0
            }
            _ => false,
        };
        self.inodes
            .iter()
            .find(|(_, inode)| same(inode))
            .map(|(ino, _)| ino)
    }

    /// The absolute path by which an inode was named last, with Linux's remark where that name is
    /// gone.
    pub fn path(&self, ino: Ino) -> Vec<u8> {
        let mut names = Vec::new();
        let mut at = ino;
        while at != ROOT {
            let inode = self.get(at);
            names.push(&inode.name);
            at = inode.parent;
        }
        let mut path = Vec::new();
        for name in names.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        if path.is_empty() {
            path.push(b'/');
        }
        if self.get(ino).links == 0 {
            path.extend_from_slice(b" (deleted)");
        }
        path
    }
}

impl Inode {
    /// One without a name yet, of the superuser.
    pub fn new(mount: Mount, mode: u32, body: Body) -> Inode {
        Inode {
            mount,
            mode,
            uid: 0,
            gid: 0,
            links: if matches!(body, Body::Directory(_)) {
                2
            } else {
                1
            },
            holds: 0,
            parent: ROOT,
            name: Box::default(),
            times: Times::default(),
            written: false,
            writers: 0,
            programs: 0,
            linkable: false,
            seals: 0,
            attributes: None,
            body,
        }
    }
}
