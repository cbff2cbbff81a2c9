//! What is logged while the suite runs, at every level and from every thread.
//!
//! Connectors work on threads of their own, so what listens is the subscriber of the whole process. It keeps nothing: each
//! event and each span is held against the needles of all suites that run, and the first place that tells one is noted.

use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::Violation;
use super::secret::Needles;

/// Services that tests run in this process. What they log of the requests that they answer is no connector's word.
const SERVICES: [&str; 2] = ["s3s::", "s3s_fs::"];

/// What is listened for, and where it was heard first.
type Heard = Vec<(Arc<Needles>, Option<String>)>;

static HEARD: Mutex<Heard> = Mutex::new(Heard::new());

fn heard() -> MutexGuard<'static, Heard> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens for these from now on.
pub(super) fn listen_for(needles: &Arc<Needles>) -> Result<(), Violation> {
    static IS_SET: OnceLock<bool> = OnceLock::new();
    let is_set = IS_SET.get_or_init(|| tracing::subscriber::set_global_default(Listener::default()).is_ok());
    if !is_set {
        return Err(Violation {
            rule: "secret",
            details: "another subscriber has what is logged, so it can't be listened to".to_owned(),
        });
    }
    heard().push((Arc::clone(needles), None));
    Ok(())
}

/// Where one of these was logged.
pub(super) fn told(needles: &Arc<Needles>) -> Option<String> {
    let heard = heard();
    let mut own = heard.iter().filter(|(known, _)| Arc::ptr_eq(known, needles));
    own.find_map(|(_, place)| place.clone())
}

/// Takes everything, but for what services say.
#[derive(Debug, Default)]
struct Listener {
    spans: AtomicU64,
}

impl Listener {
    fn hear(metadata: &Metadata<'_>, record: impl FnOnce(&mut Said)) {
        let mut said = Said(String::new());
        record(&mut said);
        for (needles, place) in heard().iter_mut() {
            if needles.are_in(said.0.as_bytes()) {
                place.get_or_insert_with(|| {
                    let line = metadata.line().unwrap_or_default();
                    format!(
                        "{} {}:{line}",
                        metadata.target(),
                        metadata.file().unwrap_or_default()
                    )
                });
            }
        }
    }
}

/// All fields of an event or a span, one after the other.
struct Said(String);

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string doesn't fail.
        writeln!(self.0, "{field}={value:?}").unwrap_or_default();
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        !SERVICES
            .iter()
            .any(|service| metadata.target().starts_with(service))
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        Self::hear(span.metadata(), |said| span.record(said));
        Id::from_u64(1 + self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _span: &Id, values: &Record<'_>) {
        let mut said = Said(String::new());
        values.record(&mut said);
        for (needles, place) in heard().iter_mut() {
            if needles.are_in(said.0.as_bytes()) {
                place.get_or_insert_with(|| "a span".to_owned());
            }
        }
    }

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        Self::hear(event.metadata(), |said| event.record(said));
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}
