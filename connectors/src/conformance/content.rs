//! What is listed and fetched: `empty`, `named`, `exact`, `repeatable`, `current`, `tagged`.

use std::collections::BTreeMap;

use lectern_domain::ports::SourceItem;

use super::{Fixture, Outcome, bytes, ensure, items};

/// The length of each version of a document that changes again and again.
const VERSION_BYTES: usize = 10_000;

pub(super) async fn empty(fixture: &dyn Fixture) -> Outcome {
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

pub(super) async fn named(fixture: &dyn Fixture) -> Outcome {
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

pub(super) async fn exact(fixture: &dyn Fixture) -> Outcome {
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

pub(super) async fn repeatable(fixture: &dyn Fixture) -> Outcome {
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

pub(super) async fn current(fixture: &dyn Fixture) -> Outcome {
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

/// A tag that stays the same while the content doesn't would hide a change for ever: what was listed, then changed, then
/// fetched is stored with the tag of the listing and the bytes of the fetch. So the bytes are those of now, all of one
/// version, and the next listing has another tag. All contents have the same length: the size alone doesn't tell.
pub(super) async fn tagged(fixture: &dyn Fixture) -> Outcome {
    let mut last: Option<SourceItem> = None;
    for round in 0..5 {
        let content = format!("{round}").repeat(VERSION_BYTES);
        let key = fixture.put("tagged.md", content.as_bytes()).await;
        if let Some(last) = &last {
            let fetched = bytes(fixture, last, "tagged").await?;
            let is_of_now = fetched == fixture.expected("tagged.md", content.as_bytes());
            ensure(is_of_now, "tagged", || {
                format!("{key:?} changed since it was listed, and came back as it was or mixed")
            })?;
        }
        let listed = items(fixture, "tagged").await?;
        let Some(item) = listed.into_iter().find(|item| item.key == key) else {
            return ensure(false, "tagged", || format!("{key:?} is not listed"));
        };
        let before = last.take().and_then(|last| last.change_tag);
        ensure(
            item.change_tag.is_none() || item.change_tag != before,
            "tagged",
            || format!("{key:?} has the tag {before:?} before and after a change"),
        )?;
        last = Some(item);
    }
    Ok(())
}
