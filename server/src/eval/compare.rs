//! Two runs over the same questions: what changed, and whether it is more than chance.
//!
//! The same questions are those with the same words ([`pairing`]); the others are counted and left out.
//!
//! The difference of a metric is the mean over the questions of what each gained. Its interval is that of a paired
//! bootstrap (Efron and Tibshirani 1993, chapter 13; Sakai, SIGIR 2006): the questions are drawn again with
//! replacement, [`RESAMPLES`] times, and the middle 95 % of the means are the interval. An interval without 0 is a
//! difference that other questions of the same kind would most likely show, too. The draws are seeded: the same runs
//! have the same interval.

mod configurations;
mod pairing;

use std::collections::BTreeMap;

use lectern_domain::{ErrorKind, PortError};
use serde::Serialize;

use super::asking::Way;
use super::measures::Metric;
use super::run::Run;
use crate::random::Random;

use pairing::{Measured, Pair, pairs};

pub use configurations::differences;

/// How often the questions are drawn again.
const RESAMPLES: usize = 10_000;
/// What is left out at either end for 95 %.
const TAIL: f64 = 0.025;
/// A gain that is smaller is a rounding error.
const SAME: f64 = 1e-9;

/// What changed in one way of searching.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The way in the run before.
    pub before: Way,
    /// The way in the run after.
    pub after: Way,
    /// Questions that are in both runs.
    pub questions: usize,
    /// Questions that are in one of them, or that nobody can tell which of the other's they are.
    pub unpaired: usize,
    /// What changed, by metric.
    pub metrics: BTreeMap<Metric, Change>,
    /// The questions that lost most by the first metric, then those that won most; ten of either at most.
    pub extremes: Vec<QuestionChange>,
}

/// What changed in one metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Its mean before.
    pub before: f64,
    /// Its mean after.
    pub after: f64,
    /// What was gained.
    pub difference: f64,
    /// The lower end of the 95 % interval of the difference.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Questions that gained.
    pub wins: usize,
    /// Questions that lost.
    pub losses: usize,
    /// Questions without a difference.
    pub ties: usize,
}

/// One question's change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuestionChange {
    /// Its id in the run after.
    pub id: String,
    /// Its words.
    pub question: String,
    /// The metric before.
    pub before: f64,
    /// The metric after.
    pub after: f64,
}

/// Whether a change is more than chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The whole interval is above 0.
    Better,
    /// The whole interval is below 0.
    Worse,
    /// Chance alone may have done it.
    Unclear,
}

impl Change {
    /// Whether it is more than chance.
    pub fn verdict(&self) -> Verdict {
        if self.low > SAME {
            Verdict::Better
        } else if self.high < -SAME {
            Verdict::Worse
        } else {
            Verdict::Unclear
        }
    }
}

/// Compares one way of a run with one of another.
///
/// Fails with `Invalid` `eval_runs_unlike` where a run hasn't got the way, or they share no question.
pub fn compare(before: (&Run, Way), after: (&Run, Way), seed: u64) -> Result<Comparison, PortError> {
    let (was, is) = (measured(before)?, measured(after)?);
    let pairs = pairs(was, is);
    if pairs.is_empty() {
        return Err(unlike("the two runs have no question in common".to_owned()));
    }
    let mut metrics = BTreeMap::new();
    for metric in Metric::ALL {
        let both = |pair: &Pair| Some((*pair.was.get(&metric)?, *pair.is.get(&metric)?));
        let values: Vec<(f64, f64)> = pairs.iter().filter_map(both).collect();
        if !values.is_empty() {
            metrics.insert(metric, change(&values, seed));
        }
    }
    let first = metrics.keys().next().copied();
    let extremes = first.map_or_else(Vec::new, |metric| extremes(&pairs, metric));
    Ok(Comparison {
        before: before.1,
        after: after.1,
        questions: pairs.len(),
        unpaired: was.questions.len() + is.questions.len() - 2 * pairs.len(),
        metrics,
        extremes,
    })
}

fn measured((run, way): (&Run, Way)) -> Result<Measured<'_>, PortError> {
    let found = run.ways.get(&way);
    let found = found.ok_or_else(|| unlike(format!("the run of {} has no {way} search", run.name)))?;
    Ok(Measured {
        texts: &run.questions,
        questions: &found.questions,
    })
}

fn unlike(what: String) -> PortError {
    PortError::new(ErrorKind::Invalid, "eval_runs_unlike", what)
}

fn change(values: &[(f64, f64)], seed: u64) -> Change {
    let gains: Vec<f64> = values.iter().map(|(before, after)| after - before).collect();
    let count = values.len() as f64;
    let (low, high) = interval(&gains, seed);
    let wins = gains.iter().filter(|gain| **gain > SAME).count();
    let losses = gains.iter().filter(|gain| **gain < -SAME).count();
    Change {
        before: values.iter().map(|(before, _)| before).sum::<f64>() / count,
        after: values.iter().map(|(_, after)| after).sum::<f64>() / count,
        difference: gains.iter().sum::<f64>() / count,
        low,
        high,
        wins,
        losses,
        ties: gains.len() - wins - losses,
    }
}

/// The middle 95 % of the means of `gains` drawn again with replacement.
fn interval(gains: &[f64], seed: u64) -> (f64, f64) {
    let mut random = Random::seeded(seed);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let drawn = (0..gains.len()).filter_map(|_| gains.get(random.below(gains.len() as u64) as usize));
            drawn.sum::<f64>() / gains.len() as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (share * (RESAMPLES - 1) as f64).round() as usize;
        means.get(place).copied().unwrap_or(0.0)
    };
    (at(TAIL), at(1.0 - TAIL))
}

fn extremes(pairs: &[Pair], metric: Metric) -> Vec<QuestionChange> {
    const MOST: usize = 10;
    let mut changed: Vec<QuestionChange> = pairs
        .iter()
        .filter_map(|pair| {
            let (before, after) = (*pair.was.get(&metric)?, *pair.is.get(&metric)?);
            ((after - before).abs() > SAME).then(|| QuestionChange {
                id: pair.id.to_owned(),
                question: pair.text.to_owned(),
                before,
                after,
            })
        })
        .collect();
    let gain = |change: &QuestionChange| change.after - change.before;
    changed.sort_by(|a, b| gain(a).total_cmp(&gain(b)).then_with(|| a.id.cmp(&b.id)));
    let losses = changed.iter().take_while(|change| gain(change) < 0.0).count();
    let mut wins = changed.split_off(losses);
    wins.reverse();
    wins.truncate(MOST);
    changed.truncate(MOST);
    changed.extend(wins);
    changed
}

#[cfg(test)]
mod tests {
    use super::super::measures::Measures;
    use super::super::run::{CorpusFigures, ModeRun, Times};
    use super::*;

    fn run(values: &[f64]) -> Run {
        let mut run = Run::new("x".into(), serde_json::Value::Null, CorpusFigures::default());
        let questions = values.iter().enumerate().map(|(number, value)| {
            (
                format!("q{number:03}"),
                Measures::from([(Metric::Ndcg10, *value)]),
            )
        });
        let way = ModeRun {
            means: Measures::new(),
            times: Times::default(),
            questions: questions.collect(),
        };
        let ids = way.questions.keys();
        run.questions = ids.map(|id| (id.clone(), format!("the question {id}"))).collect();
        run.ways.insert(Way::Hybrid, way);
        run
    }

    fn compared(before: &[f64], after: &[f64]) -> Comparison {
        compare((&run(before), Way::Hybrid), (&run(after), Way::Hybrid), 7).unwrap()
    }

    #[test]
    fn a_gain_of_every_question_is_certain() {
        let found = compared(&[0.1; 50], &[0.3; 50]);
        let change = found.metrics[&Metric::Ndcg10];
        assert!(
            (change.low - 0.2).abs() < 1e-9 && (change.high - 0.2).abs() < 1e-9,
            "{change:?}"
        );
        assert_eq!((change.wins, change.losses, change.ties), (50, 0, 0));
        assert_eq!(change.verdict(), Verdict::Better);
        assert_eq!(
            compared(&[0.3; 50], &[0.1; 50]).metrics[&Metric::Ndcg10].verdict(),
            Verdict::Worse
        );
    }

    /// Gains of +1 and -1 in equal numbers: the standard error of the mean of 100 is 0.1, so 95 % lie within 0.196.
    #[test]
    fn the_interval_is_as_wide_as_the_standard_error_says() {
        let before: Vec<f64> = (0..100).map(|number| f64::from(number % 2)).collect();
        let after: Vec<f64> = (0..100).map(|number| f64::from((number + 1) % 2)).collect();
        let found = compared(&before, &after);
        let change = found.metrics[&Metric::Ndcg10];
        assert!(
            (change.low + 0.196).abs() < 0.02 && (change.high - 0.196).abs() < 0.02,
            "{change:?}"
        );
        assert_eq!(change.verdict(), Verdict::Unclear);
        assert_eq!(found, compared(&before, &after), "the draws are seeded");
        assert_eq!(found.extremes.len(), 20);
        assert!(found.extremes[0].after < found.extremes[0].before);
    }

    #[test]
    fn questions_of_one_run_alone_are_counted_and_runs_without_a_common_one_refused() {
        let found = compared(&[0.5; 4], &[0.5; 6]);
        assert_eq!((found.questions, found.unpaired), (4, 2));
        assert_eq!(found.metrics[&Metric::Ndcg10].ties, 4);
        let error = compare((&run(&[]), Way::Hybrid), (&run(&[0.1]), Way::Hybrid), 7).unwrap_err();
        assert_eq!(error.code, "eval_runs_unlike");
        let mut reworded = run(&[0.9, 0.9]);
        reworded.questions.insert("q000".into(), "something else".into());
        let found = compare((&run(&[0.1; 2]), Way::Hybrid), (&reworded, Way::Hybrid), 7).unwrap();
        assert_eq!((found.questions, found.unpaired), (1, 2));
        assert_eq!(found.extremes[0].question, "the question q001");
        let error = compare((&run(&[0.1]), Way::Reranked), (&run(&[0.1]), Way::Hybrid), 7).unwrap_err();
        assert!(error.message.contains("no reranked search"), "{error}");
    }
}
