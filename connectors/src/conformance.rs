//! What every connector must do, as a suite that runs against the real thing.
//!
//! A connector's tests implement [`Fixture`] for a source of theirs and call [`connector_suite`]; the rules
//! are those of the README, under the same names. They stand in the order in which they run: what is listed and
//! fetched ([`content`]), what changed ([`changes`]), what must be refused and how much there may be ([`bounds`]), what a
//! source in trouble may say ([`failing`]). All of it goes through [`secret`], which listens for what must never be said.
//!
//! Whatever is random in it follows a seed, which a violation tells and `LECTERN_TEST_SEED` sets.

mod content;
mod changes;
mod bounds;
mod failing;
mod secret;
mod trace;

use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use lectern_domain::ports::{Connector, ListEvent, SourceItem};

use secret::Listening;
pub use secret::Needles;

/// A source that a test can change, and the connector under test.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The connector, the same source at every call.
    fn connector(&self) -> &dyn Connector;

    /// Adds or replaces a document and gives the key that it will be listed with. `name` may have folders,
    /// separated by `/`.
    async fn put(&self, name: &str, bytes: &[u8]) -> String;

    /// Takes a document away.
    async fn remove(&self, name: &str);

    /// What is fetched of a document that was put so: the bytes themselves, unless the connector writes its documents,
    /// as one does whose source has records and no files.
    fn expected(&self, _name: &str, bytes: &[u8]) -> Vec<u8> {
        bytes.to_vec()
    }

    /// What the source is opened with, or has in it, and nobody may be told: keys, tokens. None of them is shorter than
    /// eight characters.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    /// The codes of what a listing leaves out on purpose, whatever a test puts there: of something beside the documents that
    /// the fixture's source always has.
    fn left_out(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// What else can be seen of the connector besides what it says: `Debug` of it and of its configuration, and the
    /// configuration as it is stored.
    fn shown(&self) -> Vec<String> {
        Vec::new()
    }

    /// Breaks the source in the way of this number, so that not all of it can be listed: the first way is 0. False, and
    /// nothing is done, where there are no more ways.
    async fn break_source(&self, _way: usize) -> bool {
        false
    }

    /// Mends what [`Fixture::break_source`] broke.
    async fn mend(&self) {}
}

/// A rule that a connector broke.
#[derive(Debug, thiserror::Error)]
#[error("rule {rule:?} is broken: {details}")]
pub struct Violation {
    /// The rule's name in the README.
    pub rule: &'static str,
    /// What was seen.
    pub details: String,
}

type Outcome = Result<(), Violation>;

/// After so long a connector that says nothing is taken to hang. No connector that works comes near it.
const HANGS_AFTER: Duration = Duration::from_secs(300);

/// Runs all rules. The source must be empty, and is left with documents in it. Needs tokio with its clock.
pub async fn connector_suite(fixture: &dyn Fixture) -> Outcome {
    let listening = Listening::new(fixture)?;
    let fixture: &dyn Fixture = &listening;
    content::empty(fixture).await?;
    content::named(fixture).await?;
    content::exact(fixture).await?;
    content::repeatable(fixture).await?;
    content::current(fixture).await?;
    content::tagged(fixture).await?;
    changes::since(fixture).await?;
    changes::gone(fixture).await?;
    bounds::confined(fixture).await?;
    bounds::whole(fixture).await?;
    bounds::cancelled(fixture).await?;
    failing::failing(fixture).await?;
    listening.secret()
}

fn ensure(holds: bool, rule: &'static str, details: impl FnOnce() -> String) -> Outcome {
    if holds {
        return Ok(());
    }
    Err(Violation {
        rule,
        details: details(),
    })
}

/// The items of a listing that must have nothing but items, and what the fixture says is left out.
async fn items(fixture: &dyn Fixture, rule: &'static str) -> Result<Vec<SourceItem>, Violation> {
    let mut items = Vec::new();
    let mut listing = fixture.connector().list(None);
    while let Some(event) = in_time(rule, listing.next()).await? {
        match event {
            Ok(ListEvent::Item(item)) => items.push(item),
            Ok(ListEvent::Checkpoint(_)) => {}
            Ok(ListEvent::Skipped { code, .. }) if fixture.left_out().contains(&code) => {}
            other => ensure(false, rule, || format!("the listing has {other:?}"))?,
        }
    }
    Ok(items)
}

async fn bytes(fixture: &dyn Fixture, item: &SourceItem, rule: &'static str) -> Result<Vec<u8>, Violation> {
    let fetched = in_time(rule, fixture.connector().fetch(item)).await?;
    let fetched = fetched.map_err(|error| Violation {
        rule,
        details: format!("{:?} can't be fetched: {error}", item.key),
    })?;
    ensure(!fetched.file_name.is_empty(), rule, || {
        format!("{:?} has no file name", item.key)
    })?;
    Ok(fetched.bytes.to_vec())
}

/// What comes of it, unless it hangs.
async fn in_time<T>(rule: &'static str, work: impl Future<Output = T>) -> Result<T, Violation> {
    let done = tokio::time::timeout(HANGS_AFTER, work).await;
    done.map_err(|_| Violation {
        rule,
        details: format!("nothing came for {HANGS_AFTER:?}"),
    })
}
