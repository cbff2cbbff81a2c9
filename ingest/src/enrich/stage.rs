//! The stage of the pipeline: a document goes through the rules on a thread of rayon's.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use lectern_domain::{Attributes, Extracted};
use tokio::sync::oneshot;

use super::enricher::{Enriched, Enricher, Verdict};
use super::facts::DocumentFacts;
use crate::run::Problem;

/// Takes a document through the rules. A panic there would end the process, so it is caught and becomes the document's
/// problem.
pub(crate) async fn enrich(
    enricher: &Arc<Enricher>,
    facts: DocumentFacts,
    title: String,
    attributes: Attributes,
    extracted: Extracted,
) -> Result<Enriched, Problem> {
    let (give, take) = oneshot::channel();
    let enricher = Arc::clone(enricher);
    rayon::spawn(move || {
        let work = AssertUnwindSafe(|| enricher.apply(facts, title, attributes, extracted));
        // Nobody waits any more if the run was stopped.
        drop(give.send(std::panic::catch_unwind(work)));
    });
    match take.await {
        Ok(Ok(enriched)) => Ok(enriched),
        _ => Err(Problem::failed(
            "enrichment_failed",
            "the rules of its source failed on it",
        )),
    }
}

impl Verdict {
    /// Why the document isn't taken in; nothing where it is.
    pub(crate) fn problem(&self) -> Option<Problem> {
        match self {
            Self::Kept => None,
            Self::Dropped(rule) => Some(Problem::skipped(
                "dropped_by_rule",
                format!("the rule {rule:?} drops it"),
            )),
            Self::NotRedacted(rule) => Some(Problem::failed(
                "redaction_failed",
                format!("what the rule {rule:?} redacts is found again in what is left"),
            )),
        }
    }
}
