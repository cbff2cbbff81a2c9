//! What changed: `since`, `gone`.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use lectern_domain::ErrorKind;
use lectern_domain::ports::{CURSOR_EXPIRED, Cursor, ListEvent, SourceItem};

use super::{Fixture, Outcome, Violation, ensure, in_time, items};

const SINCE: &str = "since";
/// Rounds of random changes, and the most changes of one.
const ROUNDS: u64 = 6;
const MOST_CHANGES: u64 = 8;
/// So many names are put and removed in them.
const NAMES: u64 = 12;

/// What is known of a source: its items by their keys, without tags, which a later listing may have and an earlier one not.
type Known = BTreeMap<String, SourceItem>;

/// What a listing named, and where it ended.
#[derive(Debug, PartialEq)]
struct Named {
    items: Known,
    gone: BTreeSet<String>,
    cursor: Option<Cursor>,
}

/// A listing that is whole and has each key once.
async fn listed(fixture: &dyn Fixture, since: Option<&Cursor>) -> Result<Named, Violation> {
    let mut named = Named {
        items: Known::new(),
        gone: BTreeSet::new(),
        cursor: None,
    };
    let mut listing = fixture.connector().list(since);
    while let Some(event) = in_time(SINCE, listing.next()).await? {
        let (key, is_new) = match event {
            Ok(ListEvent::Item(item)) => {
                let key = item.key.clone();
                let item = SourceItem {
                    change_tag: None,
                    ..item
                };
                let is_new = !named.gone.contains(&key) && named.items.insert(key.clone(), item).is_none();
                (key, is_new)
            }
            Ok(ListEvent::Gone { key }) => {
                let is_new = !named.items.contains_key(&key) && named.gone.insert(key.clone());
                (key, is_new)
            }
            Ok(ListEvent::Checkpoint(cursor)) => {
                named.cursor = Some(cursor);
                continue;
            }
            Ok(ListEvent::Skipped { code, .. }) if fixture.left_out().contains(&code) => continue,
            other => return Err(broken(format!("the listing has {other:?}"))),
        };
        ensure(is_new, SINCE, || format!("{key:?} is named twice"))?;
    }
    Ok(named)
}

fn broken(details: String) -> Violation {
    Violation { rule: SINCE, details }
}

/// The cursor as whoever keeps it gives it back: written down and read again.
fn kept(named: &Named) -> Result<Cursor, Violation> {
    let cursor = named.cursor.as_ref();
    let cursor = cursor.ok_or_else(|| broken("a listing of changes ends without a cursor".to_owned()))?;
    let written = serde_json::to_string(cursor);
    let read = written.and_then(|written| serde_json::from_str(&written));
    read.map_err(|error| broken(format!("a cursor can't be written down: {error}")))
}

/// Brings what is known up to date.
fn apply(known: &mut Known, named: &Named) {
    known.retain(|key, _| !named.gone.contains(key));
    known.extend(named.items.clone());
}

/// Listings of what changed come to the same as full ones.
pub(super) async fn since(fixture: &dyn Fixture) -> Outcome {
    let full = listed(fixture, None).await?;
    if full.cursor.is_none() {
        return Ok(());
    }
    let cursor = kept(&full)?;
    nothing_changed(fixture, &cursor).await?;
    let cursor = one_of_each(fixture, &cursor).await?;
    let full = listed(fixture, None).await?;
    many_changes(fixture, full.items, cursor).await?;
    no_cursors(fixture).await
}

async fn nothing_changed(fixture: &dyn Fixture, cursor: &Cursor) -> Outcome {
    let before = items(fixture, SINCE).await?.len();
    let named = listed(fixture, Some(cursor)).await?;
    // What it names although it is the same must be there.
    ensure(
        named.gone.is_empty() && named.items.len() <= before,
        SINCE,
        || format!("nothing changed, and the listing has {named:?}"),
    )
}

/// Something that changed, came, and went. Gives the cursor after it.
async fn one_of_each(fixture: &dyn Fixture, cursor: &Cursor) -> Result<Cursor, Violation> {
    let changed = fixture.put("plain.md", b"changed since").await;
    let added = fixture.put("added.md", b"added since").await;
    let lost = fixture.put("tagged.md", b"about to go").await;
    fixture.remove("tagged.md").await;
    let named = listed(fixture, Some(cursor)).await?;
    let is_named = named.items.contains_key(&changed) && named.items.contains_key(&added);
    ensure(is_named && named.gone.contains(&lost), SINCE, || {
        format!("expected {changed:?} and {added:?}, and {lost:?} as gone, in {named:?}")
    })?;
    kept(&named)
}

/// Random changes: what is known and brought up to date is what a full listing has; and the same cursor says the same again.
async fn many_changes(fixture: &dyn Fixture, mut known: Known, mut cursor: Cursor) -> Outcome {
    let seed = seed();
    let mut dice = Dice(seed);
    let mut there = BTreeSet::new();
    for round in 0..ROUNDS {
        for _ in 0..dice.below(MOST_CHANGES + 1) {
            let name = format!("changing/{}.md", dice.below(NAMES));
            if there.contains(&name) && dice.below(3) == 0 {
                fixture.remove(&name).await;
                there.remove(&name);
            } else {
                let content = format!("round {round}, number {}", dice.below(1 << 32));
                fixture.put(&name, content.as_bytes()).await;
                there.insert(name);
            }
        }
        let named = listed(fixture, Some(&cursor)).await?;
        let again = listed(fixture, Some(&cursor)).await?;
        ensure(
            (&named.items, &named.gone) == (&again.items, &again.gone),
            SINCE,
            || format!("the same cursor said {named:?} and then {again:?} (seed {seed})"),
        )?;
        apply(&mut known, &named);
        let full = listed(fixture, None).await?.items;
        ensure(known == full, SINCE, || {
            format!("round {round}, seed {seed}: what changed makes {known:?}, and there is {full:?}")
        })?;
        cursor = kept(&again)?;
    }
    Ok(())
}

/// What no listing ever gave is too old, and nothing else is said.
async fn no_cursors(fixture: &dyn Fixture) -> Outcome {
    for text in ["", "nonsense", "\u{1f9ed} {\"since\": "] {
        let cursor = Cursor(text.to_owned());
        let mut listing = fixture.connector().list(Some(&cursor));
        let first = in_time(SINCE, listing.next()).await?;
        let is_refused = matches!(&first, Some(Err(error)) if error.code == CURSOR_EXPIRED);
        ensure(is_refused, SINCE, || {
            format!("the cursor {text:?} is answered with {first:?}")
        })?;
    }
    Ok(())
}

fn seed() -> u64 {
    let set = std::env::var("LECTERN_TEST_SEED").ok();
    set.and_then(|seed| seed.parse().ok()).unwrap_or(0x5eed)
}

/// Numbers that follow from a seed (Steele et al., `SplitMix64`, 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number ^ (number >> 31)) % bound
    }
}

/// What vanishes is a deletion: it isn't listed, and a fetch finds nothing.
pub(super) async fn gone(fixture: &dyn Fixture) -> Outcome {
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
