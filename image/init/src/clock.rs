//! The real-time clock of the machine (the MC146818 behind ports 0x70 and 0x71).

use crate::bootinfo::IO_PORTS;

const SECONDS: u8 = 0x00;
const MINUTES: u8 = 0x02;
const HOURS: u8 = 0x04;
const DAY: u8 = 0x07;
const MONTH: u8 = 0x08;
const YEAR: u8 = 0x09;
const STATUS_A: u8 = 0x0a;
const STATUS_B: u8 = 0x0b;
const CENTURY: u8 = 0x32;

/// In status A: the registers are changing.
const UPDATING: u8 = 0x80;
/// In status B: hours count to 24.
const HOURS_24: u8 = 2;
/// In status B: numbers are binary, not BCD.
const BINARY: u8 = 4;
/// In the hours register, when they count to 12.
const PM: u8 = 0x80;

/// Seconds since 1970.
pub fn seconds() -> u64 {
    let mut before = stable();
    // An update between two registers shows as a difference.
    loop {
        let now = stable();
        if now == before {
            return decode(now);
        }
        before = now;
    }
}

type Raw = [u8; 8];

fn stable() -> Raw {
    while read(STATUS_A) & UPDATING != 0 {}
    [SECONDS, MINUTES, HOURS, DAY, MONTH, YEAR, CENTURY, STATUS_B].map(read)
}

fn decode([second, minute, hour, day, month, year, century, status]: Raw) -> u64 {
    let number = |raw: u8| {
        if status & BINARY != 0 {
            raw as u64
        } else {
            (raw >> 4) as u64 * 10 + (raw & 15) as u64
        }
    };
    let hour = if status & HOURS_24 != 0 {
        number(hour)
    } else {
        number(hour & !PM) % 12 + if hour & PM != 0 { 12 } else { 0 }
    };
    let century = match number(century) {
        century @ 19..=21 => century,
        _ => 20,
    };
    let days = days(century * 100 + number(year), number(month), number(day));
    ((days * 24 + hour) * 60 + number(minute)) * 60 + number(second)
}

/// Days from 1970-01-01 to a date: years start in March, so that the leap day comes last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468
}

fn read(register: u8) -> u8 {
    IO_PORTS.out8(0x70, register).expect("all ports are ours");
    IO_PORTS.in8(0x71).expect("all ports are ours")
}
