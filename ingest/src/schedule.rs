//! Schedules: when a source is synced without anybody asking.
//!
//! A schedule is a cron expression, stored with the [settings of a source](crate::SourceSettings) as it was written. When
//! the next sync is due follows from it and the time that it counts from (`Source::scheduled_from`: the last sync that
//! it asked for, or when it was set), and from nothing else: [`Schedule::next_run`] is a pure function, so a restart
//! changes nothing, and however many times went by while nothing ran, one sync is due.
//!
//! A sync begins a little after its time, so that sources with the same schedule don't begin together: up to a tenth
//! of the way to the time after it, and no more than [`Spread::most`]. A source's share of that is always the same.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use lectern_domain::SourceId;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

/// How the schedule is written that never asks.
const NEVER: &str = "never";

/// What share of the way to the time after it a sync may begin later, at most.
const LARGEST_SHARE: i32 = 10;

/// When a source is synced without anybody asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// Only when somebody asks.
    #[default]
    Never,
    /// At the times of a cron expression, in UTC.
    Cron(Box<CronTimes>),
}

/// A cron expression of five fields (minute, hour, day of the month, month, day of the week) or `@hourly`, `@daily` and
/// their kin. Names (`MON-FRI`, `JAN`), `L`, `W` and `#` may be used. Where both days are given, either is enough.
#[derive(Clone, PartialEq, Eq)]
pub struct CronTimes {
    written: String,
    cron: Cron,
}

impl fmt::Debug for CronTimes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.written)
    }
}

/// How much later than its time a source's sync begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The most.
    pub most: TimeDelta,
    /// The source's own share of it, of `u32::MAX`.
    pub share: u32,
}

impl Spread {
    /// That of a source: its share is a hash of its id, and so always the same.
    pub fn of(source: SourceId, most: TimeDelta) -> Self {
        let hash = blake3::hash(source.0.as_bytes());
        let [one, two, three, four, ..] = *hash.as_bytes();
        Self {
            most,
            share: u32::from_be_bytes([one, two, three, four]),
        }
    }

    /// How much later, where the time after it comes `gap` later. In whole milliseconds, as the ledger counts.
    fn within(self, gap: TimeDelta) -> TimeDelta {
        let most = self.most.min(gap / LARGEST_SHARE).num_milliseconds().max(0);
        let share = i128::from(most) * i128::from(self.share) / i128::from(u32::MAX);
        TimeDelta::milliseconds(i64::try_from(share).unwrap_or(0))
    }
}

impl Schedule {
    /// Whether it never asks.
    pub fn is_never(&self) -> bool {
        *self == Self::Never
    }

    /// When the next sync is due, for one that was last asked for at `last`: now or earlier where it is due
    /// already. `None` where it never is.
    ///
    /// A `last` that lies ahead (the clock was wrong then) counts as `now`.
    pub fn next_run(&self, last: DateTime<Utc>, now: DateTime<Utc>, spread: Spread) -> Option<DateTime<Utc>> {
        let Self::Cron(times) = self else {
            return None;
        };
        let cron = &times.cron;
        let time = cron.find_next_occurrence(&last.min(now), false).ok()?;
        let after = cron.find_next_occurrence(&time, false).ok()?;
        Some(time + spread.within(after - time))
    }
}

impl FromStr for Schedule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let written = text.trim().to_owned();
        if written.eq_ignore_ascii_case(NEVER) {
            return Ok(Self::Never);
        }
        let invalid = |problem: String| Error::Schedule {
            schedule: written.clone(),
            problem,
        };
        let fields = written.split_whitespace().count();
        if fields != 5 && !written.starts_with('@') {
            return Err(invalid(format!(
                "it has {fields} fields, and must have 5: minute, hour, day of the month, month, day of the week"
            )));
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron = parser
            .parse(&written)
            .map_err(|error| invalid(error.to_string()))?;
        if cron.find_next_occurrence(&DateTime::UNIX_EPOCH, false).is_err() {
            return Err(invalid("there is no such day in any year".to_owned()));
        }
        Ok(Self::Cron(Box::new(CronTimes { written, cron })))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => formatter.write_str(NEVER),
            Self::Cron(times) => formatter.write_str(&times.written),
        }
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NO_SPREAD: Spread = Spread {
        most: TimeDelta::zero(),
        share: 0,
    };

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn next(schedule: &str, last: &str, now: &str) -> DateTime<Utc> {
        let schedule: Schedule = schedule.parse().unwrap();
        schedule.next_run(time(last), time(now), NO_SPREAD).unwrap()
    }

    #[test]
    fn the_next_run_is_the_first_time_after_the_last_one() {
        for (schedule, last, due) in [
            ("0 3 * * *", "2026-11-21T02:59:59Z", "2026-11-21T03:00:00Z"),
            ("0 3 * * *", "2026-11-21T03:00:00Z", "2026-11-22T03:00:00Z"),
            ("*/15 * * * *", "2026-11-21T23:50:00Z", "2026-11-22T00:00:00Z"),
            ("30 6 * * MON-FRI", "2026-11-20T07:00:00Z", "2026-11-23T06:30:00Z"),
            ("0 0 29 2 *", "2026-11-21T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("@daily", "2026-11-21T12:00:00Z", "2026-11-22T00:00:00Z"),
        ] {
            assert_eq!(next(schedule, last, last), time(due), "{schedule}");
        }
    }

    #[test]
    fn after_a_long_stop_one_run_is_due_and_then_the_next_in_the_future() {
        let (last, now) = ("2026-11-01T03:00:00Z", "2026-11-21T13:00:00Z");
        assert!(next("0 * * * *", last, now) <= time(now));
        assert_eq!(next("0 * * * *", now, now), time("2026-11-21T14:00:00Z"));
        // The clock was years ahead when it last ran.
        let ahead = "2031-01-01T00:00:00Z";
        assert_eq!(next("0 * * * *", ahead, now), time("2026-11-21T14:00:00Z"));
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_what_is_wrong() {
        for (wrong, told) in [
            ("", "0 fields"),
            ("0 3 * *", "4 fields"),
            ("0 0 3 * * *", "6 fields"),
            ("99 3 * * *", "99"),
            ("0 3 * * FUNDAY", "F"),
            ("@sometimes", "sometimes"),
            ("0 0 30 2 *", "no such day"),
            ("hourly", "1 fields"),
        ] {
            let error = wrong.parse::<Schedule>().unwrap_err();
            assert_eq!(error.code(), "schedule_invalid", "{wrong}");
            let text = error.to_string().to_lowercase();
            assert!(
                text.contains(&told.to_lowercase()),
                "{wrong:?}: {told:?} is missing in {text}"
            );
        }
    }

    #[test]
    fn a_schedule_reads_back_as_it_was_written() {
        for written in ["never", "0 3 * * *", "@hourly", "15 6 * * mon#1"] {
            let schedule: Schedule = serde_json::from_value(written.into()).unwrap();
            assert_eq!(serde_json::to_value(&schedule).unwrap(), written);
        }
        assert_eq!(Schedule::default().to_string(), "never");
        assert_eq!(
            Schedule::Never.next_run(DateTime::UNIX_EPOCH, Utc::now(), NO_SPREAD),
            None
        );
    }

    const SCHEDULES: [&str; 7] = [
        "* * * * *",
        "*/7 * * * *",
        "0 3 * * *",
        "0,1 3 * * *",
        "0 0 1 * *",
        "30 6 * * MON",
        "59 23 31 12 *",
    ];

    proptest! {
        /// Whatever the schedule, the last run, the clock and the source's share.
        #[test]
        fn a_run_is_due_once_at_its_time_and_no_more_than_the_spread_later(
            schedule in prop::sample::select(&SCHEDULES[..]),
            last in 0_i64..4_000_000_000_000,
            wait in 0_i64..40_000_000_000,
            share in any::<u32>(),
            most in 0_i64..900_000,
        ) {
            let schedule: Schedule = schedule.parse().unwrap();
            let at = |milliseconds| DateTime::from_timestamp_millis(milliseconds).unwrap();
            let spread = Spread { most: TimeDelta::milliseconds(most), share };
            let (last, now) = (at(last), at(last + wait));
            let plain = schedule.next_run(last, now, NO_SPREAD).unwrap();
            let due = schedule.next_run(last, now, spread).unwrap();
            prop_assert!(plain > last && plain <= due && due - plain <= spread.most);
            // It is due once: after it has run, late or in time, the next one lies ahead, at another time.
            let ran = due.max(now);
            let next = schedule.next_run(ran, ran, spread).unwrap();
            prop_assert!(next > ran, "ran at {}, and is due again at {}", ran, next);
            // Asked again meanwhile, it is due at the same time.
            prop_assert_eq!(schedule.next_run(last, ran, spread), Some(due));
        }
    }
}
