//! What makes two states of the memory the same.

use super::object::Objects;
use super::pages::PageTable;
use super::space::{Memory, Space};
use crate::machine::{Frame, Machine};
use core::hash::{Hash, Hasher};

impl Memory {
    /// Feeds everything that matters into a hasher ([`Procmgr::identify`](crate::Procmgr::identify)).
    pub fn identify<M: Machine, H: Hasher>(
        &self,
        m: &M,
        hasher: &mut H,
        frame: &mut impl FnMut(Frame, &mut H),
    ) {
        let Memory {
            spaces,
            // How often each is owned follows from the spaces.
            frames: _,
            objects,
            zero,
            made,
        } = self;
        (zero.is_some(), made).hash(hasher);
        if let Some(zero) = zero {
            frame(*zero, hasher);
        }
        spaces.len().hash(hasher);
        for space in spaces {
            space.is_some().hash(hasher);
            if let Some(space) = space {
                space.identify(m, hasher, frame);
            }
        }
        objects.identify(m, hasher, frame);
    }
}

impl Space {
    fn identify<M: Machine, H: Hasher>(
        &self,
        m: &M,
        hasher: &mut H,
        frame: &mut impl FnMut(Frame, &mut H),
    ) {
        let Space {
            references,
            vmas,
            pages,
            limits,
            brk_start,
            brk,
            serial,
            dumpable,
            lock_future,
            speaks,
        } = self;
        (references, vmas, limits, brk_start, brk).hash(hasher);
        (serial, dumpable, lock_future, speaks).hash(hasher);
        pages.identify(m, hasher, frame);
    }
}

impl Objects {
    fn identify<M: Machine, H: Hasher>(
        &self,
        m: &M,
        hasher: &mut H,
        frame: &mut impl FnMut(Frame, &mut H),
    ) {
        self.all().count().hash(hasher);
        for object in self.all() {
            object.is_some().hash(hasher);
            if let Some(object) = object {
                (object.size, object.mappings, object.held).hash(hasher);
                object.pages.identify(m, hasher, frame);
            }
        }
    }
}

impl PageTable {
    fn identify<M: Machine, H: Hasher>(
        &self,
        m: &M,
        hasher: &mut H,
        frame: &mut impl FnMut(Frame, &mut H),
    ) {
        for leaf in self.leaves() {
            for (page, entry) in leaf.entries(m) {
                let flags = (entry.is_owned(), entry.is_mapped(), entry.is_writable());
                (page, flags).hash(hasher);
                frame(entry.frame(), hasher);
            }
        }
        self.present().hash(hasher);
    }
}
