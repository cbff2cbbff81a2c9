//! What of a folder is read: patterns, ignore files, sizes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::fs;
use std::path::Path;

use futures::StreamExt;
use lectern_connector_files::{FilesConfig, FilesConnector};
use lectern_domain::PortError;
use lectern_domain::ports::{Connector, ListEvent};

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn patterns(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(|&pattern| pattern.to_owned()).collect()
}

async fn lines(config: FilesConfig) -> Vec<String> {
    let connector = FilesConnector::new(config).unwrap();
    let line = |event: Result<ListEvent, PortError>| match event {
        Ok(ListEvent::Item(item)) => item.key,
        Ok(ListEvent::Skipped { item, code, reason }) => format!("{code} {}: {reason}", item.key),
        Err(error) => format!("{}: {error}", error.code),
        other => format!("{other:?}"),
    };
    connector.list(None).map(line).collect().await
}

#[tokio::test]
async fn only_what_is_included_and_not_excluded_is_read_in_every_root() {
    let folder = tempfile::tempdir().unwrap();
    for path in [
        "one/a.md",
        "one/a.txt",
        "one/deep/b.md",
        "one/drafts/c.md",
        "two/d.md",
        "two/drafts/e.md",
        "two/docs/f.png",
    ] {
        write(folder.path(), path, "x");
    }
    let config = FilesConfig {
        include: patterns(&["*.md", "/docs/"]),
        exclude: patterns(&["drafts/"]),
        ..FilesConfig::new(vec![folder.path().join("one"), folder.path().join("two")])
    };
    assert_eq!(
        lines(config).await,
        ["one/a.md", "one/deep/b.md", "two/d.md", "two/docs/f.png"]
    );
    // A file that is named is read whatever the patterns say.
    let config = FilesConfig {
        include: patterns(&["*.md"]),
        ..FilesConfig::new(vec![folder.path().join("one/a.txt")])
    };
    assert_eq!(lines(config).await, ["a.txt"]);
}

#[tokio::test]
async fn an_ignore_file_counts_for_its_folder_and_that_of_git_where_it_is_asked_for() {
    let root = tempfile::tempdir().unwrap();
    for path in [
        "a.md",
        "a.log",
        "keep.log",
        "sub/a.log",
        "sub/b.md",
        "sub/deep/b.md",
        "c.tmp",
    ] {
        write(root.path(), path, "x");
    }
    write(root.path(), ".lecternignore", "# logs\n*.log\n!keep.log\n");
    write(root.path(), "sub/.lecternignore", "/b.md\n");
    write(root.path(), ".gitignore", "*.tmp\n");
    let config = |gitignore, hidden| FilesConfig {
        gitignore,
        hidden,
        ..FilesConfig::new(vec![root.path().to_owned()])
    };
    assert_eq!(
        lines(config(false, false)).await,
        ["a.md", "c.tmp", "keep.log", "sub/deep/b.md"]
    );
    // Those that count say what is read, and aren't read themselves.
    assert_eq!(
        lines(config(true, true)).await,
        ["a.md", "keep.log", "sub/deep/b.md"]
    );
}

#[tokio::test]
async fn an_ignore_file_above_the_root_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), ".lecternignore", "*\n");
    write(folder.path(), "root/a.md", "x");
    let config = FilesConfig::new(vec![folder.path().join("root")]);
    assert_eq!(lines(config).await, ["a.md"]);
}

#[tokio::test]
async fn an_ignore_file_that_means_nothing_ends_the_listing() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "a/secret.md", "x");
    write(root.path(), "a/.lecternignore", "secret{.md\n");
    let lines = lines(FilesConfig::new(vec![root.path().to_owned()])).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("ignore_file_invalid: ") && lines[0].contains("secret{"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_file_that_is_too_large_is_told_with_the_figures() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "large.md", "12345");
    write(root.path(), "small.md", "1234");
    let config = FilesConfig {
        max_file_bytes: 4,
        ..FilesConfig::new(vec![root.path().to_owned()])
    };
    assert_eq!(
        lines(config).await,
        ["too_large large.md: it has 5 bytes; the limit is 4", "small.md"]
    );
}
