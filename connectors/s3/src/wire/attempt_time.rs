//! How long one attempt may take, from its signature to the last byte of its answer.
//!
//! A limit for each read alone is none: a service, or a gateway before it, that sends a byte from time to time would hold
//! up a request for as long as it likes. What is slow and goes on is waited for: the time grows with the bytes that may come.

use std::time::Duration;

/// The time of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptTime {
    /// Whatever comes has as long.
    pub least: Duration,
    /// As many bytes of those that may come have a second more.
    pub bytes_per_second: u64,
}

impl Default for AttemptTime {
    fn default() -> Self {
        Self {
            least: Duration::from_secs(60),
            // So a line of 8 Mbit/s is enough for the 32 objects that are read at a time.
            bytes_per_second: 32 << 10,
        }
    }
}

impl AttemptTime {
    /// The time of an attempt whose answer has `bytes` at most.
    pub(crate) fn of(self, bytes: u64) -> Duration {
        let milliseconds = bytes.saturating_mul(1000) / self.bytes_per_second.max(1);
        self.least.saturating_add(Duration::from_millis(milliseconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_larger_has_more_time_and_never_an_endless_one_by_default() {
        let time = AttemptTime::default();
        assert_eq!(time.of(0), Duration::from_secs(60));
        assert_eq!(time.of(16 << 10), Duration::from_millis(60_500));
        assert_eq!(time.of(50 << 20), Duration::from_secs(60 + 1600));
        let none = AttemptTime {
            least: Duration::MAX,
            bytes_per_second: 0,
        };
        assert_eq!(none.of(u64::MAX), Duration::MAX);
    }
}
