//! A repository of 10,000 commits and 2,000 files: how long its listings take, and that they are right.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod listed;
mod repository;

use std::time::Instant;

use lectern_connector_git::GitConfig;
use listed::{fetch, list, list_since, open, shown};
use repository::{Repository, START, Signature};

const COMMITS: usize = 10_000;
const FILES: usize = 2_000;
/// Folders at the top; each has ten in it.
const FOLDERS: usize = 8;

fn path(file: usize) -> String {
    format!(
        "part-{}/chapter-{}/section-{file}.md",
        file % FOLDERS,
        file / FOLDERS % 10
    )
}

fn text(file: usize, commit: usize) -> String {
    let line = format!("Section {file} says what it says, and has said so for long.\n");
    format!(
        "# Section {file}\n\n{}Changed in round {commit}.\n",
        line.repeat(30)
    )
}

/// The last and the first commit of a file: each commit changes one, the first the first 200.
fn changed_in(file: usize) -> (usize, usize) {
    let last = (0..)
        .map(|round| file + round * FILES)
        .take_while(|commit| *commit < COMMITS)
        .last();
    (last.unwrap(), if file < 200 { 0 } else { file })
}

#[tokio::test]
async fn ten_thousand_commits() {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::new(folder.path()).packed();
    let begun = Instant::now();
    for file in 1..200 {
        repository.put(&path(file), text(file, 0).as_bytes());
    }
    for commit in 0..COMMITS {
        let file = commit % FILES;
        repository.put(&path(file), text(file, commit).as_bytes());
        let name = format!("Author {}", commit % 40);
        repository.commit_to_main(Signature::new(&name, i64::try_from(commit).unwrap()));
    }
    let pack = repository.write_pack(true);
    let bytes = pack.metadata().unwrap().len();
    println!("written in {:?}: a pack of {bytes} bytes", begun.elapsed());

    let config = GitConfig::new(folder.path().to_owned());
    let connector = open(&config);
    let begun = Instant::now();
    let first = list(&connector).await;
    let commits = connector.account().unwrap().commits;
    println!(
        "listed {} of {commits} commits in {:?}",
        first.items.len(),
        begun.elapsed()
    );
    assert_eq!(
        (first.items.len(), connector.account().unwrap().undated),
        (FILES, 0)
    );

    let begun = Instant::now();
    for file in 0..FILES {
        let (bytes, attributes) = fetch(&connector, &path(file)).await.unwrap();
        let (last, created) = changed_in(file);
        assert_eq!(bytes, text(file, last).as_bytes());
        let hour = |commit: usize| (START + 3600 * i64::try_from(commit).unwrap()).to_string();
        assert_eq!(shown(&attributes, "modified"), hour(last), "{file}");
        assert_eq!(shown(&attributes, "created"), hour(created), "{file}");
    }
    println!("fetched all in {:?}", begun.elapsed());

    for file in [0, 7, 1999] {
        repository.put(&path(file), b"changed");
        repository.commit_to_main(Signature::new("Ada", i64::try_from(COMMITS + file).unwrap()));
    }
    repository.write_pack(true);
    let connector = open(&config);
    let begun = Instant::now();
    let second = list_since(&connector, &first).await;
    let commits = connector.account().unwrap().commits;
    println!(
        "listed {} changes of {commits} commits in {:?}",
        second.items.len(),
        begun.elapsed()
    );
    assert_eq!(second.items.len(), 3);
    let begun = Instant::now();
    let nothing = list_since(&open(&config), &second).await;
    println!("listed no changes in {:?}", begun.elapsed());
    assert!(nothing.items.is_empty());
}
