//! What a source in trouble may say: `failing`. A page that fails is no deletion, and neither is a source that isn't there.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use lectern_domain::ErrorKind;
use lectern_domain::ports::{Cursor, ListEvent, SourceItem};

use super::{Fixture, Outcome, Violation, bytes, ensure, in_time, items};

const RULE: &str = "failing";
/// No fixture knows more ways to break.
const MOST_WAYS: usize = 100;
/// So many documents are fetched while the source is broken.
const FETCHES: usize = 3;

/// Every way in which the source can break, one after the other, and mended after each.
pub(super) async fn failing(fixture: &dyn Fixture) -> Outcome {
    for way in 0..MOST_WAYS {
        let cursor = last_cursor(fixture).await?;
        let before = items(fixture, RULE).await?;
        let mut contents = BTreeMap::new();
        for item in before.iter().take(FETCHES) {
            contents.insert(&item.key, bytes(fixture, item, RULE).await?);
        }
        if !fixture.break_source(way).await {
            return Ok(());
        }
        let said = while_broken(fixture, way, &before, &contents, cursor.as_ref()).await;
        fixture.mend().await;
        said?;
        let keys = |items: &[SourceItem]| -> BTreeSet<String> {
            items.iter().map(|item| item.key.clone()).collect()
        };
        let after = items(fixture, RULE).await?;
        ensure(keys(&after) == keys(&before), RULE, || {
            format!(
                "way {way}: {} documents before and {} after it was mended",
                before.len(),
                after.len()
            )
        })?;
        for item in after.iter().filter(|item| contents.contains_key(&item.key)) {
            let content = bytes(fixture, item, RULE).await?;
            ensure(contents.get(&item.key) == Some(&content), RULE, || {
                format!(
                    "way {way}: {:?} is another document after it was mended",
                    item.key
                )
            })?;
        }
    }
    Ok(())
}

async fn last_cursor(fixture: &dyn Fixture) -> Result<Option<Cursor>, Violation> {
    let mut last = None;
    let mut listing = fixture.connector().list(None);
    while let Some(event) = in_time(RULE, listing.next()).await? {
        if let Ok(ListEvent::Checkpoint(cursor)) = event {
            last = Some(cursor);
        }
    }
    Ok(last)
}

async fn while_broken(
    fixture: &dyn Fixture,
    way: usize,
    before: &[SourceItem],
    contents: &BTreeMap<&String, Vec<u8>>,
    cursor: Option<&Cursor>,
) -> Outcome {
    listing_while_broken(fixture, way, before, None).await?;
    if cursor.is_some() {
        listing_while_broken(fixture, way, before, cursor).await?;
    }
    for item in before.iter().take(FETCHES) {
        let fetched = in_time(RULE, fixture.connector().fetch(item)).await?;
        let is_honest = match &fetched {
            Ok(fetched) => contents
                .get(&item.key)
                .is_some_and(|content| **content == *fetched.bytes),
            Err(error) => error.kind != ErrorKind::NotFound,
        };
        ensure(is_honest, RULE, || {
            format!(
                "way {way}: {:?} is there, and fetching it gave {fetched:?}",
                item.key
            )
        })?;
    }
    Ok(())
}

/// A listing that ends well names everything: what it says nothing of, and of no folder above it, would be deleted.
async fn listing_while_broken(
    fixture: &dyn Fixture,
    way: usize,
    before: &[SourceItem],
    since: Option<&Cursor>,
) -> Outcome {
    let mut named: BTreeSet<String> = BTreeSet::new();
    let mut lost: Vec<String> = Vec::new();
    let mut ended_well = true;
    let mut listing = fixture.connector().list(since);
    while let Some(event) = in_time(RULE, listing.next()).await? {
        match event {
            Ok(ListEvent::Item(item) | ListEvent::Skipped { item, .. }) => {
                named.insert(item.key);
            }
            Ok(ListEvent::Failed { item, .. }) if item.key.ends_with('/') => lost.push(item.key),
            Ok(ListEvent::Failed { item, .. }) => {
                named.insert(item.key);
            }
            Ok(ListEvent::Gone { key }) => {
                let was_there = before.iter().any(|item| item.key == key);
                ensure(!was_there, RULE, || {
                    format!("way {way}: {key:?} is told to be gone")
                })?;
            }
            // Who may read what isn't named names nothing.
            Ok(ListEvent::Readers { .. } | ListEvent::Checkpoint(_)) => {}
            Err(_) => ended_well = false,
        }
    }
    // A listing of changes names what changed, and here nothing did.
    if !ended_well || since.is_some() {
        return Ok(());
    }
    let is_accounted_for = |item: &&SourceItem| {
        named.contains(&item.key) || lost.iter().any(|folder| item.key.starts_with(folder))
    };
    let missing: Vec<&String> = before
        .iter()
        .filter(|item| !is_accounted_for(item))
        .map(|item| &item.key)
        .collect();
    ensure(missing.is_empty(), RULE, || {
        let (count, first) = (missing.len(), missing.first());
        format!(
            "way {way}: the listing ended well without {count} documents that are there, such as {first:?}"
        )
    })
}
