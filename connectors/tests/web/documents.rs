//! Which pages are one document, and what is fetched of it.

use lectern_connectors::web::WebConfig;
use lectern_domain::ErrorKind;
use lectern_domain::ports::{Connector, SourceItem};

use crate::listing::{Listing, config, connector, key};
use crate::site::{Page, Site};

fn canonical(to: &str, text: &str) -> Page {
    Page::html(format!("<link rel=canonical href=\"{to}\"><p>{text}"))
}

#[tokio::test]
async fn a_page_is_one_document_under_its_canonical_address() {
    let site = Site::new();
    site.put(
        "/",
        Page::of_links([
            "/page?view=print",
            "/page",
            "/page?view=wide",
            "/hidden?view=1",
            "/broken?view=1",
            "/self",
            "/mirror",
            "/ping",
            "/pong",
            "/round?view=1",
        ]),
    );
    for view in ["/page", "/page?view=print", "/page?view=wide"] {
        site.put(view, canonical("/page#top", view));
    }
    // Named by the copy alone.
    site.put("/hidden?view=1", canonical("/hidden", "copy"));
    site.put("/hidden", Page::html("original"));
    // Not there: the copy stands for itself.
    site.put("/broken?view=1", canonical("/broken", "copy"));
    site.put("/self", canonical("", "self"));
    site.put("/mirror", canonical("https://elsewhere.invalid/mirror", "mirror"));
    // Each says that the other is it.
    site.put("/ping", canonical("/pong", "ping"));
    site.put("/pong", canonical("/ping", "pong"));
    // It leads back to the copy.
    site.put("/round?view=1", canonical("/round", "round"));
    site.put("/round", Page::moved("/round?view=1"));
    let connector = connector(config(&site, "/"));
    let listing = Listing::whole(&connector, None).await;
    let expected = [
        "/#",
        "/broken?view=1",
        "/hidden",
        "/mirror",
        "/page",
        "/pong",
        "/round?view=1",
        "/self",
    ];
    assert_eq!(listing.paths(&site), expected);
    assert!(
        listing.failed.is_empty() && listing.skipped.is_empty(),
        "{listing:?}"
    );
    let again = Listing::whole(&connector, listing.cursor.as_ref()).await;
    assert!(again.items.is_empty() && again.gone.is_empty(), "{again:?}");
    for path in &expected[1..] {
        let item = &listing.items[&key(&site, path)];
        connector.fetch(item).await.unwrap();
    }
}

#[tokio::test]
async fn references_are_relative_to_the_base_of_the_page() {
    let site = Site::new();
    site.put(
        "/",
        Page::html("<base href='/deep/er/'><a href='one'>1</a><a href='../two'>2</a>"),
    );
    site.put("/deep/er/one", Page::html("one"));
    site.put("/deep/two", Page::html("two"));
    let listing = Listing::whole(&connector(config(&site, "/")), None).await;
    assert_eq!(listing.paths(&site), ["/#", "/deep/er/one", "/deep/two"]);
}

#[tokio::test]
async fn documents_come_as_they_are_with_what_is_said_of_them() {
    let site = Site::new();
    let pdf = b"%PDF-1.7 \x00\xff".to_vec();
    site.put(
        "/",
        Page::of_links(["/files/a%20b.pdf", "/folder/", "/large", "/stream"]),
    );
    let modified = "Sun, 01 Nov 2020 12:00:00 GMT";
    site.put(
        "/files/a%20b.pdf",
        Page::new("application/pdf", pdf.clone())
            .tagged()
            .with("Last-Modified", modified),
    );
    site.put("/folder/", Page::html("<p>f\u{fc}r"));
    site.put("/large", Page::html(vec![b'x'; 5000]));
    site.put("/stream", Page::new("application/octet-stream", vec![b'x'; 5000]));
    let connector = connector(WebConfig {
        max_page_bytes: 4000,
        ..config(&site, "/")
    });
    let listing = Listing::whole(&connector, None).await;
    for path in ["/large", "/stream"] {
        assert_eq!(listing.skipped[&key(&site, path)], "too_large");
    }
    let sent: usize = site
        .asked()
        .iter()
        .filter(|asked| asked.path.ends_with(".pdf"))
        .count();
    assert_eq!(sent, 1);
    let item = &listing.items[&key(&site, "/files/a%20b.pdf")];
    assert_eq!(
        item.modified_at.unwrap().to_rfc3339(),
        "2020-11-01T12:00:00+00:00"
    );
    assert_eq!(item.size_bytes, Some(pdf.len() as u64));
    assert!(item.change_tag.is_some());
    let fetched = connector.fetch(item).await.unwrap();
    assert_eq!(
        (&*fetched.bytes, fetched.file_name.as_str()),
        (&pdf[..], "a b.pdf")
    );
    assert_eq!(fetched.media_type.as_deref(), Some("application/pdf"));
    let folder = connector
        .fetch(&listing.items[&key(&site, "/folder/#")])
        .await
        .unwrap();
    assert_eq!((folder.file_name.as_str(), folder.acl), ("index.html", None));
    let error = connector
        .fetch(&SourceItem::new(key(&site, "/stream"), ""))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    for other in [
        "http://10.0.0.1/",
        "https://elsewhere.invalid/a",
        "file:///etc/passwd",
    ] {
        let error = connector.fetch(&SourceItem::new(other, "")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound, "{other}");
    }
}

#[tokio::test]
async fn what_a_listing_has_just_read_comes_over_the_network_once() {
    let site = Site::new();
    site.put("/", Page::of_links(["/a", "/b"]).tagged());
    site.put("/a", Page::html("a".repeat(1000)).tagged());
    site.put("/b", Page::html("b".repeat(1000)).tagged());
    let connector = connector(config(&site, "/"));
    let listing = Listing::whole(&connector, None).await;
    site.put("/b", Page::html("c".repeat(1000)).tagged());
    site.asked();
    for (path, first) in [("/a", b'a'), ("/b", b'c')] {
        let fetched = connector.fetch(&listing.items[&key(&site, path)]).await.unwrap();
        assert_eq!((fetched.bytes.len(), fetched.bytes[0]), (1000, first));
    }
    let sent: Vec<(u16, usize)> = site
        .asked()
        .iter()
        .map(|asked| (asked.status, asked.bytes))
        .collect();
    assert_eq!(sent, [(304, 0), (200, 1000)]);
}
