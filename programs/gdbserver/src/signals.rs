//! The protocol's own numbers for signals, which are the same on every system (gdb's
//! `include/gdb/signals.def`), and Linux's.

/// Linux's number and the protocol's, for signals 1 to 31.
const CLASSIC: [u8; 32] = [
    0, 1, 2, 3, 4, 5, 6, 10, 8, 9, 30, 11, 31, 13, 14, 15,
    // SIGSTKFLT has no number of its own.
    UNKNOWN, 20, 19, 17, 18, 21, 22, 16, 24, 25, 26, 27, 28, 23, 32, 12,
];

/// What the protocol calls a signal that it has no number for.
const UNKNOWN: u8 = 143;

/// The protocol's number of Linux's signal `signal`; 0 for none.
pub fn to_protocol(signal: i32) -> u8 {
    match signal {
        0..=31 => CLASSIC[signal as usize],
        32 => 77,
        33..=63 => (signal - 33 + 45) as u8,
        64 => 78,
        _ => UNKNOWN,
    }
}

/// Linux's number of the protocol's signal `signal`; none where Linux has no such signal.
pub fn to_linux(signal: u8) -> Option<i32> {
    match signal {
        UNKNOWN => None,
        77 => Some(32),
        45..=75 => Some(i32::from(signal) - 45 + 33),
        78 => Some(64),
        _ => CLASSIC
            .iter()
            .position(|it| *it == signal)
            .map(|it| it as i32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        for signal in (0..=64).filter(|it| *it != 16) {
            assert_eq!(to_linux(to_protocol(signal)), Some(signal));
        }
        assert_eq!(to_linux(to_protocol(16)), None);
    }

    #[test]
    fn some_are_other_numbers() {
        // SIGUSR1, SIGSTOP, SIGCHLD, SIGSYS, and the first real-time signal of a C library.
        let linux = [10, 19, 17, 31, 34];
        assert_eq!(linux.map(to_protocol), [30, 17, 20, 12, 46]);
    }
}
