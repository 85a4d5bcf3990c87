//! The system calls, by what they are about. Each file has the names, the structs and the
//! decoders of one concept, and the table of its calls.

mod control;
mod date;
mod dirent;
mod exec;
mod futex;
mod identity;
mod io;
mod ioctl;
mod memory;
mod network;
mod open;
mod other;
mod path;
mod poll;
mod prctl;
mod resource;
mod signal;
mod stat;
mod statx;
mod task;
mod termios;
mod time;
mod wait;

use std::sync::LazyLock;

use crate::call::Call;

/// The file descriptor that stands for the working directory.
pub const AT_FDCWD: i32 = -100;

const TABLES: [&[Call]; 21] = [
    control::CALLS,
    dirent::CALLS,
    exec::CALLS,
    futex::CALLS,
    identity::CALLS,
    io::CALLS,
    ioctl::CALLS,
    memory::CALLS,
    network::CALLS,
    open::CALLS,
    other::CALLS,
    path::CALLS,
    poll::CALLS,
    prctl::CALLS,
    resource::CALLS,
    signal::CALLS,
    stat::CALLS,
    statx::CALLS,
    task::CALLS,
    time::CALLS,
    wait::CALLS,
];

/// The flags of a clone3 whose arguments are at `addr`.
pub fn clone3_flags(pid: libtrace::Pid, addr: u64) -> Option<u64> {
    let mut flags = [0; 8];
    let read = libtrace::memory::read_memory(pid, addr, &mut flags).ok()?;
    (read == flags.len()).then_some(u64::from_ne_bytes(flags))
}

/// The description of call number `nr`.
pub fn find(nr: u64) -> Option<&'static Call> {
    const NUMBERS: usize = 512;
    static BY_NUMBER: LazyLock<[Option<&'static Call>; NUMBERS]> = LazyLock::new(|| {
        let mut by_number = [None; NUMBERS];
        for call in TABLES.into_iter().flatten() {
            by_number[call.nr.id() as usize] = Some(call);
        }
        by_number
    });
    BY_NUMBER.get(usize::try_from(nr).ok()?).copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_is_described_twice() {
        let mut numbers: Vec<i32> = TABLES
            .into_iter()
            .flatten()
            .map(|call| call.nr.id())
            .collect();
        let count = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), count);
    }
}
