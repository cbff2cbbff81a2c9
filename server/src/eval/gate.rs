//! Gates: what an evaluation must reach at least, `ndcg@10=0.40` or `lexical:ndcg@10=0.38`.

use std::fmt;
use std::str::FromStr;

use super::asking::Way;
use super::measures::Metric;
use super::run::Run;

/// The least value of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate {
    /// In which way of searching; that which people get where it isn't said.
    way: Option<Way>,
    metric: Metric,
    least: f64,
}

impl FromStr for Gate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (what, least) = text
            .split_once('=')
            .ok_or_else(|| format!("{text:?} is not METRIC=VALUE, such as ndcg@10=0.40"))?;
        let least: f64 = least
            .trim()
            .parse()
            .map_err(|_| format!("{least:?} is not a number"))?;
        if !(0.0..=1.0).contains(&least) {
            return Err(format!("{least} is not within 0 and 1"));
        }
        let (way, metric) = match what.split_once(':') {
            Some((way, metric)) => (Some(way.trim().parse()?), metric),
            None => (None, what),
        };
        Ok(Self {
            way,
            metric: metric.trim().parse()?,
            least,
        })
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(way) = self.way {
            write!(formatter, "{way}:")?;
        }
        write!(formatter, "{}={}", self.metric, self.least)
    }
}

impl Gate {
    /// What the run reached where that is too little, in words.
    pub fn failure(&self, run: &Run) -> Option<String> {
        let ordinary = || run.ways.keys().next_back().copied();
        let way = self.way.or_else(ordinary)?;
        let reached = run.ways.get(&way).and_then(|way| way.means.get(&self.metric));
        match reached {
            None => Some(format!("{self}: the {way} search has no {} here", self.metric)),
            // A gate that is set to the figure that was printed must hold.
            Some(reached) if reached + 5e-5 < self.least => {
                Some(format!("{self}: the {way} search reached {reached:.4}"))
            }
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::measures::Measures;
    use super::super::run::{CorpusFigures, ModeRun, Times};
    use super::*;

    fn run(values: &[(Way, f64)]) -> Run {
        let mut run = Run::new("x".into(), serde_json::Value::Null, CorpusFigures::default());
        for (way, value) in values {
            let of_way = ModeRun {
                means: Measures::from([(Metric::Ndcg10, *value)]),
                times: Times::default(),
                questions: BTreeMap::new(),
            };
            run.ways.insert(*way, of_way);
        }
        run
    }

    fn failure(gate: &str, run: &Run) -> Option<String> {
        gate.parse::<Gate>().unwrap().failure(run)
    }

    #[test]
    fn a_gate_holds_from_its_value_on() {
        let run = run(&[(Way::Lexical, 0.30), (Way::Hybrid, 0.40)]);
        assert_eq!(failure("ndcg@10=0.40", &run), None);
        assert!(
            failure("ndcg@10=0.41", &run)
                .unwrap()
                .contains("hybrid search reached 0.4000")
        );
        assert!(failure("lexical:ndcg@10=0.31", &run).is_some());
        assert!(failure("map=0.1", &run).unwrap().contains("has no map"));
    }

    #[test]
    fn what_people_get_is_judged_where_no_way_is_said() {
        let run = run(&[(Way::Hybrid, 0.40), (Way::Reranked, 0.50)]);
        assert_eq!(failure("ndcg@10=0.5", &run), None);
    }

    #[test]
    fn what_is_no_gate_is_refused_with_a_reason() {
        for (text, what) in [
            ("ndcg@10", "METRIC=VALUE"),
            ("ndcg=0.4", "no metric"),
            ("ndcg@10=much", "not a number"),
            ("ndcg@10=40", "within 0 and 1"),
            ("words:ndcg@10=0.4", "no way to search"),
        ] {
            assert!(text.parse::<Gate>().unwrap_err().contains(what), "{text}");
        }
    }
}
