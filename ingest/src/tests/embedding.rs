//! The second step of a version: what is embedded, in which order, and what happens to a document meanwhile.

use std::sync::atomic::Ordering;

use lectern_domain::{Acl, DocumentId, ErrorKind, Searchable};

use super::desk::Desk;
use super::faults::Fault;
use crate::failpoints::arm;
use crate::{Cancellation, DocumentFilter, Progress};

const LONG: &str = "one two three four five six seven eight\n\nnine ten eleven twelve thirteen fourteen fifteen sixteen\n\n\
                    seventeen eighteen nineteen twenty and some words more";

impl Desk {
    async fn on_record(&self, key: &str) -> lectern_domain::Document {
        let id = DocumentId::derive(self.source.id, key);
        self.ledger().document(self.knowledge_base.id, id).await.unwrap()
    }

    fn embedded(&self) -> usize {
        self.embedder.embedded.load(Ordering::Relaxed)
    }

    /// Syncs while the embedder is down: all is found by words only.
    async fn sync_words(&self) {
        self.embedder.is_down.store(true, Ordering::Relaxed);
        self.sync().await;
        self.embedder.is_down.store(false, Ordering::Relaxed);
    }

    async fn embed(&self) {
        self.ingestion
            .embed_pending(Some(self.knowledge_base.id))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_document_is_found_by_words_first_and_says_so() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", LONG);
    desk.sync_words().await;
    assert_eq!(desk.on_record("a.txt").await.searchable, Searchable::Words);
    assert_eq!(desk.visible().await, desk.on_shelf());
    let report = desk.fsck().await;
    assert!(report.clean, "what waits is no fault: {report:#?}");
    assert_eq!(
        (report.checks[0].words_only, report.checks[0].embedded_chunks),
        (1, 0)
    );

    desk.embed().await;
    assert_eq!(
        desk.on_record("a.txt").await.searchable,
        Searchable::WordsAndMeaning
    );
    assert_eq!(desk.visible_by_meaning().await, desk.on_shelf());
    desk.assert_clean().await;
    desk.shelf.take("a.txt");
    desk.sync_complete().await;
    assert!(desk.vectors.entries(desk.knowledge_base.id).is_empty());
}

#[tokio::test]
async fn a_chunk_whose_text_is_known_is_not_embedded_again_even_when_it_moved() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", LONG);
    desk.sync_complete().await;
    assert_eq!(desk.embedded(), 3);

    // A paragraph more in front: the others move.
    desk.shelf.put(
        "a.txt",
        &format!("here is one paragraph more to be read\n\n{LONG}"),
    );
    let progress = Progress::new();
    let report = desk.sync_with(progress.clone(), Cancellation::new()).await;
    assert_eq!(report.job.counts.modified, 1);
    assert_eq!((report.chunks_embedded, report.chunks_reused), (1, 3));
    assert_eq!(desk.embedded(), 4);
    assert_eq!(progress.snapshot().documents_embedded, 1);

    // What is left of it keeps its vectors, the rest loses them.
    desk.shelf.put("a.txt", LONG);
    desk.sync_complete().await;
    assert_eq!(desk.embedded(), 4);
    assert_eq!(desk.visible_by_meaning().await, desk.on_shelf());
    let kept = desk.ledger().tamper("UPDATE vectors SET model = model").await;
    assert_eq!(kept, 3, "one vector for each chunk");
    desk.assert_clean().await;
}

#[tokio::test]
async fn the_same_chunk_in_one_document_is_embedded_once() {
    let desk = Desk::new().await;
    let same = "the same eight words stand here once more";
    desk.shelf.put("a.txt", &format!("{same}\n\n{same}\n\n{same}"));
    let report = desk.sync().await;
    assert_eq!((report.chunks_embedded, report.chunks_reused), (1, 2));
    assert_eq!(desk.visible_by_meaning().await, desk.on_shelf());
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_crash_after_embedding_costs_no_embedding() {
    for name in [
        "vectors.upsert.before",
        "vectors.commit.before",
        "mark.before",
        "mark.after",
    ] {
        let mut desk = Desk::new().await;
        desk.shelf.put("a.txt", LONG);
        {
            let _armed = arm(name, "return(error)");
            let report = desk.sync().await;
            // Once its versions are marked the job has everything it waits for.
            let has_failed = report
                .job
                .reason
                .is_some_and(|reason| reason.starts_with("failpoint: "));
            assert_eq!(has_failed, name != "mark.after", "{name}");
        }
        assert_eq!(desk.embedded(), 3);
        desk.vectors.lose_uncommitted();
        desk.reopen().await;
        desk.ingestion.recover().await.unwrap();
        desk.sync_complete().await;
        assert_eq!(desk.embedded(), 3, "{name}");
        assert_eq!(desk.visible_by_meaning().await, desk.on_shelf(), "{name}");
        desk.assert_clean().await;
    }
}

#[tokio::test]
async fn a_document_that_changes_while_it_is_embedded_ends_as_its_new_version() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", LONG);
    desk.sync_words().await;
    desk.embedder.is_held.store(true, Ordering::Relaxed);
    let change = async {
        desk.embedder.came.notified().await;
        desk.embedder.is_held.store(false, Ordering::Relaxed);
        desk.shelf.put("a.txt", "a new text that is short");
        // Its words are published while the old text is at the embedder.
        let other = async {
            let (progress, cancel) = (Progress::new(), Cancellation::new());
            desk.ingestion
                .sync(
                    &desk.knowledge_base,
                    &desk.source,
                    desk.shelf.clone(),
                    progress,
                    cancel,
                )
                .await
        };
        let let_go = async {
            tokio::task::yield_now().await;
            desk.embedder.let_go.notify_waiters();
            desk.embedder.let_go.notify_one();
        };
        let (report, ()) = tokio::join!(other, let_go);
        report.unwrap();
    };
    tokio::join!(desk.embed(), change);
    assert_eq!(desk.visible().await, desk.on_shelf());
    desk.embed().await;
    assert_eq!(desk.visible_by_meaning().await, desk.on_shelf());
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_document_that_is_deleted_while_it_is_embedded_leaves_nothing() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", LONG);
    desk.sync_words().await;
    let id = desk.on_record("a.txt").await.id;
    desk.embedder.is_held.store(true, Ordering::Relaxed);
    let delete = async {
        desk.embedder.came.notified().await;
        desk.ingestion.remove(&desk.knowledge_base, id).await.unwrap();
        desk.embedder.is_held.store(false, Ordering::Relaxed);
        desk.embedder.let_go.notify_one();
    };
    tokio::join!(desk.embed(), delete);
    assert!(desk.visible().await.is_empty());
    assert!(desk.vectors.entries(desk.knowledge_base.id).is_empty(), "a ghost");
    let orphans = desk.ledger().tamper("UPDATE vectors SET model = model").await;
    assert_eq!(orphans, 0, "a vector that nobody needs");
    desk.assert_clean().await;
}

#[tokio::test]
async fn the_readers_of_the_moment_are_those_that_the_vectors_get() {
    let desk = Desk::new().await;
    desk.shelf.put_for("a.txt", LONG, Some(Acl::everyone()));
    desk.sync_words().await;
    let ada = Acl::allowing(["user:ada".parse().unwrap()]);
    desk.shelf.put_for("a.txt", LONG, Some(ada));
    desk.sync_complete().await;
    assert_eq!(desk.visible_by_meaning().await, desk.on_shelf());
    desk.assert_clean().await;
}

#[tokio::test]
async fn what_was_asked_for_is_embedded_first_then_the_newest() {
    let mut desk = Desk::new().await;
    for number in 0..40 {
        desk.shelf
            .put(&format!("{number:02}.txt"), &format!("text number {number:02}"));
    }
    desk.sync_words().await;
    // Of several documents at once it isn't known which reaches the embedder first.
    desk.reopen_with(|settings| settings.documents_embedding = 1)
        .await;
    let id = desk.on_record("07.txt").await.id;
    desk.ingestion
        .embedding_demand()
        .asked_for(desk.knowledge_base.id, &[id]);
    desk.embed().await;
    let texts = desk.embedder.texts.lock().unwrap().clone();
    assert_eq!(texts.len(), 40);
    assert!(texts[0].contains("text number 07"), "{texts:?}");
}

#[tokio::test]
async fn a_lost_index_of_vectors_leaves_words_alone_and_is_told() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", LONG);
    // The first two calls are those of the index of words.
    desk.faults.plan(2, Fault::ErrorBefore, ErrorKind::Unavailable);
    let report = desk.sync().await;
    assert!(desk.faults.clear());
    assert!(report.job.reason.unwrap().starts_with("index_down: "));
    assert_eq!(desk.visible().await, desk.on_shelf());
    desk.sync_complete().await;
    assert_eq!(desk.visible_by_meaning().await, desk.on_shelf());
    assert_eq!(desk.embedded(), 3, "what was embedded is kept");
}

#[tokio::test]
async fn a_stopped_job_leaves_what_it_published_and_says_how_far_it_came() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", LONG);
    desk.embedder.is_held.store(true, Ordering::Relaxed);
    let cancel = Cancellation::new();
    let stop = async {
        desk.embedder.came.notified().await;
        cancel.cancel();
    };
    let (report, ()) = tokio::join!(desk.sync_with(Progress::new(), cancel.clone()), stop);
    let reason = report.job.reason.unwrap();
    assert!(reason.starts_with("stopped: "), "{reason}");
    desk.embedder.is_held.store(false, Ordering::Relaxed);
    assert_eq!(desk.visible().await, desk.on_shelf());
    let filter = DocumentFilter::default();
    let page = desk
        .ledger()
        .documents(desk.knowledge_base.id, filter, None, 10)
        .await;
    assert_eq!(page.unwrap().items[0].searchable, Searchable::Words);
    desk.embed().await;
    desk.assert_clean().await;
}
