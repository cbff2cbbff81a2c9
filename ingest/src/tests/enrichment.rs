//! A source's rules in the pipeline: what they take out is nowhere, what they drop is gone, what they set stays.

use lectern_domain::{Acl, AttributeValue, Attributes, Document, DocumentId, DocumentStatus, JobCounts};
use serde_json::json;

use super::desk::Desk;

/// What must be found nowhere.
const SECRET: &str = "ada@example.org";

impl Desk {
    /// Gives the source these rules, from the next sync on.
    fn rules(&mut self, rules: serde_json::Value) {
        self.source.settings.enrichment = serde_json::from_value(json!({ "rules": rules })).unwrap();
    }

    async fn document(&self, key: &str) -> Document {
        let id = DocumentId::derive(self.source.id, key);
        self.ledger().document(self.knowledge_base.id, id).await.unwrap()
    }

    /// Everything that is kept: the data folder's files byte for byte, and the entries of both indexes.
    fn kept(&self) -> Vec<u8> {
        let mut kept = Vec::new();
        let mut folders = vec![self.folder()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => kept.extend(std::fs::read(path).unwrap()),
                }
            }
        }
        for index in [&self.words, &self.vectors] {
            kept.extend(format!("{:?}", index.entries(self.knowledge_base.id)).into_bytes());
        }
        kept
    }

    fn keeps(&self, text: &str) -> bool {
        let kept = self.kept();
        kept.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::Text(value.to_owned())
}

fn redact() -> serde_json::Value {
    json!([{ "name": "personal", "actions": [{ "redact": { "kind": "email" } }] }])
}

#[tokio::test]
async fn what_is_redacted_reaches_no_file_and_no_index() {
    let mut desk = Desk::new().await;
    desk.rules(redact());
    desk.shelf
        .put("a.txt", &format!("Ask {SECRET} about it\n\nor nobody"));
    let author = ("author".to_owned(), text(SECRET));
    desk.shelf.describe("a.txt", Attributes::from([author]));
    // Attached files go through the same rules.
    desk.shelf.put(
        "mail.txt",
        &format!("a mail\n=== note.txt\nwritten by {SECRET} today"),
    );
    assert_eq!(desk.sync_complete().await.new, 3);

    assert!(!desk.keeps(SECRET));
    assert_eq!(
        desk.visible().await["a.txt"].0,
        "Ask [email] about it\n\nor nobody"
    );
    assert_eq!(desk.document("a.txt").await.attributes["author"], text("[email]"));
    desk.assert_clean().await;

    // Not with a later sync that finds nothing changed, either, nor with one that finds other readers.
    assert_eq!(desk.sync_complete().await.unchanged, 3);
    let ada = Some(Acl::allowing(["user:ada".parse().unwrap()]));
    let author = ("author".to_owned(), text(SECRET));
    desk.shelf
        .put_for("a.txt", &format!("Ask {SECRET} about it\n\nor nobody"), ada);
    desk.shelf.describe("a.txt", Attributes::from([author]));
    assert_eq!(desk.sync_complete().await.metadata_only, 1);
    assert_eq!(desk.document("a.txt").await.attributes["author"], text("[email]"));
    assert!(!desk.keeps(SECRET));
    desk.assert_clean().await;
}

#[tokio::test]
async fn new_rules_reach_documents_that_are_there_already() {
    let mut desk = Desk::new().await;
    desk.shelf.put("a.txt", &format!("Ask {SECRET} about it"));
    desk.shelf.put("b.txt", "nothing in it");
    desk.sync_complete().await;
    assert_eq!(desk.visible().await, desk.on_shelf());

    desk.rules(redact());
    assert_eq!(desk.sync_complete().await.modified, 2);
    assert_eq!(desk.visible().await["a.txt"].0, "Ask [email] about it");
    assert_eq!(desk.sync_complete().await.unchanged, 2);
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_dropped_document_is_skipped_by_the_rules_name_and_taken_out_if_it_was_there() {
    let mut desk = Desk::new().await;
    desk.shelf.put("draft.txt", "not ready");
    desk.shelf.put("final.txt", "ready");
    desk.sync_complete().await;

    desk.rules(json!([{
        "name": "no drafts",
        "when": [{ "attribute": "path", "glob": "draft*" }],
        "actions": ["drop"],
    }]));
    let report = desk.sync().await;
    let expected = JobCounts {
        scanned: 2,
        modified: 1,
        skipped: 1,
        ..JobCounts::default()
    };
    assert_eq!(report.job.counts, expected);
    assert_eq!(report.problems[0].code, "dropped_by_rule");
    assert!(report.problems[0].reason.contains("\"no drafts\""));
    assert_eq!(
        desk.visible().await.into_keys().collect::<Vec<_>>(),
        ["final.txt"]
    );
    assert!(!desk.keeps("not ready"));
    let draft = desk.document("draft.txt").await;
    assert_eq!(
        (draft.status, draft.current_version),
        (DocumentStatus::Skipped, None)
    );
    desk.assert_clean().await;

    desk.rules(json!([]));
    desk.sync_complete().await;
    assert_eq!(desk.visible().await, desk.on_shelf());
    desk.assert_clean().await;
}

#[tokio::test]
async fn what_rules_make_of_attributes_follows_the_source_and_stays_in_between() {
    let mut desk = Desk::new().await;
    desk.rules(json!([
        { "name": "names", "actions": [{ "map": { "attribute": "unit", "values": { "hr": "Human Resources" } } }] },
        { "name": "title", "actions": [{ "derive": { "attribute": "title", "from": "text", "pattern": "^(.*)\n" } }] },
    ]));
    desk.shelf.put("a.txt", "A good title\n\nand more");
    desk.shelf
        .describe("a.txt", Attributes::from([("unit".to_owned(), text("hr"))]));
    desk.sync_complete().await;
    for _ in 0..2 {
        let document = desk.document("a.txt").await;
        assert_eq!(document.attributes["unit"], text("Human Resources"));
        assert_eq!(document.title, "A good title");
        assert_eq!(desk.sync_complete().await.unchanged, 1);
    }
    desk.shelf
        .describe("a.txt", Attributes::from([("unit".to_owned(), text("it"))]));
    assert_eq!(desk.sync_complete().await.modified, 1);
    assert_eq!(desk.document("a.txt").await.attributes["unit"], text("it"));
    desk.assert_clean().await;
}

#[tokio::test]
async fn without_rules_other_attributes_of_the_source_make_nothing_again() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", "some text");
    desk.sync_complete().await;
    let work = desk.work();
    desk.shelf
        .describe("a.txt", Attributes::from([("unit".to_owned(), text("hr"))]));
    assert_eq!(desk.sync_complete().await.metadata_only, 1);
    assert_eq!(desk.document("a.txt").await.attributes["unit"], text("hr"));
    desk.shelf.describe("a.txt", Attributes::new());
    assert_eq!(desk.sync_complete().await.metadata_only, 1);
    assert!(!desk.document("a.txt").await.attributes.contains_key("unit"));
    assert_eq!(desk.work(), work);
}
