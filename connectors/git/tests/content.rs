//! What is read of a repository: which files, under which keys and addresses, of which branch.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod listed;
mod repository;

use lectern_connector_git::GitConfig;
use lectern_domain::ErrorKind;
use lectern_domain::ports::{Connector, SourceItem};
use listed::{fetch, list, list_since, open, shown};
use repository::{LINK, PROGRAM, Repository, SUBMODULE, Signature, hex};

const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";

fn by(name: &str, hour: i64) -> Signature<'_> {
    Signature::new(name, hour)
}

fn place() -> (tempfile::TempDir, Repository, GitConfig) {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::new(folder.path());
    let config = GitConfig::new(folder.path().to_owned());
    (folder, repository, config)
}

#[tokio::test]
async fn only_text_that_is_committed_is_read() {
    let (folder, repository, config) = place();
    repository.put("a.md", b"text");
    repository.put("latin.txt", b"caf\xe9");
    repository.put_as(b"tool.sh", PROGRAM, repository.blob(b"#!/bin/sh\n"));
    repository.put_as(b"link", LINK, repository.blob(b"/etc/passwd"));
    repository.put_as(b"module", SUBMODULE, [7; 20]);
    repository.put("picture.png", b"\x89PNG\0");
    repository.put("large.bin", &[b'x'; 5000]);
    repository.put("pointer.psd", POINTER);
    let mut late = vec![b'x'; 8000];
    late.push(0);
    repository.put("late.txt", &late);
    repository.put(".hidden/b.md", b"x");
    repository.commit_to_main(by("Ada", 0));
    std::fs::write(folder.path().join("a.md"), "written and not committed").unwrap();
    std::fs::write(folder.path().join("draft.md"), "not committed").unwrap();

    let config = GitConfig {
        max_file_bytes: 10_000,
        ..config
    };
    let listed = list(&open(&config)).await;
    assert_eq!(
        listed.keys(),
        ["a.md", "large.bin", "late.txt", "latin.txt", "tool.sh"]
    );
    let skipped: Vec<(&str, &str)> = listed
        .skipped
        .iter()
        .map(|(key, code)| (key.as_str(), *code))
        .collect();
    let expected = [
        ("link", "link_not_followed"),
        ("module", "submodule"),
        ("picture.png", "not_text"),
        ("pointer.psd", "lfs_pointer"),
    ];
    assert_eq!(skipped, expected);
    let connector = open(&config);
    assert_eq!(fetch(&connector, "a.md").await.unwrap().0, b"text");
    assert_eq!(fetch(&connector, "latin.txt").await.unwrap().0, b"caf\xe9");
    assert_eq!(listed.items["large.bin"].size_bytes, Some(5000));
    for key in ["link", "module", "draft.md", ".hidden/b.md", ".git/config"] {
        assert_eq!(
            fetch(&connector, key).await.unwrap_err().kind,
            ErrorKind::NotFound,
            "{key}"
        );
    }
    assert_eq!(
        fetch(&connector, "picture.png").await.unwrap_err().code,
        "not_text"
    );
    let small = GitConfig {
        max_file_bytes: 4999,
        ..config
    };
    assert_eq!(list(&open(&small)).await.skipped["large.bin"], "too_large");
    let error = fetch(&open(&small), "large.bin").await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::TooLarge, "too_large"));
}

#[tokio::test]
async fn patterns_and_hidden_names_are_those_of_files() {
    let (_folder, repository, config) = place();
    for name in [
        "a.md",
        "a.txt",
        "drafts/a.md",
        "docs/deep/a.md",
        "docs/deep/a.tmp",
        ".github/a.md",
    ] {
        repository.put(name, b"x");
    }
    repository.commit_to_main(by("Ada", 0));
    let with = |include: &[&str], exclude: &[&str], hidden| GitConfig {
        include: include.iter().map(ToString::to_string).collect(),
        exclude: exclude.iter().map(ToString::to_string).collect(),
        hidden,
        ..config.clone()
    };
    for (config, expected) in [
        (
            with(&["*.md"], &["drafts/"], false),
            vec!["a.md", "docs/deep/a.md"],
        ),
        (with(&["/docs/"], &["*.tmp"], false), vec!["docs/deep/a.md"]),
        (
            with(&["*.md"], &["/docs/"], true),
            vec![".github/a.md", "a.md", "drafts/a.md"],
        ),
    ] {
        assert_eq!(list(&open(&config)).await.keys(), expected);
    }
    let wrong = with(&[], &["a["], false);
    let error = lectern_connector_git::GitConnector::new(wrong).unwrap_err();
    assert_eq!(error.code(), "pattern_invalid");
}

#[tokio::test]
async fn names_that_are_no_text_have_keys_and_addresses() {
    let (folder, repository, config) = place();
    repository.put_as(b"caf\xe9/100%.md", repository::FILE, repository.blob(b"x"));
    let commit = repository.commit_to_main(by("Ada", 0));
    let listed = list(&open(&config)).await;
    let item = &listed.items["caf%E9/100%25.md"];
    let root = folder.path().canonicalize().unwrap();
    assert_eq!(item.uri, format!("file://{}/caf%E9/100%25.md", root.display()));
    let fetched = open(&config).fetch(item).await.unwrap();
    assert_eq!(
        (&*fetched.bytes, fetched.file_name.as_str()),
        (b"x".as_slice(), "100%.md")
    );

    let web = GitConfig {
        web_url: Some("https://git.example/ada/handbook/".to_owned()),
        ..config
    };
    let listed = list(&open(&web)).await;
    let expected = format!(
        "https://git.example/ada/handbook/blob/{}/caf%E9/100%25.md",
        hex(&commit)
    );
    assert_eq!(listed.items["caf%E9/100%25.md"].uri, expected);
    repository.put("other.md", b"x");
    repository.commit_to_main(by("Bo", 1));
    let since = list_since(&open(&web), &listed).await;
    assert_eq!(
        since.keys(),
        ["other.md"],
        "an address doesn't change with every commit"
    );
    std::fs::write(repository.git.join("shallow"), hex(&commit)).unwrap();
    let expected = "https://git.example/ada/handbook/blob/main/caf%E9/100%25.md";
    assert_eq!(list(&open(&web)).await.items["caf%E9/100%25.md"].uri, expected);
}

#[tokio::test]
async fn mail_addresses_are_kept_where_they_are_asked_for() {
    let (_folder, repository, config) = place();
    repository.put("a.md", b"1");
    repository.commit_to_main(by("Ada Lovelace", 0));
    repository.put("a.md", b"2");
    repository.commit_to_main(by("bo@corp.example", 1));
    let author = async |config: &GitConfig| shown(&fetch(&open(config), "a.md").await.unwrap().1, "author");
    assert_eq!(author(&config).await, "bo, Ada Lovelace");
    let without = list(&open(&config)).await;
    let with = GitConfig {
        emails: true,
        ..config
    };
    let expected = "bo@corp.example <bo@corp.example@example.com>, Ada Lovelace <ada.lovelace@example.com>";
    assert_eq!(author(&with).await, expected);
    assert_ne!(list(&open(&with)).await.tag("a.md"), without.tag("a.md"));
}

#[tokio::test]
async fn a_reference_is_a_branch_a_tag_or_a_remote_branch() {
    let (_folder, repository, config) = place();
    let commit = |name: &str| {
        repository.clear();
        repository.put(name, b"x");
        repository.commit(&[], by("Ada", 0))
    };
    let main = commit("main.md");
    repository.set("refs/heads/main", &main);
    repository.set("refs/heads/topic/new", &commit("topic.md"));
    repository.set("refs/remotes/origin/main", &commit("remote.md"));
    let tagged = commit("tagged.md");
    let tag = format!("object {}\ntype commit\ntag v1\n\nmessage\n", hex(&tagged));
    let tag = repository.object("tag", tag.as_bytes());
    let packed = commit("packed.md");
    let lines = format!(
        "# pack-refs with: peeled fully-peeled sorted\n{} refs/heads/packed\n{} refs/tags/v1\n^{}\n{} refs/heads/main\n",
        hex(&packed),
        hex(&tag),
        hex(&tagged),
        hex(&packed),
    );
    std::fs::write(repository.git.join("packed-refs"), lines).unwrap();
    for (reference, key, branch) in [
        ("HEAD", "main.md", "main"),
        ("main", "main.md", "main"),
        ("refs/heads/main", "main.md", "main"),
        ("topic/new", "topic.md", "topic/new"),
        ("origin/main", "remote.md", "origin/main"),
        ("packed", "packed.md", "packed"),
        ("v1", "tagged.md", "v1"),
        ("refs/tags/v1", "tagged.md", "v1"),
    ] {
        let config = GitConfig {
            reference: reference.to_owned(),
            ..config.clone()
        };
        assert_eq!(list(&open(&config)).await.keys(), [key], "{reference}");
        let (_, attributes) = fetch(&open(&config), key).await.unwrap();
        assert_eq!(shown(&attributes, "branch"), branch);
    }
    std::fs::write(repository.git.join("HEAD"), hex(&tagged)).unwrap();
    let (_, attributes) = fetch(&open(&config), "tagged.md").await.unwrap();
    assert_eq!(shown(&attributes, "branch"), "-", "a commit is checked out");
}

#[tokio::test]
async fn a_bare_repository_and_the_folder_in_a_checkout_are_repositories() {
    let (folder, repository, config) = place();
    repository.put("a.md", b"x");
    repository.commit_to_main(by("Ada", 0));
    let inner = GitConfig::new(folder.path().join(".git"));
    assert_eq!(list(&open(&inner)).await.items, list(&open(&config)).await.items);

    let bare = tempfile::tempdir().unwrap();
    let repository = Repository::bare(bare.path());
    repository.put("a.md", b"x");
    repository.commit_to_main(by("Ada", 0));
    let listed = list(&open(&GitConfig::new(bare.path().to_owned()))).await;
    let root = bare.path().canonicalize().unwrap();
    assert_eq!(
        listed.items["a.md"].uri,
        format!("file://{}/a.md", root.display())
    );
}

#[tokio::test]
async fn a_repository_without_commits_is_empty_until_there_are_some() {
    let (_folder, repository, config) = place();
    let connector = open(&config);
    let empty = list(&connector).await;
    assert!(empty.items.is_empty() && empty.cursor.is_some());
    assert!(list_since(&connector, &empty).await.items.is_empty());
    repository.put("a.md", b"x");
    repository.commit_to_main(by("Ada", 0));
    assert_eq!(list(&connector).await.keys(), ["a.md"]);
}

#[tokio::test]
async fn objects_in_packs_are_the_same() {
    for with_deltas in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::new(folder.path()).packed();
        for number in 0..200_i64 {
            let text = format!(
                "{}\nround {number}\n{}",
                "a line\n".repeat(300),
                "the end\n".repeat(50)
            );
            repository.put(&format!("{}/a.md", number % 9), text.as_bytes());
            repository.commit_to_main(by("Ada", number));
        }
        repository.write_pack(with_deltas);
        let config = GitConfig::new(folder.path().to_owned());
        let connector = open(&config);
        let listed = list(&connector).await;
        assert_eq!(listed.items.len(), 9);
        let (bytes, attributes) = fetch(&connector, "1/a.md").await.unwrap();
        assert!(String::from_utf8(bytes).unwrap().contains("round 199\n"));
        assert_eq!(
            shown(&attributes, "created"),
            (repository::START + 3600).to_string()
        );
        // A connector that is open sees what comes in another pack.
        repository.put("new.md", b"new");
        repository.commit_to_main(by("Bo", 200));
        repository.write_pack(with_deltas);
        let item = SourceItem::new("new.md", "");
        assert_eq!(&*connector.fetch(&item).await.unwrap().bytes, b"new");
    }
}
