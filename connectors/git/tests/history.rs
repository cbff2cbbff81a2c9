//! Dates and authors: what the history of a repository says of its files, and what changed since a commit.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod listed;
mod repository;

use lectern_connector_git::GitConfig;
use listed::{Listed, fetch, list, list_since, open, shown};
use repository::{Id, LINK, PROGRAM, Repository, START, Signature, hex};

fn by(name: &str, hour: i64) -> Signature<'_> {
    Signature::new(name, hour)
}

fn hour(hour: i64) -> String {
    (START + 3600 * hour).to_string()
}

fn place() -> (tempfile::TempDir, Repository, GitConfig) {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::new(folder.path());
    let config = GitConfig::new(folder.path().to_owned());
    (folder, repository, config)
}

/// Author, created, modified and commit of a file, as a fetch gives them.
async fn history(config: &GitConfig, key: &str) -> [String; 4] {
    let (_, attributes) = fetch(&open(config), key).await.unwrap();
    ["author", "created", "modified", "commit"].map(|name| shown(&attributes, name))
}

#[tokio::test]
async fn a_file_has_its_last_and_its_first_author_and_dates() {
    let (_folder, repository, config) = place();
    repository.put("a.md", b"1");
    repository.put("b/c.md", b"1");
    let first = repository.commit_to_main(Signature {
        name: "Ada Lovelace",
        authored_at: START,
        committed_at: START + 60,
    });
    repository.put("a.md", b"2");
    repository.commit_to_main(by("Bo", 1));
    repository.put("a.md", b"3");
    let last = repository.commit_to_main(Signature {
        name: "Cy",
        authored_at: START,
        committed_at: START + 7200,
    });
    repository.put("d.md", b"1");
    repository.commit_to_main(by("Dora", 3));

    assert_eq!(
        history(&config, "a.md").await,
        ["Cy, Ada Lovelace", &hour(0), &hour(2), &hex(&last)]
    );
    let minute = (START + 60).to_string();
    assert_eq!(
        history(&config, "b/c.md").await,
        ["Ada Lovelace", &hour(0), &minute, &hex(&first)]
    );
    let listed = list(&open(&config)).await;
    assert_eq!(
        listed.items["a.md"].modified_at.unwrap().timestamp(),
        START + 7200
    );
}

#[tokio::test]
async fn a_mode_is_a_change_and_a_file_that_came_back_is_as_old_as_that() {
    let (_folder, repository, config) = place();
    repository.put("tool.sh", b"1");
    repository.put("back.md", b"1");
    repository.commit_to_main(by("Ada", 0));
    repository.remove("back.md");
    repository.put_as(b"tool.sh", PROGRAM, repository.blob(b"1"));
    let mode = repository.commit_to_main(by("Bo", 1));
    repository.put("back.md", b"1");
    let back = repository.commit_to_main(by("Cy", 2));
    assert_eq!(
        history(&config, "tool.sh").await,
        ["Bo, Ada", &hour(0), &hour(1), &hex(&mode)]
    );
    assert_eq!(
        history(&config, "back.md").await,
        ["Cy", &hour(2), &hour(2), &hex(&back)]
    );
}

#[tokio::test]
async fn what_was_a_folder_or_a_link_before() {
    let (_folder, repository, config) = place();
    repository.put("folder/a.md", b"1");
    repository.put_as(b"link", LINK, repository.blob(b"target"));
    repository.commit_to_main(by("Ada", 0));
    repository.remove("folder/a.md");
    repository.put("folder", b"a file now");
    repository.put("link", b"a file now");
    repository.commit_to_main(by("Bo", 1));
    assert_eq!(history(&config, "folder").await[0], "Bo");
    assert_eq!(
        history(&config, "link").await[0],
        "Bo, Ada",
        "there before, as something else"
    );
}

#[tokio::test]
async fn a_merge_tells_of_the_side_that_a_file_came_from() {
    let (_folder, repository, config) = place();
    for name in ["base.md", "left.md", "right.md", "both.md"] {
        repository.put(name, b"0");
    }
    let base = repository.commit(&[], by("Ada", 0));
    repository.put("left.md", b"1");
    repository.put("both.md", b"left");
    let left = repository.commit(&[base], by("Bo", 1));
    repository.put("left.md", b"0");
    repository.put("right.md", b"1");
    repository.put("both.md", b"right");
    repository.put("new.md", b"right");
    let right = repository.commit(&[base], by("Cy", 2));
    repository.put("left.md", b"1");
    repository.put("both.md", b"both");
    repository.put("by-merge.md", b"merged");
    let merge = repository.commit(&[left, right], by("Merger", 3));
    repository.set("refs/heads/main", &merge);

    assert_eq!(
        history(&config, "base.md").await,
        ["Ada", &hour(0), &hour(0), &hex(&base)]
    );
    assert_eq!(
        history(&config, "left.md").await,
        ["Bo, Ada", &hour(0), &hour(1), &hex(&left)]
    );
    assert_eq!(
        history(&config, "right.md").await,
        ["Cy, Ada", &hour(0), &hour(2), &hex(&right)]
    );
    assert_eq!(
        history(&config, "new.md").await,
        ["Cy", &hour(2), &hour(2), &hex(&right)]
    );
    assert_eq!(
        history(&config, "both.md").await,
        ["Merger, Ada", &hour(0), &hour(3), &hex(&merge)]
    );
    assert_eq!(
        history(&config, "by-merge.md").await,
        ["Merger", &hour(3), &hour(3), &hex(&merge)]
    );
}

#[tokio::test]
async fn what_a_merge_dropped_is_no_change() {
    let (_folder, repository, config) = place();
    for name in ["kept.md", "both.md"] {
        repository.put(name, b"0");
    }
    let base = repository.commit(&[], by("Ada", 0));
    repository.put("kept.md", b"older");
    repository.put("both.md", b"older");
    let older = repository.commit(&[base], by("Bo", 1));
    repository.put("kept.md", b"newer");
    repository.put("both.md", b"newer");
    let newer = repository.commit(&[base], by("Cy", 2));
    repository.put("kept.md", b"older");
    repository.put("both.md", b"both");
    let merge = repository.commit(&[newer, older], by("Merger", 3));
    repository.set("refs/heads/main", &merge);
    assert_eq!(
        history(&config, "kept.md").await,
        ["Bo, Ada", &hour(0), &hour(1), &hex(&older)]
    );
    assert_eq!(
        history(&config, "both.md").await,
        ["Merger, Ada", &hour(0), &hour(3), &hex(&merge)]
    );
}

#[tokio::test]
async fn where_the_history_ends_dates_are_missing_and_never_wrong() {
    let (_folder, repository, config) = place();
    repository.put("old.md", b"1");
    repository.put("changed.md", b"1");
    let first = repository.commit_to_main(by("Ada", 0));
    repository.put("changed.md", b"2");
    let second = repository.commit_to_main(by("Bo", 1));
    repository.put("new.md", b"1");
    repository.commit_to_main(by("Cy", 2));

    let check = async |config: &GitConfig| {
        assert_eq!(history(config, "old.md").await, ["-"; 4]);
        let changed = history(config, "changed.md").await;
        assert_eq!(changed, ["Bo", "-", &hour(1), &hex(&second)]);
        assert_eq!(history(config, "new.md").await[..3], ["Cy", &hour(2), &hour(2)]);
        let connector = open(config);
        assert_eq!(list(&connector).await.items.len(), 3);
        assert_eq!(connector.account().unwrap().undated, 2);
    };
    let few = GitConfig {
        max_commits: 2,
        ..config.clone()
    };
    check(&few).await;
    // The first commit is there and its parents, if it has any, aren't.
    std::fs::write(repository.git.join("shallow"), hex(&first) + "\n").unwrap();
    check(&config).await;
    // It isn't there itself.
    std::fs::remove_file(repository.git.join("shallow")).unwrap();
    std::fs::remove_file(repository.loose_path(&first)).unwrap();
    let connector = open(&config);
    let listed = list(&connector).await;
    assert_eq!(listed.keys(), ["changed.md", "new.md", "old.md"]);
    assert_eq!(history(&config, "changed.md").await, ["-"; 4]);
    assert_eq!(history(&config, "new.md").await[0], "Cy");
}

#[tokio::test]
async fn a_listing_since_a_commit_names_what_differs() {
    let (_folder, repository, config) = place();
    for name in [
        "same.md",
        "changed.md",
        "back.md",
        "gone.md",
        "old name.md",
        "deep/down/a.md",
    ] {
        repository.put(name, name.as_bytes());
    }
    repository.put_as(b"link", LINK, repository.blob(b"same.md"));
    repository.put_as(b"lost link", LINK, repository.blob(b"same.md"));
    repository.commit_to_main(by("Ada", 0));
    let first = list(&open(&config)).await;

    repository.put("back.md", b"for a while");
    repository.put("gone.md", b"soon gone");
    repository.commit_to_main(by("Bo", 1));
    repository.put("changed.md", b"changed");
    repository.put("back.md", b"back.md");
    repository.remove("gone.md");
    repository.remove("lost link");
    repository.remove("old name.md");
    repository.put("new name.md", b"old name.md");
    repository.put("binary", b"\0");
    repository.commit_to_main(by("Cy", 2));

    let connector = open(&config);
    let since = list_since(&connector, &first).await;
    // What is as it was has another last commit: its date and its author are others.
    assert_eq!(since.keys(), ["back.md", "changed.md", "new name.md"]);
    assert_eq!(since.gone(), ["gone.md", "lost link", "old name.md"]);
    assert_eq!(
        since.skipped.iter().collect::<Vec<_>>(),
        [(&"binary".to_owned(), &"not_text")]
    );
    assert_eq!(
        connector.account().unwrap().commits,
        3,
        "to the first one, for what is older"
    );

    let whole = list(&open(&config)).await;
    assert_eq!(whole.cursor, since.cursor);
    for (key, item) in &since.items {
        assert_eq!(&whole.items[key], item);
    }
    for key in ["same.md", "deep/down/a.md"] {
        assert_eq!(whole.items[key], first.items[key]);
    }
    assert_ne!(whole.tag("back.md"), first.tag("back.md"));
    let nothing = list_since(&open(&config), &whole).await;
    assert!(nothing.items.is_empty() && nothing.gone.is_empty() && nothing.skipped.is_empty());
    assert_eq!(nothing.cursor, whole.cursor);
}

#[tokio::test]
async fn after_history_was_written_anew_a_listing_since_is_as_good() {
    let (_folder, repository, config) = place();
    repository.put("a.md", b"1");
    repository.put("b.md", b"1");
    let base = repository.commit_to_main(by("Ada", 0));
    repository.put("b.md", b"2");
    repository.commit_to_main(by("Bo", 1));
    let before = list(&open(&config)).await;
    repository.put("b.md", b"1");
    repository.put("c.md", b"1");
    let other = repository.commit(&[base], by("Cy", 1));
    repository.set("refs/heads/main", &other);
    let since = list_since(&open(&config), &before).await;
    let whole = list(&open(&config)).await;
    for key in ["b.md", "c.md"] {
        assert_eq!(since.items[key], whole.items[key]);
    }
    assert_eq!(whole.items["a.md"], before.items["a.md"]);
}

#[tokio::test]
async fn a_cursor_of_something_else_has_expired() {
    let (_folder, repository, config) = place();
    repository.put("a.md", b"1");
    let commit = repository.commit_to_main(by("Ada", 0));
    let listed = list(&open(&config)).await;
    let expired = async |config: &GitConfig, listed: &Listed| {
        let error = listed::try_list(&open(config), listed.cursor.as_ref())
            .await
            .unwrap_err();
        assert_eq!(error.code, "cursor_expired");
    };
    let others = [
        GitConfig {
            exclude: vec!["*.tmp".to_owned()],
            ..config.clone()
        },
        GitConfig {
            emails: true,
            ..config.clone()
        },
    ];
    for other in &others {
        expired(other, &listed).await;
    }
    // Another branch is checked out.
    repository.set("refs/heads/other", &commit);
    std::fs::write(repository.git.join("HEAD"), "ref: refs/heads/other\n").unwrap();
    expired(&config, &listed).await;
    std::fs::write(repository.git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    assert_eq!(list_since(&open(&config), &listed).await.items.len(), 0);
    // The commit is gone.
    repository.put("a.md", b"2");
    let alone = repository.commit(&[], by("Bo", 1));
    repository.set("refs/heads/main", &alone);
    std::fs::remove_file(repository.loose_path(&commit)).unwrap();
    expired(&config, &listed).await;
}

#[tokio::test]
async fn one_connector_sees_new_commits_and_walks_them_alone() {
    let (_folder, repository, config) = place();
    for number in 0..20 {
        repository.put(&format!("{}.md", number % 7), format!("{number}").as_bytes());
        repository.commit_to_main(by("Ada", number));
    }
    let connector = open(&config);
    list(&connector).await;
    assert_eq!(connector.account().unwrap().commits, 20);
    repository.put("3.md", b"new");
    repository.commit_to_main(by("Bo", 20));
    let (bytes, attributes) = fetch(&connector, "3.md").await.unwrap();
    assert_eq!(
        (bytes.as_slice(), shown(&attributes, "author").as_str()),
        (b"new".as_slice(), "Bo, Ada")
    );
    let kept = list(&connector).await;
    assert_eq!(connector.account().unwrap().commits, 0, "all is known");
    let fresh = list(&open(&config)).await;
    assert_eq!(kept.items, fresh.items);
}

/// What `git` itself says is the last commit of each file, where the program is there.
#[tokio::test]
async fn the_last_commit_is_that_of_git_log() {
    let seed = 0x5eed_u64;
    println!("seed {seed:#x}");
    let (_folder, repository, config) = place();
    let mut state = seed;
    let mut random = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut commits: Vec<Id> = Vec::new();
    for number in 0..300 {
        for _ in 0..=random(3) {
            let name = format!("{}/{}.md", random(4), random(6));
            match random(6) {
                0 => repository.remove(&name),
                _ => repository.put(&name, random(4).to_string().as_bytes()),
            }
        }
        let mut parents: Vec<Id> = commits.last().copied().into_iter().collect();
        // Mostly a line with merges; sometimes a line begins anew, further back.
        if number > 5 && random(3) == 0 {
            let back = usize::try_from(random(5)).unwrap() + 2;
            let side = commits[commits.len().saturating_sub(back).min(commits.len() - 1)];
            parents = if random(2) == 0 {
                vec![side]
            } else {
                vec![parents[0], side]
            };
            if random(2) == 0 {
                parents.reverse();
            }
        }
        let clock = i64::try_from(random(3)).unwrap() + number;
        commits.push(repository.commit(&parents, by("Ada", clock)));
    }
    let tip = *commits.last().unwrap();
    repository.set("refs/heads/main", &tip);
    let connector = open(&config);
    let listed = list(&connector).await;
    assert!(listed.items.len() > 10);
    let Some(git) = git(&repository, &["--version"]) else {
        println!("there is no git to compare with");
        return;
    };
    println!("{git}");
    for key in listed.items.keys() {
        let expected = git_log(&repository, key);
        let (_, attributes) = fetch(&connector, key).await.unwrap();
        assert_eq!(shown(&attributes, "commit"), expected, "{key}");
    }
}

fn git_log(repository: &Repository, path: &str) -> String {
    git(repository, &["log", "-1", "--format=%H", "--", path]).unwrap()
}

fn git(repository: &Repository, arguments: &[&str]) -> Option<String> {
    let mut command = std::process::Command::new("git");
    command.arg("--git-dir").arg(&repository.git).args(arguments);
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = command.output().ok()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

/// Packs as `git` itself writes them, with deltas of both kinds, where the program is there.
#[tokio::test]
async fn packs_of_git_are_read() {
    let (_folder, repository, config) = place();
    let long: String = (0..3000)
        .map(|line| format!("line {line} of a long text\n"))
        .collect();
    for number in 0..60_usize {
        let text = format!("{}{number}\n{}", &long[..1000 * number], &long[1000 * number..]);
        repository.put("long.md", text.as_bytes());
        repository.put(&format!("folder/{number}.md"), number.to_string().as_bytes());
        repository.commit_to_main(by("Ada", i64::try_from(number).unwrap()));
    }
    let loose = list(&open(&config)).await;
    for offsets in ["true", "false"] {
        let setting = format!("repack.useDeltaBaseOffset={offsets}");
        let arguments = ["-c", &setting, "-c", "gc.auto=0", "repack", "-adfq", "--depth=50"];
        if git(&repository, &arguments).is_none() {
            println!("there is no git to write packs");
            return;
        }
        git(&repository, &["prune-packed", "-q"]).unwrap();
        git(&repository, &["pack-refs", "--all"]).unwrap();
        assert!(!repository.loose_path(&repository_tip(&repository)).exists());
        let connector = open(&config);
        assert_eq!(list(&connector).await.items, loose.items);
        let (bytes, _) = fetch(&connector, "long.md").await.unwrap();
        assert_eq!(bytes.len(), long.len() + 3);
    }
}

fn repository_tip(repository: &Repository) -> Id {
    let text = git(repository, &["rev-parse", "main"]).unwrap();
    std::array::from_fn(|place| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).unwrap())
}
