//! Moments as people write them, always in UTC: a tracer has no business with time zones.

/// A moment as people write it, in UTC: ` /* 1970-01-01T00:00:05.000000006+0000 */`.
/// Nothing for the epoch itself. `digits` is how many of `fraction` there are.
pub fn moment(seconds: i64, fraction: i64, digits: usize) -> String {
    if seconds == 0 && fraction == 0 {
        return String::new();
    }
    let fraction = match fraction {
        0 => String::new(),
        _ => format!(".{fraction:0digits$}"),
    };
    format!(" /* {}{fraction}+0000 */", date(seconds))
}

/// `1970-01-01T00:00:05`, by the proleptic Gregorian calendar.
pub fn date(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86400), seconds.rem_euclid(86400));
    // Years that begin in March have their leap day at the end, and eras of 400 years are
    // all alike.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        0..=9 => (era * 400 + year, month + 3),
        _ => (era * 400 + year + 1, month - 9),
    };
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::{date, moment};

    #[test]
    fn moments_are_dates_in_utc() {
        assert_eq!(date(0), "1970-01-01T00:00:00");
        assert_eq!(date(951_782_399), "2000-02-28T23:59:59");
        assert_eq!(date(951_868_799), "2000-02-29T23:59:59");
        assert_eq!(moment(5, 6, 9), " /* 1970-01-01T00:00:05.000000006+0000 */");
    }
}
