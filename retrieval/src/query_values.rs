//! Values as people type them: numbers, and dates that may be a year, a month, a day or a moment.

use chrono::{DateTime, Months, NaiveDate, TimeDelta, Utc};
use lectern_domain::AttributeValue;
use lectern_domain::attribute::parse_date;

/// What a typed value may be: a number, a stretch of time, or, as a year is, both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Value {
    number: Option<f64>,
    /// Its first moment, and the first one after it; the same for a moment.
    time: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// One side of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bound {
    number: Option<(f64, bool)>,
    date: Option<(DateTime<Utc>, bool)>,
}

impl Bound {
    /// The bound for numbers, and whether the number itself is within.
    pub(crate) fn as_number(&self) -> Option<(AttributeValue, bool)> {
        self.number
            .map(|(number, is_included)| (AttributeValue::Number(number), is_included))
    }

    /// The bound for dates, and whether the moment itself is within.
    pub(crate) fn as_date(&self) -> Option<(AttributeValue, bool)> {
        self.date
            .map(|(date, is_included)| (AttributeValue::Date(date), is_included))
    }
}

impl Value {
    /// Reads a value. `None` for what is neither a number nor a date.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let is_number = text.starts_with(|c: char| c.is_ascii_digit() || "-+.".contains(c));
        let number = text
            .parse::<f64>()
            .ok()
            .filter(|number| is_number && number.is_finite());
        let time = stretch(text);
        (number.is_some() || time.is_some()).then_some(Self { number, time })
    }

    /// From its beginning on.
    pub(crate) fn from(self) -> Bound {
        self.bound(true, |start, _| (start, true))
    }

    /// From what comes after it on.
    pub(crate) fn after(self) -> Bound {
        self.bound(false, |start, end| (end, start != end))
    }

    /// Up to what comes before it.
    pub(crate) fn before(self) -> Bound {
        self.bound(false, |start, _| (start, false))
    }

    /// Up to its end.
    pub(crate) fn until(self) -> Bound {
        self.bound(true, |start, end| (end, start == end))
    }

    fn bound(
        self,
        has_number: bool,
        side: impl Fn(DateTime<Utc>, DateTime<Utc>) -> (DateTime<Utc>, bool),
    ) -> Bound {
        Bound {
            number: self.number.map(|number| (number, has_number)),
            date: self.time.map(|(start, end)| side(start, end)),
        }
    }
}

/// The first moment of a year, a month or a day, and the first one after it.
fn stretch(text: &str) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let is_digits = |part: &str, count| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split('-').collect();
    let (first, after): (NaiveDate, NaiveDate) = match parts.as_slice() {
        [year] if is_digits(year, 4) => {
            let first = NaiveDate::from_ymd_opt(year.parse().ok()?, 1, 1)?;
            (first, first.checked_add_months(Months::new(12))?)
        }
        [year, month] if is_digits(year, 4) && is_digits(month, 2) => {
            let first = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1)?;
            (first, first.checked_add_months(Months::new(1))?)
        }
        [year, month, day] if is_digits(year, 4) && is_digits(month, 2) && is_digits(day, 2) => {
            let first = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            (first, first.checked_add_signed(TimeDelta::days(1))?)
        }
        _ => return parse_date(text).map(|moment| (moment, moment)),
    };
    let midnight = |date: NaiveDate| date.and_hms_opt(0, 0, 0).map(|time| time.and_utc());
    Some((midnight(first)?, midnight(after)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_of_time_has_a_beginning_and_an_end() {
        let date = |text: &str| parse_date(text).unwrap();
        for (text, start, end) in [
            ("2024", "2024-01-01", "2025-01-01"),
            ("2024-12", "2024-12-01", "2025-01-01"),
            ("2024-02-29", "2024-02-29", "2024-03-01"),
            ("2024-02-29T10:00", "2024-02-29T10:00", "2024-02-29T10:00"),
        ] {
            assert_eq!(
                Value::of(text).unwrap().time,
                Some((date(start), date(end))),
                "{text}"
            );
        }
        assert_eq!(Value::of("2024").unwrap().number, Some(2024.0));
        for text in ["", "nan", "inf", "ada", "2024-13", "-", "1e999"] {
            assert_eq!(Value::of(text), None, "{text}");
        }
    }

    #[test]
    fn who_asks_for_later_than_a_day_means_the_next_one() {
        let day = Value::of("2024-05-03").unwrap();
        let date = |text: &str| AttributeValue::Date(parse_date(text).unwrap());
        assert_eq!(day.after().as_date(), Some((date("2024-05-04"), true)));
        assert_eq!(day.until().as_date(), Some((date("2024-05-04"), false)));
        assert_eq!(day.from().as_date(), Some((date("2024-05-03"), true)));
        assert_eq!(day.before().as_date(), Some((date("2024-05-03"), false)));
        let moment = Value::of("2024-05-03T10:00:00Z").unwrap();
        assert_eq!(
            moment.after().as_date(),
            Some((date("2024-05-03T10:00:00Z"), false))
        );
        assert_eq!(
            moment.until().as_date(),
            Some((date("2024-05-03T10:00:00Z"), true))
        );
    }
}
