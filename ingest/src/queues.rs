//! The gauges of the queues: how much waits for words, for vectors, for the embedder.
//!
//! `lectern_ingest_documents_waiting{for="words"}` counts documents that were pushed or fetched and can't be found
//! yet, `{for="vectors"}` those that can be found by words only; `lectern_ingest_texts_waiting` counts texts that were
//! handed to the embedder and have no vector yet.

use std::sync::atomic::{AtomicU64, Ordering};

use metrics::gauge;

use crate::error::Result;
use crate::ledger::Ledger;

/// Documents that were fetched and can't be found yet.
pub(crate) static DOCUMENTS: Waiting = Waiting::new(|count| {
    gauge!("lectern_ingest_documents_waiting", "for" => "words").set(count as f64);
});

/// Texts that the embedder has.
pub(crate) static TEXTS: Waiting = Waiting::new(|count| {
    gauge!("lectern_ingest_texts_waiting").set(count as f64);
});

/// What waits in a place of the pipeline, in all runs of the process.
#[derive(Debug)]
pub(crate) struct Waiting {
    count: AtomicU64,
    show: fn(u64),
}

/// Something that waits, until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    of: &'static Waiting,
    count: u64,
}

impl Waiting {
    const fn new(show: fn(u64)) -> Self {
        Self {
            count: AtomicU64::new(0),
            show,
        }
    }

    /// Counts `count` more until the place is dropped.
    pub(crate) fn wait_for(&'static self, count: usize) -> Place {
        let count = count as u64;
        (self.show)(self.count.fetch_add(count, Ordering::Relaxed) + count);
        Place { of: self, count }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let before = self.of.count.fetch_sub(self.count, Ordering::Relaxed);
        (self.of.show)(before.saturating_sub(self.count));
    }
}

/// Reads what waits in the ledger.
pub(crate) async fn read(ledger: &Ledger) -> Result<()> {
    let (vectors, pushes) = ledger.waiting_documents().await?;
    gauge!("lectern_ingest_documents_waiting", "for" => "vectors").set(vectors as f64);
    gauge!("lectern_ingest_documents_waiting", "for" => "reading").set(pushes as f64);
    Ok(())
}
