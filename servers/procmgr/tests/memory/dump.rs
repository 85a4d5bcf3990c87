//! What a core dump takes.

use crate::{BASE, RW, World, anonymous};
use abi::fs::{ARCHIVE, FileRange, ObjectId};
use abi::linux::general::{
    MADV_DODUMP, MADV_DONTDUMP, MAP_ANONYMOUS, MAP_FIXED, MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED,
    PROT_READ,
};
use procmgr::machine::PAGE;
use procmgr::memory::{DEFAULT_FILTER, MapRequest, Source};

fn file(w: &mut World, page: u64, object: ObjectId, offset: u64, flags: u32, prot: u32) {
    let range = FileRange {
        object,
        offset: 0,
        size: 8 * PAGE,
    };
    let request = MapRequest {
        addr: BASE + page * PAGE,
        len: 2 * PAGE,
        prot,
        flags: flags | MAP_FIXED,
        source: Source::File {
            range,
            offset,
            may_write: true,
        },
    };
    w.memory.map(&mut w.m, w.s, &request).unwrap();
}

fn sizes(w: &mut World, filter: u32) -> Vec<u64> {
    let segments = w.memory.dump_segments(&mut w.m, w.s, filter).unwrap();
    segments.iter().map(|s| s.size / PAGE).collect()
}

#[test]
fn the_filter_says_which_kinds_of_memory_are_in_the_file() {
    let w = &mut World::new();
    let elf = w.memory.object_create().unwrap();
    w.memory
        .object_write(&mut w.m, elf, 0, b"\x7fELF and the rest")
        .unwrap();
    w.memory.object_truncate(&mut w.m, elf, 8 * PAGE).unwrap();
    w.anonymous(0, 2, RW);
    w.store(BASE + PAGE, 1).unwrap();
    // Only read, so it holds nothing of its own.
    w.anonymous(3, 2, RW);
    w.load(BASE + 3 * PAGE).unwrap();
    let shared = MapRequest {
        flags: MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED,
        ..anonymous(BASE + 6 * PAGE, 2, RW)
    };
    w.memory.map(&mut w.m, w.s, &shared).unwrap();
    file(w, 9, elf, 0, MAP_PRIVATE, PROT_READ);
    file(w, 12, elf, PAGE, MAP_PRIVATE, PROT_READ);
    file(w, 15, elf, PAGE, MAP_SHARED, PROT_READ);
    file(w, 18, elf, PAGE, MAP_PRIVATE, RW);
    w.store(BASE + 18 * PAGE, 1).unwrap();
    file(w, 21, ARCHIVE, 0, MAP_PRIVATE, PROT_READ);
    assert_eq!(sizes(w, DEFAULT_FILTER), [2, 0, 2, 1, 0, 0, 2, 0]);
    assert_eq!(sizes(w, 0), [0; 8]);
    assert_eq!(sizes(w, 1 << 2), [0, 0, 0, 2, 2, 0, 2, 2]);
    assert_eq!(sizes(w, 1 << 3), [0, 0, 0, 0, 0, 2, 0, 0]);
    w.memory.object_release(&mut w.m, elf).unwrap();
    assert_eq!(sizes(w, 1 << 1), [0, 0, 2, 0, 0, 2, 0, 0]);
}

#[test]
fn advice_takes_memory_out_of_the_dump_and_back_in() {
    let w = &mut World::new();
    w.anonymous(0, 3, RW);
    for page in 0..3 {
        w.store(BASE + page * PAGE, 1).unwrap();
    }
    let middle = BASE + PAGE;
    let mut advise = |advice| w.memory.advise(&mut w.m, w.s, middle, PAGE, advice);
    advise(MADV_DONTDUMP).unwrap();
    assert_eq!(sizes(w, DEFAULT_FILTER), [1, 0, 1]);
    let mut advise = |advice| w.memory.advise(&mut w.m, w.s, middle, PAGE, advice);
    advise(MADV_DODUMP).unwrap();
    assert_eq!(sizes(w, DEFAULT_FILTER), [3]);
}

#[test]
fn a_dump_copies_nothing_that_the_program_owns() {
    let w = &mut World::new();
    let huge = 1 << 20;
    let sparse = MapRequest {
        flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
        ..anonymous(BASE, huge, RW)
    };
    w.memory.map(&mut w.m, w.s, &sparse).unwrap();
    for page in [0, 5, 600, huge - 1] {
        w.store(BASE + page * PAGE, page as u8 ^ 1).unwrap();
    }
    let id = w.memory.object_create().unwrap();
    let free = w.m.free();
    let first = BASE / PAGE;
    let pages = first..first + huge;
    let progress = w
        .memory
        .dump_pages(&mut w.m, w.s, pages.clone(), (id, 1), 3);
    assert_eq!((progress.next, progress.done), (first + 601, 3));
    let pages = progress.next..pages.end;
    let to = 1 + 601;
    let progress = w.memory.dump_pages(&mut w.m, w.s, pages, (id, to), 3);
    assert_eq!((progress.next, progress.done), (first + huge, 1));
    assert_eq!(w.m.copies, 0);
    // Three leaves of the object's table: its first two and its last.
    assert_eq!(free - w.m.free(), 3);
    // The program goes on with a page of its own, and the file keeps what it had.
    w.store(BASE, 77).unwrap();
    let mut byte = [0];
    w.memory.object_read(&mut w.m, id, PAGE, &mut byte).unwrap();
    assert_eq!(byte, [1]);
    w.memory.space_release(&mut w.m, w.s);
    for page in [5, 600, huge - 1] {
        let at = (1 + page) * PAGE;
        w.memory.object_read(&mut w.m, id, at, &mut byte).unwrap();
        assert_eq!(byte, [page as u8 ^ 1]);
    }
    w.memory.object_release(&mut w.m, id).unwrap();
}

#[test]
fn a_file_that_shares_pages_can_be_written_and_mapped() {
    let w = &mut World::new();
    w.anonymous(0, 1, RW);
    w.store(BASE, 5).unwrap();
    let id = w.memory.object_create().unwrap();
    let first = BASE / PAGE;
    w.memory
        .dump_pages(&mut w.m, w.s, first..first + 1, (id, 0), 1);
    w.memory.object_write(&mut w.m, id, 1, b"x").unwrap();
    assert_eq!((w.load(BASE), w.load(BASE + 1)), (Ok(5), Ok(0)));
    let other = w.memory.object_create().unwrap();
    w.memory
        .dump_pages(&mut w.m, w.s, first..first + 1, (other, 0), 1);
    w.memory.object_truncate(&mut w.m, other, PAGE).unwrap();
    file(w, 4, other, 0, MAP_SHARED, RW);
    w.store(BASE + 4 * PAGE, 9).unwrap();
    assert_eq!((w.load(BASE), w.load(BASE + 4 * PAGE)), (Ok(5), Ok(9)));
    w.store(BASE, 6).unwrap();
    assert_eq!(w.load(BASE + 4 * PAGE), Ok(9));
}

#[test]
fn zeros_and_copies_in_a_file_that_shares_pages_are_its_own() {
    let w = &mut World::new();
    w.anonymous(0, 1, RW);
    w.store(BASE, 5).unwrap();
    let first = BASE / PAGE;
    let mut dump = || {
        let id = w.memory.object_create().unwrap();
        let pages = first..first + 1;
        w.memory.dump_pages(&mut w.m, w.s, pages, (id, 0), 1);
        w.memory.object_truncate(&mut w.m, id, PAGE).unwrap();
        id
    };
    let (zeroed, copied) = (dump(), dump());
    w.memory.object_zero(&mut w.m, (zeroed, 0), PAGE).unwrap();
    let to = (copied, 8);
    let done = w.memory.object_copy(&mut w.m, (copied, 0), to, 8);
    assert_eq!(
        (done, w.load(BASE), w.load(BASE + 8)),
        (Ok(8), Ok(5), Ok(0))
    );
    let mut byte = [9];
    w.memory
        .object_read(&mut w.m, zeroed, 0, &mut byte)
        .unwrap();
    assert_eq!(byte, [0]);
    w.memory
        .object_read(&mut w.m, copied, 8, &mut byte)
        .unwrap();
    assert_eq!(byte, [5]);
}

#[test]
fn a_dump_that_has_to_copy_leaves_memory_to_others() {
    let w = &mut World::new();
    w.anonymous(0, 3070, RW);
    for page in 0..3070 {
        w.store(BASE + page * PAGE, 1).unwrap();
    }
    let id = w.memory.object_create().unwrap();
    let first = BASE / PAGE;
    let progress = w
        .memory
        .dump_pages(&mut w.m, w.s, first..first + 3070, (id, 0), 3070);
    assert!(!progress.out_of_memory && progress.done == 3070);
    let target = w.memory.object_create().unwrap();
    file(w, 4000, ARCHIVE, 0, MAP_PRIVATE, PROT_READ);
    let lent = first + 4000..first + 4002;
    let progress = w.memory.dump_pages(&mut w.m, w.s, lent, (target, 0), 9);
    let expected = (true, 0);
    assert_eq!((progress.out_of_memory, progress.done), expected);
}
