//! When a request is sent anew: after pauses that grow, until a budget of attempts and of time is spent.
//!
//! The pauses are those of the "decorrelated jitter" (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
//! 2015): between the first one and three times the last one, at random, so that many who wait don't come back together.

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use object_store::{BackoffConfig, RetryConfig};
use tokio::time::Instant;

use super::answer::Trouble;
use crate::error::Error;

/// How long a connection may take to come about.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long nothing may come of an answer.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The budget of one request.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    config: RetryConfig,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            config: RetryConfig {
                backoff: BackoffConfig {
                    init_backoff: Duration::from_millis(50),
                    max_backoff: Duration::from_secs(15),
                    base: 3.0,
                },
                max_retries: 12,
                retry_timeout: Duration::from_secs(180),
            },
        }
    }
}

impl Patience {
    /// The same in the terms of `object_store`.
    pub(crate) fn config(&self) -> RetryConfig {
        self.config.clone()
    }

    /// Attempts until one is an answer, or a trouble that lasts, or the budget is spent. Dropping it ends it.
    pub(crate) async fn persist<T, F: Future<Output = Result<T, Trouble>>>(
        &self,
        asked: &impl fmt::Display,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, Error> {
        let began = Instant::now();
        let mut pause = self.config.backoff.init_backoff;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let problem = match attempt().await {
                Ok(done) => return Ok(done),
                Err(Trouble::Lasting(error)) => return Err(error),
                Err(Trouble::Passing(problem)) => problem,
            };
            let is_spent =
                attempts > self.config.max_retries || began.elapsed() + pause > self.config.retry_timeout;
            if is_spent {
                return Err(Error::Unavailable {
                    what: asked.to_string(),
                    attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
                    problem,
                });
            }
            tracing::debug!(%asked, attempts, %problem, pause_ms = pause.as_millis(), "a request is sent anew");
            tokio::time::sleep(pause).await;
            pause = self.next_pause(pause);
        }
    }

    fn next_pause(&self, last: Duration) -> Duration {
        let backoff = &self.config.backoff;
        let span = last.mul_f64(backoff.base).saturating_sub(backoff.init_backoff);
        // The seed of a new hasher is random enough for a pause.
        let random = RandomState::new().hash_one(last);
        let share = (random >> 11) as f64 / (1u64 << 53) as f64;
        (backoff.init_backoff + span.mul_f64(share)).min(backoff.max_backoff)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn hasty() -> Patience {
        let mut patience = Patience::default();
        patience.config.max_retries = 3;
        patience.config.backoff.init_backoff = Duration::from_micros(10);
        patience
    }

    #[tokio::test]
    async fn what_passes_is_tried_again_and_what_lasts_is_not() {
        let tries = Cell::new(0);
        let patience = hasty();
        let tried = patience.persist(&"x", || async {
            tries.set(tries.get() + 1);
            match tries.get() {
                3 => Ok(tries.get()),
                _ => Err(Trouble::Passing("503".to_owned())),
            }
        });
        assert_eq!(tried.await.unwrap(), 3);
        let lasting = || async { Err::<(), _>(Trouble::Lasting(Error::NoBuckets)) };
        let error = patience.persist(&"x", lasting).await.unwrap_err();
        assert_eq!(error.code(), "no_buckets");
    }

    #[tokio::test]
    async fn the_budget_is_of_attempts_and_of_time() {
        let tries = Cell::new(0);
        let fail = || {
            tries.set(tries.get() + 1);
            async { Err::<(), _>(Trouble::Passing("503 SlowDown".to_owned())) }
        };
        let error = hasty().persist(&"listing \"b\"", fail).await.unwrap_err();
        assert_eq!((tries.get(), error.code()), (4, "bucket_unavailable"));
        assert_eq!(
            error.to_string(),
            "listing \"b\" failed 4 times, at last with: 503 SlowDown"
        );

        tries.set(0);
        let mut brief = hasty();
        brief.config.retry_timeout = Duration::ZERO;
        brief.persist(&"x", fail).await.unwrap_err();
        assert_eq!(tries.get(), 1);
    }

    #[test]
    fn pauses_grow_and_are_bounded() {
        let patience = Patience::default();
        let backoff = &patience.config.backoff;
        let (first, most) = (backoff.init_backoff, backoff.max_backoff);
        for _ in 0..100 {
            let next = patience.next_pause(first);
            assert!(next >= first && next <= first * 3);
            assert!(patience.next_pause(most) <= most);
        }
    }
}
