//! Objects and transfers.

use crate::{BASE, RW, World};
use abi::Errno;
use abi::fs::Direction::{FromTask, ToTask};
use abi::fs::{ARCHIVE, FileRange, MAX_COPY, ObjectId};
use abi::linux::general::{MAP_FIXED, MAP_PRIVATE, MAP_SHARED, PROT_READ};
use procmgr::machine::{Machine, PAGE};
use procmgr::memory::{MAX_OBJECT_SIZE, MAX_OBJECTS, MapRequest, MemoryFault, Source};

fn map(w: &mut World, object: ObjectId, size: u64, flags: u32) {
    let range = FileRange {
        object,
        offset: 0,
        size,
    };
    let source = Source::File {
        range,
        offset: 0,
        may_write: true,
    };
    let request = MapRequest {
        addr: BASE,
        len: 4 * PAGE,
        prot: RW,
        flags: flags | MAP_FIXED,
        source,
    };
    w.memory.map(&mut w.m, w.s, &request).unwrap();
}

#[test]
fn holes_are_zeros_and_writes_cross_pages() {
    let w = &mut World::new();
    let (m, memory) = (&mut w.m, &mut w.memory);
    let id = memory.object_create().unwrap();
    memory.object_write(m, id, 3 * PAGE - 2, b"abcd").unwrap();
    let mut buf = [9; 6];
    memory.object_read(m, id, 3 * PAGE - 3, &mut buf).unwrap();
    assert_eq!(&buf, b"\0abcd\0");
    memory.object_read(m, id, 1 << 60, &mut buf).unwrap();
    assert_eq!(buf, [0; 6]);
    assert_eq!(
        memory.object_read(m, id, u64::MAX, &mut buf),
        Err(Errno::EINVAL)
    );
}

#[test]
fn what_cannot_be_written_is_refused() {
    let w = &mut World::new();
    let (m, memory) = (&mut w.m, &mut w.memory);
    let id = memory.object_create().unwrap();
    assert_eq!(memory.object_write(m, ARCHIVE, 0, b"x"), Err(Errno::EROFS));
    assert_eq!(memory.object_truncate(m, ARCHIVE, 0), Err(Errno::EROFS));
    assert_eq!(memory.object_release(m, ARCHIVE), Err(Errno::EROFS));
    assert_eq!(
        memory.object_write(m, ObjectId(77), 0, b"x"),
        Err(Errno::EBADF)
    );
    assert_eq!(
        memory.object_write(m, id, MAX_OBJECT_SIZE, b"x"),
        Err(Errno::ENOSPC)
    );
    assert_eq!(
        memory.object_write(m, id, u64::MAX, b"x"),
        Err(Errno::ENOSPC)
    );
    m.fail_after = Some(1);
    assert_eq!(memory.object_write(m, id, 0, b"x"), Err(Errno::ENOSPC));
    assert_eq!(memory.object_release(m, id), Ok(()));
    assert_eq!(memory.object_release(m, id), Err(Errno::EBADF));
}

#[test]
fn the_table_of_objects_is_bounded() {
    let mut memory = procmgr::memory::Memory::new();
    for _ in 0..MAX_OBJECTS {
        memory.object_create().unwrap();
    }
    assert_eq!(memory.object_create(), Err(Errno::ENOSPC));
}

#[test]
fn a_shared_mapping_and_the_file_are_the_same_bytes() {
    let w = &mut World::new();
    let id = w.memory.object_create().unwrap();
    w.memory.object_write(&mut w.m, id, 0, b"ab").unwrap();
    map(w, id, 2 * PAGE, MAP_SHARED);
    assert_eq!(w.load(BASE + 1), Ok(b'b'));
    w.store(BASE + PAGE, b'x').unwrap();
    let mut buf = [0];
    w.memory.object_read(&mut w.m, id, PAGE, &mut buf).unwrap();
    assert_eq!(buf, *b"x");
    assert_eq!(w.load(BASE + 2 * PAGE), Err(MemoryFault::Bus));
}

#[test]
fn truncation_takes_mapped_pages_away() {
    let w = &mut World::new();
    let id = w.memory.object_create().unwrap();
    map(w, id, 2 * PAGE, MAP_PRIVATE);
    w.load(BASE).unwrap();
    w.store(BASE + PAGE, 1).unwrap();
    w.memory.object_truncate(&mut w.m, id, 1).unwrap();
    assert_eq!(w.load(BASE), Ok(0));
    assert_eq!(w.load(BASE + PAGE), Err(MemoryFault::Bus));
}

#[test]
fn mappings_keep_a_released_object() {
    let w = &mut World::new();
    let id = w.memory.object_create().unwrap();
    w.memory.object_write(&mut w.m, id, 0, b"a").unwrap();
    map(w, id, PAGE, MAP_SHARED);
    let free = w.m.free();
    w.memory.object_release(&mut w.m, id).unwrap();
    assert_eq!(w.m.free(), free);
    assert_eq!(w.load(BASE), Ok(b'a'));
    w.memory.unmap(&mut w.m, w.s, BASE, 4 * PAGE).unwrap();
    assert_eq!(w.m.free(), free + 2, "its page and the leaf that named it");
}

#[test]
fn transfers_stop_where_the_tasks_memory_ends() {
    let w = &mut World::new();
    w.anonymous(0, 2, RW);
    w.anonymous(2, 1, PROT_READ);
    let id = w.memory.object_create().unwrap();
    w.memory.write(&mut w.m, w.s, BASE + 100, b"hello");
    let (m, s) = (&mut w.m, w.s);
    let mut go = |addr, len, offset, way| w.memory.transfer(m, s, addr, len, id, offset, way);
    assert_eq!(go(BASE + 100, 5, 4094, FromTask), Ok(5));
    assert_eq!(go(BASE + PAGE, 3 * PAGE, 4094, ToTask), Ok(PAGE));
    assert_eq!(go(BASE + 2 * PAGE, 1, 0, ToTask), Err(Errno::EFAULT));
    assert_eq!(go(BASE + 2 * PAGE, 2 * PAGE, 0, FromTask), Ok(PAGE));
    assert_eq!(go(u64::MAX, 5, 0, FromTask), Err(Errno::EFAULT));
    assert_eq!(go(BASE, 5, u64::MAX, FromTask), Err(Errno::ENOSPC));
    assert_eq!(go(BASE, 0, 0, FromTask), Ok(0));
    let mut buf = [0; 5];
    w.memory.read(&mut w.m, w.s, BASE + PAGE, &mut buf);
    assert_eq!(&buf, b"hello");
}

#[test]
fn a_whole_page_goes_from_frame_to_frame() {
    let w = &mut World::new();
    w.anonymous(0, 4, RW);
    w.memory
        .transfer(&mut w.m, w.s, BASE, 4 * PAGE, ARCHIVE, 4 * PAGE, ToTask)
        .unwrap();
    assert_eq!(w.m.copies, 4);
    assert_eq!(w.load(BASE + 5), Ok(crate::machine::archive_byte(4, 5)));
    let result = w
        .memory
        .transfer(&mut w.m, w.s, BASE, 1, ARCHIVE, 0, FromTask);
    assert_eq!(result, Err(Errno::EROFS));
}

#[test]
fn a_transfer_without_memory_says_how_far_it_came() {
    let w = &mut World::new();
    w.anonymous(0, 4, RW);
    for page in 0..4 {
        w.store(BASE + page * PAGE, 1).unwrap();
    }
    let id = w.memory.object_create().unwrap();
    w.m.fail_after = Some(3);
    let mut go = || {
        w.memory
            .transfer(&mut w.m, w.s, BASE, 4 * PAGE, id, 0, FromTask)
    };
    assert_eq!(go(), Ok(2 * PAGE));
    assert_eq!(go(), Ok(4 * PAGE));
}

#[test]
fn bytes_go_from_object_to_object_across_pages_and_holes() {
    let w = &mut World::new();
    let (m, memory) = (&mut w.m, &mut w.memory);
    let (a, b) = (
        memory.object_create().unwrap(),
        memory.object_create().unwrap(),
    );
    memory.object_write(m, a, PAGE - 2, b"abcd").unwrap();
    memory.object_write(m, b, 5, b"xyz").unwrap();
    let len = 2 * PAGE;
    let copied = memory.object_copy(m, (a, PAGE - 3), (b, 4), len);
    assert_eq!(copied, Ok(len));
    let mut buf = [9; 7];
    memory.object_read(m, b, 3, &mut buf).unwrap();
    assert_eq!(&buf, b"\0\0abcd\0");
    assert_eq!(
        memory.object_copy(m, (a, 0), (ARCHIVE, 0), 1),
        Err(Errno::EROFS)
    );
    assert_eq!(
        memory.object_copy(m, (ObjectId(77), 0), (b, 0), 1),
        Err(Errno::EBADF)
    );
    let far = (b, MAX_OBJECT_SIZE);
    assert_eq!(memory.object_copy(m, (a, 0), far, 1), Err(Errno::ENOSPC));
    let beyond = (a, u64::MAX);
    assert_eq!(memory.object_copy(m, beyond, (b, 0), 1), Err(Errno::EINVAL));
    assert_eq!(
        memory.object_copy(m, (a, 0), (b, 0), MAX_COPY + 1),
        Ok(MAX_COPY)
    );
}

#[test]
fn a_copy_without_memory_says_how_far_it_came() {
    let w = &mut World::new();
    let (m, memory) = (&mut w.m, &mut w.memory);
    let id = memory.object_create().unwrap();
    m.fail_after = Some(3);
    let copied = memory.object_copy(m, (ARCHIVE, 0), (id, 0), 4 * PAGE);
    assert_eq!(copied, Ok(2 * PAGE));
    let copied = memory.object_copy(m, (ARCHIVE, 0), (id, 0), 4 * PAGE);
    assert_eq!(copied, Ok(4 * PAGE));
}

#[test]
fn zeros_are_made_within_what_is_there() {
    let w = &mut World::new();
    let (m, memory) = (&mut w.m, &mut w.memory);
    let id = memory.object_create().unwrap();
    memory.object_write(m, id, PAGE - 2, b"abcd").unwrap();
    memory.object_zero(m, (id, PAGE - 1), 2).unwrap();
    let mut buf = [9; 4];
    memory.object_read(m, id, PAGE - 2, &mut buf).unwrap();
    assert_eq!(&buf, b"a\0\0d");
    let free = m.frames_free();
    memory.object_zero(m, (id, 0), 1 << 40).unwrap();
    memory.object_read(m, id, PAGE - 2, &mut buf).unwrap();
    assert_eq!((buf, m.frames_free()), ([0; 4], free));
    assert_eq!(memory.object_zero(m, (id, u64::MAX), 2), Err(Errno::EINVAL));
    assert_eq!(memory.object_zero(m, (ARCHIVE, 0), 2), Err(Errno::EROFS));
}
