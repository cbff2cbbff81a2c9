//! What an evaluation found, as a table or as one JSON object.

use comfy_table::Table;
use serde::Serialize;

use super::runs::ModeFigures;

/// What an evaluation found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct EvalReport {
    /// The index of words alone.
    pub lexical: ModeFigures,
    /// The index of vectors alone.
    pub vector: ModeFigures,
    /// Both.
    pub hybrid: ModeFigures,
    /// What was measured. Only the table tells: the JSON object has a key for each mode and no other.
    #[serde(skip)]
    pub corpus: CorpusFigures,
}

/// What was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CorpusFigures {
    /// Documents that were indexed.
    pub documents: u64,
    /// Chunks that they were cut into.
    pub chunks: u64,
    /// Documents that were skipped or failed.
    pub left_out: u64,
    /// Judged queries.
    pub queries: usize,
    /// How long taking the corpus in took, in seconds.
    pub ingest_s: f64,
}

impl EvalReport {
    /// Fills `table`, which has nine columns: one row for each mode.
    pub fn fill(&self, table: &mut Table) {
        for (mode, figures) in [
            ("lexical", &self.lexical),
            ("vector", &self.vector),
            ("hybrid", &self.hybrid),
        ] {
            table.add_row([
                mode.to_owned(),
                format!("{:.4}", figures.ndcg_at_10),
                format!("{:.4}", figures.recall_at_10),
                format!("{:.4}", figures.recall_at_100),
                format!("{:.4}", figures.map),
                format!("{:.4}", figures.mrr_at_10),
                format!("{:.1}", figures.p50_ms),
                format!("{:.1}", figures.p95_ms),
                format!("{:.1}", figures.p99_ms),
            ]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_has_the_keys_that_scripts_read() {
        let json = serde_json::to_value(EvalReport::default()).unwrap();
        let wanted = ["lexical", "vector", "hybrid"];
        assert!(wanted.iter().all(|mode| json[mode].is_object()), "{json}");
        let mut keys: Vec<&String> = json["hybrid"].as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(
            keys,
            [
                "map",
                "mrr@10",
                "ndcg@10",
                "p50_ms",
                "p95_ms",
                "p99_ms",
                "recall@10",
                "recall@100"
            ]
        );
    }
}
