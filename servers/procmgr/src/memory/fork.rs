//! Fork: a copy of a space that copies nothing yet.
//!
//! The child gets every owned page as present and not mapped, and nothing of the borrowed ones,
//! which its own faults find again. Mapping eagerly would cost about 1700 instructions for each
//! of the parent's pages, of which a child that soon executes a program or exits touches ten to
//! twenty-five; their faults, at about 3500 more each, are cheaper than the maps of a hundred
//! pages. What must be done now is to take the parent's right to write, at about 400 each.

use super::Memory;
use super::pages::{Entry, LEAF, PageTable};
use super::space::Space;
use super::vma::{Vma, Vmas};
use crate::machine::{Machine, NoMemory, Rights, SpaceIx};
use abi::Errno;

/// Reading alone.
pub(super) const READ: Rights = Rights {
    write: false,
    execute: false,
};

impl Memory {
    /// Makes a copy-on-write copy of a space, with one reference. ENOMEM, EAGAIN when the table
    /// is full; the original is then as it was.
    pub fn space_fork(&mut self, m: &mut impl Machine, from: SpaceIx) -> Result<SpaceIx, Errno> {
        let child = self.free_slot()?;
        let serial = self.next_serial();
        let parent = self.space(from);
        let mut space = Space {
            references: 1,
            serial,
            vmas: Vmas::default(),
            pages: PageTable::default(),
            limits: parent.limits,
            brk_start: parent.brk_start,
            brk: parent.brk,
            dumpable: parent.dumpable,
            lock_future: false,
            speaks: parent.speaks,
        };
        let taken = take_room(m, parent, &mut space).and_then(|()| m.space_create(child));
        if taken.is_err() {
            space.pages.trim(m);
            return Err(Errno::ENOMEM);
        }
        for object in space.vmas.all().iter().filter_map(Vma::object) {
            self.objects.mapped(object);
        }
        self.share_pages(m, from, &mut space);
        self.spaces[child.0 as usize] = Some(space);
        Ok(child)
    }

    /// Gives the child every owned page, for which there is room, and takes the right to write
    /// from the parent.
    fn share_pages(&mut self, m: &mut impl Machine, from: SpaceIx, child: &mut Space) {
        for i in 0..self.space(from).pages.leaves().len() {
            let leaf = self.space(from).pages.leaves()[i];
            let mut left = leaf.owned();
            for index in 0..LEAF {
                if left == 0 {
                    break;
                }
                let entry = leaf.entry(m, index as usize);
                if !entry.is_owned() {
                    continue;
                }
                left -= 1;
                let page = leaf.first_page() + index;
                self.frames.share(entry.frame());
                child
                    .pages
                    .set(m, page, entry.without_mapping())
                    .expect("take_room made this leaf");
                if entry.is_writable()
                    && let Some(mapping) = entry.mapping()
                {
                    // Without the right to execute, which a page that is written rarely has:
                    // the fault gives it back to one that does.
                    m.protect(from, mapping, READ);
                    let entry: Entry = entry.with_mapping(mapping, false);
                    self.site(m, from).set(page, entry);
                }
            }
        }
    }
}

/// Takes everything that the child needs: its list of VMAs, a leaf for each one with owned pages.
fn take_room(m: &mut impl Machine, parent: &Space, child: &mut Space) -> Result<(), NoMemory> {
    child.vmas = parent.vmas.try_clone()?;
    child.vmas.unlock();
    for leaf in parent.pages.leaves() {
        if leaf.owned() > 0 {
            child.pages.ensure(m, leaf.first_page())?;
        }
    }
    Ok(())
}
