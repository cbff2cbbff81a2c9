//! What is known about an object: its metadata, its tags, its sidecar, and who may read it. All of it is in the change tag.

use super::*;
use lectern_domain::{Acl, AttributeValue, Principal};

fn groups(names: &[&str]) -> Acl {
    Acl::allowing(names.iter().map(|name| Principal::Group((*name).to_owned())))
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::Text(value.to_owned())
}

#[tokio::test]
async fn metadata_tags_and_sidecar_are_attributes_and_the_sidecar_wins() {
    let shelf = Shelf::new();
    shelf.put("lease.bin", b"# Lease");
    shelf.change("lease.bin", |stored| {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        stored.headers = vec![
            header("Content-Type", "text/markdown; charset=utf-8"),
            header("x-amz-meta-floor", "ground"),
            header("x-amz-meta-title", "Of the metadata"),
            header("x-amz-meta-owner", "Ada"),
            header("x-amz-meta-created", "no date at all"),
        ];
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        stored.tags = vec![tag("owner", "of the tags"), tag("project", "x & y")];
    });
    let plain = on_shelf(&shelf, json!({}));
    let fetched = fetch(plain.as_ref(), "shelf/lease.bin").await.unwrap();
    assert_eq!(
        fetched.media_type.as_deref(),
        Some("text/markdown; charset=utf-8")
    );
    assert_eq!(fetched.title.as_deref(), Some("Of the metadata"));
    assert_eq!((fetched.file_name.as_str(), fetched.acl), ("lease.bin", None));
    assert_eq!(fetched.attributes.get("owner"), Some(&text("Ada")));
    assert!(!fetched.attributes.contains_key("project") && !fetched.attributes.contains_key("created"));
    assert!(!shelf.requests().iter().any(|request| request.starts_with("tags")));

    let sidecar = r#"{"Title": "The lease", "Attributes": {"floor": 2, "_created_at": "2024-01-01"},
        "AccessControlList": [{"Name": "legal", "Type": "GROUP", "Access": "ALLOW"}]}"#;
    shelf.put("lease.bin.metadata.json", sidecar.as_bytes());
    let tagged = on_shelf(&shelf, json!({"tags": true}));
    let fetched = fetch(tagged.as_ref(), "shelf/lease.bin").await.unwrap();
    assert_eq!(fetched.title.as_deref(), Some("The lease"));
    assert_eq!(fetched.acl, Some(groups(&["legal"])));
    assert_eq!(fetched.attributes["floor"], AttributeValue::Number(2.0));
    assert_eq!(fetched.attributes["owner"], text("Ada"));
    assert_eq!(fetched.attributes["project"], text("x & y"));
    let blind = on_shelf(&shelf, json!({"sidecars": false}));
    assert_eq!(
        lines(blind.as_ref()).await,
        ["shelf/lease.bin", "shelf/lease.bin.metadata.json"]
    );
    assert_eq!(fetch(blind.as_ref(), "shelf/lease.bin").await.unwrap().acl, None);
}

#[tokio::test]
async fn a_broken_sidecar_fails_its_document() {
    let shelf = Shelf::new();
    shelf.put("a.md", b"a");
    let connector = on_shelf(&shelf, json!({}));
    for (sidecar, told) in [
        (
            r#"{"AccesControlList": []}"#.to_owned(),
            "unknown field `AccesControlList`",
        ),
        (" ".repeat(70_000), "is larger than 65536 bytes"),
    ] {
        shelf.put("a.md.metadata.json", sidecar.as_bytes());
        let error = fetch(connector.as_ref(), "shelf/a.md").await.unwrap_err();
        assert_eq!(error.code, "sidecar_invalid");
        assert!(
            error.message.starts_with("the sidecar shelf/a.md.metadata.json"),
            "{}",
            error.message
        );
        assert!(error.message.contains(told), "{}", error.message);
    }
}

#[tokio::test]
async fn an_access_file_says_who_reads_and_what_it_does_not_name_is_read_by_nobody() {
    let shelf = Shelf::new();
    let allow = |name: &str| json!([{"Name": name, "Type": "GROUP", "Access": "ALLOW"}]);
    let file = |hr: &str| {
        json!([{"keyPrefix": "s3://shelf/docs/", "aclEntries": allow("staff")},
               {"keyPrefix": "docs/hr/", "aclEntries": allow(hr)}])
    };
    shelf.put("acl.json", file("hr").to_string().as_bytes());
    for key in ["docs/a.md", "docs/hr/b.md", "else/c.md", "docs/own.md"] {
        shelf.put(key, b"x");
    }
    let own = json!({"AccessControlList": allow("owners")});
    shelf.put("docs/own.md.metadata.json", own.to_string().as_bytes());
    let more = json!({"acl_file": "s3://shelf/acl.json"});
    let connector = on_shelf(&shelf, more.clone());
    let all = [
        "shelf/docs/a.md",
        "shelf/docs/hr/b.md",
        "shelf/docs/own.md",
        "shelf/else/c.md",
    ];
    assert_eq!(lines(connector.as_ref()).await, all);
    for (key, acl) in [
        ("shelf/docs/a.md", groups(&["staff"])),
        ("shelf/docs/hr/b.md", groups(&["hr"])),
        ("shelf/docs/own.md", groups(&["owners"])),
        ("shelf/else/c.md", Acl::nobody()),
    ] {
        assert_eq!(
            fetch(connector.as_ref(), key).await.unwrap().acl,
            Some(acl),
            "{key}"
        );
    }

    // A change of the file is a change of the documents whose readers it changes, and is used from the listing on.
    let tag = async |key: &str| item(connector.as_ref(), key).await.change_tag.unwrap();
    let before = (tag("shelf/docs/a.md").await, tag("shelf/docs/hr/b.md").await);
    shelf.put("acl.json", file("board").to_string().as_bytes());
    let after = (tag("shelf/docs/a.md").await, tag("shelf/docs/hr/b.md").await);
    assert_eq!(before.0, after.0);
    assert_ne!(before.1, after.1);
    let acl = fetch(connector.as_ref(), "shelf/docs/hr/b.md").await.unwrap().acl;
    assert_eq!(acl, Some(groups(&["board"])));

    // One that can't be read opens nothing: there is no listing and no document.
    for broken in [Some("[{\"keyPrefix\": 1}]"), None] {
        match broken {
            Some(broken) => shelf.put("acl.json", broken.as_bytes()),
            None => shelf.remove("acl.json"),
        }
        let connector = on_shelf(&shelf, more.clone());
        let error = connector.list(None).next().await.unwrap().unwrap_err();
        assert_eq!(error.code, "access_file_invalid");
        let error = fetch(connector.as_ref(), "shelf/docs/a.md").await.unwrap_err();
        assert_eq!(error.code, "access_file_invalid");
    }
}

#[tokio::test]
async fn of_what_is_not_read_the_access_file_still_says_who_reads_what_is_there() {
    let shelf = Shelf::new();
    let entries = json!([{"Name": "hr", "Type": "GROUP", "Access": "ALLOW"}]);
    let file = json!([{"keyPrefix": "s3://shelf/docs/", "aclEntries": entries}]);
    shelf.put("acl.json", file.to_string().as_bytes());
    for key in ["docs/cold.md", "docs/own.md"] {
        shelf.put(key, b"x");
        shelf.change(key, |stored| stored.storage_class = "DEEP_ARCHIVE".to_owned());
    }
    // A sidecar's word comes over that of the file, and isn't known here.
    shelf.put("docs/own.md.metadata.json", b"{}");
    let connector = on_shelf(&shelf, json!({"acl_file": "s3://shelf/acl.json"}));
    let told: Vec<(String, Option<Acl>)> = listed(connector.as_ref())
        .await
        .into_iter()
        .map(|event| match event {
            ListEvent::Readers { key, acl } => (key, Some(acl)),
            ListEvent::Skipped { item, code, .. } => (format!("{}: {code}", item.key), None),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        ("shelf/docs/cold.md", Some(groups(&["hr"]))),
        ("shelf/docs/cold.md: archived", None),
        ("shelf/docs/own.md: archived", None),
    ];
    assert_eq!(told, expected.map(|(key, acl)| (key.to_owned(), acl)));
}

#[tokio::test]
async fn whatever_changes_about_a_document_changes_its_tag() {
    let shelf = Shelf::new();
    shelf.put("a.md", b"a");
    shelf.put("b.md", b"b");
    let connector = on_shelf(&shelf, json!({"tags": true}));
    let tag = async || item(connector.as_ref(), "shelf/a.md").await.change_tag.unwrap();
    let mut seen = vec![tag().await];
    assert_eq!(tag().await, seen[0]);
    let changes: [&dyn Fn(); 6] = [
        &|| shelf.put("a.md", b"c"),
        &|| shelf.put("a.md.metadata.json", b"{}"),
        &|| shelf.put("a.md.metadata.json", br#"{"Title": "x"}"#),
        &|| shelf.remove("a.md.metadata.json"),
        &|| {
            shelf.change("a.md", |stored| {
                stored.tags = vec![("a".to_owned(), "1".to_owned())]
            })
        },
        &|| {
            shelf.change("a.md", |stored| {
                stored.modified = "2026-02-01T00:00:00.000Z".to_owned()
            })
        },
    ];
    for change in changes {
        change();
        let tag = tag().await;
        // Without its sidecar it is what it was before it had one.
        let is_back = seen.len() == 4;
        assert_eq!(seen.contains(&tag), is_back, "{tag} after {seen:?}");
        seen.push(tag);
    }
    // What changed within the last seconds of the service's clock can't be told from the next change.
    shelf.change("a.md", |stored| {
        stored.modified = "2026-11-01T11:59:59.000Z".to_owned()
    });
    assert_eq!(item(connector.as_ref(), "shelf/a.md").await.change_tag, None);
}
