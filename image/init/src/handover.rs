//! What procmgr takes over: memory, the archive, the time.

use crate::archive::BootArchive;
use crate::bootinfo::{BootInfo, DEPTH, ROOT};
use crate::clock;
use crate::memory::Memory;
use crate::server::Process;
use heapless::Vec;
use rt::boot::Machine;
use rt::cap::{CNode, ObjectType};
use rt::layout::{ARCHIVE_FRAME, LARGE_PAGE, PAGE, WINDOW};
use rt::slots::procmgr::{ARCHIVE_NODE, BLOCKS, NODE_BITS, ROOT_BITS, UNTYPED, UNTYPEDS};

/// Gives procmgr everything but the memory, which is still needed to do so.
pub fn prepare(memory: &mut Memory, procmgr: &Process, archive: &BootArchive) {
    // Its window: directories for its frames, which it gives page tables, and all that is needed
    // for the archive.
    let frames = memory.blocks().min(BLOCKS as u32) as u64 * LARGE_PAGE;
    for addr in (WINDOW..WINDOW + frames).step_by(1 << 30) {
        procmgr.space.directory(memory, addr);
    }
    let start = WINDOW + ARCHIVE_FRAME as u64 * PAGE;
    let size = archive.pages as u64 * PAGE;
    for addr in (start..start + size).step_by(LARGE_PAGE as usize) {
        procmgr.space.page_table(memory, addr);
    }
    archive_frames(memory, procmgr.cspace, archive);
}

/// Copies of the archive's frames, that can be mapped again, in CNodes of their own.
fn archive_frames(memory: &mut Memory, cspace: CNode, archive: &BootArchive) {
    let depth = NODE_BITS as u64;
    for (node, first) in (ARCHIVE_NODE..).zip((0..archive.pages).step_by(1 << NODE_BITS)) {
        let cnode = CNode(memory.object(ObjectType::CNode, NODE_BITS));
        let last = archive.pages.min(first + (1 << NODE_BITS));
        for (slot, page) in (0..).zip(first..last) {
            let frame = archive.frame(page);
            cnode
                .copy_read_only((slot, depth), ROOT, (frame.0.0, DEPTH))
                .expect("the slot is empty");
        }
        cspace
            .copy((node, ROOT_BITS as u64), ROOT, (cnode.0.0, DEPTH))
            .expect("the archive's slots are empty");
    }
}

/// Hands over the memory that is left, and describes the machine.
pub fn finish(
    memory: &mut Memory,
    procmgr: &Process,
    archive: &BootArchive,
    info: &BootInfo,
) -> Machine {
    let (node, depth) = procmgr.slots;
    let mut blocks = Vec::new();
    let mut left = BLOCKS as u32;
    for (slot, rest) in (UNTYPED..UNTYPED + UNTYPEDS).zip(memory.rest()) {
        let count = rest.blocks.min(left);
        left -= count;
        node.relocate((slot, depth), ROOT, (rest.cap.0.0, DEPTH))
            .expect("the slots for memory are empty");
        blocks
            .push(count)
            .expect("there are as many entries as slots");
    }
    let (command_offset, command_size) = archive.command();
    let seconds = clock::seconds();
    Machine {
        realtime_at_boot: seconds * 1_000_000_000,
        tsc_at_boot: rt::clock::ticks(),
        tsc_mhz: info.arch_info as u32,
        blocks,
        archive_pages: archive.pages,
        command_offset,
        command_size,
    }
}
