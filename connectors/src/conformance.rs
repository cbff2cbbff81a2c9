//! What every connector must do, as a suite that runs against the real thing.
//!
//! A connector's tests implement [`Fixture`] for a source of theirs and call [`connector_suite`]; the rules
//! are those of the README, under the same names.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::StreamExt;
use lectern_domain::ErrorKind;
use lectern_domain::ports::{Connector, Cursor, ListEvent, SourceItem};

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

/// How many documents the rule `whole` puts into the source.
const MANY: usize = 700;

/// Runs all rules. The source must be empty, and is left with documents in it.
pub async fn connector_suite(fixture: &dyn Fixture) -> Outcome {
    empty(fixture).await?;
    named(fixture).await?;
    exact(fixture).await?;
    repeatable(fixture).await?;
    current(fixture).await?;
    tagged(fixture).await?;
    since(fixture).await?;
    gone(fixture).await?;
    confined(fixture).await?;
    whole(fixture).await
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

/// The items of a listing that must have nothing but items.
async fn items(fixture: &dyn Fixture, rule: &'static str) -> Result<Vec<SourceItem>, Violation> {
    let mut items = Vec::new();
    let mut listing = fixture.connector().list(None);
    while let Some(event) = listing.next().await {
        match event {
            Ok(ListEvent::Item(item)) => items.push(item),
            Ok(ListEvent::Checkpoint(_)) => {}
            other => ensure(false, rule, || format!("the listing has {other:?}"))?,
        }
    }
    Ok(items)
}

async fn bytes(fixture: &dyn Fixture, item: &SourceItem, rule: &'static str) -> Result<Vec<u8>, Violation> {
    let fetched = fixture.connector().fetch(item).await.map_err(|error| Violation {
        rule,
        details: format!("{:?} can't be fetched: {error}", item.key),
    })?;
    ensure(!fetched.file_name.is_empty(), rule, || {
        format!("{:?} has no file name", item.key)
    })?;
    Ok(fetched.bytes.to_vec())
}

async fn empty(fixture: &dyn Fixture) -> Outcome {
    let listed = items(fixture, "empty").await?;
    ensure(listed.is_empty(), "empty", || {
        format!("an empty source lists {listed:?}")
    })?;
    ensure(!fixture.connector().describe().is_empty(), "empty", || {
        "the source has no description".to_owned()
    })
}

/// Names that are easily mixed up, and what stands under them.
fn awkward() -> BTreeMap<&'static str, &'static [u8]> {
    BTreeMap::from([
        ("plain.md", b"plain".as_slice()),
        ("Plain.md", b"upper case"),
        ("folder/plain.md", b"deeper"),
        ("folder/with space & more.txt", b"space"),
        ("folder/100%.md", b"percent"),
        ("folder/100%25.md", b"percent twice"),
        ("über/日本語.md", "東京".as_bytes()),
        ("binary.bin", b"\x00\xff\xfe\x00"),
        ("empty.txt", b""),
    ])
}

async fn named(fixture: &dyn Fixture) -> Outcome {
    let mut keys = Vec::new();
    for (name, content) in awkward() {
        keys.push(fixture.put(name, content).await);
    }
    let listed = items(fixture, "named").await?;
    let mut found: Vec<&String> = listed.iter().map(|item| &item.key).collect();
    found.sort();
    keys.sort();
    ensure(found.iter().copied().eq(&keys), "named", || {
        format!("listed {found:?}, expected {keys:?}")
    })?;
    for item in &listed {
        let is_named = !item.key.ends_with('/') && item.uri.contains("://");
        ensure(is_named, "named", || format!("{item:?} has no key or no address"))?;
    }
    Ok(())
}

async fn exact(fixture: &dyn Fixture) -> Outcome {
    for (name, content) in awkward() {
        let key = fixture.put(name, content).await;
        let listed = items(fixture, "exact").await?;
        let item = listed.iter().find(|item| item.key == key);
        let Some(item) = item else {
            return ensure(false, "exact", || format!("{key:?} is not listed"));
        };
        let content = fixture.expected(name, content);
        let fetched = bytes(fixture, item, "exact").await?;
        ensure(fetched == content, "exact", || {
            format!("{name:?} came back as {fetched:?}")
        })?;
        let size = item.size_bytes.is_none_or(|size| size == content.len() as u64);
        ensure(size, "exact", || {
            format!("{name:?} is listed with {:?} bytes", item.size_bytes)
        })?;
    }
    Ok(())
}

async fn repeatable(fixture: &dyn Fixture) -> Outcome {
    // A file that was written just now may get its tag between the two.
    let untagged = |items: Vec<SourceItem>| -> Vec<SourceItem> {
        let plain = items.into_iter().map(|item| SourceItem {
            change_tag: None,
            ..item
        });
        plain.collect()
    };
    let first = untagged(items(fixture, "repeatable").await?);
    let fetches = first.iter().map(|item| bytes(fixture, item, "repeatable"));
    for fetched in futures::future::join_all(fetches).await {
        fetched?;
    }
    let second = untagged(items(fixture, "repeatable").await?);
    ensure(first == second, "repeatable", || {
        "a second listing differs from the first".to_owned()
    })
}

async fn current(fixture: &dyn Fixture) -> Outcome {
    let before = items(fixture, "current").await?;
    let content = b"plain, and then some more";
    let key = fixture.put("plain.md", content).await;
    let content = fixture.expected("plain.md", content);
    let after = items(fixture, "current").await?;
    let find = |items: &[SourceItem]| items.iter().find(|item| item.key == key).cloned();
    let (Some(old), Some(new)) = (find(&before), find(&after)) else {
        return ensure(false, "current", || format!("{key:?} has lost its key"));
    };
    // An item of an old listing gives the content of now.
    for item in [&old, &new] {
        let fetched = bytes(fixture, item, "current").await?;
        ensure(fetched == content, "current", || format!("{key:?} came back old"))?;
    }
    ensure(old != new, "current", || {
        format!("the listing doesn't tell that {key:?} changed")
    })
}

/// A tag that stays the same while the content doesn't would hide a change for ever. All contents have the same
/// length, so that the size alone doesn't tell.
async fn tagged(fixture: &dyn Fixture) -> Outcome {
    let mut last: Option<String> = None;
    for round in 0..5 {
        let key = fixture
            .put("tagged.md", format!("content {round}").as_bytes())
            .await;
        let listed = items(fixture, "tagged").await?;
        let Some(item) = listed.into_iter().find(|item| item.key == key) else {
            return ensure(false, "tagged", || format!("{key:?} is not listed"));
        };
        ensure(
            item.change_tag.is_none() || item.change_tag != last,
            "tagged",
            || format!("{key:?} has the tag {last:?} before and after a change"),
        )?;
        last = item.change_tag;
    }
    Ok(())
}

/// The last checkpoint of a listing, where the connector gives any.
async fn checkpoint(fixture: &dyn Fixture) -> Option<Cursor> {
    let mut last = None;
    let mut listing = fixture.connector().list(None);
    while let Some(event) = listing.next().await {
        if let Ok(ListEvent::Checkpoint(cursor)) = event {
            last = Some(cursor);
        }
    }
    last
}

/// What a listing of changes names.
async fn since(fixture: &dyn Fixture) -> Outcome {
    let Some(cursor) = checkpoint(fixture).await else {
        return Ok(());
    };
    let changed = fixture.put("plain.md", b"changed since").await;
    let added = fixture.put("added.md", b"added since").await;
    let lost = fixture.put("tagged.md", b"about to go").await;
    fixture.remove("tagged.md").await;
    let mut named: Vec<(String, bool)> = Vec::new();
    let mut listing = fixture.connector().list(Some(&cursor));
    while let Some(event) = listing.next().await {
        match event {
            Ok(ListEvent::Item(item)) => named.push((item.key, true)),
            Ok(ListEvent::Gone { key }) => named.push((key, false)),
            Ok(ListEvent::Checkpoint(_)) => {}
            other => ensure(false, "since", || format!("the listing of changes has {other:?}"))?,
        }
    }
    for expected in [(changed, true), (added, true), (lost, false)] {
        let count = named.iter().filter(|(key, _)| *key == expected.0).count();
        ensure(count == 1 && named.contains(&expected), "since", || {
            format!("expected {expected:?} once in {named:?}")
        })?;
    }
    Ok(())
}

async fn gone(fixture: &dyn Fixture) -> Outcome {
    let key = fixture.put("short-lived.md", b"x").await;
    let listed = items(fixture, "gone").await?;
    let Some(item) = listed.into_iter().find(|item| item.key == key) else {
        return ensure(false, "gone", || format!("{key:?} is not listed"));
    };
    fixture.remove("short-lived.md").await;
    let is_listed = items(fixture, "gone").await?.iter().any(|item| item.key == key);
    ensure(!is_listed, "gone", || {
        format!("{key:?} is listed after it was removed")
    })?;
    let kind = fixture
        .connector()
        .fetch(&item)
        .await
        .err()
        .map(|error| error.kind);
    ensure(kind == Some(ErrorKind::NotFound), "gone", || {
        format!("fetching {key:?} gave {kind:?}")
    })
}

async fn confined(fixture: &dyn Fixture) -> Outcome {
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

async fn whole(fixture: &dyn Fixture) -> Outcome {
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
