//! How far a long trace has come, on the terminal of whoever waits for it.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// A trace that is over sooner shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line changes.
const INTERVAL: Duration = Duration::from_millis(200);

/// The line that tells. Dropping it takes it away.
#[derive(Debug)]
pub struct Progress {
    started: Instant,
    /// When the line was written last, and how many events there were.
    shown: Option<(Instant, u64)>,
    enabled: bool,
}

impl Progress {
    /// A line on standard error, if that is a terminal and nothing else uses it.
    pub fn new(otherwise_quiet: bool) -> Progress {
        Progress {
            started: Instant::now(),
            shown: None,
            enabled: otherwise_quiet && io::stderr().is_terminal(),
        }
    }

    /// Somebody looks at it.
    pub fn is_shown(&self) -> bool {
        self.enabled
    }

    /// Shows how many events there are, unless that was done a moment ago.
    pub fn update(&mut self, events: u64) {
        if !self.enabled {
            return;
        }
        let now = Instant::now();
        let elapsed = now - self.started;
        let (due, rate) = match self.shown {
            None => (elapsed >= PATIENCE, per_second(events, elapsed)),
            Some((at, before)) => {
                let since = now - at;
                (since >= INTERVAL, per_second(events - before, since))
            }
        };
        if due {
            self.shown = Some((now, events));
            // Whoever closes a terminal does not want to know.
            let _ = write!(io::stderr(), "\r\x1b[K{}", line(events, rate, elapsed));
        }
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn per_second(events: u64, time: Duration) -> u64 {
    (events as f64 / time.as_secs_f64().max(1e-3)) as u64
}

/// `trace: 12,345 events, 678/s, 0:19`.
fn line(events: u64, rate: u64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!(
        "trace: {} events, {}/s, {}:{:02}",
        grouped(events),
        grouped(rate),
        seconds / 60,
        seconds % 60
    )
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_many_how_fast_and_how_long() {
        assert_eq!(
            line(1_234_567, 890, Duration::from_millis(83_900)),
            "trace: 1,234,567 events, 890/s, 1:23"
        );
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(100_000), "100,000");
    }
}
