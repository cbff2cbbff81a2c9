//! When a request is sent anew: after pauses that grow, until a budget of attempts and of time is spent.
//!
//! The pauses are those of the "decorrelated jitter" (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
//! 2015): between the first one and three times the last one, at random, so that many who wait don't come back together. A
//! service that says when to come back (`Retry-After`) is not asked before.
//!
//! What one attempt may take is for whoever makes it to bound: here it is waited for until it is over. Beyond that
//! there are two budgets. A request has one of attempts and of time. All requests together have one of time: where nothing
//! has got through for so long, each of them is tried once, until one gets through. So a service that is down costs a job of
//! a million documents minutes and not months.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

/// How much longer the longest next pause is than the last one.
const GROWTH: f64 = 3.0;

/// The budgets, and the pauses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The pause before the second attempt.
    pub first_pause: Duration,
    /// No pause is longer, unless the service asks for it.
    pub longest_pause: Duration,
    /// Attempts of one request after the first one.
    pub retries: u32,
    /// One request isn't tried again after so long.
    pub request_time: Duration,
    /// All pauses of one request together are no longer: a service that asks to be left alone for longer isn't waited for.
    pub pause_time: Duration,
    /// No request is tried again where none has got through for so long.
    pub job_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(50),
            longest_pause: Duration::from_secs(15),
            retries: 12,
            request_time: Duration::from_secs(180),
            pause_time: Duration::from_secs(180),
            job_time: Duration::from_secs(600),
        }
    }
}

/// Why an attempt came to nothing.
#[derive(Debug)]
pub enum Trouble<E> {
    /// Another attempt may do better.
    Passing {
        /// What happened, without a secret.
        problem: String,
        /// For how long the service asks to be left alone.
        wait: Option<Duration>,
    },
    /// None will.
    Lasting(E),
}

impl<E> Trouble<E> {
    /// Trouble that passes, nobody knows when.
    pub fn passing(problem: impl Into<String>) -> Self {
        Self::Passing {
            problem: problem.into(),
            wait: None,
        }
    }
}

impl<E> From<E> for Trouble<E> {
    fn from(error: E) -> Self {
        Self::Lasting(error)
    }
}

/// Why a request came to nothing.
#[derive(Debug)]
pub enum GivenUp<E> {
    /// Trouble that lasts.
    Lasting(E),
    /// The budget is spent.
    Spent {
        /// How often it was tried.
        attempts: u32,
        /// What the last attempt came to.
        problem: String,
    },
}

/// The budget of one request, and what is left of the one that all requests share. Clones share it too.
#[derive(Clone, Debug, Default)]
pub struct Patience {
    limits: Limits,
    /// When the first of the attempts was that came to nothing, since one that didn't.
    down_since: Arc<Mutex<Option<Instant>>>,
}

impl Patience {
    /// With those limits, and nothing of it spent.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            down_since: Arc::default(),
        }
    }

    /// What it was made with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Attempts until one is an answer, or a trouble that lasts, or a budget is spent. Dropping it ends it.
    pub async fn persist<T, E, F>(
        &self,
        asked: &impl fmt::Display,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, GivenUp<E>>
    where
        F: Future<Output = Result<T, Trouble<E>>>,
    {
        let began = Instant::now();
        let mut next_pause = self.limits.first_pause;
        let mut paused = Duration::ZERO;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (problem, wait) = match attempt().await {
                Err(Trouble::Passing { problem, wait }) => (problem, wait.unwrap_or_default()),
                // Trouble that lasts is an answer too: whoever gives it is there.
                Ok(done) => {
                    self.got_through();
                    return Ok(done);
                }
                Err(Trouble::Lasting(error)) => {
                    self.got_through();
                    return Err(GivenUp::Lasting(error));
                }
            };
            // What a service asks for may be more seconds than there are.
            let pause = next_pause.max(wait);
            paused = paused.saturating_add(pause);
            let is_spent = attempts > self.limits.retries
                || paused > self.limits.pause_time
                || began.elapsed().saturating_add(pause) > self.limits.request_time
                || self.down_for().saturating_add(pause) > self.limits.job_time;
            if is_spent {
                return Err(GivenUp::Spent { attempts, problem });
            }
            tracing::debug!(%asked, attempts, %problem, pause_ms = pause.as_millis(), "a request is sent anew");
            tokio::time::sleep(pause).await;
            next_pause = self.next_pause(next_pause);
        }
    }

    fn got_through(&self) {
        *self.down_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// For how long nothing has got through. Begins to count with the first attempt that didn't.
    fn down_for(&self) -> Duration {
        let mut since = self.down_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.get_or_insert_with(Instant::now).elapsed()
    }

    fn next_pause(&self, last: Duration) -> Duration {
        let Limits {
            first_pause,
            longest_pause,
            ..
        } = self.limits;
        let span = last.mul_f64(GROWTH).saturating_sub(first_pause);
        // The seed of a new hasher is random enough for a pause.
        let random = RandomState::new().hash_one(last);
        let share = (random >> 11) as f64 / (1_u64 << 53) as f64;
        (first_pause + span.mul_f64(share)).min(longest_pause)
    }
}

/// What a `Retry-After` asks for: seconds or a date (RFC 9110, 10.2.3). Nothing where it is neither, or in the past.
pub fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    (date.to_utc() - now).to_std().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn hasty() -> Limits {
        Limits {
            first_pause: Duration::from_micros(10),
            retries: 3,
            ..Limits::default()
        }
    }

    /// How often a request is tried that always comes to `problem`, and how it ends.
    async fn tried(patience: &Patience, wait: Option<Duration>) -> (u32, GivenUp<()>) {
        let tries = Cell::new(0);
        let fail = || {
            tries.set(tries.get() + 1);
            let problem = "503 SlowDown".to_owned();
            async move { Err::<(), _>(Trouble::Passing { problem, wait }) }
        };
        let given_up = patience.persist(&"x", fail).await.unwrap_err();
        (tries.get(), given_up)
    }

    #[tokio::test]
    async fn what_passes_is_tried_again_and_what_lasts_is_not() {
        let tries = Cell::new(0);
        let patience = Patience::new(hasty());
        let third = patience.persist(&"x", || async {
            tries.set(tries.get() + 1);
            match tries.get() {
                3 => Ok(tries.get()),
                _ => Err(Trouble::<()>::passing("503")),
            }
        });
        assert_eq!(third.await.unwrap(), 3);
        let lasting = || async { Err::<(), _>(Trouble::Lasting("no")) };
        let given_up = patience.persist(&"x", lasting).await.unwrap_err();
        assert!(matches!(given_up, GivenUp::Lasting("no")));
    }

    #[tokio::test]
    async fn a_request_has_a_budget_of_attempts_and_of_time() {
        let (tries, given_up) = tried(&Patience::new(hasty()), None).await;
        assert_eq!(tries, 4);
        assert!(matches!(given_up, GivenUp::Spent { attempts: 4, problem } if problem == "503 SlowDown"));
        let brief = Limits {
            request_time: Duration::ZERO,
            ..hasty()
        };
        assert_eq!(tried(&Patience::new(brief), None).await.0, 1);
        // Who would have to wait for longer than the budget gives up at once.
        for seconds in [3600, u64::MAX] {
            let wait = Some(Duration::from_secs(seconds));
            assert_eq!(tried(&Patience::new(hasty()), wait).await.0, 1);
        }
        let busy = Limits {
            pause_time: Duration::from_millis(5),
            ..hasty()
        };
        let some = Some(Duration::from_millis(2));
        assert_eq!(
            tried(&Patience::new(busy), some).await.0,
            3,
            "twice 2 ms, and no third time"
        );
        let moment = Some(Duration::from_micros(1));
        assert_eq!(tried(&Patience::new(hasty()), moment).await.0, 4);
    }

    #[tokio::test]
    async fn all_requests_share_a_budget_that_one_that_gets_through_gives_back() {
        let limits = Limits {
            first_pause: Duration::from_millis(1),
            longest_pause: Duration::from_millis(1),
            retries: u32::MAX,
            job_time: Duration::from_millis(20),
            ..Limits::default()
        };
        let patience = Patience::new(limits);
        let (tries, _) = tried(&patience, None).await;
        assert!(tries > 1, "{tries}");
        for _ in 0..3 {
            assert_eq!(tried(&patience.clone(), None).await.0, 1, "nothing is left");
        }
        let answer = || async { Ok::<_, Trouble<()>>(()) };
        patience.persist(&"x", answer).await.unwrap();
        assert!(tried(&patience, None).await.0 > 1);
    }

    #[test]
    fn pauses_grow_and_are_bounded() {
        let patience = Patience::default();
        let (first, most) = (patience.limits.first_pause, patience.limits.longest_pause);
        for _ in 0..100 {
            let next = patience.next_pause(first);
            assert!(next >= first && next <= first * 3);
            assert!(patience.next_pause(most) <= most);
        }
    }

    #[test]
    fn a_service_asks_to_be_left_alone_in_seconds_or_until_a_date() {
        let now = DateTime::parse_from_rfc2822("Wed, 21 Oct 2026 07:28:00 GMT")
            .unwrap()
            .to_utc();
        for (value, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2026 07:28:30 GMT", Some(30)),
            ("Wed, 21 Oct 2026 07:27:00 GMT", None),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(
                retry_after(value, now),
                seconds.map(Duration::from_secs),
                "{value:?}"
            );
        }
    }
}
