//! Extended attributes (xattr(7)): those of users, of CAP_SYS_ADMIN's trusted, and of security,
//! but for capabilities of files, which nobody would look at; access lists are in `acl`.

use crate::Fs;
use crate::acl::List;
use crate::host::{Host, Port};
use crate::tree::{Body, Ino, Mount, Node};
use abi::linux::general::{
    AT_FDCWD, AT_SYMLINK_NOFOLLOW, R_OK, S_ISVTX, W_OK, XATTR_CREATE, XATTR_REPLACE,
};
use abi::{Capability, Errno};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The longest name and value, as on Linux.
const MAX_NAME: usize = 255;
const MAX_VALUE: u64 = 65536;
/// The most bytes of names and values of all files together.
pub const MAX_BYTES: usize = 1 << 20;
/// What a socket's protocol is called, which is all there is to know about it as a file.
const SOCKET_PROTOCOL: &[u8] = b"system.sockprotoname";
/// The protocols of the sockets there are.
const STREAM_PROTOCOL: &[u8] = b"UNIX-STREAM\0";
const PACKET_PROTOCOL: &[u8] = b"UNIX\0";
/// What an attribute costs besides its bytes.
const COST: usize = 64;

/// The attributes of an inode.
pub(crate) type Attributes = BTreeMap<Box<[u8]>, Box<[u8]>>;

/// What bytes of a budget attributes take.
pub(crate) fn cost(attributes: &Attributes) -> usize {
    let each = attributes
        .iter()
        .map(|(name, value)| COST + name.len() + value.len());
    each.sum()
}

/// How a call names its file.
#[derive(Clone, Copy)]
pub(crate) enum By {
    Path { path: u64, flags: u32 },
    Fd(i32),
}

impl By {
    /// A path, whose last symbolic link is followed or not.
    pub fn path(path: u64, follow: bool) -> By {
        let flags = if follow { 0 } else { AT_SYMLINK_NOFOLLOW };
        By::Path { path, flags }
    }
}

/// Whose attributes these are, by the first part of their names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    User,
    Trusted,
    Security,
    /// Nobody's.
    Other,
}

impl Fs {
    /// setxattr(2) and its relatives.
    pub(crate) fn set_attribute<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        by: By,
        (name, value, size): (u64, u64, u64),
        flags: u32,
    ) -> Result<i64, Errno> {
        if flags & !(XATTR_CREATE | XATTR_REPLACE) != 0 {
            return Err(Errno::EINVAL);
        }
        let name = read_name(port, name)?;
        if size > MAX_VALUE {
            return Err(Errno::E2BIG);
        }
        let value = port.read_all(value, size as usize)?;
        let node = self.named(port, by)?;
        if let Some(list) = List::of(&name) {
            return self.set_list(port, node, list, Some(&value));
        }
        let ino = self.writable_attributes(port, node, &name)?;
        let inode = self.tree.get(ino);
        let old = inode.attributes.as_deref();
        let old = old.and_then(|all| all.get(&name[..]));
        match old {
            Some(_) if flags & XATTR_CREATE != 0 => return Err(Errno::EEXIST),
            None if flags & XATTR_REPLACE != 0 => return Err(Errno::ENODATA),
            _ => {}
        }
        let freed = old.map_or(0, |old| COST + name.len() + old.len());
        let more = COST + name.len() + value.len();
        if self.tree.attribute_bytes + more - freed > MAX_BYTES {
            return Err(Errno::ENOSPC);
        }
        let (_, now) = port.time()?;
        self.tree.attribute_bytes += more;
        self.tree.attribute_bytes -= freed;
        let inode = self.tree.get_mut(ino);
        inode.times.changed = now;
        let attributes = inode.attributes.get_or_insert_default();
        attributes.insert(name.into(), value.into());
        Ok(0)
    }

    /// getxattr(2) and its relatives.
    pub(crate) fn get_attribute<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        by: By,
        name: u64,
        out: (u64, u64),
    ) -> Result<i64, Errno> {
        let name = read_name(port, name)?;
        let node = self.named(port, by)?;
        if List::of(&name).is_some() {
            return Err(self.get_list(node));
        }
        if name == SOCKET_PROTOCOL && self.is_socket(node) {
            let packets = matches!(node, Node::Anon(id) if self.has_packets(id));
            let protocol = if packets {
                PACKET_PROTOCOL
            } else {
                STREAM_PROTOCOL
            };
            return give(port, protocol, out);
        }
        let class = class_of(&name);
        let hidden = match class {
            Class::User => !self.has_user_attributes(node),
            Class::Trusted => !port.who.capable(Capability::CAP_SYS_ADMIN),
            Class::Security | Class::Other => false,
        };
        if hidden {
            return Err(Errno::ENODATA);
        }
        if class == Class::User {
            self.permitted(port, node, R_OK)?;
        }
        check_class(class, &name)?;
        let attributes = match node {
            Node::Inode(ino) => self.tree.get(ino).attributes.as_deref(),
            _ => return Err(Errno::EOPNOTSUPP),
        };
        let value = attributes.and_then(|all| all.get(&name[..]));
        give(port, value.ok_or(Errno::ENODATA)?, out)
    }

    /// listxattr(2) and its relatives.
    pub(crate) fn list_attributes<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        by: By,
        out: (u64, u64),
    ) -> Result<i64, Errno> {
        let node = self.named(port, by)?;
        let attributes = match node {
            Node::Inode(ino) => self.tree.get(ino).attributes.as_deref(),
            _ => None,
        };
        let trusted = port.who.capable(Capability::CAP_SYS_ADMIN);
        let mut names = Vec::new();
        if self.is_socket(node) {
            names.extend_from_slice(SOCKET_PROTOCOL);
            names.push(0);
        }
        for name in attributes.into_iter().flat_map(BTreeMap::keys) {
            if trusted || class_of(name) != Class::Trusted {
                names.extend_from_slice(name);
                names.push(0);
            }
        }
        give(port, &names, out)
    }

    /// removexattr(2) and its relatives.
    pub(crate) fn remove_attribute<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        by: By,
        name: u64,
    ) -> Result<i64, Errno> {
        let name = read_name(port, name)?;
        let node = self.named(port, by)?;
        if let Some(list) = List::of(&name) {
            return self.set_list(port, node, list, None);
        }
        let ino = self.writable_attributes(port, node, &name)?;
        let (_, now) = port.time()?;
        let inode = self.tree.get_mut(ino);
        let attributes = inode.attributes.as_deref_mut().ok_or(Errno::ENODATA)?;
        let value = attributes.remove(&name[..]).ok_or(Errno::ENODATA)?;
        if attributes.is_empty() {
            inode.attributes = None;
        }
        inode.times.changed = now;
        self.tree.attribute_bytes -= COST + name.len() + value.len();
        Ok(0)
    }

    fn named<H: Host>(&self, port: &mut Port<'_, H>, by: By) -> Result<Node, Errno> {
        match by {
            By::Path { path, flags } => self.at(port, AT_FDCWD, path, flags),
            By::Fd(fd) => Ok(self.files[self.file(port.task, fd)?].node),
        }
    }

    /// The inode whose attribute is to change: what forbids it, in Linux's order.
    fn writable_attributes<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        node: Node,
        name: &[u8],
    ) -> Result<Ino, Errno> {
        if self.mount(node) == Some(Mount::Archive) {
            return Err(Errno::EROFS);
        }
        let admin = port.who.capable(Capability::CAP_SYS_ADMIN);
        let class = class_of(name);
        match (class, node) {
            (Class::Trusted, _) if !admin => return Err(Errno::EPERM),
            (Class::User, _) if !self.has_user_attributes(node) => return Err(Errno::EPERM),
            (Class::User, Node::Inode(ino)) => {
                let inode = self.tree.get(ino);
                let sticky = inode.mode & S_ISVTX != 0 && self.is_directory(node);
                if sticky && !port.who.owns(inode.uid) {
                    return Err(Errno::EPERM);
                }
                self.permitted(port, node, W_OK)?;
            }
            _ => {}
        }
        check_class(class, name)?;
        if class == Class::Security && !admin {
            return Err(Errno::EPERM);
        }
        match node {
            Node::Inode(ino) => Ok(ino),
            _ => Err(Errno::EOPNOTSUPP),
        }
    }

    /// Users' attributes are for files and directories, whose permissions mean something.
    fn has_user_attributes(&self, node: Node) -> bool {
        match node {
            Node::Inode(ino) => {
                matches!(self.tree.get(ino).body, Body::File(_) | Body::Directory(_))
            }
            Node::Proc(_) => true,
            Node::Pipe(_) | Node::Anon(_) => false,
        }
    }
}

/// Writes an answer, or only its size where there is no room at all; ERANGE where there is too
/// little.
fn give<H: Host>(
    port: &mut Port<'_, H>,
    bytes: &[u8],
    (out, size): (u64, u64),
) -> Result<i64, Errno> {
    if size != 0 {
        if bytes.len() as u64 > size {
            return Err(Errno::ERANGE);
        }
        port.write(out, bytes)?;
    }
    Ok(bytes.len() as i64)
}

/// The name of an attribute; ERANGE for none and for a long one.
fn read_name<H: Host>(port: &mut Port<'_, H>, addr: u64) -> Result<Vec<u8>, Errno> {
    match port.string(addr) {
        Ok(name) if (1..=MAX_NAME).contains(&name.len()) => Ok(name),
        Ok(_) | Err(Errno::ENAMETOOLONG) => Err(Errno::ERANGE),
        Err(errno) => Err(errno),
    }
}

fn class_of(name: &[u8]) -> Class {
    let first = name.split_inclusive(|byte| *byte == b'.').next();
    match first {
        Some(b"user.") => Class::User,
        Some(b"trusted.") => Class::Trusted,
        Some(b"security.") => Class::Security,
        _ => Class::Other,
    }
}

/// EINVAL for a name that ends with its class; EOPNOTSUPP for what is not kept.
fn check_class(class: Class, name: &[u8]) -> Result<(), Errno> {
    if class == Class::Other || name == b"security.capability" {
        return Err(Errno::EOPNOTSUPP);
    }
    match name.iter().position(|byte| *byte == b'.') {
        Some(dot) if dot + 1 < name.len() => Ok(()),
        _ => Err(Errno::EINVAL),
    }
}
