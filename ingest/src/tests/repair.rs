//! Repair mends what was lost from the ledger and the stored texts, without the source.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use lectern_domain::{Acl, Attributes, ChunkId, DocumentMetadata, DocumentStatus, Principal, Searchable};

use super::desk::Desk;
use super::doubles::MemoryIndex;
use crate::repair::Repair;
use crate::{DocumentFilter, Ingestion, PushedDocument};

const LONG: &str = "one two three four five six seven eight\n\nnine ten eleven twelve thirteen fourteen fifteen sixteen\n\n\
                    seventeen eighteen nineteen twenty and some words more";

impl Desk {
    async fn filled() -> Self {
        let desk = Self::new().await;
        desk.shelf.put("a.txt", LONG);
        desk.shelf.put("b.txt", "a short one");
        desk.shelf.put("c.txt", "another one");
        desk.sync_complete().await;
        desk
    }

    /// Repairs with an embedder that makes nothing, then has it make what waits.
    async fn mend(&self) -> Repair {
        assert!(!self.fsck().await.clean, "nothing is broken");
        self.embedder.is_down.store(true, Ordering::Relaxed);
        let mut repairs = self.ingestion.repair(None).await.unwrap();
        self.embedder.is_down.store(false, Ordering::Relaxed);
        self.assert_clean().await;
        self.ingestion.embed_pending(None).await.unwrap();
        self.assert_clean().await;
        repairs.remove(0)
    }

    async fn assert_whole(&self, about: &str) {
        assert_eq!(self.visible().await, self.on_shelf(), "{about}");
        assert_eq!(self.visible_by_meaning().await, self.on_shelf(), "{about}");
    }
}

fn indexes(desk: &Desk) -> [(&'static str, Arc<MemoryIndex>); 2] {
    [("words", desk.words.clone()), ("vectors", desk.vectors.clone())]
}

#[tokio::test]
async fn an_empty_index_is_filled_without_any_extraction_or_embedding() {
    for number in 0..2 {
        let desk = Desk::filled().await;
        let work = desk.work();
        let (name, index) = &indexes(&desk)[number];
        index.tamper(desk.knowledge_base.id, |entries| entries.clear());
        let repair = desk.mend().await;
        let written = [repair.words_written, repair.vectors_written][number];
        assert_eq!(written, 5, "{name}");
        assert_eq!(desk.work(), work, "{name}");
        desk.assert_whole(name).await;
    }
}

#[tokio::test]
async fn an_index_that_cannot_be_read_is_made_anew() {
    for number in 0..2 {
        let desk = Desk::filled().await;
        let work = desk.work();
        let (name, index) = &indexes(&desk)[number];
        index.is_broken.store(true, Ordering::Relaxed);
        let repair = desk.mend().await;
        assert_eq!(repair.rebuilt, [*name]);
        assert_eq!(desk.work(), work);
        desk.assert_whole(name).await;
    }
}

#[tokio::test]
async fn chunks_that_are_missing_or_too_much_are_put_right() {
    for number in 0..2 {
        let desk = Desk::filled().await;
        let (name, index) = &indexes(&desk)[number];
        index.tamper(desk.knowledge_base.id, |entries| {
            let (_, mut entry) = entries.pop_first().unwrap();
            entry.chunk.id = ChunkId(uuid::Uuid::nil());
            entries.insert(entry.chunk.id, entry);
        });
        let repair = desk.mend().await;
        let removed = [repair.words_removed, repair.vectors_removed][number];
        assert_eq!(removed, 1, "{name}");
        desk.assert_whole(name).await;
    }
}

#[tokio::test]
async fn chunks_that_are_there_for_other_readers_are_named_and_put_right() {
    for number in 0..2 {
        let desk = Desk::filled().await;
        let (name, index) = &indexes(&desk)[number];
        index.tamper(desk.knowledge_base.id, |entries| {
            let entry = entries.values_mut().next().unwrap();
            entry.metadata = Arc::new(DocumentMetadata::readable_by(Acl::allowing([Principal::User(
                "eve".into(),
            )])));
        });
        let report = desk.fsck().await;
        let checks = &report.checks[0].indexes;
        let misfiled = checks
            .iter()
            .map(|check| (check.index.as_str(), check.misfiled.count));
        let expected = [("words", 1 - number as u64), ("vectors", number as u64)];
        assert_eq!(misfiled.collect::<Vec<_>>(), expected);
        assert_eq!(desk.mend().await.access_settled, 1, "{name}");
        desk.assert_whole(name).await;
    }
}

#[tokio::test]
async fn a_damaged_stored_vector_is_made_again_and_the_others_are_not() {
    let desk = Desk::filled().await;
    let (_, embedded) = desk.work();
    let damaged = desk
        .ledger()
        .tamper("UPDATE vectors SET vector = zeroblob(8) WHERE rowid = (SELECT MIN(rowid) FROM vectors)")
        .await;
    assert_eq!(damaged, 1);
    assert_eq!(desk.fsck().await.checks[0].vectors_damaged.count, 1);
    let repair = desk.mend().await;
    assert_eq!((repair.damaged_vectors, repair.waiting_for_vectors), (1, 1));
    assert_eq!(desk.work().1, embedded + 1);
    desk.assert_whole("a damaged vector").await;
}

#[tokio::test]
async fn a_lost_index_and_lost_vectors_are_mended_by_embedding_again() {
    let desk = Desk::filled().await;
    let (extracted, embedded) = desk.work();
    desk.ledger().tamper("DELETE FROM vectors").await;
    desk.vectors
        .tamper(desk.knowledge_base.id, |entries| entries.clear());
    let repair = desk.mend().await;
    assert_eq!(repair.waiting_for_vectors, 3);
    assert_eq!(desk.work(), (extracted, embedded + 5));
    desk.assert_whole("no vectors").await;
}

/// A folder that an earlier version of Lectern filled has neither hashes of what was embedded nor stored vectors.
#[tokio::test]
async fn a_migrated_folder_is_clean_and_learns_its_hashes_when_it_is_embedded_again() {
    let desk = Desk::filled().await;
    desk.ledger().tamper("DELETE FROM vectors").await;
    desk.ledger().tamper("UPDATE chunks SET embed_hash = NULL").await;
    desk.assert_clean().await;
    desk.vectors
        .tamper(desk.knowledge_base.id, |entries| entries.clear());
    desk.mend().await;
    desk.assert_whole("migrated").await;
    let known = desk
        .ledger()
        .tamper("UPDATE chunks SET page = page WHERE embed_hash IS NOT NULL")
        .await;
    assert_eq!(known, 5);
}

fn damage_texts(desk: &Desk) {
    let texts = desk.ingestion.parts.texts.texts();
    let mut hashes = Vec::new();
    texts.for_each_folder(|found| hashes.extend(found)).unwrap();
    for hash in hashes {
        let length = fs::metadata(texts.path(hash)).unwrap().len();
        fs::write(texts.path(hash), "x".repeat(usize::try_from(length).unwrap())).unwrap();
    }
}

#[tokio::test]
async fn documents_whose_text_is_lost_are_told_and_read_again_by_the_next_sync() {
    let desk = Desk::filled().await;
    damage_texts(&desk);
    let mut repair = desk.mend().await;
    repair.lost_texts.sort_unstable();
    assert_eq!(repair.lost_texts, ["a.txt", "b.txt", "c.txt"]);
    assert!(desk.visible().await.is_empty());
    let page = desk
        .ledger()
        .documents(desk.knowledge_base.id, DocumentFilter::default(), None, 10)
        .await
        .unwrap();
    for document in page.items {
        assert_eq!(
            (document.status, document.searchable),
            (DocumentStatus::Failed, Searchable::Nothing)
        );
        assert!(document.reason.unwrap().starts_with("stored_text_damaged: "));
    }
    desk.sync_complete().await;
    desk.assert_whole("texts").await;
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_pushed_document_whose_text_is_lost_is_read_again_from_its_original() {
    let desk = Desk::new().await;
    let pushed = PushedDocument {
        key: "notes/a.txt".to_owned(),
        title: None,
        uri: None,
        media_type: None,
        file_name: None,
        bytes: Arc::from(LONG.as_bytes()),
        acl: None,
        attributes: Attributes::new(),
    };
    desk.ingestion.push(&desk.knowledge_base, pushed).await.unwrap();
    desk.ingestion
        .process_pending(&desk.knowledge_base)
        .await
        .unwrap();
    desk.ingestion.embed_pending(None).await.unwrap();
    let before = desk.visible().await;
    damage_texts(&desk);
    let repair = desk.mend().await;
    assert_eq!((repair.lost_texts.len(), repair.requeued), (1, 1));
    desk.ingestion
        .process_pending(&desk.knowledge_base)
        .await
        .unwrap();
    desk.ingestion.embed_pending(None).await.unwrap();
    assert_eq!(desk.visible().await, before);
    let id = Ingestion::pushed_document_id(desk.knowledge_base.id, "notes/a.txt");
    let document = desk.ledger().document(desk.knowledge_base.id, id).await.unwrap();
    assert_eq!(document.searchable, Searchable::WordsAndMeaning);
    desk.assert_clean().await;
}

#[tokio::test]
async fn repair_of_what_is_whole_changes_nothing() {
    let desk = Desk::filled().await;
    let repair = desk
        .ingestion
        .repair(Some(&desk.knowledge_base))
        .await
        .unwrap()
        .remove(0);
    assert_eq!((repair.words_written, repair.words_removed), (0, 0));
    assert_eq!((repair.vectors_written, repair.vectors_removed), (0, 0));
    assert_eq!(repair.waiting_for_vectors, 0);
    desk.assert_whole("nothing to do").await;
}
