//! Pushed documents: accepted means durable, and the last push of a document is the one that counts.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use lectern_domain::{Acl, Attributes, ContentHash, DocumentStatus, ErrorKind, JobCounts};

use super::desk::Desk;
use super::faults::Fault;
use crate::chunk::Chunking;
use crate::{Ingestion, PushedDocument};

fn document(key: &str, text: &str) -> PushedDocument {
    PushedDocument {
        key: key.to_owned(),
        title: None,
        uri: None,
        media_type: None,
        file_name: None,
        bytes: Arc::from(text.as_bytes()),
        acl: None,
        attributes: Attributes::new(),
    }
}

impl Desk {
    async fn push(&self, key: &str, text: &str) -> lectern_domain::Document {
        let receipt = self
            .ingestion
            .push(&self.knowledge_base, document(key, text))
            .await;
        receipt.unwrap().document
    }

    async fn process(&self) -> JobCounts {
        let report = self
            .ingestion
            .process_pending(&self.knowledge_base)
            .await
            .unwrap();
        assert!(report.counts.add_up());
        report.counts
    }
}

#[tokio::test]
async fn an_accepted_document_survives_a_restart_and_is_indexed_then() {
    let mut desk = Desk::new().await;
    let accepted = desk.push("notes/a.txt", "pushed text").await;
    assert_eq!(accepted.status, DocumentStatus::Pending);
    assert_eq!(
        accepted.id,
        Ingestion::pushed_document_id(desk.knowledge_base.id, "notes/a.txt")
    );

    desk.reopen().await;
    assert!(desk.ingestion.recover().await.unwrap().pushes_wait);
    assert_eq!(desk.process().await.new, 1);
    let visible = desk.visible().await;
    assert_eq!(
        visible["notes/a.txt"],
        ("pushed text".to_owned(), Acl::everyone())
    );
    desk.assert_clean().await;
    let indexed = desk
        .ledger()
        .document(desk.knowledge_base.id, accepted.id)
        .await
        .unwrap();
    assert_eq!(
        (indexed.status, indexed.title.as_str()),
        (DocumentStatus::Indexed, "a.txt")
    );
    assert_eq!(
        desk.process().await,
        JobCounts::default(),
        "nothing waits any more"
    );
}

#[tokio::test]
async fn pushed_documents_are_cut_as_is_set() {
    const TEXT: &str = "One two three four five.\n\nSix seven eight nine ten.\n\nEleven twelve thirteen.";
    let mut desk = Desk::new().await;
    let number_of_chunks = async |desk: &Desk, key: &str| {
        let accepted = desk.push(key, TEXT).await;
        desk.process().await;
        let base = desk.knowledge_base.id;
        desk.ledger()
            .document(base, accepted.id)
            .await
            .unwrap()
            .chunk_count
    };
    assert!(number_of_chunks(&desk, "before").await > 1);
    desk.reopen_with(|settings| settings.pushed_chunking = Chunking::None {})
        .await;
    assert_eq!(number_of_chunks(&desk, "after").await, 1);
    // And what is pushed again follows, although its text is the same.
    assert_eq!(number_of_chunks(&desk, "before").await, 1);
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_sync_leaves_pushed_documents_alone() {
    let desk = Desk::new().await;
    desk.push("a.txt", "pushed").await;
    desk.process().await;
    desk.push("b.txt", "waits").await;
    desk.sync_complete().await;
    assert_eq!(desk.visible().await.len(), 1);
    assert_eq!(desk.process().await.new, 1);
    assert_eq!(desk.visible().await.len(), 2);
}

#[tokio::test]
async fn the_last_push_of_a_document_counts_and_its_original_alone_is_kept() {
    let desk = Desk::new().await;
    desk.push("a.txt", "first").await;
    desk.push("a.txt", "second").await;
    let counts = desk.process().await;
    assert_eq!((counts.scanned, counts.new), (1, 1));
    desk.push("a.txt", "third").await;
    assert_eq!(
        desk.visible().await["a.txt"].0,
        "second",
        "visible until the next is ready"
    );
    assert_eq!(desk.process().await.modified, 1);
    assert_eq!(desk.visible().await["a.txt"].0, "third");
    assert_eq!(desk.stored_files(), 2, "one text, one original");
    desk.assert_clean().await;
}

#[tokio::test]
async fn readers_that_an_index_did_not_hear_of_are_brought_to_it_by_the_next_round() {
    let desk = Desk::new().await;
    let push_for = async |acl: Acl| {
        let document = PushedDocument {
            acl: Some(acl),
            ..document("a.txt", "text")
        };
        desk.ingestion.push(&desk.knowledge_base, document).await.unwrap()
    };
    push_for(Acl::allowing(["user:ada".parse().unwrap()])).await;
    desk.process().await;
    let accepted = push_for(Acl::everyone()).await;
    desk.faults.plan(0, Fault::ErrorBefore, ErrorKind::Unavailable);
    let failed = desk.ingestion.process_pending(&desk.knowledge_base).await;
    assert!(failed.is_err() && desk.faults.clear());

    desk.process().await;
    let document = desk
        .ledger()
        .document(desk.knowledge_base.id, accepted.document.id);
    assert_eq!(document.await.unwrap().status, DocumentStatus::Indexed);
    assert_eq!(desk.visible().await["a.txt"].1, Acl::everyone());
    desk.assert_clean().await;
}

#[tokio::test]
async fn an_original_that_is_lost_fails_its_document_and_no_other() {
    let desk = Desk::new().await;
    let lost = desk.push("lost.txt", "lost text").await;
    desk.push("kept.txt", "kept text").await;
    let originals = desk.ingestion.parts.texts.originals();
    std::fs::remove_file(originals.path(ContentHash::of(b"lost text"))).unwrap();
    let counts = desk.process().await;
    assert_eq!((counts.new, counts.failed), (1, 1));
    let shown = desk
        .ledger()
        .document(desk.knowledge_base.id, lost.id)
        .await
        .unwrap();
    assert_eq!(shown.status, DocumentStatus::Failed);
    let reason = shown.reason.unwrap();
    assert!(
        reason.starts_with("stored_content_damaged: ") && reason.ends_with("push the document again"),
        "{reason}"
    );

    desk.push("lost.txt", "lost text").await;
    assert_eq!(desk.process().await.new, 1);
    assert_eq!(desk.visible().await.len(), 2);
    desk.assert_clean().await;
}

#[tokio::test]
async fn the_same_content_again_costs_nothing() {
    let desk = Desk::new().await;
    desk.push("a.txt", "text").await;
    desk.process().await;
    let work = desk.work();
    let again = desk.push("a.txt", "text").await;
    assert_eq!(desk.process().await.unchanged, 1);
    assert_eq!(desk.work(), work);
    let now = desk
        .ledger()
        .document(desk.knowledge_base.id, again.id)
        .await
        .unwrap();
    assert_eq!(now.status, DocumentStatus::Indexed);
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_push_that_names_fewer_readers_counts_from_its_receipt_on() {
    let desk = Desk::new().await;
    desk.push("a.txt", "open").await;
    desk.process().await;
    let mut secret = document("a.txt", "open");
    secret.acl = Some(Acl::allowing(["user:ada".parse().unwrap()]));
    let receipt = desk
        .ingestion
        .push(&desk.knowledge_base, secret.clone())
        .await
        .unwrap();
    assert_eq!(Some(&receipt.document.acl), secret.acl.as_ref());
    desk.process().await;
    assert_eq!(Some(&desk.visible().await["a.txt"].1), secret.acl.as_ref());
    desk.assert_clean().await;
}

#[tokio::test]
async fn what_cannot_be_read_fails_alone_and_is_not_tried_forever() {
    let desk = Desk::new().await;
    let broken = desk.push("broken.txt", "BROKEN").await;
    desk.push("good.txt", "good").await;
    let counts = desk.process().await;
    assert_eq!((counts.failed, counts.new), (1, 1));
    let broken = desk
        .ledger()
        .document(desk.knowledge_base.id, broken.id)
        .await
        .unwrap();
    assert_eq!(broken.status, DocumentStatus::Failed);
    assert!(broken.reason.unwrap().starts_with("pdf_damaged: "));
    assert_eq!(desk.process().await, JobCounts::default());
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_document_that_is_removed_while_it_waits_stays_away() {
    let desk = Desk::new().await;
    let document = desk.push("a.txt", "text").await;
    desk.ingestion
        .remove(&desk.knowledge_base, document.id)
        .await
        .unwrap();
    assert_eq!(desk.process().await, JobCounts::default());
    assert!(desk.visible().await.is_empty());
    assert_eq!(desk.stored_files(), 0);
    let error = desk
        .ingestion
        .remove(&desk.knowledge_base, document.id)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::NotFound, "document_not_found")
    );
}

#[tokio::test]
async fn a_document_that_is_removed_while_it_is_published_stays_away() {
    let desk = Desk::new().await;
    let document = desk.push("a.txt", "text").await;
    desk.faults.plan(0, Fault::HangBefore, ErrorKind::Unavailable);
    tokio::select! {
        report = desk.ingestion.process_pending(&desk.knowledge_base) => panic!("{report:?}"),
        () = async {
            desk.faults.hung().await;
            desk.ingestion.remove(&desk.knowledge_base, document.id).await.unwrap();
        } => {}
    }
    desk.faults.clear();
    desk.ingestion.recover().await.unwrap();
    assert_eq!(desk.process().await, JobCounts::default());
    assert!(desk.visible().await.is_empty());
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_push_that_overtakes_another_in_the_pipeline_wins() {
    let desk = Desk::new().await;
    desk.push("a.txt", "first").await;
    desk.faults.plan(0, Fault::HangBefore, ErrorKind::Unavailable);
    tokio::select! {
        report = desk.ingestion.process_pending(&desk.knowledge_base) => panic!("{report:?}"),
        () = async {
            desk.faults.hung().await;
            desk.push("a.txt", "second").await;
        } => {}
    }
    desk.faults.clear();
    desk.process().await;
    assert_eq!(desk.visible().await["a.txt"].0, "second");
    desk.assert_clean().await;
}

#[tokio::test]
async fn pushes_are_found_by_words_where_the_embedder_is_lost_and_by_meaning_when_it_is_back() {
    let desk = Desk::new().await;
    desk.embedder.is_down.store(true, Ordering::Relaxed);
    desk.push("a.txt", "text").await;
    assert_eq!(desk.process().await.new, 1);
    let error = desk.ingestion.embed_pending(None).await.unwrap_err();
    assert_eq!(error.code(), "embedder_down");
    assert_eq!(
        (desk.visible().await.len(), desk.visible_by_meaning().await.len()),
        (1, 0)
    );
    desk.assert_clean().await;
    desk.embedder.is_down.store(false, Ordering::Relaxed);
    desk.ingestion.embed_pending(None).await.unwrap();
    assert_eq!(desk.visible_by_meaning().await.len(), 1);
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_removed_document_leaves_both_indexes_and_the_store() {
    let desk = Desk::new().await;
    let document = desk.push("a.txt", "text").await;
    desk.push("b.txt", "other").await;
    desk.process().await;
    desk.ingestion
        .remove(&desk.knowledge_base, document.id)
        .await
        .unwrap();
    assert_eq!(desk.visible().await.len(), 1);
    assert_eq!(desk.words.entries(desk.knowledge_base.id).len(), 1);
    assert_eq!(desk.stored_files(), 2);
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_push_without_a_key_is_refused() {
    let desk = Desk::new().await;
    for key in ["", "line\nbreak", &"x".repeat(1_025)] {
        let error = desk
            .ingestion
            .push(&desk.knowledge_base, document(key, "text"))
            .await
            .unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Invalid, "push_invalid"));
    }
}
