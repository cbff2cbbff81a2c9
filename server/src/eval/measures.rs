//! What is measured of an answer to a question: by which names, and from what.
//!
//! Documents are measured on a deep ranking with one passage for each document ([`ranking`]); texts and spans on the
//! first passages as people get them ([`found`]). A measure is there where the question expects something of its
//! kind.

pub mod found;
pub mod ranking;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use lectern_domain::Passage;
use serde::{Deserialize, Serialize};

use super::questions::Question;
use found::{spans_found, texts_found};
use ranking::{average_precision, hit_at, ndcg_at, recall_at, reciprocal_rank_at};

/// A measure. Each lies between 0 and 1, and more is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Metric {
    /// nDCG of the first ten documents.
    #[serde(rename = "ndcg@10")]
    Ndcg10,
    /// Recall of the first ten documents.
    #[serde(rename = "recall@10")]
    Recall10,
    /// Recall of the first hundred documents.
    #[serde(rename = "recall@100")]
    Recall100,
    /// Mean average precision of the first hundred documents.
    #[serde(rename = "map")]
    Map,
    /// Mean reciprocal rank within the first ten documents.
    #[serde(rename = "mrr@10")]
    Mrr10,
    /// Whether the first document is relevant.
    #[serde(rename = "hit@1")]
    Hit1,
    /// Whether one of the first three is.
    #[serde(rename = "hit@3")]
    Hit3,
    /// The part of the expected texts that is in the first passage.
    #[serde(rename = "text@1")]
    Text1,
    /// In the first three.
    #[serde(rename = "text@3")]
    Text3,
    /// In the first five.
    #[serde(rename = "text@5")]
    Text5,
    /// The part of the expected spans that is in the first passage.
    #[serde(rename = "span@1")]
    Span1,
    /// In the first three.
    #[serde(rename = "span@3")]
    Span3,
    /// In the first five.
    #[serde(rename = "span@5")]
    Span5,
}

impl Metric {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 13] = [
        Self::Ndcg10,
        Self::Recall10,
        Self::Recall100,
        Self::Map,
        Self::Mrr10,
        Self::Hit1,
        Self::Hit3,
        Self::Text1,
        Self::Text3,
        Self::Text5,
        Self::Span1,
        Self::Span3,
        Self::Span5,
    ];

    /// The name by which scripts, runs and gates know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ndcg10 => "ndcg@10",
            Self::Recall10 => "recall@10",
            Self::Recall100 => "recall@100",
            Self::Map => "map",
            Self::Mrr10 => "mrr@10",
            Self::Hit1 => "hit@1",
            Self::Hit3 => "hit@3",
            Self::Text1 => "text@1",
            Self::Text3 => "text@3",
            Self::Text5 => "text@5",
            Self::Span1 => "span@1",
            Self::Span3 => "span@3",
            Self::Span5 => "span@5",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|metric| metric.name() == text)
            .ok_or_else(|| format!("no metric: {text:?} (there are {})", known()))
    }
}

/// Values by metric: of one question, or the means over many.
pub type Measures = BTreeMap<Metric, f64>;

/// Measures what a search found for `question`: `deep` with one passage for each document, `first` as people get it.
pub fn measure(question: &Question, deep: &[Passage], first: &[Passage]) -> Measures {
    let mut measures = Measures::new();
    if !question.documents.is_empty() {
        let (ranking, judgements) = (question.ranking(deep), &question.documents);
        measures.extend([
            (Metric::Ndcg10, ndcg_at(&ranking, judgements, 10)),
            (Metric::Recall10, recall_at(&ranking, judgements, 10)),
            (Metric::Recall100, recall_at(&ranking, judgements, 100)),
            (Metric::Map, average_precision(&ranking, judgements)),
            (Metric::Mrr10, reciprocal_rank_at(&ranking, judgements, 10)),
            (Metric::Hit1, hit_at(&ranking, judgements, 1)),
            (Metric::Hit3, hit_at(&ranking, judgements, 3)),
        ]);
    }
    let depths = [1, 3, 5].map(|depth| &first[..first.len().min(depth)]);
    if !question.texts.is_empty() {
        let metrics = [Metric::Text1, Metric::Text3, Metric::Text5];
        let values = depths.map(|passages| texts_found(&question.texts, passages));
        measures.extend(metrics.into_iter().zip(values));
    }
    if !question.spans.is_empty() {
        let metrics = [Metric::Span1, Metric::Span3, Metric::Span5];
        let values = depths.map(|passages| spans_found(&question.spans, passages));
        measures.extend(metrics.into_iter().zip(values));
    }
    measures
}

/// The mean of each metric over those that have it.
pub fn means<'a>(all: impl IntoIterator<Item = &'a Measures>) -> Measures {
    let mut sums: BTreeMap<Metric, (f64, usize)> = BTreeMap::new();
    for measures in all {
        for (metric, value) in measures {
            let (sum, count) = sums.entry(*metric).or_default();
            *sum += value;
            *count += 1;
        }
    }
    let mean = |(metric, (sum, count)): (Metric, (f64, usize))| (metric, sum / count as f64);
    sums.into_iter().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::passage;
    use super::*;

    #[test]
    fn every_name_is_read_as_it_is_written() {
        for metric in Metric::ALL {
            assert_eq!(metric.name().parse(), Ok(metric));
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.name());
        }
        assert!("ndcg@9".parse::<Metric>().unwrap_err().contains("ndcg@10"));
    }

    #[test]
    fn a_question_is_measured_by_what_it_expects() {
        let found = [passage("file:///a.md", 0..10, "the quays of the harbour")];
        let mut question = Question {
            documents: [("a.md".to_owned(), 1)].into(),
            ..Question::default()
        };
        let measures = measure(&question, &found, &found);
        assert_eq!(measures.get(&Metric::Hit1), Some(&1.0));
        assert!(!measures.contains_key(&Metric::Text1) && !measures.contains_key(&Metric::Span5));
        question.documents.clear();
        question.texts = vec!["the harbour".into()];
        let measures = measure(&question, &found, &found);
        assert_eq!(
            measures.keys().copied().collect::<Vec<_>>(),
            [Metric::Text1, Metric::Text3, Metric::Text5]
        );
        assert_eq!(measures.get(&Metric::Text1), Some(&1.0));
    }

    #[test]
    fn a_mean_is_over_those_that_have_the_metric() {
        let all = [
            Measures::from([(Metric::Map, 1.0), (Metric::Text1, 0.5)]),
            Measures::from([(Metric::Map, 0.0)]),
        ];
        assert_eq!(
            means(&all),
            Measures::from([(Metric::Map, 0.5), (Metric::Text1, 0.5)])
        );
    }
}
