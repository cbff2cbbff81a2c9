//! A watch tells of what changed, and its listings are of that alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use lectern_connector_files::{FilesConfig, FolderWatch, WatchTiming};
use lectern_domain::PortError;
use lectern_domain::ports::{Cursor, ListEvent};
use tempfile::TempDir;

/// A watched folder.
struct Desk {
    root: TempDir,
    watch: FolderWatch,
    cursor: Cursor,
    markers: u32,
}

impl Desk {
    async fn new(files: &[&str], config: impl FnOnce(&mut FilesConfig)) -> Self {
        let root = tempfile::tempdir().unwrap();
        for path in files {
            write(root.path(), path, "x");
        }
        let mut files = FilesConfig::new(vec![root.path().to_owned()]);
        config(&mut files);
        let timing = WatchTiming {
            quiet: Duration::from_millis(10),
            poll: Duration::from_millis(10),
            ..WatchTiming::default()
        };
        let watch = FolderWatch::new(files, timing).await.unwrap();
        let mut desk = Self {
            root,
            watch,
            cursor: Cursor(String::new()),
            markers: 0,
        };
        desk.list(false).await.unwrap();
        desk
    }

    /// Lists everything, or what changed since the last listing.
    async fn list(&mut self, is_partial: bool) -> Result<Vec<String>, PortError> {
        let connector = self.watch.connector();
        let since = is_partial.then(|| self.cursor.clone());
        let mut lines = Vec::new();
        let mut listing = connector.list(since.as_ref());
        while let Some(event) = listing.next().await {
            match event? {
                ListEvent::Item(item) => lines.push(item.key),
                ListEvent::Gone { key } => lines.push(format!("gone {key}")),
                ListEvent::Checkpoint(cursor) => self.cursor = cursor,
                other @ ListEvent::Readers { .. } => panic!("{other:?}"),
                ListEvent::Skipped { item, code, .. } => lines.push(format!("{code} {}", item.key)),
                ListEvent::Failed { item, code, .. } => lines.push(format!("failed {code} {}", item.key)),
            }
        }
        // What a sidecar is about is looked at too, and the other way round.
        lines.retain(|line| !line.starts_with("gone ") || !line.ends_with(".metadata.json"));
        Ok(lines)
    }

    /// Waits until the watch has told of everything that was done before this.
    async fn told(&mut self) {
        self.markers += 1;
        let marker = self.path(&format!("marker-{}", self.markers));
        fs::write(&marker, "x").unwrap();
        fs::remove_file(&marker).unwrap();
        loop {
            self.watch.burst().await;
            if self.watch.has_noted(&marker) {
                return;
            }
        }
    }

    /// What a listing of changes names now, without the marker.
    async fn changes(&mut self) -> Vec<String> {
        self.told().await;
        let mut lines = self.list(true).await.unwrap();
        lines.retain(|line| !line.starts_with("gone marker-"));
        lines
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.root.path().join(path)
    }
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[tokio::test]
async fn what_is_saved_renamed_and_removed_is_named_and_nothing_else() {
    let mut desk = Desk::new(&["a.md", "b.md", "sub/c.md", "sub/d.md"], |_| {}).await;
    assert_eq!(desk.changes().await, [""; 0]);
    write(desk.root.path(), "sub/c.md", "changed");
    fs::rename(desk.path("a.md"), desk.path("sub/renamed.md")).unwrap();
    fs::remove_file(desk.path("b.md")).unwrap();
    // As editors save: another file takes the place of the old one.
    write(desk.root.path(), "sub/d.md~", "changed");
    fs::rename(desk.path("sub/d.md~"), desk.path("sub/d.md")).unwrap();
    assert_eq!(
        desk.changes().await,
        [
            "sub/c.md",
            "sub/d.md",
            "sub/renamed.md",
            "gone a.md",
            "gone b.md",
            "gone sub/d.md~"
        ]
    );
    assert_eq!(desk.changes().await, [""; 0]);
}

#[tokio::test]
async fn a_folder_that_comes_is_watched_and_listed_whole() {
    let mut desk = Desk::new(&["a.md"], |_| {}).await;
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "new/deep/a.md", "x");
    write(outside.path(), "new/b.md", "x");
    fs::rename(outside.path().join("new"), desk.path("new")).unwrap();
    write(desk.root.path(), "made/here/c.md", "x");
    // Where a folder is now, a file may have been.
    let (gone, there): (Vec<String>, Vec<String>) = desk
        .changes()
        .await
        .into_iter()
        .partition(|change| change.starts_with("gone "));
    assert_eq!(there, ["made/here/c.md", "new/b.md", "new/deep/a.md"]);
    assert!(gone.iter().all(|change| !change.ends_with(".md")), "{gone:?}");
    desk.changes().await;
    write(desk.root.path(), "new/deep/a.md", "changed");
    assert_eq!(desk.changes().await, ["new/deep/a.md"]);
}

#[tokio::test]
async fn when_a_folder_goes_or_an_ignore_file_changes_everything_is_listed() {
    for change in ["remove", "move", "ignore"] {
        let mut desk = Desk::new(&["a.md", "sub/b.md"], |_| {}).await;
        let outside = tempfile::tempdir().unwrap();
        match change {
            "remove" => fs::remove_dir_all(desk.path("sub")).unwrap(),
            "move" => fs::rename(desk.path("sub"), outside.path().join("sub")).unwrap(),
            _ => write(desk.root.path(), ".lecternignore", "sub/\n"),
        }
        desk.told().await;
        let error = desk.list(true).await.unwrap_err();
        assert_eq!(error.code, "cursor_expired", "{change}");
        assert_eq!(desk.list(false).await.unwrap(), ["a.md"], "{change}");
        assert_eq!(desk.changes().await, [""; 0], "{change}");
    }
}

#[tokio::test]
async fn a_sidecar_tells_of_its_document() {
    let mut desk = Desk::new(&["a.md", "b.md"], |_| {}).await;
    write(desk.root.path(), "a.md.metadata.json", "{}");
    assert_eq!(desk.changes().await, ["a.md"]);
    fs::remove_file(desk.path("a.md.metadata.json")).unwrap();
    assert_eq!(desk.changes().await, ["a.md"]);
    write(desk.root.path(), "c.md.metadata.json", "{}");
    assert_eq!(
        desk.changes().await,
        ["sidecar_alone c.md.metadata.json", "gone c.md"]
    );
    write(desk.root.path(), "c.md", "x");
    assert_eq!(desk.changes().await, ["c.md"]);
}

#[tokio::test]
async fn a_sidecar_that_a_pattern_leaves_out_tells_of_its_document_all_the_same() {
    let mut desk = Desk::new(&["lease.md", "data.json", "drafts/b.md"], |config| {
        config.exclude = vec!["*.json".to_owned(), "drafts/".to_owned()];
    })
    .await;
    let sidecar = "lease.md.metadata.json";
    write(desk.root.path(), sidecar, r#"{"AccessControlList": []}"#);
    assert_eq!(desk.changes().await, ["lease.md"]);
    fs::remove_file(desk.path(sidecar)).unwrap();
    assert_eq!(desk.changes().await, ["lease.md"]);
    // What neither is a document nor describes one is told of to nobody still.
    for path in [
        "data.json.metadata.json",
        "drafts/b.md.metadata.json",
        "data.json",
    ] {
        write(desk.root.path(), path, "{}");
        desk.told().await;
        assert!(!desk.watch.has_noted(&desk.path(path)), "{path}");
    }
    assert_eq!(desk.changes().await, [""; 0]);
}

#[tokio::test]
async fn what_is_left_out_is_told_of_to_nobody() {
    let mut desk = Desk::new(&["a.md", "drafts/b.md"], |config| {
        config.exclude = vec!["drafts/".to_owned(), "*.tmp".to_owned()];
    })
    .await;
    write(desk.root.path(), "drafts/b.md", "changed");
    write(desk.root.path(), ".a.md.swp", "x");
    write(desk.root.path(), "b.tmp", "x");
    desk.told().await;
    for path in ["drafts/b.md", ".a.md.swp", "b.tmp"] {
        assert!(!desk.watch.has_noted(&desk.path(path)), "{path}");
    }
    assert_eq!(desk.changes().await, [""; 0]);
}

#[tokio::test]
async fn reading_is_no_change() {
    let mut desk = Desk::new(&["a.md", "sub/b.md"], |_| {}).await;
    desk.changes().await;
    for path in ["a.md", "sub/b.md"] {
        fs::read(desk.path(path)).unwrap();
    }
    desk.list(false).await.unwrap();
    desk.told().await;
    for path in ["a.md", "sub/b.md", "sub"] {
        assert!(!desk.watch.has_noted(&desk.path(path)), "{path}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_watch_is_too_old() {
    let mut one = Desk::new(&["a.md"], |_| {}).await;
    let other = Desk::new(&["a.md"], |_| {}).await;
    one.cursor = other.cursor;
    assert_eq!(one.list(true).await.unwrap_err().code, "cursor_expired");
}

#[tokio::test]
async fn where_the_system_tells_nothing_the_folders_are_looked_at() {
    let mut desk = Desk::new(&["a.md"], |config| config.poll_s = Some(1)).await;
    write(desk.root.path(), "sub/b.md", "x");
    desk.watch.burst().await;
    assert_eq!(desk.list(true).await.unwrap_err().code, "cursor_expired");
    assert_eq!(desk.list(false).await.unwrap(), ["a.md", "sub/b.md"]);
}

#[tokio::test]
async fn one_file_is_watched_and_its_neighbours_are_not() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.md", "x");
    let file = folder.path().canonicalize().unwrap().join("a.md");
    let mut watch = FolderWatch::new(FilesConfig::new(vec![file.clone()]), WatchTiming::default())
        .await
        .unwrap();
    write(folder.path(), "b.md", "x");
    write(folder.path(), "a.md", "changed");
    watch.burst().await;
    assert!(watch.has_noted(&file));
    assert!(!watch.has_noted(&file.with_file_name("b.md")));
}
