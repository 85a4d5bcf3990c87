//! How often each call was made and how long it took: `-c`.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The totals of all calls, by number.
#[derive(Debug, Default)]
pub struct Counts {
    calls: BTreeMap<u64, Total>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Total {
    calls: u64,
    errors: u64,
    microseconds: u64,
    shortest: u64,
    longest: u64,
}

impl Total {
    /// What rows are sorted by, the largest first.
    fn key(&self, order: &str) -> u64 {
        match order {
            "calls" | "count" => self.calls,
            "errors" | "error" => self.errors,
            "min-time" | "shortest" | "time-min" => self.shortest,
            "max-time" | "longest" | "time-max" => self.longest,
            "avg-time" | "time-avg" => self.microseconds.checked_div(self.calls).unwrap_or(0),
            _ => self.microseconds,
        }
    }
}

impl Counts {
    /// Counts one call that took so much processor time of the system.
    pub fn add(&mut self, nr: u64, failed: bool, microseconds: u64) {
        let total = self.calls.entry(nr).or_insert(Total {
            shortest: microseconds,
            ..Total::default()
        });
        total.calls += 1;
        total.errors += u64::from(failed);
        total.microseconds += microseconds;
        total.shortest = total.shortest.min(microseconds);
        total.longest = total.longest.max(microseconds);
    }

    /// The table in the order that `-S` names; the most expensive call first where it is none.
    pub fn table(&self, order: &str, name: impl Fn(u64) -> Cow<'static, str>) -> String {
        let mut rows: Vec<(u64, Total)> = self.calls.iter().map(|(nr, it)| (*nr, *it)).collect();
        match order {
            "nothing" | "none" => {}
            "name" | "syscall" | "syscall-name" => rows.sort_by_key(|(nr, _)| name(*nr)),
            _ => rows.sort_by_key(|(_, total)| Reverse(total.key(order))),
        }
        let sum = rows.iter().fold(Total::default(), |sum, (_, total)| Total {
            calls: sum.calls + total.calls,
            errors: sum.errors + total.errors,
            microseconds: sum.microseconds + total.microseconds,
            ..sum
        });
        let rule = "------ ----------- ----------- --------- --------- ----------------\n";
        let mut text = format!(
            "{:>6} {:>11} {:>11} {:>9} {:>9} {}\n{rule}",
            "% time", "seconds", "usecs/call", "calls", "errors", "syscall"
        );
        for (nr, total) in rows {
            text += &line(total, sum.microseconds, &name(nr));
        }
        text += rule;
        let whole = if sum.microseconds == 0 && sum.calls == 0 {
            0
        } else {
            sum.microseconds
        };
        text + &line(
            Total {
                microseconds: whole,
                ..sum
            },
            0,
            "total",
        )
    }
}

/// `whole` is what the share is a share of; 0 where the line is the whole.
fn line(total: Total, whole: u64, name: &str) -> String {
    let share = match whole {
        0 if name == "total" => 100.0,
        0 => 0.0,
        _ => total.microseconds as f64 * 100.0 / whole as f64,
    };
    let errors = if total.errors == 0 {
        String::new()
    } else {
        total.errors.to_string()
    };
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{share:6.2} {:11.6} {:>11} {:>9} {errors:>9} {name}",
        total.microseconds as f64 / 1e6,
        total.microseconds.checked_div(total.calls).unwrap_or(0),
        total.calls
    );
    text
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn the_table_is_sorted_by_time() {
        let mut counts = Counts::default();
        counts.add(0, false, 10);
        counts.add(1, true, 30);
        counts.add(1, false, 0);
        let table = counts.table("time", |nr| ["read", "write"][nr as usize].into());
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines[0],
            "% time     seconds  usecs/call     calls    errors syscall"
        );
        assert_eq!(
            lines[2],
            " 75.00    0.000030          15         2         1 write"
        );
        assert_eq!(
            lines[3],
            " 25.00    0.000010          10         1           read"
        );
        assert_eq!(
            lines[5],
            "100.00    0.000040          13         3         1 total"
        );
    }
}
