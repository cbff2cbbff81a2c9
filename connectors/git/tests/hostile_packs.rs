//! Packs that somebody has made to do harm, or that are broken.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod listed;
mod repository;

use std::collections::BTreeMap;

use lectern_connector_git::GitConfig;
use lectern_domain::ports::{Connector, SourceItem};
use listed::{fetch, list, open, try_list};
use repository::{FILE, Id, Repository, Signature, back, head, packed_bytes, varint};

fn ada() -> Signature<'static> {
    Signature::new("Ada", 0)
}

#[tokio::test]
async fn packs_that_are_made_to_do_harm() {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::new(folder.path());
    let config = GitConfig::new(folder.path().to_owned());
    let ids: Vec<Id> = (0..8_u8).map(|number| [number + 1; 20]).collect();
    let names: Vec<String> = (0..ids.len()).map(|number| number.to_string()).collect();
    let entries: Vec<_> = names
        .iter()
        .zip(&ids)
        .map(|(name, id)| (FILE, name.as_bytes(), *id))
        .collect();
    let commit = repository.commit_of(repository.tree(&entries), &[], ada());
    repository.set("refs/heads/main", &commit);

    let mut pack = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
    let mut places = BTreeMap::new();
    let mut add = |id: Id, bytes: &[&[u8]]| {
        places.insert(id, pack.len() as u64);
        pack.extend(bytes.concat());
    };
    let zeros = packed_bytes(&vec![b'0'; 3 << 20]);
    // A gigabyte by its head; more bytes than it says; fewer.
    add(ids[0], &[&head(3, 1 << 30), &packed_bytes(b"small")]);
    add(ids[1], &[&head(3, 10), &zeros]);
    add(ids[2], &[&head(3, 5000), &packed_bytes(b"small")]);
    // Deltas: to itself by name, to nothing, to before the file, and one that says a gigabyte.
    let delta = [varint(5), varint(5), vec![0x90, 5]].concat();
    add(
        ids[3],
        &[&head(7, delta.len() as u64), &ids[3], &packed_bytes(&delta)],
    );
    add(
        ids[4],
        &[&head(7, delta.len() as u64), &[99; 20], &packed_bytes(&delta)],
    );
    add(
        ids[5],
        &[
            &head(6, delta.len() as u64),
            &back(1 << 40),
            &packed_bytes(&delta),
        ],
    );
    let large = [varint(5), varint(1 << 30), vec![0x90, 5]].concat();
    add(
        ids[6],
        &[&head(7, large.len() as u64), &ids[2], &packed_bytes(&large)],
    );
    // No kind at all.
    add(ids[7], &[&head(5, 5), &packed_bytes(b"small")]);
    repository.finish_pack(pack, &places);

    let connector = open(&config);
    let listed = list(&connector).await;
    let of = |key: &str| listed.failed.get(key).or(listed.skipped.get(key)).copied();
    assert_eq!(of("0"), Some("too_large"));
    assert_eq!(of("6"), Some("too_large"));
    for key in ["3", "4", "5", "7"] {
        assert_eq!(of(key), Some("object_corrupt"), "{key}");
    }
    for key in &names {
        let error = connector.fetch(&SourceItem::new(key, "")).await.unwrap_err();
        assert!(
            ["object_corrupt", "too_large"].contains(&error.code),
            "{key}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_pack_that_is_cut_off_or_overwritten_is_an_error_and_no_crash() {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::new(folder.path()).packed();
    for number in 0..40 {
        repository.put(
            &format!("{number}.md"),
            format!("{number} ").repeat(200).as_bytes(),
        );
    }
    repository.commit_to_main(ada());
    let pack = repository.write_pack(false);
    let config = GitConfig::new(folder.path().to_owned());
    let whole = std::fs::read(&pack).unwrap();
    let index = std::fs::read(pack.with_extension("idx")).unwrap();
    let good = open(&config);
    assert_eq!(list(&good).await.items.len(), 40);

    for place in (0..whole.len()).step_by(whole.len() / 60) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0xff;
        std::fs::write(&pack, &bytes).unwrap();
        if let Ok(listed) = try_list(&open(&config), None).await {
            assert_eq!(
                listed.items.len() + listed.failed.len() + listed.skipped.len(),
                40
            );
        }
        std::fs::write(&pack, &whole[..place]).unwrap();
        drop(try_list(&open(&config), None).await);
    }
    std::fs::write(&pack, &whole).unwrap();
    for place in (0..index.len()).step_by(index.len() / 60) {
        let mut bytes = index.clone();
        bytes[place] ^= 0xff;
        std::fs::write(pack.with_extension("idx"), &bytes).unwrap();
        drop(try_list(&open(&config), None).await);
        std::fs::write(pack.with_extension("idx"), &index[..place]).unwrap();
        assert!(try_list(&open(&config), None).await.is_err());
    }
    std::fs::write(pack.with_extension("idx"), &index).unwrap();
    assert_eq!(list(&open(&config)).await.items.len(), 40);
    // One that is open already, cut off under it.
    std::fs::write(&pack, &whole[..100]).unwrap();
    let mut failed = 0;
    for number in 0..40 {
        failed += u32::from(fetch(&good, &format!("{number}.md")).await.is_err());
    }
    assert!(failed > 0);
}
