//! What must be refused, how much there may be, and what may be broken off: `confined`, `whole`, `cancelled`.

use std::collections::BTreeSet;

use futures::StreamExt;
use lectern_domain::ErrorKind;
use lectern_domain::ports::SourceItem;

use super::{Fixture, Outcome, bytes, ensure, in_time, items};

/// How many documents the rule `whole` puts into the source.
const MANY: usize = 700;
/// After so many events listings are dropped.
const DROPPED_AFTER: [usize; 4] = [0, 1, 20, 400];
/// So many fetches are dropped.
const DROPPED_FETCHES: usize = 20;

pub(super) async fn confined(fixture: &dyn Fixture) -> Outcome {
    for key in [
        "",
        ".",
        "..",
        "/",
        "/etc/passwd",
        "../../../../../../etc/passwd",
        "folder/../plain.md",
        "plain.md/",
        "a\0b",
    ] {
        let item = SourceItem::new(key, "");
        let fetched = fixture.connector().fetch(&item).await;
        let is_refused = fetched.as_ref().is_err_and(|error| {
            matches!(
                error.kind,
                ErrorKind::NotFound | ErrorKind::Invalid | ErrorKind::Denied
            )
        });
        ensure(is_refused, "confined", || {
            format!("fetching {key:?} gave {fetched:?}")
        })?;
    }
    Ok(())
}

pub(super) async fn whole(fixture: &dyn Fixture) -> Outcome {
    let before = items(fixture, "whole").await?.len();
    for number in 0..MANY {
        fixture
            .put(&format!("many/{:02}/{number}.md", number % 13), b"x")
            .await;
    }
    drop(fixture.connector().list(None).take(5).collect::<Vec<_>>().await);
    let mut keys: Vec<String> = items(fixture, "whole")
        .await?
        .into_iter()
        .map(|item| item.key)
        .collect();
    keys.sort();
    keys.dedup();
    ensure(keys.len() == before + MANY, "whole", || {
        format!("{} of {} are listed", keys.len(), before + MANY)
    })
}

/// What is dropped in its middle is over at once, and leaves the connector as it was.
pub(super) async fn cancelled(fixture: &dyn Fixture) -> Outcome {
    const RULE: &str = "cancelled";
    let before = items(fixture, RULE).await?;
    for count in DROPPED_AFTER {
        let mut listing = fixture.connector().list(None);
        for _ in 0..count {
            in_time(RULE, listing.next()).await?;
        }
        // Asked for one more, and dropped while it waits for that.
        let next = futures::poll!(listing.next());
        ensure(
            !matches!(next, std::task::Poll::Ready(Some(Err(_)))),
            RULE,
            || format!("a listing that is about to be dropped has {next:?}"),
        )?;
    }
    let some = before.iter().take(DROPPED_FETCHES);
    for item in some.clone() {
        // The first poll begins it; its outcome is nobody's any more.
        drop(futures::poll!(fixture.connector().fetch(item)));
    }
    for item in some {
        bytes(fixture, item, RULE).await?;
    }
    let keys =
        |items: &[SourceItem]| -> BTreeSet<String> { items.iter().map(|item| item.key.clone()).collect() };
    let after = items(fixture, RULE).await?;
    ensure(keys(&before) == keys(&after), RULE, || {
        format!(
            "{} documents are listed after listings were dropped, and {} before",
            after.len(),
            before.len()
        )
    })
}
