//! What a run or a comparison found, as tables or as one JSON object.

use comfy_table::Table;
use serde_json::{Map, Value, json};

use super::asking::Way;
use super::compare::{Comparison, Verdict};
use super::measures::Metric;
use super::run::{ModeRun, Run};

/// One JSON object with a key for each way of searching and no other: its metrics and its times.
pub fn run_json(run: &Run) -> Value {
    let of_way = |(way, found): (&Way, &ModeRun)| {
        let means = found.means.iter();
        let mut figures: Map<String, Value> = means
            .map(|(metric, mean)| (metric.name().to_owned(), json!(mean)))
            .collect();
        for (name, time) in times(found) {
            figures.insert(name.to_owned(), json!(time));
        }
        (way.name().to_owned(), Value::Object(figures))
    };
    Value::Object(run.ways.iter().map(of_way).collect())
}

/// Which columns the table of a run has: the way, its metrics, its times.
pub fn run_columns(run: &Run) -> Vec<String> {
    let times = ["p50 ms", "p95 ms", "p99 ms"].map(str::to_owned);
    std::iter::once("way".to_owned())
        .chain(metrics_of(run).iter().map(ToString::to_string))
        .chain(times)
        .collect()
}

/// Fills the table with a row for each way.
pub fn fill_run(run: &Run, table: &mut Table) {
    let metrics = metrics_of(run);
    for (way, found) in &run.ways {
        let mut row = vec![way.name().to_owned()];
        row.extend(metrics.iter().map(|metric| match found.means.get(metric) {
            Some(mean) => format!("{mean:.4}"),
            None => String::new(),
        }));
        row.extend(times(found).map(|(_, time)| format!("{time:.1}")));
        table.add_row(row);
    }
}

/// The columns of the table of a comparison.
pub const COMPARISON_COLUMNS: [&str; 8] = [
    "metric",
    "before",
    "after",
    "difference",
    "95 % interval",
    "better",
    "worse",
    "verdict",
];

/// Fills the table with a row for each metric.
pub fn fill_comparison(comparison: &Comparison, table: &mut Table) {
    for (metric, change) in &comparison.metrics {
        table.add_row([
            metric.name().to_owned(),
            format!("{:.4}", change.before),
            format!("{:.4}", change.after),
            format!("{:+.4}", change.difference),
            format!("{:+.4} to {:+.4}", change.low, change.high),
            change.wins.to_string(),
            change.losses.to_string(),
            match change.verdict() {
                Verdict::Better => "better",
                Verdict::Worse => "worse",
                Verdict::Unclear => "may be chance",
            }
            .to_owned(),
        ]);
    }
}

fn metrics_of(run: &Run) -> Vec<Metric> {
    let is_there = |metric: &Metric| run.ways.values().any(|way| way.means.contains_key(metric));
    Metric::ALL.into_iter().filter(is_there).collect()
}

fn times(found: &ModeRun) -> [(&'static str, f64); 3] {
    let times = found.times;
    [
        ("p50_ms", times.p50_ms),
        ("p95_ms", times.p95_ms),
        ("p99_ms", times.p99_ms),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::measures::Measures;
    use super::super::run::{CorpusFigures, Times};
    use super::*;

    #[test]
    fn the_json_has_the_keys_that_scripts_read() {
        let mut run = Run::new("x".into(), Value::Null, CorpusFigures::default());
        let hybrid = ModeRun {
            means: Measures::from([(Metric::Ndcg10, 0.5), (Metric::Text3, 0.25)]),
            times: Times {
                p50_ms: 1.0,
                p95_ms: 2.0,
                p99_ms: 3.0,
            },
            questions: BTreeMap::new(),
        };
        run.ways.insert(Way::Hybrid, hybrid);
        let figures = json!({ "ndcg@10": 0.5, "text@3": 0.25, "p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 3.0 });
        assert_eq!(run_json(&run), json!({ "hybrid": figures }));
        assert_eq!(
            run_columns(&run),
            ["way", "ndcg@10", "text@3", "p50 ms", "p95 ms", "p99 ms"]
        );
    }
}
