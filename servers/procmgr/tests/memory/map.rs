//! mmap, munmap, mprotect, brk, mremap: what they refuse and where they place.

use crate::{BASE, RW, World, anonymous};
use abi::Errno;
use abi::fs::{ARCHIVE, FileRange};
use abi::linux::general::{
    MADV_DONTNEED, MAP_32BIT, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_GROWSDOWN, MAP_NORESERVE,
    MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE, MREMAP_FIXED, MREMAP_MAYMOVE, PROT_NONE,
    PROT_READ, PROT_WRITE,
};
use procmgr::machine::PAGE;
use procmgr::memory::layout::{MMAP_BASE, USER_END};
use procmgr::memory::{Limits, MAX_VMAS, MapRequest, Source};

fn request(addr: u64, len: u64, flags: u32) -> MapRequest {
    MapRequest {
        addr,
        len,
        prot: RW,
        flags,
        source: Source::Anonymous,
    }
}

fn map(w: &mut World, addr: u64, len: u64, flags: u32) -> Result<u64, Errno> {
    w.memory.map(&mut w.m, w.s, &request(addr, len, flags))
}

#[test]
fn what_mmap_refuses_is_what_linux_refuses() {
    let w = &mut World::new();
    let private = MAP_PRIVATE;
    let cases = [
        (0, 0, private, Errno::EINVAL),
        (0, u64::MAX, private, Errno::ENOMEM),
        (0, 1 << 47, private, Errno::ENOMEM),
        (0, PAGE, 0, Errno::EINVAL),
        (0, PAGE, MAP_SHARED_VALIDATE, Errno::EINVAL),
        (0, PAGE, MAP_SHARED | MAP_GROWSDOWN, Errno::EINVAL),
        (BASE + 1, PAGE, private | MAP_FIXED, Errno::EINVAL),
        (0, PAGE, private | MAP_FIXED, Errno::EPERM),
        (USER_END, PAGE, private | MAP_FIXED, Errno::ENOMEM),
        (u64::MAX - 4095, PAGE, private | MAP_FIXED, Errno::ENOMEM),
    ];
    for (addr, len, flags, errno) in cases {
        assert_eq!(
            map(w, addr, len, flags),
            Err(errno),
            "{addr:#x} {len:#x} {flags:#x}"
        );
    }
    assert_eq!(w.memory.mapped(w.s), 0);
}

#[test]
fn file_mappings_are_checked() {
    let w = &mut World::new();
    let mut with = |offset, prot, flags, object| {
        let range = FileRange {
            object,
            offset: 0,
            size: PAGE,
        };
        let source = Source::File {
            range,
            offset,
            may_write: true,
        };
        let request = MapRequest {
            addr: 0,
            len: PAGE,
            prot,
            flags,
            source,
        };
        w.memory.map(&mut w.m, w.s, &request).map(|_| ())
    };
    assert_eq!(with(1, RW, MAP_PRIVATE, ARCHIVE), Err(Errno::EINVAL));
    assert_eq!(with(!4095, RW, MAP_PRIVATE, ARCHIVE), Err(Errno::EOVERFLOW));
    assert_eq!(with(0, RW, MAP_SHARED, ARCHIVE), Err(Errno::EACCES));
    assert_eq!(
        with(0, RW, MAP_PRIVATE, abi::fs::ObjectId(9)),
        Err(Errno::EBADF)
    );
    assert_eq!(
        with(0, RW, MAP_PRIVATE | MAP_GROWSDOWN, ARCHIVE),
        Err(Errno::EINVAL)
    );
    assert_eq!(with(0, PROT_READ, MAP_SHARED, ARCHIVE), Ok(()));
}

#[test]
fn placement_goes_down_from_the_base_and_fills_gaps() {
    let w = &mut World::new();
    let first = map(w, 0, 3 * PAGE, MAP_PRIVATE).unwrap();
    assert_eq!(first, MMAP_BASE - 3 * PAGE);
    assert_eq!(map(w, 0, 1, MAP_PRIVATE), Ok(first - PAGE));
    w.memory.unmap(&mut w.m, w.s, first, PAGE).unwrap();
    assert_eq!(map(w, 0, PAGE, MAP_PRIVATE), Ok(first));
    assert_eq!(w.memory.vmas(w.s).count(), 1, "neighbours are one");
}

#[test]
fn a_hint_is_taken_when_it_is_free() {
    let w = &mut World::new();
    assert_eq!(map(w, BASE + PAGE + 5, PAGE, MAP_PRIVATE), Ok(BASE + PAGE));
    assert_eq!(map(w, BASE + PAGE, PAGE, MAP_PRIVATE), Ok(MMAP_BASE - PAGE));
    assert_eq!(map(w, PAGE + 5, PAGE, MAP_PRIVATE), Ok(65536));
    assert_eq!(
        map(w, u64::MAX, PAGE, MAP_PRIVATE),
        Ok(MMAP_BASE - 2 * PAGE)
    );
    assert_eq!(map(w, 0, PAGE, MAP_PRIVATE | MAP_32BIT), Ok(0x4000_0000));
}

#[test]
fn noreplace_leaves_what_is_there() {
    let w = &mut World::new();
    w.anonymous(0, 2, RW);
    let flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE;
    assert_eq!(map(w, BASE + PAGE, 2 * PAGE, flags), Err(Errno::EEXIST));
    assert_eq!(map(w, BASE + 2 * PAGE, PAGE, flags), Ok(BASE + 2 * PAGE));
}

#[test]
fn more_than_all_memory_needs_noreserve() {
    let w = &mut World::new();
    assert_eq!(map(w, 0, 1 << 40, MAP_PRIVATE), Err(Errno::ENOMEM));
    assert!(map(w, 0, 1 << 40, MAP_PRIVATE | MAP_NORESERVE).is_ok());
}

#[test]
fn the_address_space_limit_holds() {
    let w = &mut World::new();
    let limits = Limits {
        address_space: 4 * PAGE,
        ..w.memory.limits(w.s)
    };
    w.memory.set_limits(w.s, limits);
    w.anonymous(0, 3, RW);
    assert_eq!(map(w, 0, 2 * PAGE, MAP_PRIVATE), Err(Errno::ENOMEM));
    // Replacing does not count twice.
    assert!(map(w, BASE + PAGE, 3 * PAGE, MAP_PRIVATE | MAP_FIXED).is_ok());
}

#[test]
fn the_table_of_ranges_is_bounded_and_can_be_emptied_when_full() {
    let w = &mut World::new();
    for i in 0..MAX_VMAS as u64 {
        w.anonymous(2 * i, 1, RW);
    }
    let one_more = anonymous(BASE + 2 * MAX_VMAS as u64 * PAGE, 1, RW);
    assert_eq!(w.memory.map(&mut w.m, w.s, &one_more), Err(Errno::ENOMEM));
    assert_eq!(w.memory.unmap(&mut w.m, w.s, BASE, PAGE), Ok(()));
    assert!(w.memory.map(&mut w.m, w.s, &one_more).is_ok());
}

#[test]
fn munmap_refuses_and_ignores_as_linux() {
    let w = &mut World::new();
    let mut unmap = |addr, len| w.memory.unmap(&mut w.m, w.s, addr, len);
    assert_eq!(unmap(BASE + 1, PAGE), Err(Errno::EINVAL));
    assert_eq!(unmap(BASE, 0), Err(Errno::EINVAL));
    assert_eq!(unmap(BASE, u64::MAX), Err(Errno::EINVAL));
    assert_eq!(unmap(!4095, PAGE), Err(Errno::EINVAL));
    assert_eq!(unmap(BASE, PAGE), Ok(()));
}

#[test]
fn mprotect_stops_at_the_first_hole_with_enomem() {
    let w = &mut World::new();
    w.anonymous(0, 2, RW);
    w.anonymous(3, 1, RW);
    let result = w.memory.protect(&mut w.m, w.s, BASE, 4 * PAGE, PROT_READ);
    assert_eq!(result, Err(Errno::ENOMEM));
    let prots: Vec<u32> = w.memory.vmas(w.s).map(|vma| vma.prot).collect();
    assert_eq!(prots, [PROT_READ, RW]);
    let mut protect = |addr, len, prot| w.memory.protect(&mut w.m, w.s, addr, len, prot);
    assert_eq!(protect(BASE, 0, PROT_READ), Ok(()));
    assert_eq!(protect(BASE + 1, 0, PROT_READ), Err(Errno::EINVAL));
    assert_eq!(protect(BASE, PAGE, 0x100), Err(Errno::EINVAL));
    assert_eq!(protect(BASE, u64::MAX, PROT_READ), Err(Errno::ENOMEM));
    assert_eq!(protect(!4095, PAGE, PROT_READ), Err(Errno::ENOMEM));
}

#[test]
fn the_break_moves_until_something_is_in_its_way() {
    let w = &mut World::new();
    w.memory.set_brk(w.s, BASE + 5);
    w.anonymous(4, 1, RW);
    let mut brk = |addr| w.memory.brk(&mut w.m, w.s, addr);
    assert_eq!(brk(0), BASE + 5);
    assert_eq!(brk(BASE + 2 * PAGE + 1), BASE + 2 * PAGE + 1);
    assert_eq!(
        brk(BASE + 3 * PAGE + 1),
        BASE + 2 * PAGE + 1,
        "a page stays free"
    );
    assert_eq!(brk(u64::MAX), BASE + 2 * PAGE + 1);
    assert_eq!(brk(BASE + PAGE), BASE + PAGE);
    assert_eq!(
        w.memory.mapped(w.s),
        PAGE,
        "the break started in a page of the program"
    );
}

#[test]
fn mremap_grows_in_place_or_moves_with_the_contents() {
    let w = &mut World::new();
    w.anonymous(0, 2, RW);
    w.store(BASE + PAGE, 7).unwrap();
    let mut remap = |old, new, flags, to| w.memory.remap(&mut w.m, w.s, BASE, old, new, flags, to);
    assert_eq!(remap(2 * PAGE, 3 * PAGE, 0, 0), Ok(BASE));
    assert_eq!(remap(3 * PAGE, 2 * PAGE, 0, 0), Ok(BASE));
    assert_eq!(remap(2 * PAGE, 0, 0, 0), Err(Errno::EINVAL));
    assert_eq!(
        remap(3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE, 0),
        Err(Errno::EFAULT)
    );
    assert_eq!(remap(0, PAGE, MREMAP_MAYMOVE, 0), Err(Errno::EINVAL));
    let fixed = MREMAP_MAYMOVE | MREMAP_FIXED;
    assert_eq!(
        remap(2 * PAGE, PAGE, fixed, BASE + PAGE),
        Err(Errno::EINVAL)
    );
    assert_eq!(remap(2 * PAGE, PAGE, fixed, !4095), Err(Errno::EINVAL));
    w.anonymous(2, 1, PROT_READ);
    let mut remap = |old, new, flags, to| w.memory.remap(&mut w.m, w.s, BASE, old, new, flags, to);
    assert_eq!(remap(2 * PAGE, 3 * PAGE, 0, 0), Err(Errno::ENOMEM));
    let moved = remap(2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE, 0).unwrap();
    assert_eq!(moved, MMAP_BASE - 3 * PAGE);
    assert_eq!(w.load(moved + PAGE), Ok(7));
    assert!(w.load(BASE).is_err());
}

#[test]
fn dontneed_forgets_private_contents() {
    let w = &mut World::new();
    w.anonymous(0, 1, RW);
    w.store(BASE, 7).unwrap();
    let mut advise = |len, advice| w.memory.advise(&mut w.m, w.s, BASE, len, advice);
    assert_eq!(advise(PAGE, 12345), Err(Errno::EINVAL));
    assert_eq!(advise(2 * PAGE, MADV_DONTNEED), Err(Errno::ENOMEM));
    assert_eq!(advise(0, MADV_DONTNEED), Ok(()));
    assert_eq!(w.load(BASE), Ok(0));
}

#[test]
fn ranges_that_differ_are_not_merged() {
    let w = &mut World::new();
    w.anonymous(0, 1, RW);
    w.anonymous(1, 1, PROT_NONE);
    w.anonymous(2, 1, RW);
    assert_eq!(w.memory.vmas(w.s).count(), 3);
    let whole = w.memory.protect(&mut w.m, w.s, BASE, 3 * PAGE, PROT_WRITE);
    assert_eq!((whole, w.memory.vmas(w.s).count()), (Ok(()), 1));
}
