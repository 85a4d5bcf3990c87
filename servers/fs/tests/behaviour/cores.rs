//! Core files, as the file server makes them.

use crate::world::*;
use abi::Errno;
use abi::fs::{ARCHIVE, Event, FileRange, Mapping, MappingOf, Outcome};

fn mapping(start: u64, of: MappingOf) -> Mapping {
    Mapping {
        start,
        end: start + 4096,
        prot: 5,
        shared: false,
        offset: 8192,
        of,
    }
}

/// A process that is about to die in /tmp.
fn dying() -> World {
    let mut w = World::new();
    w.with_path(__NR_chdir, "/tmp", &[]).unwrap();
    let range = FileRange {
        object: ARCHIVE,
        offset: 4096,
        size: 10,
    };
    w.out.mappings = vec![
        mapping(0x40_0000, MappingOf::File(range)),
        mapping(0x50_0000, MappingOf::Heap),
        mapping(0x60_0000, MappingOf::SharedAnonymous),
    ];
    w
}

fn core(w: &mut World) -> Outcome {
    w.outcome(INIT, Event::Core { signo: 11 })
}

fn errno(outcome: Outcome) -> Errno {
    match outcome {
        Outcome::Result(result) => Errno::check(result).unwrap_err(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_file_begins_with_what_is_mapped_and_gets_its_size_later() {
    let mut w = dying();
    let Outcome::Core { files, room, .. } = core(&mut w) else {
        panic!("no core");
    };
    assert_eq!(room, fs::MAX_FILE_SIZE);
    assert_eq!(w.stat(__NR_stat, "/tmp/core"), Ok((S_IFREG | 0o600, 0)));
    assert_eq!(w.out.last_object(), files as usize);
    w.outcome(INIT, Event::CoreWritten { size: 9000 });
    assert_eq!(w.stat(__NR_stat, "/tmp/core"), Ok((S_IFREG | 0o600, 9000)));
    let note = w.contents("/tmp/core").unwrap();
    let words: Vec<u64> = note[..64]
        .chunks_exact(8)
        .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
        .collect();
    let places = [0x40_0000, 0x40_1000, 2, 0x60_0000, 0x60_1000, 2];
    assert_eq!((&words[..2], &words[2..]), (&[2, 4096][..], &places[..]));
    assert_eq!(
        &note[64..files as usize],
        b"/bin/tool\0/dev/zero (deleted)\0"
    );
}

#[test]
fn a_size_without_a_core_is_refused_and_a_death_in_between_loses_nothing() {
    let mut w = dying();
    let refused = w.outcome(INIT, Event::CoreWritten { size: 5 });
    assert_eq!(errno(refused), Errno::EINVAL);
    w.fork();
    let objects = w.out.objects();
    let made = w.outcome(CHILD, Event::Core { signo: 6 });
    assert!(matches!(made, Outcome::Core { .. }));
    w.with_path(__NR_unlink, "/tmp/core", &[]).unwrap();
    assert_eq!(w.out.objects(), objects + 1, "the writer has it still");
    w.exit(CHILD);
    assert_eq!(w.out.objects(), objects);
}

#[test]
fn the_name_is_what_the_pattern_says() {
    let mut w = dying();
    let pattern = "/proc/sys/kernel/core_pattern";
    let set = |w: &mut World, path: &str, text: &[u8]| {
        let fd = w.open(path, O_WRONLY).unwrap();
        let result = w.write(INIT, fd, text);
        w.close(INIT, fd).unwrap();
        result.map(|_| ())
    };
    assert_eq!(w.contents(pattern), Ok(b"core\n".to_vec()));
    assert_eq!(set(&mut w, pattern, b"|/bin/tool"), Err(Errno::EINVAL));
    assert_eq!(set(&mut w, pattern, b"/tmp/dead.%s\n"), Ok(()));
    assert_eq!(w.contents(pattern), Ok(b"/tmp/dead.%s\n".to_vec()));
    assert_eq!(
        set(&mut w, "/proc/sys/kernel/core_uses_pid", b"1\n"),
        Ok(())
    );
    w.with_path(__NR_chdir, "/", &[]).unwrap();
    assert!(matches!(core(&mut w), Outcome::Core { .. }));
    let made = w.stat(__NR_stat, "/tmp/dead.11.1");
    assert_eq!(made, Ok((S_IFREG | 0o600, 0)));
    set(&mut w, pattern, b"relative").unwrap();
    assert_eq!(errno(core(&mut w)), Errno::EROFS);
}

#[test]
fn the_filter_is_a_number_of_nine_bits() {
    let mut w = World::new();
    let path = "/proc/self/coredump_filter";
    assert_eq!(w.contents(path), Ok(b"00000033\n".to_vec()));
    for (text, result) in [
        (&b"0x1ff"[..], Ok(0x1ff)),
        (b"017\n", Ok(15)),
        (b"+51", Ok(51)),
        (b"4294967295", Ok(0x1ff)),
        (b"4294967296", Err(Errno::ERANGE)),
        (b"0x", Err(Errno::EINVAL)),
        (b"-1", Err(Errno::EINVAL)),
        (b"9 ", Err(Errno::EINVAL)),
        (b"", Err(Errno::EINVAL)),
    ] {
        let fd = w.open(path, O_WRONLY).unwrap();
        let written = w.write(INIT, fd, text);
        w.close(INIT, fd).unwrap();
        let kept = written.map(|_| w.out.dump_filters[&1]);
        assert_eq!(kept, result, "{text:?}");
    }
}
