//! Repositories that somebody has made to do harm, or that are broken: nothing outside is read, nothing is run, one bad file is
//! one file's failure, and what is large or deep costs nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod listed;
mod repository;

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::Path;

use lectern_connector_git::{GitConfig, GitConnector};
use lectern_domain::ErrorKind;
use listed::{fetch, list, list_since, open, try_list};
use repository::{FILE, FOLDER, Id, Repository, Signature, hex};

/// What must never be read.
const SECRET: &str = "zyzzyvasecret";

fn ada() -> Signature<'static> {
    Signature::new("Ada", 0)
}

fn place() -> (tempfile::TempDir, Repository, GitConfig) {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::new(folder.path());
    let config = GitConfig::new(folder.path().to_owned());
    (folder, repository, config)
}

/// A repository whose `main` has this tree.
fn of_tree(repository: &Repository, tree: Id) {
    let commit = repository.commit_of(tree, &[], ada());
    repository.set("refs/heads/main", &commit);
}

fn refused(path: &Path) -> &'static str {
    GitConnector::new(GitConfig::new(path.to_owned()))
        .unwrap_err()
        .code()
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_left_out() {
    let (_folder, repository, config) = place();
    let blob = repository.blob(b"x");
    let inner = repository.tree(&[(FILE, b"a.md", blob)]);
    let tree = repository.tree(&[
        (FILE, b"..", blob),
        (FILE, b"../../etc/passwd", blob),
        (FOLDER, b".GIT", inner),
        (FILE, b"/etc/passwd", blob),
        (FILE, b"a/../../b", blob),
        (FILE, b"good.md", blob),
    ]);
    of_tree(&repository, tree);
    let config = GitConfig {
        hidden: true,
        ..config
    };
    let connector = open(&config);
    let listed = list(&connector).await;
    assert_eq!(listed.keys(), ["good.md"]);
    assert_eq!(listed.skipped.len(), 5);
    for (key, code) in &listed.skipped {
        assert_eq!(*code, "name_unsafe");
        assert!(!key.contains('/') && !key.contains(".."), "{key}");
        assert_eq!(
            fetch(&connector, key).await.unwrap_err().kind,
            ErrorKind::NotFound
        );
    }
    for key in [
        "..",
        "../../etc/passwd",
        "/etc/passwd",
        "a/../../b",
        ".GIT/a.md",
        "good.md/",
        "good.md/.",
    ] {
        assert_eq!(
            fetch(&connector, key).await.unwrap_err().kind,
            ErrorKind::NotFound,
            "{key}"
        );
    }
}

#[tokio::test]
async fn links_on_the_disk_lead_nowhere() {
    let outside = tempfile::tempdir().unwrap();
    let other = Repository::new(outside.path());
    other.put("secret.md", SECRET.as_bytes());
    let commit = other.commit_to_main(ada());

    // A reference, and then the objects, in another repository.
    let (folder, repository, config) = place();
    symlink(
        other.git.join("refs/heads/main"),
        repository.git.join("refs/heads/main"),
    )
    .unwrap();
    let error = GitConnector::new(config).unwrap_err();
    assert_eq!(error.code(), "repository_unreadable");
    std::fs::remove_file(repository.git.join("refs/heads/main")).unwrap();
    repository.set("refs/heads/main", &commit);
    let object = repository.loose_path(&commit);
    std::fs::remove_dir_all(repository.git.join("objects")).unwrap();
    symlink(other.git.join("objects"), repository.git.join("objects")).unwrap();
    assert_eq!(refused(folder.path()), "not_a_repository");
    std::fs::remove_file(repository.git.join("objects")).unwrap();
    std::fs::create_dir(repository.git.join("objects")).unwrap();
    symlink(
        other.loose_path(&commit).parent().unwrap(),
        object.parent().unwrap(),
    )
    .unwrap();
    let error = try_list(&open(&GitConfig::new(folder.path().to_owned())), None)
        .await
        .unwrap_err();
    assert_eq!(error.code, "object_unreadable");

    // The whole of it: as a link, as a file that names it, as what objects are borrowed from.
    let folder = tempfile::tempdir().unwrap();
    symlink(&other.git, folder.path().join(".git")).unwrap();
    assert_eq!(refused(folder.path()), "repository_unsupported");
    std::fs::remove_file(folder.path().join(".git")).unwrap();
    std::fs::write(
        folder.path().join(".git"),
        format!("gitdir: {}\n", other.git.display()),
    )
    .unwrap();
    assert_eq!(refused(folder.path()), "repository_unsupported");
    let (folder, repository, _) = place();
    repository.set("refs/heads/main", &commit);
    let borrowed = format!("{}\n", other.git.join("objects").display());
    std::fs::write(repository.git.join("objects/info/alternates"), borrowed).unwrap();
    assert_eq!(refused(folder.path()), "repository_unsupported");
}

#[tokio::test]
async fn what_the_configuration_names_is_not_run_and_not_read() {
    let (folder, repository, config) = place();
    let ran = folder.path().join("ran");
    let included = folder.path().join("included");
    std::fs::write(&included, "[extensions]\n\tobjectFormat = sha256\n").unwrap();
    let program = folder.path().join("program");
    std::fs::write(&program, format!("#!/bin/sh\ntouch {}\ncat\n", ran.display())).unwrap();
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, permissions).unwrap();
    let settings = format!(
        "[core]\n\tfsmonitor = {program}\n\thooksPath = {root}\n\tpager = {program}\n[include]\n\tpath = {included}\n\
         [filter \"x\"]\n\tsmudge = {program}\n\tprocess = {program}\n[diff]\n\texternal = {program}\n",
        program = program.display(),
        root = folder.path().display(),
        included = included.display(),
    );
    std::fs::write(repository.git.join("config"), settings).unwrap();
    repository.put(
        ".gitattributes",
        b"* filter=x diff=x working-tree-encoding=UTF-16\n",
    );
    repository.put("a.md", b"as it is\r\n");
    repository.commit_to_main(ada());
    let connector = open(&config);
    list(&connector).await;
    assert_eq!(fetch(&connector, "a.md").await.unwrap().0, b"as it is\r\n");
    assert!(!ran.exists());
    for (settings, problem) in [
        ("[extensions]\n objectFormat = sha256", "SHA-1"),
        ("[extensions]\n refStorage = reftable", "references"),
    ] {
        std::fs::write(repository.git.join("config"), settings).unwrap();
        let error = GitConnector::new(config.clone()).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[tokio::test]
async fn references_that_lead_nowhere_are_told_and_delete_nothing() {
    let (folder, repository, config) = place();
    repository.put("a.md", b"x");
    let commit = repository.commit_to_main(ada());
    let connector = open(&config);
    let listed = list(&connector).await;
    let write = |name: &str, text: &str| std::fs::write(repository.git.join(name), text).unwrap();
    write("refs/heads/one", "ref: refs/heads/two\n");
    write("refs/heads/two", "ref: refs/heads/one\n");
    for (head, code) in [
        ("ref: refs/heads/one\n", "reference_invalid"),
        ("ref: ../../../../../etc/passwd\n", "reference_invalid"),
        ("ref: /etc/passwd\n", "reference_invalid"),
        ("ref: refs/heads/gone\n", "reference_not_found"),
        ("what is this\n", "reference_invalid"),
        ("", "reference_invalid"),
        ("1111111111111111111111111111111111111111\n", "object_missing"),
    ] {
        write("HEAD", head);
        for since in [None, listed.cursor.as_ref()] {
            assert_eq!(
                try_list(&connector, since).await.unwrap_err().code,
                code,
                "{head:?}"
            );
        }
    }
    write("HEAD", &"x".repeat(100_000));
    assert_eq!(
        try_list(&connector, None).await.unwrap_err().code,
        "repository_unreadable"
    );
    write("HEAD", &hex(&commit));
    assert_eq!(list(&connector).await.keys(), ["a.md"]);

    assert_eq!(refused(&folder.path().join("none")), "path_not_found");
    assert_eq!(refused(&folder.path().join(".git/refs")), "not_a_repository");
}

#[tokio::test]
async fn an_object_that_is_missing_or_broken_fails_its_file_alone() {
    let (_folder, repository, config) = place();
    for name in [
        "good.md",
        "missing.md",
        "torn.md",
        "other.md",
        "kind.md",
        "size.md",
        "lost/a.md",
        "lost/b.md",
    ] {
        repository.put(name, name.repeat(100).as_bytes());
    }
    let tree = repository.tree(&[]);
    repository.put_as(b"kind.md", FILE, tree);
    repository.commit_to_main(ada());
    let whole = list(&open(&config)).await;
    assert_eq!(whole.failed["kind.md"], "object_corrupt");

    let id = |name: &str| repository.blob(name.repeat(100).as_bytes());
    std::fs::remove_file(repository.loose_path(&id("missing.md"))).unwrap();
    let torn = repository.loose_path(&id("torn.md"));
    let bytes = std::fs::read(&torn).unwrap();
    std::fs::write(&torn, &bytes[..bytes.len() / 2]).unwrap();
    repository.loose_with_head(&id("other.md"), "blob 5", b"other");
    repository.loose_with_head(&id("size.md"), "blob 1000000000", b"small");
    let lost = repository.tree(&[(FILE, b"a.md", id("lost/a.md")), (FILE, b"b.md", id("lost/b.md"))]);
    std::fs::remove_file(repository.loose_path(&lost)).unwrap();

    let connector = open(&config);
    let listed = list(&connector).await;
    // That one has another content than its name says is seen when it is read whole.
    assert_eq!(listed.keys(), ["good.md", "other.md"]);
    let failed: BTreeMap<&str, &str> = listed
        .failed
        .iter()
        .map(|(key, code)| (key.as_str(), *code))
        .collect();
    let expected = [
        ("kind.md", "object_corrupt"),
        ("lost/", "object_missing"),
        ("missing.md", "object_missing"),
        ("torn.md", "object_corrupt"),
    ];
    assert_eq!(failed, BTreeMap::from(expected));
    assert_eq!(listed.skipped["size.md"], "too_large");
    assert_eq!(
        fetch(&connector, "other.md").await.unwrap_err().code,
        "object_corrupt"
    );
    assert_eq!(
        fetch(&connector, "missing.md").await.unwrap_err().code,
        "object_missing"
    );

    // Since the commit before: nothing under the folder that is lost is said to be gone.
    repository.put("new.md", b"x");
    repository.remove("good.md");
    repository.staged_tree();
    std::fs::remove_file(repository.loose_path(&lost)).ok();
    repository.commit_to_main(Signature::new("Bo", 1));
    std::fs::remove_file(repository.loose_path(&lost)).ok();
    let error = try_list(&open(&config), whole.cursor.as_ref()).await.unwrap_err();
    assert_eq!(error.code, "cursor_expired", "what was under it isn't known");
}

#[tokio::test]
async fn nothing_is_gone_under_a_folder_that_is_lost_now() {
    let (_folder, repository, config) = place();
    for name in ["a.md", "lost/a.md", "lost/deep/b.md"] {
        repository.put(name, name.as_bytes());
    }
    repository.commit_to_main(ada());
    let whole = list(&open(&config)).await;
    repository.put("lost/a.md", b"another");
    repository.remove("a.md");
    repository.commit_to_main(Signature::new("Bo", 1));
    let deep = repository.tree(&[(FILE, b"b.md", repository.blob(b"lost/deep/b.md"))]);
    let lost = repository.tree(&[
        (FILE, b"a.md", repository.blob(b"another")),
        (FOLDER, b"deep", deep),
    ]);
    std::fs::remove_file(repository.loose_path(&lost)).unwrap();
    let since = list_since(&open(&config), &whole).await;
    assert_eq!(since.gone(), ["a.md"]);
    assert_eq!(since.failed.keys().collect::<Vec<_>>(), ["lost/"]);
}

#[tokio::test]
async fn trees_that_are_none_fail_as_folders() {
    let (_folder, repository, config) = place();
    let blob = repository.blob(b"x");
    let twice = repository.tree(&[(FILE, b"a.md", blob), (FILE, b"a.md", blob)]);
    let unsorted = repository.tree(&[(FILE, b"b.md", blob), (FILE, b"a.md", blob)]);
    let broken = repository.object("tree", b"100644 a.md\0too short");
    let tree = repository.tree(&[
        (FOLDER, b"broken", broken),
        (0o777, b"device", blob),
        (FILE, b"good.md", blob),
        (FOLDER, b"twice", twice),
        (FOLDER, b"unsorted", unsorted),
    ]);
    of_tree(&repository, tree);
    let listed = list(&open(&config)).await;
    assert_eq!(listed.keys(), ["good.md"]);
    assert_eq!(listed.skipped["device"], "not_a_file");
    for key in ["broken/", "twice/", "unsorted/"] {
        assert_eq!(listed.failed[key], "object_corrupt");
    }
    of_tree(&repository, twice);
    assert_eq!(
        try_list(&open(&config), None).await.unwrap_err().code,
        "object_corrupt"
    );
}

#[tokio::test]
async fn folders_may_be_deep_and_not_bottomless() {
    let (_folder, repository, config) = place();
    let nested = |depth: usize| {
        let mut tree = repository.tree(&[(FILE, b"a.md", repository.blob(b"deep"))]);
        for _ in 0..depth {
            tree = repository.tree(&[(FOLDER, b"d", tree)]);
        }
        tree
    };
    of_tree(&repository, nested(100));
    let key = "d/".repeat(100) + "a.md";
    let connector = open(&config);
    assert_eq!(list(&connector).await.keys(), [key.as_str()]);
    assert_eq!(fetch(&connector, &key).await.unwrap().0, b"deep");
    of_tree(&repository, nested(1000));
    let listed = list(&connector).await;
    assert_eq!(listed.failed.values().collect::<Vec<_>>(), [&"too_deep"]);
    assert!(listed.items.is_empty());
}

#[tokio::test]
async fn a_repository_that_unfolds_without_end_is_not_read() {
    let (_folder, repository, config) = place();
    let mut tree = repository.tree(&[(FILE, b"a.md", repository.blob(b"x"))]);
    let names: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    for _ in 0..12 {
        let entries: Vec<_> = names.iter().map(|name| (FOLDER, name.as_bytes(), tree)).collect();
        tree = repository.tree(&entries);
    }
    of_tree(&repository, tree);
    let error = try_list(&open(&config), None).await.unwrap_err();
    assert_eq!(
        (error.kind, error.code),
        (ErrorKind::TooLarge, "repository_too_large")
    );
}
