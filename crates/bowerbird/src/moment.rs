//! Moments as text: `2024-01-31`, `2024-01-31T12:00:00Z`, or a number in a unit.

/// Milliseconds of a day.
pub(crate) const DAY_MS: u64 = 86_400_000;

/// The unit of numbers that are moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Second,
    Milli,
    Micro,
    Nano,
}

impl Unit {
    pub(crate) fn parse(word: &str) -> Result<Unit, String> {
        match word {
            "s" => Ok(Unit::Second),
            "ms" => Ok(Unit::Milli),
            "us" => Ok(Unit::Micro),
            "ns" => Ok(Unit::Nano),
            _ => Err(format!("unknown unit of time '{word}' (known: s ms us ns)")),
        }
    }

    /// A number of this unit in ms.
    pub(crate) fn ms(self, number: f64) -> Result<u64, String> {
        let ms = match self {
            Unit::Second => number * 1e3,
            Unit::Milli => number,
            Unit::Micro => number / 1e3,
            Unit::Nano => number / 1e6,
        };
        if ms.is_finite() && (0.0..9e15).contains(&ms) { Ok(ms as u64) } else { Err(format!("{number} is no moment")) }
    }
}

/// A moment (ms, UTC) from a number of `unit`, a date, or a date and time in RFC 3339.
pub(crate) fn parse(text: &str, unit: Unit) -> Result<u64, String> {
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(number) => unit.ms(number),
        Err(_) => rfc3339(text).ok_or_else(|| {
            let text: String = text.chars().take(40).collect();
            format!("'{text}' is neither a number nor a moment like 2024-01-31T12:00:00Z")
        }),
    }
}

/// The first moment of a day (ms, UTC); `None` before 1970 and for days that do not exist.
pub(crate) fn day_ms(year: i64, month: i64, day: i64) -> Option<u64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if leap { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month - 1).ok()?)?;
    if !(1..=length).contains(&day) || !(1970..=9999).contains(&year) {
        return None;
    }
    // Days since the epoch, with years that begin in March (Hinnant, "chrono-compatible low-level date algorithms").
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    u64::try_from(days).ok().map(|days| days * DAY_MS)
}

/// A moment (ms, UTC) as year, month, day, hour, minute, second.
fn parts(ms: u64) -> [u64; 6] {
    // Days since the epoch back to a date (Hinnant, as above).
    let shifted = ms / DAY_MS + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let second = ms % DAY_MS / 1_000;
    [year, month, day, second / 3_600, second / 60 % 60, second % 60]
}

/// A moment as `20240131-120000-000` (UTC, the last three are milliseconds): sorts by time, fits file names.
pub(crate) fn compact(ms: u64) -> String {
    let [year, month, day, hour, minute, second] = parts(ms);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}-{:03}", ms % 1_000)
}

/// A moment as `2024-01-31 12:00:00` (UTC).
pub(crate) fn readable(ms: u64) -> String {
    let [year, month, day, hour, minute, second] = parts(ms);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

fn rfc3339(text: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
    };
    let separated = |at: usize, any: &[u8]| text.as_bytes().get(at).is_some_and(|byte| any.contains(byte));
    if !separated(4, b"-") || !separated(7, b"-") {
        return None;
    }
    let day = day_ms(number(0..4)?, number(5..7)?, number(8..10)?)?;
    if text.len() == 10 {
        return Some(day);
    }
    if !separated(10, b"T t") || !separated(13, b":") || !separated(16, b":") {
        return None;
    }
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let ms = ((hour * 60 + minute) * 60 + second) * 1_000;
    let rest = text.get(19..)?;
    let (fraction, zone) = split_fraction(rest)?;
    i64::try_from(day).ok().and_then(|day| u64::try_from(day + ms + fraction - zone_ms(zone)?).ok())
}

/// `.123Z` as 123 ms and `Z`.
fn split_fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(digits) = rest.strip_prefix('.') else { return Some((0, rest)) };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let ms = digits[..end].chars().chain("000".chars()).take(3).collect::<String>().parse().ok()?;
    (end > 0).then_some((ms, &digits[end..]))
}

/// How far a zone is ahead of UTC; none given means UTC.
fn zone_ms(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = match zone.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let below = |text: &str, end: u8| text.parse().ok().filter(|number: &u8| *number < end).map(i64::from);
    Some(sign * (below(hours, 24)? * 60 + below(minutes, 60)?) * 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_back_from_what_is_written() {
        for text in ["1970-01-01 00:00:00", "2000-02-29 23:59:59", "2024-12-31 00:00:01", "2100-03-01 12:30:00"] {
            let ms = parse(text, Unit::Milli).expect(text);
            assert_eq!(readable(ms), text);
            assert_eq!(compact(ms + 7), text.replace(['-', ':'], "").replace(' ', "-") + "-007");
        }
    }

    #[test]
    fn moments_in_every_dress() {
        let noon = 1_706_702_400_000;
        for text in ["2024-01-31T12:00:00Z", "2024-01-31 12:00:00", "2024-01-31T13:00:00.000+01:00"] {
            assert_eq!(parse(text, Unit::Milli), Ok(noon), "{text}");
        }
        assert_eq!(parse("2024-02-29", Unit::Milli), Ok(1_709_164_800_000));
        assert_eq!(parse("1706702400", Unit::Second), Ok(noon));
        assert_eq!(parse("1706702400000000", Unit::Micro), Ok(noon));
        assert_eq!(parse("1970-01-01", Unit::Second), Ok(0));
        for zone in ["+99999999999999999:00", "+24:00", "-00:60", "+-1:00", "+1", "*01:00"] {
            assert!(parse(&format!("2024-01-31T12:00:00{zone}"), Unit::Milli).is_err(), "{zone}");
        }
        for text in ["2023-02-29", "31.1.2024", "soon", "-5", "NaN", "2024-01-31T25:00:00Z", "é024-01-31"] {
            assert!(parse(text, Unit::Second).is_err(), "{text}");
        }
    }
}
