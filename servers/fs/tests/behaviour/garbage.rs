//! What nobody should send.

use crate::world::*;
use abi::TaskId;
use abi::fs::{Event, Path, Reply};
use abi::wire;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Numbers that calls are sensitive to.
    fn argument(&mut self) -> u64 {
        match self.next() % 8 {
            0 => self.next(),
            1 => u64::MAX - self.next() % 3,
            2 => i64::MAX as u64,
            3 => MEMORY + self.next() % MEMORY_SIZE as u64,
            4 => END - self.next() % 20,
            5 => 1 << (self.next() % 64),
            _ => self.next() % 12,
        }
    }
}

#[test]
fn random_bytes_change_nothing() {
    let mut w = World::new();
    let mut random = Random(0x5eed);
    let before = w.fs.population();
    let mut refused = 0;
    for _ in 0..10_000 {
        let len = (random.next() % 64) as usize;
        let bytes: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
        if matches!(wire::decode(&bytes), Ok(Reply::Report(_))) {
            continue;
        }
        w.fs.handle(&mut w.out, &bytes);
        refused += 1;
        assert_eq!(w.fs.malformed(), refused);
    }
    assert!(refused > 9_000);
    assert_eq!(w.fs.population(), before);
    assert_eq!(w.fs.waiting(), 0);
    assert!(w.open("/bin/tool", 0).is_ok());
}

#[test]
fn random_calls_do_not_panic_and_leave_nothing() {
    let mut w = World::new();
    let mut random = Random(0xca11);
    let tasks = [INIT, CHILD, TaskId::new(3, 1)];
    let before = w.fs.population();
    let objects = w.out.objects();
    for round in 0..20_000u32 {
        let task = tasks[(random.next() % 3) as usize];
        if round % 500 == 0 {
            for (tid, &task) in (2..).zip(&tasks[1..]) {
                w.exit_if_there(task);
                let share = random.next().is_multiple_of(2);
                assert_eq!(w.create(task, INIT, tid, share, !share), 0);
            }
        }
        let paths = [
            "/tmp/a",
            "/tmp/d/b",
            "/tmp/d",
            "/proc/self/fd/3",
            "..",
            "/dev/zero",
            "/tmp/l",
        ];
        let pick = |n: u64| paths[(n % 7) as usize];
        w.string(task, PATH, pick(random.next()));
        w.string(task, PATH2, pick(random.next()));
        let mut args = [0; 6];
        for arg in &mut args {
            *arg = random.argument();
            if random.next().is_multiple_of(3) {
                *arg = [PATH, PATH2, AT_FDCWD as u64][(random.next() % 3) as usize];
            }
        }
        let nr = (random.next() % 460) as u32;
        let number = w.report(task, Event::Syscall { nr, args });
        if w.result(number).is_none() {
            w.interrupt(task, number);
            assert!(
                w.result(number).is_some(),
                "call {nr} cannot be interrupted"
            );
        }
    }
    for task in tasks {
        w.exit_if_there(task);
    }
    assert_eq!(w.fs.waiting(), 0);
    assert_eq!(w.fs.population()[1..], [0, 0, 0, 0, 0]);
    // What is left of it in /tmp are names.
    assert!(w.out.objects() <= objects + w.fs.population()[0] - before[0]);
}

#[test]
fn random_events_do_not_panic() {
    let mut w = World::new();
    let mut random = Random(0xe4e7);
    for _ in 0..10_000 {
        let task = TaskId::new((random.next() % 4) as usize, (random.next() % 2) as u16);
        let path = w.out.input.make_contiguous().to_vec();
        let event = match random.next() % 6 {
            0 => Event::Map {
                fd: random.next() as i32,
                shared: true,
                write: true,
            },
            1 => Event::FindProgram {
                dirfd: random.next() as i32,
                flags: random.next() as u32,
                path: Path::At(random.argument()),
            },
            2 => Event::FindProgram {
                dirfd: AT_FDCWD,
                flags: 0,
                path: Path::Inline(&path),
            },
            3 => Event::Created {
                parent: TaskId::new((random.next() % 4) as usize, 1),
                tid: random.next() as u32,
                tgid: random.next() as u32,
                share_files: random.next().is_multiple_of(2),
                share_fs: random.next().is_multiple_of(2),
                pidfd: random
                    .next()
                    .is_multiple_of(2)
                    .then_some(abi::PidName { tid: 3, serial: 1 }),
            },
            4 => Event::Exited,
            _ => Event::Syscall {
                nr: __NR_open,
                args: [PATH, 0, 0, 0, 0, 0],
            },
        };
        let number = w.report(task, event);
        assert!(w.out.completed.contains_key(&number));
    }
}
