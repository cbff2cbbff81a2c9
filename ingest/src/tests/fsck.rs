//! The check finds what it is there for.

use std::fs;

use super::desk::Desk;

#[tokio::test]
async fn what_is_missing_or_too_much_in_an_index_is_named() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", "text");
    desk.shelf.put("b.txt", "other");
    desk.sync_complete().await;
    desk.words.tamper(desk.knowledge_base.id, |entries| {
        let (_, mut entry) = entries.pop_first().unwrap();
        entry.chunk.id = lectern_domain::ChunkId(uuid::Uuid::nil());
        entries.insert(entry.chunk.id, entry);
    });
    let report = desk.fsck().await;
    assert!(!report.clean);
    let [words, vectors] = &report.checks[0].indexes[..] else {
        panic!("two indexes");
    };
    assert_eq!((vectors.missing.count, vectors.ghost.count), (0, 0));
    assert_eq!(
        (words.missing.count, words.ghost.count, words.duplicate.count),
        (1, 1, 0)
    );
}

#[tokio::test]
async fn a_damaged_text_is_named_and_never_served() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", "the truth");
    desk.sync_complete().await;
    let mut hashes = Vec::new();
    let texts = desk.ingestion.parts.texts.texts();
    texts.for_each_folder(|found| hashes.extend(found)).unwrap();
    let path = texts.path(hashes[0]);
    fs::write(&path, "the trash").unwrap();

    let report = desk.fsck().await;
    assert!(!report.clean);
    assert_eq!(report.checks[0].files_damaged.count, 1);
    let entries = desk.words.entries(desk.knowledge_base.id);
    let ids: Vec<_> = entries.iter().map(|entry| entry.chunk.id).collect();
    let lookup: &dyn lectern_domain::ports::ChunkLookup = desk.ledger();
    let error = lookup.look_up(desk.knowledge_base.id, &ids).await.unwrap_err();
    assert_eq!(error.code, "stored_content_damaged");

    fs::remove_file(&path).unwrap();
    assert_eq!(desk.fsck().await.checks[0].files_damaged.count, 1);
}

#[tokio::test]
async fn counts_that_are_wrong_are_found_and_mended() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", "text");
    desk.shelf.put("b.txt", "other");
    desk.sync_complete().await;
    let base = desk.ledger().knowledge_base("library").await.unwrap();
    assert_eq!((base.document_count, base.chunk_count), (2, 2));
    for wrong in [
        "UPDATE knowledge_bases SET document_count = 7",
        "UPDATE knowledge_bases SET chunk_count = chunk_count + 1",
        "UPDATE knowledge_bases SET embedded_count = 0",
    ] {
        desk.ledger().tamper(wrong).await;
        let report = desk.fsck().await;
        assert!(report.checks[0].miscounted && !report.clean, "{wrong}");
        assert!(desk.ingestion.repair(None).await.unwrap()[0].recounted);
        desk.assert_clean().await;
    }
    assert_eq!(desk.ledger().knowledge_base("library").await.unwrap(), base);
    assert!(!desk.ingestion.repair(None).await.unwrap()[0].recounted);
}

#[tokio::test]
async fn knowledge_bases_are_found_by_name_and_by_id_and_names_are_checked() {
    let desk = Desk::new().await;
    let by_id = desk
        .ledger()
        .knowledge_base(&desk.knowledge_base.id.to_string())
        .await
        .unwrap();
    assert_eq!(by_id, desk.ledger().knowledge_base("library").await.unwrap());
    let error = desk
        .ledger()
        .create_knowledge_base("library", "", "m", 2)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "kb_exists");
    for name in ["", "Upper", "a b", "ä", &"x".repeat(65)] {
        let error = desk
            .ledger()
            .create_knowledge_base(name, "", "m", 2)
            .await
            .unwrap_err();
        assert_eq!(error.code(), "kb_name_invalid", "{name:?}");
    }
    let other = desk
        .ledger()
        .create_knowledge_base("other", "", "another-model", 2)
        .await
        .unwrap();
    let (progress, cancel) = Default::default();
    let synced = desk
        .ingestion
        .sync(&other, &desk.source, desk.shelf.clone(), progress, cancel)
        .await;
    assert_eq!(synced.unwrap_err().code(), "embedding_model_differs");
}
