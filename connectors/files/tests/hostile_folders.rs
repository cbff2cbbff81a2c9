//! What a folder can contain that a listing must survive.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use futures::StreamExt;
use lectern_connector_files::{Error, FilesConfig, FilesConnector};
use lectern_domain::ErrorKind;
use lectern_domain::ports::{Connector, ListEvent, SourceItem};

fn connector(roots: &[&Path]) -> FilesConnector {
    FilesConnector::new(FilesConfig::new(
        roots.iter().map(|root| root.to_path_buf()).collect(),
    ))
    .unwrap()
}

async fn events(connector: &FilesConnector) -> Vec<ListEvent> {
    connector.list(None).map(Result::unwrap).collect().await
}

/// One line for each event: its key, or its code and key.
async fn lines(connector: &FilesConnector) -> Vec<String> {
    let line = |event| match event {
        ListEvent::Item(item) => item.key,
        ListEvent::Skipped { item, code, .. } | ListEvent::Failed { item, code, .. } => {
            format!("{code} {}", item.key)
        }
        other @ (ListEvent::Gone { .. } | ListEvent::Readers { .. } | ListEvent::Checkpoint(_)) => {
            format!("{other:?}")
        }
    };
    events(connector).await.into_iter().map(line).collect()
}

async fn fetch(connector: &FilesConnector, key: &str) -> Result<Vec<u8>, lectern_domain::PortError> {
    let item = SourceItem::new(key, "");
    connector.fetch(&item).await.map(|fetched| fetched.bytes.to_vec())
}

fn write(root: &Path, path: impl AsRef<Path>, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[tokio::test]
async fn a_listing_is_sorted_and_passes_hidden_names_over() {
    let root = tempfile::tempdir().unwrap();
    for path in ["b.md", "a/z.md", "a/b.md", "a.md", ".git/config", "a/.hidden.md"] {
        write(root.path(), path, "x");
    }
    assert_eq!(
        lines(&connector(&[root.path()])).await,
        ["a/b.md", "a/z.md", "a.md", "b.md"]
    );
    let mut config = FilesConfig::new(vec![root.path().to_owned()]);
    config.hidden = true;
    assert_eq!(lines(&FilesConnector::new(config).unwrap()).await.len(), 6);
}

#[tokio::test]
async fn links_are_not_followed_out_of_the_folder_nor_in_circles() {
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "secret.md", "secret");
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "folder/a.md", "x");
    symlink(outside.path(), root.path().join("out")).unwrap();
    symlink(outside.path().join("secret.md"), root.path().join("secret.md")).unwrap();
    symlink(root.path(), root.path().join("folder/circle")).unwrap();
    symlink("nowhere", root.path().join("broken")).unwrap();
    let connector = connector(&[root.path()]);
    let expected = [
        "link_not_followed broken",
        "folder/a.md",
        "link_not_followed folder/circle",
        "link_not_followed out",
        "link_not_followed secret.md",
    ];
    assert_eq!(lines(&connector).await, expected);
    for key in [
        "secret.md",
        "out/secret.md",
        "../secret.md",
        "folder/circle/folder/a.md",
        "/etc/passwd",
        "%2e%2e/x",
    ] {
        let error = fetch(&connector, key).await.unwrap_err();
        assert!(
            matches!(error.kind, ErrorKind::NotFound | ErrorKind::Invalid),
            "{key}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_folder_that_becomes_a_link_between_listing_and_fetching_is_not_entered() {
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "a.md", "secret");
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "folder/a.md", "public");
    let connector = connector(&[root.path()]);
    assert_eq!(fetch(&connector, "folder/a.md").await.unwrap(), b"public");
    fs::rename(root.path().join("folder"), root.path().join("moved")).unwrap();
    symlink(outside.path(), root.path().join("folder")).unwrap();
    assert!(fetch(&connector, "folder/a.md").await.is_err());
}

#[tokio::test]
async fn names_that_are_not_utf8_are_listed_and_fetched() {
    let root = tempfile::tempdir().unwrap();
    let name = OsStr::from_bytes(b"caf\xe9.md");
    if fs::write(root.path().join(name), "latin").is_err() {
        eprintln!("skipped: this file system takes no names that aren't UTF-8");
        return;
    }
    write(root.path(), "caf%E9.md", "percent");
    let connector = connector(&[root.path()]);
    assert_eq!(lines(&connector).await, ["caf%25E9.md", "caf%E9.md"]);
    assert_eq!(fetch(&connector, "caf%E9.md").await.unwrap(), b"latin");
    assert_eq!(fetch(&connector, "caf%25E9.md").await.unwrap(), b"percent");
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_skipped_and_one_that_grew_is_refused() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "large.md", "12345678901");
    write(root.path(), "small.md", "1234567890");
    let mut config = FilesConfig::new(vec![root.path().to_owned()]);
    config.max_file_bytes = 10;
    let connector = FilesConnector::new(config).unwrap();
    let listed = events(&connector).await;
    let ListEvent::Skipped { code, reason, .. } = &listed[0] else {
        panic!("{listed:?}")
    };
    assert_eq!(
        (*code, reason.as_str()),
        ("too_large", "it has 11 bytes; the limit is 10")
    );
    assert!(matches!(&listed[1], ListEvent::Item(item) if item.size_bytes == Some(10)));
    write(root.path(), "small.md", "1234567890 and more");
    assert_eq!(fetch(&connector, "small.md").await.unwrap_err().code, "too_large");
}

#[tokio::test]
async fn a_pipe_is_no_document() {
    let root = tempfile::tempdir().unwrap();
    let made = Command::new("mkfifo").arg(root.path().join("pipe")).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no mkfifo on this machine");
        return;
    }
    let connector = connector(&[root.path()]);
    assert_eq!(lines(&connector).await, ["not_a_file pipe"]);
    assert_eq!(fetch(&connector, "pipe").await.unwrap_err().code, "not_a_file");
}

#[tokio::test]
async fn several_roots_keep_their_names_and_a_root_may_be_a_file() {
    let root = tempfile::tempdir().unwrap();
    for path in ["one/a.md", "two/a.md", "three.md"] {
        write(root.path(), path, path);
    }
    let path = |name: &str| root.path().join(name);
    let several = connector(&[&path("two"), &path("one"), &path("three.md")]);
    assert_eq!(lines(&several).await, ["two/a.md", "one/a.md", "three.md"]);
    for key in ["one/a.md", "two/a.md", "three.md"] {
        assert_eq!(fetch(&several, key).await.unwrap(), key.as_bytes());
    }
    let single = connector(&[&path("three.md")]);
    assert_eq!(lines(&single).await, ["three.md"]);
    assert!(fetch(&single, "one/a.md").await.is_err());
    write(root.path(), "deeper/one/b.md", "x");
    let collision = FilesConnector::new(FilesConfig::new(vec![path("one"), path("deeper/one")]));
    assert!(matches!(collision, Err(Error::RootNamesCollide { name }) if name == "one"));
}

#[tokio::test]
async fn a_root_that_is_missing_is_an_error_at_once_and_one_that_vanishes_ends_the_listing() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("gone");
    let missing = FilesConnector::new(FilesConfig::new(vec![path.clone()])).unwrap_err();
    assert_eq!(
        (missing.kind(), missing.code()),
        (ErrorKind::NotFound, "path_not_found")
    );
    fs::create_dir(&path).unwrap();
    let connector = connector(&[&path]);
    fs::remove_dir(&path).unwrap();
    let listed: Vec<_> = connector.list(None).collect().await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].as_ref().unwrap_err().code, "path_not_found");
}

#[tokio::test]
async fn many_files_are_listed_once_each_and_a_listing_may_be_dropped() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..3_000 {
        write(root.path(), format!("{:02}/{number:04}.md", number % 40), "x");
    }
    let connector = connector(&[root.path()]);
    assert_eq!(connector.list(None).take(3).count().await, 3);
    let mut keys = lines(&connector).await;
    assert_eq!(keys.len(), 3_000);
    assert!(keys.is_sorted());
    keys.dedup();
    assert_eq!(keys.len(), 3_000);
}

/// Permissions don't bind root, so as root this test runs itself again as somebody else.
#[tokio::test]
async fn what_cannot_be_read_is_told_and_the_rest_is_listed() {
    let root = tempfile::tempdir().unwrap();
    if fs::metadata(root.path()).unwrap().uid() == 0 {
        return as_nobody("what_cannot_be_read_is_told_and_the_rest_is_listed");
    }
    write(root.path(), "open/a.md", "x");
    write(root.path(), "closed/b.md", "x");
    write(root.path(), "closed.md", "x");
    let set_mode = |path: &str, mode| {
        fs::set_permissions(root.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    set_mode("closed", 0o000);
    set_mode("closed.md", 0o000);
    let connector = connector(&[root.path()]);
    let listed = lines(&connector).await;
    let error = fetch(&connector, "closed.md").await.unwrap_err();
    set_mode("closed", 0o700);
    assert_eq!(
        listed,
        [
            "permission_denied closed/",
            "permission_denied closed.md",
            "open/a.md"
        ]
    );
    assert_eq!((error.kind, error.code), (ErrorKind::Denied, "permission_denied"));
}

fn as_nobody(test: &str) {
    const NOBODY: u32 = 65_534;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let copy: PathBuf = folder.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    let run = Command::new(&copy)
        .args(["--exact", test])
        .env("TMPDIR", folder.path())
        .current_dir(folder.path())
        .uid(NOBODY)
        .gid(NOBODY)
        .output();
    match run {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && said.contains("1 passed"), "{said}");
        }
        Err(error) => eprintln!("skipped: this machine can't run a test as nobody: {error}"),
    }
}
