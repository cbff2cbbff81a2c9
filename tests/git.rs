//! A Git repository: what is committed is found, with its author and its dates; what a commit deletes isn't, and what is only
//! saved never is.

use serde_json::{Value, json};

use crate::harness::lectern::KB;
use crate::harness::{Outcome, Workplace};

#[path = "../connectors/git/tests/repository/mod.rs"]
mod repository;

use repository::{LINK, Repository, Signature, hex};

fn sync(lectern: &Workplace) -> Outcome {
    lectern.run(["source", "sync", "--kb", KB, "handbook"])
}

/// A repository with two commits, and a source of it.
fn workplace() -> (Workplace, Repository) {
    let lectern = Workplace::new();
    let checkout = lectern.elsewhere("handbook");
    let repository = Repository::new(&checkout);
    repository.put(
        "keys.md",
        b"# Keys\n\nThe keys of the lighthouse hang behind the barometer.\n",
    );
    repository.put(
        "boats/ferry.md",
        b"# Ferry\n\nThe ferry to Skagen leaves at dawn.\n",
    );
    repository.put_as(b"link.md", LINK, repository.blob(b"/etc/passwd"));
    repository.commit_to_main(Signature::new("Ada Lovelace", 0));
    repository.put(
        "keys.md",
        b"# Keys\n\nThe keys of the lighthouse hang behind the hygrometer.\n",
    );
    repository.commit_to_main(Signature::new("Theodora", 24));
    std::fs::write(checkout.join("draft.md"), "The anchor weighs nine tons.").unwrap();

    let config = lectern.elsewhere("git.toml");
    let text = format!(
        "kind = \"git\"\nrepository = {checkout:?}\nreference = \"main\"\nweb_url = \"https://git.example/a/b\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let mut add = lectern.program();
    add.args([
        "--json", "source", "add", "--create", "--kb", KB, "--name", "handbook", "--config",
    ])
    .arg(config);
    let added = Outcome::of(add).exits(0).json();
    assert_eq!(added["source"]["kind"], "git", "{added:#}");
    (lectern, repository)
}

#[test]
fn what_is_committed_is_found_with_its_author_and_what_a_commit_deletes_is_not() {
    let (lectern, repository) = workplace();
    let job = sync(&lectern).exits(0);
    let counts = job.counts();
    assert_eq!((counts.new, counts.skipped, counts.failed), (2, 1, 0));
    assert_eq!(job.problem("link.md").0, "link_not_followed");
    assert_eq!(lectern.found("anchor"), [""; 0], "it is only saved");
    assert_eq!(lectern.found("barometer"), [""; 0], "it was changed");

    let passage = lectern.search("lexical", "hygrometer")[0].clone();
    let second = repository.main().unwrap();
    let address = format!("https://git.example/a/b/blob/{}/keys.md", hex(&second));
    assert_eq!(passage["uri"], address, "{passage:#}");
    let status = lectern
        .run(["source", "status", "--kb", KB, "handbook"])
        .exits(0)
        .json();
    let documents = status["documents"].as_array().unwrap();
    let keys = documents
        .iter()
        .find(|document| document["key"] == "keys.md")
        .unwrap();
    let attributes = &keys["attributes"];
    for (name, value) in [
        ("author", json!(["Theodora", "Ada Lovelace"])),
        ("created", json!("2024-01-01T00:00:00Z")),
        ("modified", json!("2024-01-02T00:00:00Z")),
        ("branch", json!("main")),
        ("commit", json!(hex(&second))),
    ] {
        assert_eq!(attributes[name], value, "{name}");
    }

    assert_eq!(
        scanned(&sync(&lectern).exits(0)),
        json!(0),
        "nothing was committed since"
    );
    repository.remove("keys.md");
    repository.put(
        "boats/rowing.md",
        b"# Rowing\n\nThe rowing boat is called Halcyon.\n",
    );
    repository.commit_to_main(Signature::new("Bo", 48));
    let job = sync(&lectern).exits(0);
    let counts = job.counts();
    assert_eq!((counts.new, counts.modified, counts.deleted), (1, 0, 1));
    assert_eq!(scanned(&job), json!(1), "only what differs is listed");
    assert_eq!(lectern.found("hygrometer"), [""; 0]);
    assert_eq!(lectern.found("Halcyon"), ["rowing.md"]);
    assert_eq!(lectern.found("Skagen"), ["ferry.md"]);
    lectern.assert_sound();
}

fn scanned(job: &Outcome) -> Value {
    job.json()["job"]["counts"]["scanned"].clone()
}
