//! What a listing says: odd keys, filters, and never half of one that looks whole.

use super::*;
use lectern_domain::ErrorKind;

#[tokio::test]
async fn a_listing_that_breaks_in_its_middle_is_an_error() {
    for (status, body, kind) in [
        (403, "<Error><Code>AccessDenied</Code></Error>", ErrorKind::Denied),
        (
            404,
            "<Error><Code>NoSuchBucket</Code></Error>",
            ErrorKind::NotFound,
        ),
        (
            301,
            "<Error><Code>PermanentRedirect</Code></Error>",
            ErrorKind::Invalid,
        ),
    ] {
        let shelf = Shelf::new();
        shelf.number(3000);
        shelf.break_page(1, status, body);
        let connector = on_shelf(&shelf, json!({}));
        let events: Vec<_> = connector.list(None).collect().await;
        assert_eq!(
            events.len(),
            1000,
            "the last of the first page waits for its sidecar"
        );
        assert_eq!(events.last().unwrap().as_ref().unwrap_err().kind, kind);
    }
}

#[tokio::test]
async fn a_page_of_somebody_else_is_no_empty_bucket() {
    let shelf = Shelf::new();
    shelf.put("a.md", b"a");
    shelf.break_page(0, 200, "<html><body>Please sign in</body></html>");
    // It may have been a cut answer, so it is asked for again; then it is what it should be.
    let connector = on_shelf(&shelf, json!({}));
    assert_eq!(lines(connector.as_ref()).await, ["shelf/a.md"]);
    assert_eq!(shelf.requests(), ["list", "list"]);
}

#[tokio::test]
async fn whatever_a_key_is_called_it_is_found_or_named() {
    let shelf = Shelf::new();
    let odd = [
        " leading space",
        "/leading/slash",
        "a//b",
        "a b+c&d=e?f#g",
        "100%",
        "100%25",
        "%2e%2e/x",
        "tab\there",
        "line\nbreak",
        "ü/日本語/😀.md",
        "back\\slash",
        "quote\"'<>",
        "ends with/",
        "a:b@c",
        "~tilde",
        "*star*",
        "CON",
        "trailing.",
        "a.metadata.json.md",
        "folder/.metadata.json",
    ];
    for key in odd {
        shelf.put(key, key.as_bytes());
    }
    shelf.put("marker/", b"");
    shelf.put("a/../b", b"never");
    shelf.put("./c", b"never");
    let connector = on_shelf(&shelf, json!({}));
    let mut found = 0;
    for event in listed(connector.as_ref()).await {
        match event {
            ListEvent::Item(item) => {
                let fetched = connector.fetch(&item).await.unwrap();
                let name = String::from_utf8(fetched.bytes.to_vec()).unwrap();
                assert!(odd.contains(&name.as_str()), "{name:?}");
                assert!(
                    !item.key.ends_with('/') && !fetched.file_name.is_empty(),
                    "{item:?}"
                );
                found += 1;
            }
            ListEvent::Skipped { item, code, .. } => {
                assert_eq!(code, "key_not_addressable");
                assert!(["shelf/a/../b", "shelf/./c"].contains(&item.key.as_str()));
                assert_eq!(
                    fetch(connector.as_ref(), &item.key).await.unwrap_err().kind,
                    ErrorKind::NotFound
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(found, odd.len());
}

#[tokio::test]
async fn prefixes_patterns_and_limits_decide_what_is_read() {
    let shelf = Shelf::new();
    for key in [
        "docs/a.md",
        "docs/a.md.metadata.json",
        "docs/b.pdf",
        "docs/drafts/c.md",
        "docs/large.md",
        "other/d.md",
    ] {
        shelf.put(key, b"{}");
    }
    shelf.change("docs/large.md", |stored| stored.bytes = vec![b'x'; 101]);
    shelf.put("docs/cold.md", b"x");
    shelf.change("docs/cold.md", |stored| {
        stored.storage_class = "DEEP_ARCHIVE".to_owned()
    });
    shelf.put("docs/b.pdf.metadata.json", b"{}");
    shelf.put("docs/gone.md.metadata.json", b"{}");
    let more = json!({
        "buckets": ["s3://shelf/docs/"], "include": ["**/*.md"], "exclude": ["**/drafts/**"], "max_object_bytes": 100,
    });
    let connector = on_shelf(&shelf, more);
    let expected = [
        "shelf/docs/a.md",
        "shelf/docs/cold.md: archived",
        "shelf/docs/gone.md.metadata.json: sidecar_alone",
        "shelf/docs/large.md: too_large",
    ];
    assert_eq!(lines(connector.as_ref()).await, expected);
    assert_eq!(connector.describe(), "objects in s3://shelf/docs/");
    for key in [
        "shelf/other/d.md",
        "shelf/docs/drafts/c.md",
        "shelf/docs/b.pdf",
        "shelf/docs/a.md.metadata.json",
    ] {
        assert_eq!(
            fetch(connector.as_ref(), key).await.unwrap_err().code,
            "object_gone",
            "{key}"
        );
    }
    assert_eq!(
        fetch(connector.as_ref(), "shelf/docs/large.md")
            .await
            .unwrap_err()
            .kind,
        ErrorKind::TooLarge
    );
}

#[tokio::test]
async fn many_buckets_are_one_source() {
    let shelf = Shelf::new();
    for key in ["a/1.md", "b/1.md", "c/1.md"] {
        shelf.put(key, b"x");
    }
    let both = on_shelf(&shelf, json!({"buckets": ["shelf/c/", "s3://shelf/a/"]}));
    assert_eq!(lines(both.as_ref()).await, ["shelf/c/1.md", "shelf/a/1.md"]);
    let half = on_shelf(&shelf, json!({"buckets": ["shelf/a/", "missing"]}));
    let events: Vec<_> = half.list(None).collect().await;
    assert_eq!(
        events.last().unwrap().as_ref().unwrap_err().code,
        "bucket_not_found"
    );

    let refused = |config: Value| {
        open(&SourceConfig::from_json(config).unwrap())
            .err()
            .unwrap()
            .code()
    };
    assert_eq!(refused(json!({"kind": "s3", "buckets": []})), "no_buckets");
    let twice = json!({"kind": "s3", "buckets": ["a", "a/b"], "credentials": {"from": "anonymous"}});
    assert_eq!(refused(twice), "buckets_overlap");
    let http =
        json!({"kind": "s3", "buckets": ["a"], "endpoint": "http://a", "credentials": {"from": "anonymous"}});
    assert_eq!(refused(http), "bucket_setting_invalid");
    let google =
        json!({"kind": "s3", "buckets": ["gs://a"], "tags": true, "credentials": {"from": "anonymous"}});
    assert_eq!(refused(google), "bucket_setting_invalid");
    for fetches_at_once in [0, 257] {
        let anonymous = json!({"from": "anonymous"});
        let many = json!({"kind": "s3", "buckets": ["a"], "credentials": anonymous, "fetches_at_once": fetches_at_once});
        assert_eq!(refused(many), "bucket_setting_invalid");
    }
}
