//! Files within a file: documents of their own, that stay and go with what they are attached to.

use std::collections::BTreeMap;

use lectern_domain::{Acl, AttributeValue, Attributes, Document, JobCounts};

use super::desk::Desk;
use super::faults::Fault;
use crate::{Cancellation, DocumentFilter, Ingestion, Progress, PushedDocument};

/// A mail with two attachments, one of which has one itself.
const MAIL: &str =
    "the mail itself\n=== plan.txt\nthe plan\n=== inner.eml\nan inner mail\n=-== deep.txt\ndeep down";

fn ada() -> Option<Acl> {
    Some(Acl::allowing(["user:ada".parse().unwrap()]))
}

async fn documents(desk: &Desk) -> BTreeMap<String, Document> {
    let filter = DocumentFilter::default();
    let page = desk
        .ledger()
        .documents(desk.knowledge_base.id, filter, None, 100)
        .await;
    let documents = page.unwrap().items.into_iter();
    documents
        .map(|document| (document.key.clone(), document))
        .collect()
}

async fn texts(desk: &Desk) -> BTreeMap<String, String> {
    let visible = desk.visible().await.into_iter();
    visible.map(|(key, (text, _))| (key, text)).collect()
}

fn expected(texts: &[(&str, &str)]) -> BTreeMap<String, String> {
    texts
        .iter()
        .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
        .collect()
}

#[tokio::test]
async fn what_is_attached_becomes_documents_with_the_readers_of_the_mail() {
    let desk = Desk::new().await;
    desk.shelf.put_for("m.eml", MAIL, ada());
    let counts = desk.sync_complete().await;
    assert_eq!((counts.scanned, counts.new), (4, 4));
    let whole = expected(&[
        ("m.eml", "the mail itself"),
        ("m.eml!/plan.txt", "the plan"),
        ("m.eml!/inner.eml", "an inner mail"),
        ("m.eml!/inner.eml!/deep.txt", "deep down"),
    ]);
    assert_eq!(texts(&desk).await, whole);
    assert!(
        desk.visible()
            .await
            .values()
            .all(|(_, acl)| Some(acl) == ada().as_ref())
    );
    let known = documents(&desk).await;
    let deep = &known["m.eml!/inner.eml!/deep.txt"];
    assert_eq!(deep.uri, "shelf:m.eml#inner.eml/deep.txt");
    let attached_to = AttributeValue::Text("m.eml!/inner.eml".to_owned());
    assert_eq!(deep.attributes["attached_to"], attached_to);
    desk.assert_clean().await;
}

#[tokio::test]
async fn an_unchanged_mail_keeps_its_attachments_unread() {
    let desk = Desk::new().await;
    desk.shelf.put("m.eml", MAIL);
    desk.sync_complete().await;
    let (work, before) = (desk.work(), texts(&desk).await);
    for has_tags in [false, true, true] {
        if has_tags {
            desk.shelf.has_tags();
        }
        let counts = desk.sync_complete().await;
        assert_eq!((counts.scanned, counts.unchanged), (4, 4));
    }
    assert_eq!((desk.work(), texts(&desk).await), (work, before));

    // Other readers of the mail are other readers of what is attached.
    desk.shelf.put_for("m.eml", MAIL, ada());
    assert_eq!(desk.sync_complete().await.metadata_only, 4);
    assert_eq!(desk.work(), work);
    assert!(
        desk.visible()
            .await
            .values()
            .all(|(_, acl)| Some(acl) == ada().as_ref())
    );
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_changed_mail_loses_what_it_no_longer_has_and_a_deleted_one_everything() {
    let desk = Desk::new().await;
    desk.shelf.put("m.eml", MAIL);
    desk.sync_complete().await;
    let changed = "the mail itself\n=== plan.txt\nthe plan\n=== plan.txt\nanother plan";
    desk.shelf.put("m.eml", changed);
    let counts = desk.sync_complete().await;
    let sums = JobCounts {
        scanned: 3,
        new: 1,
        modified: 1,
        unchanged: 1,
        deleted: 2,
        ..JobCounts::default()
    };
    assert_eq!(counts, sums);
    let left = expected(&[
        ("m.eml", "the mail itself"),
        ("m.eml!/plan.txt", "the plan"),
        ("m.eml!/plan.txt (2)", "another plan"),
    ]);
    assert_eq!(texts(&desk).await, left);
    desk.assert_clean().await;

    desk.shelf.take("m.eml");
    assert_eq!(desk.sync_complete().await.deleted, 3);
    assert!(texts(&desk).await.is_empty());
    assert_eq!(desk.stored_files(), 0);
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_broken_attachment_fails_alone_and_is_counted_while_its_mail_stays() {
    let desk = Desk::new().await;
    desk.shelf
        .put("m.eml", "the mail\n=== bad.pdf\nBROKEN\n=== good.txt\ngood");
    let counts = desk.sync_complete().await;
    assert_eq!((counts.scanned, counts.new, counts.failed), (3, 2, 1));
    let counts = desk.sync_complete().await;
    assert_eq!((counts.scanned, counts.unchanged, counts.failed), (3, 2, 1));
    // A mail that can't be read any more keeps what it had.
    desk.shelf.put("m.eml", "BROKEN\n=== good.txt\ngood");
    assert_eq!(desk.sync_complete().await.failed, 1);
    assert!(texts(&desk).await.contains_key("m.eml!/good.txt"));
    desk.shelf.put("m.eml", "\n=== good.txt\ngood");
    let counts = desk.sync_complete().await;
    assert_eq!((counts.skipped, counts.unchanged, counts.deleted), (1, 1, 1));
    desk.assert_clean().await;
}

#[tokio::test]
async fn attachments_four_deep_are_left_out() {
    let desk = Desk::new().await;
    let mail = "0\n=== 1\none\n=-== 2\ntwo\n=--== 3\nthree\n=---== 4\nfour";
    desk.shelf.put("m", mail);
    assert_eq!(desk.sync_complete().await.new, 4);
    assert!(texts(&desk).await.contains_key("m!/1!/2!/3"));
}

#[tokio::test]
async fn attachments_of_a_killed_job_are_taken_in_when_it_goes_on() {
    for call in 0..200 {
        let mut desk = Desk::new().await;
        desk.shelf
            .put("m.eml", "the mail\n=== old.txt\nold\n=== same.txt\nsame");
        desk.shelf.put("z.txt", "z");
        desk.sync_complete().await;
        desk.shelf.put(
            "m.eml",
            "the mail, changed\n=== same.txt\nother\n=== new.txt\nnew",
        );
        desk.faults
            .plan(call, Fault::HangAfter, lectern_domain::ErrorKind::Unavailable);
        let ended = tokio::select! {
            report = desk.ingestion.sync(
                &desk.knowledge_base, &desk.source, desk.shelf.clone(), Progress::new(), Cancellation::new(),
            ) => { report.unwrap(); true }
            () = desk.faults.hung() => false,
        };
        desk.faults.clear();
        if ended {
            assert!(call > 5, "the scenario makes {call} calls only");
            return;
        }
        desk.reopen().await;
        desk.ingestion.recover().await.unwrap();
        let counts = desk.sync_complete().await;
        let sums = JobCounts {
            scanned: 4,
            new: 1,
            modified: 2,
            unchanged: 1,
            deleted: 1,
            ..JobCounts::default()
        };
        assert_eq!(counts, sums, "call {call}");
        let whole = expected(&[
            ("m.eml", "the mail, changed"),
            ("m.eml!/same.txt", "other"),
            ("m.eml!/new.txt", "new"),
            ("z.txt", "z"),
        ]);
        assert_eq!(texts(&desk).await, whole, "call {call}");
        desk.assert_clean().await;
        assert_eq!(desk.sync_complete().await.unchanged, 4);
    }
    panic!("the scenario doesn't end");
}

fn pushed(text: &str) -> PushedDocument {
    PushedDocument {
        key: "m.eml".to_owned(),
        title: None,
        uri: None,
        media_type: None,
        file_name: None,
        bytes: text.as_bytes().into(),
        acl: ada(),
        attributes: Attributes::new(),
    }
}

#[tokio::test]
async fn a_pushed_mail_has_attachments_too_that_go_with_it() {
    let desk = Desk::new().await;
    let base = &desk.knowledge_base;
    desk.ingestion.push(base, pushed(MAIL)).await.unwrap();
    let report = desk.ingestion.process_pending(base).await.unwrap();
    assert_eq!(report.counts.new, 4);
    assert_eq!(texts(&desk).await.len(), 4);
    desk.ingestion
        .push(base, pushed("short\n=== plan.txt\nthe plan"))
        .await
        .unwrap();
    desk.ingestion.process_pending(base).await.unwrap();
    let left = expected(&[("m.eml", "short"), ("m.eml!/plan.txt", "the plan")]);
    assert_eq!(texts(&desk).await, left);
    desk.assert_clean().await;
    // The same again costs nothing.
    let work = desk.work();
    desk.ingestion
        .push(base, pushed("short\n=== plan.txt\nthe plan"))
        .await
        .unwrap();
    let report = desk.ingestion.process_pending(base).await.unwrap();
    assert_eq!((report.counts.scanned, report.counts.unchanged), (2, 2));
    assert_eq!(desk.work(), work);
    let id = Ingestion::pushed_document_id(base.id, "m.eml");
    desk.ingestion.remove(base, id).await.unwrap();
    assert!(texts(&desk).await.is_empty());
    desk.assert_clean().await;
}

#[tokio::test]
async fn attachments_of_a_pushed_mail_survive_a_crash() {
    for call in 0..100 {
        let mut desk = Desk::new().await;
        desk.ingestion
            .push(&desk.knowledge_base, pushed(MAIL))
            .await
            .unwrap();
        desk.faults
            .plan(call, Fault::HangAfter, lectern_domain::ErrorKind::Unavailable);
        let ended = tokio::select! {
            report = desk.ingestion.process_pending(&desk.knowledge_base) => { report.unwrap(); true }
            () = desk.faults.hung() => false,
        };
        desk.faults.clear();
        desk.reopen().await;
        let report = desk.ingestion.recover().await.unwrap();
        assert_eq!(report.pushes_wait, !ended, "call {call}");
        desk.ingestion
            .process_pending(&desk.knowledge_base)
            .await
            .unwrap();
        assert_eq!(texts(&desk).await.len(), 4, "call {call}");
        desk.assert_clean().await;
        if ended {
            assert!(call > 1, "the scenario makes {call} calls only");
            return;
        }
    }
    panic!("the scenario doesn't end");
}
