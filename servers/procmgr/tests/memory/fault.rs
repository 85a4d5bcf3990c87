//! Page faults, the stack, and access from outside.

use crate::{BASE, RW, World, anonymous};
use abi::Errno;
use abi::fs::{ARCHIVE, FileRange};
use abi::linux::general::{
    MAP_FIXED, MAP_GROWSDOWN, MAP_PRIVATE, MAP_SHARED, PROT_EXEC, PROT_NONE, PROT_READ,
};
use procmgr::Access;
use procmgr::machine::PAGE;
use procmgr::memory::layout::USER_END;
use procmgr::memory::{FAULT_AROUND, MapRequest, MemoryFault, Source};

/// Maps pages of the archive from its third on, up to byte 100 of its page 11.
fn map_archive(w: &mut World, pages: u64, prot: u32, flags: u32) {
    let range = FileRange {
        object: ARCHIVE,
        offset: 2 * PAGE,
        size: 9 * PAGE + 100,
    };
    let source = Source::File {
        range,
        offset: PAGE,
        may_write: false,
    };
    let request = MapRequest {
        addr: BASE,
        len: pages * PAGE,
        prot,
        flags: flags | MAP_FIXED,
        source,
    };
    w.memory.map(&mut w.m, w.s, &request).unwrap();
}

#[test]
fn faults_say_what_is_wrong() {
    let w = &mut World::new();
    w.anonymous(0, 1, PROT_READ);
    w.anonymous(1, 1, PROT_NONE);
    for addr in [0, BASE - 1, BASE + 2 * PAGE, USER_END, 1 << 47, u64::MAX] {
        assert_eq!(w.load(addr), Err(MemoryFault::NotMapped), "{addr:#x}");
        assert_eq!(w.store(addr, 1), Err(MemoryFault::NotMapped), "{addr:#x}");
    }
    assert_eq!(w.load(BASE), Ok(0));
    assert_eq!(w.store(BASE, 1), Err(MemoryFault::Denied));
    assert_eq!(w.load(BASE + PAGE), Err(MemoryFault::Denied));
}

#[test]
fn what_may_not_be_executed_is_mapped_so() {
    let w = &mut World::new();
    w.anonymous(0, 1, RW);
    w.store(BASE, 0xc3).unwrap();
    assert_eq!(w.execute(BASE), Err(MemoryFault::Denied));
    // A compiler's way: written, then made executable.
    w.protect(0, 1, PROT_READ | PROT_EXEC);
    assert_eq!(w.execute(BASE), Ok(()));
    assert_eq!(w.load(BASE), Ok(0xc3));
    w.protect(0, 1, RW);
    assert_eq!(w.execute(BASE), Err(MemoryFault::Denied));
    assert_eq!(w.execute(BASE + PAGE), Err(MemoryFault::NotMapped));
}

#[test]
fn a_fork_leaves_what_may_be_written_and_executed_executable() {
    let w = &mut World::new();
    w.anonymous(0, 1, RW | PROT_EXEC);
    w.store(BASE, 0xc3).unwrap();
    w.execute(BASE).unwrap();
    let child = w.memory.space_fork(&mut w.m, w.s).unwrap();
    assert_eq!(w.execute(BASE), Ok(()));
    w.store(BASE, 0x90).unwrap();
    assert_eq!(w.execute(BASE), Ok(()));
    w.s = child;
    assert_eq!(w.execute(BASE), Ok(()));
    assert_eq!(w.load(BASE), Ok(0xc3));
}

#[test]
fn a_fault_on_a_good_page_is_no_error() {
    let w = &mut World::new();
    w.anonymous(0, 1, RW);
    w.store(BASE, 1).unwrap();
    let maps = w.m.maps;
    assert_eq!(w.memory.fault(&mut w.m, w.s, BASE, Access::Write), Ok(()));
    assert_eq!(w.memory.fault(&mut w.m, w.s, BASE, Access::Read), Ok(()));
    assert_eq!(w.m.maps, maps);
}

#[test]
fn untouched_memory_shares_one_frame_of_zeros() {
    let w = &mut World::new();
    w.anonymous(0, 4, RW);
    w.load(BASE).unwrap();
    let free = w.m.free();
    for page in 1..4 {
        assert_eq!(w.load(BASE + page * PAGE), Ok(0));
    }
    assert_eq!(w.m.free(), free);
    w.store(BASE, 5).unwrap();
    assert_eq!((w.m.copies, w.load(BASE + PAGE)), (0, Ok(0)));
}

#[test]
fn the_archive_is_mapped_as_it_is_until_written() {
    let w = &mut World::new();
    map_archive(w, 9, RW, MAP_PRIVATE);
    let free = w.m.free();
    assert_eq!(w.load(BASE + 5), Ok(crate::machine::archive_byte(3, 5)));
    assert_eq!(w.m.free(), free - 1, "a leaf of the page table and no more");
    w.store(BASE + 5, 99).unwrap();
    assert_eq!(w.m.copies, 1);
    assert_eq!(w.load(BASE + 6), Ok(crate::machine::archive_byte(3, 6)));
}

#[test]
fn a_page_behind_the_end_of_a_file_is_a_bus_error() {
    let w = &mut World::new();
    map_archive(w, 10, PROT_READ, MAP_SHARED);
    assert_eq!(
        w.load(BASE + 8 * PAGE + 99),
        Ok(crate::machine::archive_byte(11, 99))
    );
    assert_eq!(
        w.load(BASE + 8 * PAGE + 4000),
        Ok(0),
        "the rest of the last page"
    );
    assert_eq!(w.load(BASE + 9 * PAGE), Err(MemoryFault::Bus));
}

#[test]
fn a_read_fault_in_program_text_maps_its_neighbours() {
    let w = &mut World::new();
    map_archive(w, 9, PROT_READ | PROT_EXEC, MAP_PRIVATE);
    w.load(BASE + PAGE).unwrap();
    assert_eq!(w.m.maps, FAULT_AROUND as usize);
}

#[test]
fn the_stack_grows_to_its_limit_and_keeps_its_distance() {
    let w = &mut World::new();
    let top = 0x7fff_f000_0000;
    let mut stack = anonymous(top - PAGE, 1, RW);
    stack.flags |= MAP_GROWSDOWN;
    w.memory.map(&mut w.m, w.s, &stack).unwrap();
    let limit = w.memory.limits(w.s).stack;
    w.store(top - 100 * PAGE, 1).unwrap();
    assert_eq!(w.memory.mapped(w.s), 100 * PAGE);
    assert_eq!(w.load(top - limit), Ok(0));
    assert_eq!(w.load(top - limit - 1), Err(MemoryFault::NotMapped));
}

#[test]
fn the_stack_stops_before_a_neighbour() {
    let w = &mut World::new();
    let mut stack = anonymous(BASE + 500 * PAGE, 1, RW);
    stack.flags |= MAP_GROWSDOWN;
    w.memory.map(&mut w.m, w.s, &stack).unwrap();
    w.anonymous(0, 1, RW);
    assert_eq!(w.store(BASE + 256 * PAGE, 1), Err(MemoryFault::NotMapped));
    assert_eq!(w.store(BASE + 257 * PAGE, 1), Ok(()));
}

#[test]
fn a_tracer_reads_and_writes_through_protection_and_not_the_stacks_room() {
    let w = &mut World::new();
    w.anonymous(0, 1, PROT_NONE);
    let (m, s) = (&mut w.m, w.s);
    let mut buf = [1; 4];
    assert_eq!(w.memory.read(m, s, BASE, &mut buf), 0);
    assert_eq!(w.memory.write(m, s, BASE, &[2]), 0);
    assert_eq!(w.memory.poke(m, s, BASE + PAGE - 2, &[3; 4]), 2);
    assert_eq!(w.memory.peek(m, s, BASE + PAGE - 3, &mut buf), 3);
    assert_eq!(buf[..3], [0, 3, 3]);
    assert_eq!(m.mapped(s), 0, "the task still cannot see it");
}

#[test]
fn a_tracer_does_not_write_a_file_through_a_shared_read_only_mapping() {
    let w = &mut World::new();
    map_archive(w, 1, PROT_READ, MAP_SHARED);
    assert_eq!(w.memory.poke(&mut w.m, w.s, BASE, &[1]), 0);
}

#[test]
fn a_breakpoint_in_program_text_is_private() {
    let w = &mut World::new();
    map_archive(w, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE);
    assert_eq!(w.memory.poke(&mut w.m, w.s, BASE, &[0xcc]), 1);
    assert_eq!(w.load(BASE), Ok(0xcc));
    assert_eq!(w.store(BASE, 1), Err(MemoryFault::Denied));
    assert_eq!(w.memory.fetch2(&mut w.m, w.s, BASE).unwrap()[0], 0xcc);
}

#[test]
fn the_bytes_at_the_instruction_pointer_may_be_in_two_pages() {
    let w = &mut World::new();
    w.anonymous(0, 2, RW);
    w.memory
        .write(&mut w.m, w.s, BASE + PAGE - 1, &[0x0f, 0x05]);
    let mut fetch2 = |ip| w.memory.fetch2(&mut w.m, w.s, ip);
    assert_eq!(fetch2(BASE + PAGE - 1), Some([0x0f, 0x05]));
    assert_eq!(fetch2(BASE + PAGE), Some([0x05, 0]));
    for ip in [BASE + 2 * PAGE - 1, 0, 1 << 47, u64::MAX] {
        assert_eq!(fetch2(ip), None);
    }
}

#[test]
fn strings_end_at_zero_at_the_buffer_or_at_memorys_end() {
    let w = &mut World::new();
    w.anonymous(0, 2, RW);
    let (m, s) = (&mut w.m, w.s);
    let at = BASE + PAGE - 2;
    w.memory.write(m, s, at, b"abcd\0");
    let mut buf = [0; 8];
    assert_eq!(w.memory.read_cstr(m, s, at, &mut buf), Ok(4));
    assert_eq!(&buf[..4], b"abcd");
    assert_eq!(w.memory.read_cstr(m, s, at, &mut buf[..4]), Ok(4));
    for len in [0, 1, 2, 3] {
        buf.fill(0);
        let short = w.memory.read_cstr(m, s, at, &mut buf[..len]);
        assert_eq!(short, Err(Errno::ENAMETOOLONG));
        assert_eq!(&buf[..len], &b"abc"[..len]);
    }
    w.memory.write(m, s, BASE + 2 * PAGE - 3, b"xyz");
    let end = BASE + 2 * PAGE - 3;
    assert_eq!(w.memory.read_cstr(m, s, end, &mut buf), Err(Errno::EFAULT));
    assert_eq!(
        w.memory.read_cstr(m, s, u64::MAX, &mut buf),
        Err(Errno::EFAULT)
    );
}

#[test]
fn words_are_read_and_written_whole_or_not() {
    let w = &mut World::new();
    w.anonymous(0, 1, RW);
    let (m, s) = (&mut w.m, w.s);
    assert_eq!(w.memory.write_u64(m, s, BASE, 0x1122), Ok(()));
    assert_eq!(w.memory.read_u64(m, s, BASE), Ok(0x1122));
    let end = BASE + PAGE - 4;
    assert_eq!(w.memory.write_u64(m, s, end, 1), Err(Errno::EFAULT));
    assert_eq!(w.memory.read_u64(m, s, end), Err(Errno::EFAULT));
}
