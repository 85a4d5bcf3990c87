//! The times in front of the lines and behind the calls.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Local};
use trace::options::Options;

/// The clocks of a trace.
pub struct Times {
    start: Instant,
    absolute: u8,
    relative: bool,
    /// When the line before began.
    previous: Option<Instant>,
}

impl Times {
    /// Clocks that begin now.
    pub fn new(options: &Options) -> Times {
        Times {
            start: Instant::now(),
            absolute: options.timestamps,
            relative: options.relative_timestamps,
            previous: None,
        }
    }

    /// Nanoseconds of the monotonic clock since the beginning.
    pub fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// What stands in front of a line that begins now.
    pub fn prefix(&mut self) -> String {
        let absolute = match self.absolute {
            0 => String::new(),
            detail => time_of_day(SystemTime::now(), detail),
        };
        if !self.relative {
            return absolute;
        }
        let now = Instant::now();
        let since = now - self.previous.unwrap_or(now);
        self.previous = Some(now);
        let since = format!("{:>6}.{:06}", since.as_secs(), since.subsec_micros());
        match absolute.is_empty() {
            true => since + " ",
            false => format!("{absolute}(+{since}) "),
        }
    }
}

/// ` <0.000123>`.
pub fn spent(nanoseconds: u64) -> String {
    let time = Duration::from_nanos(nanoseconds);
    format!(" <{}.{:06}>", time.as_secs(), time.subsec_micros())
}

/// In the time zone of whoever traces.
fn time_of_day(now: SystemTime, detail: u8) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = since.subsec_micros();
    match detail {
        3.. => format!("{}.{micros:06} ", since.as_secs()),
        _ => {
            let clock = DateTime::<Local>::from(now).format("%H:%M:%S");
            match detail {
                2 => format!("{clock}.{micros:06} "),
                _ => format!("{clock} "),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_microseconds() {
        assert_eq!(spent(1_234_567_890), " <1.234567>");
        let moment = UNIX_EPOCH + Duration::from_micros(1_700_000_000_000_012);
        assert_eq!(time_of_day(moment, 3), "1700000000.000012 ");
        assert!(time_of_day(moment, 2).ends_with(":20.000012 "));
        assert!(time_of_day(moment, 1).ends_with(":20 "));
    }
}
