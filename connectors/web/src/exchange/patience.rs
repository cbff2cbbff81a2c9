//! How often and how long a request that failed for now is tried again: within a number of attempts and a time for all pauses.

use std::time::Duration;

use chrono::Utc;

use super::answer::http_date;

/// The pause before the second attempt; each one after it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// What is left of the budget of a request.
#[derive(Debug)]
pub(super) struct Patience {
    retries: u32,
    left: Duration,
    next_pause: Duration,
}

impl Patience {
    pub(super) fn new(retries: u32, max_wait: Duration) -> Self {
        Self {
            retries,
            left: max_wait,
            next_pause: FIRST_PAUSE,
        }
    }

    /// How long to wait before the next attempt: what the site asks for, or else a pause that grows. None, where the budget
    /// is spent.
    pub(super) fn pause(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.retries = self.retries.checked_sub(1)?;
        let pause = asked.unwrap_or(self.next_pause);
        self.left = self.left.checked_sub(pause)?;
        self.next_pause = self.next_pause.saturating_mul(2);
        Some(pause)
    }
}

/// What `Retry-After` asks for: a number of seconds or a date (RFC 9110, 10.2.3).
pub(super) fn asked(retry_after: &str) -> Option<Duration> {
    match retry_after.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => (http_date(retry_after)? - Utc::now()).to_std().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_says_how_long_it_is_busy() {
        for (told, expected) in [("7", Some(7)), (" 0 ", Some(0)), ("-1", None), ("soon", None)] {
            assert_eq!(asked(told), expected.map(Duration::from_secs), "{told}");
        }
        let past = "Sun, 01 Nov 2020 12:00:00 GMT";
        assert_eq!(asked(past), None);
        let later = (Utc::now() + chrono::Duration::hours(1)).to_rfc2822();
        let wait = asked(&later);
        assert!(
            wait.is_some_and(|wait| wait > Duration::from_secs(3500)),
            "{later}"
        );
    }

    #[test]
    fn pauses_grow_until_the_budget_is_spent() {
        let pauses = |retries, max_wait_ms, asked: &[Option<u64>]| {
            let mut patience = Patience::new(retries, Duration::from_millis(max_wait_ms));
            let pauses = asked
                .iter()
                .map(|asked| patience.pause(asked.map(Duration::from_secs)));
            pauses
                .map(|pause| pause.map(|pause| pause.as_millis()))
                .collect::<Vec<_>>()
        };
        assert_eq!(pauses(2, 60_000, &[None; 3]), [Some(500), Some(1000), None]);
        assert_eq!(
            pauses(9, 3500, &[None; 4]),
            [Some(500), Some(1000), Some(2000), None]
        );
        // What the site asks for counts, and no number of seconds is too large to be refused.
        assert_eq!(
            pauses(9, 9000, &[None, Some(8), Some(1)]),
            [Some(500), Some(8000), None]
        );
        assert_eq!(pauses(9, 9000, &[None, Some(u64::MAX)]), [Some(500), None]);
        assert_eq!(pauses(u32::MAX, 9000, &[Some(0); 500]), [Some(0); 500]);
    }
}
