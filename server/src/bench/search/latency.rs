//! Times of many questions, summed up.

use std::time::Duration;

use serde::Serialize;

/// Times of one step, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half of the questions took no longer.
    pub p50_ms: f64,
    /// 95 of 100.
    pub p95_ms: f64,
    /// 99 of 100.
    pub p99_ms: f64,
}

impl Latency {
    /// Of these times, in milliseconds. All zero where there are none.
    pub fn of(mut times_ms: Vec<f64>) -> Self {
        times_ms.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let rank = (share * times_ms.len() as f64).ceil() as usize;
            times_ms.get(rank.saturating_sub(1)).copied().unwrap_or_default()
        };
        Self {
            p50_ms: at(0.50),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
        }
    }
}

/// A duration in milliseconds.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let latency = Latency::of((1..=200).rev().map(f64::from).collect());
        assert_eq!(
            (latency.p50_ms, latency.p95_ms, latency.p99_ms),
            (100.0, 190.0, 198.0)
        );
        assert_eq!(Latency::of(vec![7.0]).p99_ms, 7.0);
        assert_eq!(Latency::of(Vec::new()), Latency::default());
    }
}
