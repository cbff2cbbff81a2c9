//! A bucket is a source like any other: the real binary reads one that this process serves, what changed is read again and nothing
//! else, and a bucket that breaks off its listing loses no document.

use std::fs;
use std::time::Instant;

use serde_json::json;

use crate::harness::jobs::Job;
use crate::harness::lectern::KB;
use crate::harness::{Outcome, Server, Workplace};

#[allow(dead_code, reason = "the suite of the connector uses the rest")]
#[path = "../connectors/tests/s3/shelf.rs"]
pub mod shelf;

use shelf::{BUCKET, Shelf};

const SECRET: &str = "kept-to-ourselves-71b2";

fn sync(lectern: &Workplace) -> Outcome {
    lectern.run(["source", "sync", "--kb", KB, "bucket"])
}

/// A knowledge base with the documents of the bucket as its source, made of a configuration in a file.
fn workplace(shelf: &Shelf) -> Workplace {
    workplace_of(shelf, "docs/")
}

fn workplace_of(shelf: &Shelf, prefix: &str) -> Workplace {
    let lectern = Workplace::new();
    let (id, secret) = (lectern.elsewhere("id"), lectern.elsewhere("secret"));
    fs::write(&id, "AKIAEXAMPLE").unwrap();
    fs::write(&secret, SECRET).unwrap();
    let config = json!({
        "kind": "s3", "buckets": [format!("s3://{BUCKET}/{prefix}")], "endpoint": shelf.endpoint(), "allow_http": true,
        "credentials": {"from": "key", "id": {"file": id}, "secret": {"file": secret}},
    });
    let file = lectern.elsewhere("bucket.json");
    fs::write(&file, config.to_string()).unwrap();
    let mut add = lectern.program();
    add.args([
        "source", "add", "--create", "--kb", KB, "--name", "bucket", "--config",
    ])
    .arg(file);
    Outcome::of(add).exits(0);
    lectern
}

/// The objects that were read since the last time.
fn read(shelf: &Shelf) -> Vec<String> {
    let requests = shelf.requests();
    let gets = requests.iter().filter_map(|request| request.strip_prefix("get "));
    gets.map(str::to_owned).collect()
}

#[test]
fn a_bucket_is_kept_in_step() {
    let shelf = Shelf::new();
    shelf.put(
        "docs/lease.md",
        b"# Lease\n\nThe cellar is let to the violin maker Ansgar.\n",
    );
    shelf.put(
        "docs/plain 100%.md",
        b"# Plain\n\nThe attic is let to the astronomer Benedikta.\n",
    );
    shelf.put("docs/", b"");
    shelf.put(
        "else/other.md",
        b"# Other\n\nThe garden is let to the beekeeper Cunigunde.\n",
    );
    let sidecar = json!({ "Title": "Lease of the cellar", "Attributes": { "floor": -1 } });
    shelf.put("docs/lease.md.metadata.json", sidecar.to_string().as_bytes());
    let lectern = workplace(&shelf);

    assert_eq!(sync(&lectern).exits(0).counts().new, 2);
    assert_eq!(lectern.found("Ansgar"), ["lease.md"]);
    assert_eq!(lectern.found("Benedikta"), ["plain%20100%25.md"]);
    assert!(lectern.found("Cunigunde").is_empty(), "outside of the prefix");
    let status = lectern
        .run(["source", "status", "--kb", KB, "bucket"])
        .exits(0)
        .json();
    let documents = status["documents"].as_array().unwrap();
    let lease = documents
        .iter()
        .find(|document| document["key"] == "shelf/docs/lease.md")
        .unwrap();
    assert_eq!(
        (&lease["title"], &lease["attributes"]["floor"]),
        (&json!("Lease of the cellar"), &json!(-1.0))
    );
    assert_eq!(lease["uri"], "s3://shelf/docs/lease.md");

    // What looks the same isn't asked for.
    read(&shelf);
    assert_eq!(sync(&lectern).exits(0).counts().unchanged, 2);
    assert!(read(&shelf).is_empty());

    shelf.put(
        "docs/lease.md",
        b"# Lease\n\nThe cellar is let to the luthier Dietlinde.\n",
    );
    shelf.remove("docs/plain 100%.md");
    let counts = sync(&lectern).exits(0).counts();
    assert_eq!((counts.modified, counts.deleted), (1, 1));
    assert_eq!(read(&shelf), ["docs/lease.md", "docs/lease.md.metadata.json"]);
    assert_eq!(lectern.found("Dietlinde"), ["lease.md"]);
    assert!(lectern.found("Ansgar").is_empty() && lectern.found("Benedikta").is_empty());
    lectern.assert_sound();
}

#[test]
fn a_listing_that_breaks_off_loses_nothing_and_no_secret_is_told() {
    let shelf = Shelf::new();
    shelf.put(
        "docs/lease.md",
        b"# Lease\n\nThe cellar is let to the violin maker Ansgar.\n",
    );
    let lectern = workplace(&shelf);
    sync(&lectern).exits(0);
    shelf.requests();
    shelf.break_page(0, 403, "<Error><Code>AccessDenied</Code></Error>");
    let failed = sync(&lectern);
    assert_ne!(failed.code, 0, "{}", failed.stdout);
    assert!(
        failed.stdout.contains("AccessDenied") || failed.stderr.contains("AccessDenied"),
        "{failed:?}"
    );
    assert_eq!(lectern.found("Ansgar"), ["lease.md"]);

    let shown = lectern.run(["source", "list", "--kb", KB]).exits(0);
    for told in [&failed.stdout, &failed.stderr, &shown.stdout, &shown.stderr] {
        assert!(!told.contains(SECRET), "{told}");
    }
    for entry in fs::read_dir(lectern.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            let is_told = bytes
                .windows(SECRET.len())
                .any(|window| window == SECRET.as_bytes());
            assert!(!is_told, "{path:?} has the secret in it");
        }
    }
}

/// Objects of the large bucket where nothing else is said.
const KEYS: usize = 1_000;

/// `LECTERN_TEST_BUCKET_KEYS` makes the bucket larger. What the server has in memory of its own is shown for each tenth of the
/// bucket, not judged: it has the embedder in it, and a part of the indexes.
#[test]
fn a_large_bucket_is_taken_in_whole_and_a_second_sync_reads_nothing_of_it() {
    let set = std::env::var("LECTERN_TEST_BUCKET_KEYS").ok();
    let keys: usize = set.map_or(KEYS, |keys| keys.parse().unwrap());
    let shelf = Shelf::new();
    shelf.number(keys);
    let lectern = workplace_of(&shelf, "numbered/");
    let server = Server::start(&lectern);
    for (times, wanted) in [("first", "new"), ("second", "unchanged")] {
        let (start, mut words) = (Instant::now(), None);
        let mut most_mib = [0; 11];
        let ended = Job::sync(&server, "bucket").follow(|now| {
            let done = now["counts"]["scanned"].as_u64().unwrap() as usize;
            let most = &mut most_mib[done * 10 / keys];
            *most = server.own_memory_mib().max(*most);
            if words.is_none() && now["progress"]["words_complete"] == true {
                words = Some(start.elapsed());
            }
            now["state"] == "complete"
        });
        println!(
            "{times} sync of {keys} objects: {:.1?}, words after {words:.1?}, MiB at the most by tenths {most_mib:?}",
            start.elapsed()
        );
        assert_eq!(ended["counts"][wanted], keys, "{ended:#}");
        let read = read(&shelf);
        let objects = read.iter().filter(|key| !key.ends_with(".metadata.json")).count();
        assert_eq!(objects, if wanted == "new" { keys } else { 0 });
        assert!(wanted == "new" || read.is_empty(), "{read:?}");
    }
    let last = keys - 1;
    let passages = server.post(
        &format!("/knowledge-bases/{KB}/search"),
        &json!({ "text": format!("document number {last}"), "mode": "lexical" }),
    );
    let first = &passages.is(200).json()["passages"][0];
    assert_eq!(first["text"], format!("Document number {last}."), "{first:#}");
}
