//! The time of a message, which is also its name within a conversation.

use std::fmt;

use chrono::{DateTime, Utc};

const MICROSECONDS: u64 = 1_000_000;

/// A message's `ts`: microseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    /// Reads `1709283120.000100`: seconds of at most eleven digits, and at most six digits of a fraction.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if seconds.is_empty()
            || seconds.len() > 11
            || fraction.len() > 6
            || !digits(seconds)
            || !digits(fraction)
        {
            return None;
        }
        let padded = format!("{fraction:0<6}");
        Some(Self(
            seconds.parse::<u64>().ok()? * MICROSECONDS + padded.parse::<u64>().ok()?,
        ))
    }

    /// As Slack's addresses name it: without the point.
    pub(crate) fn permalink(self) -> String {
        format!("p{}{:06}", self.0 / MICROSECONDS, self.0 % MICROSECONDS)
    }

    /// The time itself; 1970 where it is beyond what can be told.
    pub(crate) fn time(self) -> DateTime<Utc> {
        let microseconds = i64::try_from(self.0).unwrap_or_default();
        DateTime::from_timestamp_micros(microseconds).unwrap_or_default()
    }

    /// How much later it is than `other`, in microseconds.
    pub(crate) fn since(self, other: Self) -> u64 {
        self.0.saturating_sub(other.0)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}.{:06}",
            self.0 / MICROSECONDS,
            self.0 % MICROSECONDS
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_and_has_an_address() {
        let moment = Moment::parse("1709283120.000100").unwrap();
        assert_eq!(moment.to_string(), "1709283120.000100");
        assert_eq!(moment.permalink(), "p1709283120000100");
        assert_eq!(moment.time().to_rfc3339(), "2024-03-01T08:52:00.000100+00:00");
        assert_eq!(Moment::parse("1709283120.0001"), Some(moment));
        assert_eq!(Moment::parse("7").unwrap().to_string(), "7.000000");
        for wrong in [
            "",
            ".",
            ".1",
            "1.1234567",
            "-1.0",
            "1e9",
            "123456789012",
            "1.0.0",
            "+1",
            " 1",
        ] {
            assert_eq!(Moment::parse(wrong), None, "{wrong:?}");
        }
    }
}
