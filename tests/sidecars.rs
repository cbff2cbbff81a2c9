//! `NAME.metadata.json` says what is known about `NAME`: in both forms of Amazon's services, from the next sync on, and
//! never as a document.

use serde_json::{Value, json};

use crate::harness::lectern::KB;
use crate::harness::{Outcome, Workplace};

fn sync(lectern: &Workplace) -> Outcome {
    lectern.run(["source", "sync", "--kb", KB, "leases"])
}

fn workplace() -> Workplace {
    let lectern = Workplace::new();
    lectern.write(
        "lease.md",
        "# A heading\n\nThe cellar is let to the violin maker Ansgar.\n",
    );
    lectern.write(
        "plain.md",
        "# Plain\n\nThe attic is let to the astronomer Benedikta.\n",
    );
    let mut add = lectern.program();
    add.args(["source", "add", "--create", "--kb", KB, "--name", "leases"])
        .arg(lectern.documents());
    Outcome::of(add).exits(0);
    lectern
}

/// The document of that key, as the ledger knows it.
fn document(lectern: &Workplace, key: &str) -> Value {
    let status = lectern
        .run(["source", "status", "--kb", KB, "leases"])
        .exits(0)
        .json();
    let documents = status["documents"].as_array().unwrap().clone();
    let found = documents.into_iter().find(|document| document["key"] == key);
    found.unwrap_or_else(|| panic!("{key} is not known: {status:#}"))
}

fn describe(lectern: &Workplace, sidecar: &Value) {
    lectern.write("lease.md.metadata.json", sidecar.to_string());
}

#[test]
fn a_sidecar_gives_title_attributes_and_readers_and_its_changes_are_noticed() {
    let lectern = workplace();
    describe(
        &lectern,
        &json!({ "metadataAttributes": { "floor": -1, "tags": ["cellar", "music"],
                 "street": { "value": { "type": "STRING", "stringValue": "Harbour Road" } } } }),
    );
    assert_eq!(sync(&lectern).exits(0).counts().new, 2);
    let attributes = document(&lectern, "lease.md")["attributes"].clone();
    assert_eq!(attributes["floor"], json!(-1.0));
    assert_eq!(attributes["tags"], json!(["cellar", "music"]));
    assert_eq!(attributes["street"], "Harbour Road");
    assert_eq!(lectern.found("Ansgar"), ["lease.md"]);
    assert_eq!(lectern.found("Harbour"), [""; 0], "a sidecar is no document");

    // Other attributes alone: nothing is read anew.
    describe(&lectern, &json!({ "metadataAttributes": { "floor": 3 } }));
    let counts = sync(&lectern).exits(0).json()["job"]["counts"].clone();
    assert_eq!(
        (&counts["metadata_only"], &counts["modified"]),
        (&json!(1), &json!(0))
    );
    let attributes = document(&lectern, "lease.md")["attributes"].clone();
    assert_eq!(
        (&attributes["floor"], &attributes["tags"]),
        (&json!(3.0), &Value::Null)
    );

    // A title and readers, as Kendra writes them: from then on only the board finds it.
    describe(
        &lectern,
        &json!({ "Title": "Lease of the cellar", "Attributes": { "_source_uri": "https://intranet.example/7" },
                 "AccessControlList": [{ "Name": "board", "Type": "GROUP", "Access": "ALLOW" }] }),
    );
    assert_eq!(sync(&lectern).exits(0).counts().modified, 1);
    let lease = document(&lectern, "lease.md");
    assert_eq!(lease["title"], "Lease of the cellar");
    assert_eq!(lease["uri"], "https://intranet.example/7");
    assert_eq!(lease["acl"]["allow"], json!(["group:board"]));
    assert_eq!(lectern.found("Ansgar"), [""; 0]);
    assert_eq!(lectern.found("Benedikta"), ["plain.md"]);

    // Without it, the document is what it was.
    lectern.remove("lease.md.metadata.json");
    sync(&lectern).exits(0);
    let lease = document(&lectern, "lease.md");
    assert_eq!(lease["title"], "A heading");
    assert_eq!(lectern.found("Ansgar"), ["lease.md"]);
    lectern.assert_sound();
}

#[test]
fn a_broken_sidecar_fails_its_document_and_opens_it_to_nobody() {
    let lectern = workplace();
    describe(&lectern, &json!({ "AccesControlList": [] }));
    lectern.write("gone.md.metadata.json", "{}");
    let job = sync(&lectern).exits(4);
    let counts = job.counts();
    assert_eq!((counts.new, counts.failed, counts.skipped), (1, 1, 1));
    let (code, reason) = job.problem("lease.md");
    assert_eq!(code, "sidecar_invalid");
    assert!(reason.contains("unknown field `AccesControlList`"), "{reason}");
    assert_eq!(job.problem("gone.md.metadata.json").0, "sidecar_alone");
    assert_eq!(lectern.found("Ansgar"), [""; 0]);

    // Mended, it is taken in.
    describe(&lectern, &json!({}));
    assert_eq!(sync(&lectern).exits(0).counts().new, 1);
    assert_eq!(lectern.found("Ansgar"), ["lease.md"]);
    lectern.assert_sound();
}
