//! POSIX access lists (acl(5)) as extended attributes. A list that says no more than the permission bits is those bits, as on Linux;
//! one that says more is EOPNOTSUPP, because nothing would look at it.

use crate::Fs;
use crate::host::{Host, Port};
use crate::tree::{Ino, Mount, Node};
use abi::Errno;

/// The version that a list begins with (Linux's POSIX_ACL_XATTR_VERSION).
const VERSION: u32 = 2;
/// What an entry is about: the owner, a user, the owning group, a group, the mask, everybody else.
const USER_OBJ: u16 = 1;
const USER: u16 = 2;
const GROUP_OBJ: u16 = 4;
const GROUP: u16 = 8;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;

/// Which of a file's two lists.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Access,
    /// What new files of a directory get.
    Default,
}

impl List {
    /// The list that an attribute's name means.
    pub fn of(name: &[u8]) -> Option<List> {
        match name {
            b"system.posix_acl_access" => Some(List::Access),
            b"system.posix_acl_default" => Some(List::Default),
            _ => None,
        }
    }
}

impl Fs {
    /// Whoever asks hears that there is none; EOPNOTSUPP where there could not be one.
    pub(crate) fn get_list(&self, node: Node) -> Errno {
        match node {
            Node::Inode(_) if !self.is_link(node) => Errno::ENODATA,
            _ => Errno::EOPNOTSUPP,
        }
    }

    /// Sets a list, or takes it away, which is what one without entries means, too. The order of checks is Linux's set_posix_acl.
    pub(crate) fn set_list<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        node: Node,
        list: List,
        value: Option<&[u8]>,
    ) -> Result<i64, Errno> {
        if self.mount(node) == Some(Mount::Archive) {
            return Err(Errno::EROFS);
        }
        let entries = value.map_or(Ok(&[][..]), entries)?;
        let ino: Ino = match node {
            Node::Inode(ino) if !self.is_link(node) => ino,
            _ => return Err(Errno::EOPNOTSUPP),
        };
        if list == List::Default && !self.is_directory(node) {
            return match entries {
                [] => Ok(0),
                _ => Err(Errno::EACCES),
            };
        }
        if !port.who.owns(self.tree.get(ino).uid) {
            return Err(Errno::EPERM);
        }
        match (mode_of(entries)?, list) {
            (None, _) => Ok(0),
            (Some(_), List::Default) => Err(Errno::EOPNOTSUPP),
            (Some(mode), List::Access) => {
                let kept = self.tree.get(ino).mode & 0o7000;
                self.chmod(port, node, kept | mode)
            }
        }
    }
}

/// The entries of a list, of eight bytes each.
fn entries(value: &[u8]) -> Result<&[[u8; 8]], Errno> {
    let (version, rest) = value.split_first_chunk().ok_or(Errno::EINVAL)?;
    if u32::from_le_bytes(*version) != VERSION {
        return Err(Errno::EOPNOTSUPP);
    }
    let (entries, rest) = rest.as_chunks::<8>();
    let known = |entry: &[u8; 8]| {
        matches!(
            tag(entry),
            USER_OBJ | USER | GROUP_OBJ | GROUP | MASK | OTHER
        )
    };
    if !rest.is_empty() || !entries.iter().all(known) {
        return Err(Errno::EINVAL);
    }
    Ok(entries)
}

fn tag(entry: &[u8; 8]) -> u16 {
    u16::from_le_bytes([entry[0], entry[1]])
}

/// The permission bits that say the same; none for no list. EINVAL for one without order, EOPNOTSUPP for one that says more.
fn mode_of(entries: &[[u8; 8]]) -> Result<Option<u32>, Errno> {
    if entries.is_empty() {
        return Ok(None);
    }
    let (mut last, mut mode, mut more, mut mask) = (0, 0, false, false);
    for entry in entries {
        let (tag, bits) = (tag(entry), u16::from_le_bytes([entry[2], entry[3]]));
        let repeated = tag == last && !matches!(tag, USER | GROUP);
        if bits > 7 || tag < last || repeated {
            return Err(Errno::EINVAL);
        }
        last = tag;
        match tag {
            USER_OBJ => mode |= u32::from(bits) << 6 | 1 << 9,
            GROUP_OBJ => mode |= u32::from(bits) << 3 | 1 << 10,
            OTHER => mode |= u32::from(bits) | 1 << 11,
            MASK => mask = true,
            _ => more = true,
        }
    }
    // The three that each list has, and a mask for whom there is something to mask.
    if mode >> 9 != 7 || more && !mask {
        return Err(Errno::EINVAL);
    }
    match more || mask {
        true => Err(Errno::EOPNOTSUPP),
        false => Ok(Some(mode & 0o777)),
    }
}
