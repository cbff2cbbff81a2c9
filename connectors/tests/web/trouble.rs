//! What goes wrong with a site takes nothing away, and what is endless ends.

use futures::StreamExt;
use lectern_connectors::web::WebConfig;
use lectern_domain::ports::{Connector, Cursor};

use crate::listing::{Listing, config, connector, key};
use crate::site::{Page, Site};

/// A site where a page is named by another alone.
fn chain() -> Site {
    let site = Site::new();
    site.put("/", Page::of_links(["/a", "/b"]));
    site.put("/a", Page::of_links(["/a/1", "/a/2"]));
    site.put("/b", Page::html("b"));
    site.put("/a/1", Page::html("one"));
    site.put("/a/2", Page::html("two"));
    site
}

#[tokio::test]
async fn a_site_that_is_down_deletes_nothing() {
    let site = chain();
    let connector = connector(config(&site, "/"));
    let listing = Listing::whole(&connector, None).await;
    let cursor = listing.cursor.unwrap();
    assert_eq!(listing.items.len(), 5);
    for status in [404, 410, 403, 429, 500, 503] {
        site.put("/", Page::status(status));
        for since in [None, Some(&cursor)] {
            let listing = Listing::of(&connector, since).await;
            assert!(listing.error.is_some(), "{status}");
            assert!(listing.gone.is_empty() && listing.cursor.is_none());
        }
    }
    site.put("/", Page::of_links(["/a"]));
    site.stop();
    for since in [None, Some(&cursor)] {
        let listing = Listing::of(&connector, since).await;
        assert_eq!(listing.code(), Some("site_unavailable"));
        assert!(listing.gone.is_empty() && listing.items.is_empty());
    }
}

#[tokio::test]
async fn a_page_that_fails_hides_nothing_that_was_behind_it() {
    let site = chain();
    let connector = connector(config(&site, "/"));
    let whole = Listing::whole(&connector, None).await;
    for status in [403, 500] {
        site.put("/a", Page::status(status));
        // Of changes: its links are known.
        let listing = Listing::whole(&connector, whole.cursor.as_ref()).await;
        assert_eq!(listing.failed.keys().collect::<Vec<_>>(), [&key(&site, "/a")]);
        assert!(listing.gone.is_empty() && listing.items.is_empty());
        // And at the next time too; what is gone behind it is told.
        let again = Listing::whole(&connector, listing.cursor.as_ref()).await;
        assert!(again.gone.is_empty());
        site.remove("/a/2");
        let without = Listing::whole(&connector, again.cursor.as_ref()).await;
        assert_eq!(without.gone, [key(&site, "/a/2")]);
        site.put("/a/2", Page::html("two"));
        site.put("/a", Page::of_links(["/a/1", "/a/2"]));
        let back = Listing::whole(&connector, without.cursor.as_ref()).await;
        assert_eq!(back.paths(&site), ["/a", "/a/2"]);
    }
    // In full, nothing is known of what is behind it, and so of all that isn't seen.
    site.put("/a", Page::status(500));
    let full = Listing::whole(&connector, None).await;
    assert_eq!(full.failed[&key(&site, "/")], "links_unknown");
    assert_eq!(full.failed[&key(&site, "/a")], "site_unavailable");
    assert_eq!(full.cursor, None);
}

#[tokio::test]
async fn a_new_page_that_fails_takes_nothing_for_gone() {
    let site = chain();
    let connector = connector(config(&site, "/"));
    let whole = Listing::whole(&connector, None).await;
    // The pages move behind another one, which doesn't work yet.
    site.put("/", Page::of_links(["/moved", "/b"]));
    site.put("/moved", Page::status(502));
    let listing = Listing::whole(&connector, whole.cursor.as_ref()).await;
    assert!(listing.gone.is_empty(), "{listing:?}");
    site.put("/moved", Page::of_links(["/a/1"]));
    let listing = Listing::whole(&connector, listing.cursor.as_ref()).await;
    let mut gone = listing.gone.clone();
    gone.sort();
    assert_eq!(gone, [key(&site, "/a"), key(&site, "/a/2")]);
}

#[tokio::test]
async fn a_sitemap_that_fails_or_breaks_takes_nothing_for_gone() {
    let site = Site::new();
    let sitemap = format!("<urlset><url><loc>{}/only</loc></url></urlset>", site.address());
    site.put("/", Page::html("start"));
    site.put("/only", Page::html("only"));
    site.put("/sitemap.xml", Page::new("text/xml", sitemap.clone()));
    let connector = connector(config(&site, "/"));
    let whole = Listing::whole(&connector, None).await;
    for broken in [
        Page::status(500),
        Page::html("<h1>Oh no"),
        Page::new("text/xml", &sitemap[..20]),
    ] {
        site.put("/sitemap.xml", broken);
        let listing = Listing::whole(&connector, whole.cursor.as_ref()).await;
        assert!(listing.gone.is_empty(), "{listing:?}");
    }
    site.put("/sitemap.xml", Page::status(500));
    assert_eq!(
        Listing::whole(&connector, None).await.failed[&key(&site, "/")],
        "links_unknown"
    );
    site.remove("/sitemap.xml");
    let listing = Listing::whole(&connector, whole.cursor.as_ref()).await;
    assert_eq!(listing.gone, [key(&site, "/only")]);
}

#[tokio::test]
async fn one_failure_after_the_other_ends_the_crawl() {
    let site = Site::new();
    site.put("/", Page::of_links((0..200).map(|number| format!("/{number}"))));
    for (status, most) in [(500, 10), (403, 50)] {
        site.answer_with(move |path| (path.len() > 1 && !path.contains('.')).then(|| Page::status(status)));
        site.asked();
        let listing = Listing::of(&connector(config(&site, "/")), None).await;
        assert_eq!(listing.code(), Some("site_unavailable"));
        assert_eq!(
            site.asked().len(),
            3 + most,
            "robots.txt, the seed, a sitemap, and failures"
        );
    }
}

#[tokio::test]
async fn a_busy_site_is_given_its_time_within_bounds() {
    let site = chain();
    let mut refusals = 0;
    site.answer_with(move |path| {
        if path != "/a" || refusals == 2 {
            return None;
        }
        refusals += 1;
        Some(Page::status(if refusals == 1 { 429 } else { 503 }).with("Retry-After", "0"))
    });
    let patient = WebConfig {
        retries: 3,
        ..config(&site, "/")
    };
    let listing = Listing::whole(&connector(patient.clone()), None).await;
    assert_eq!(listing.items.len(), 5);
    assert_eq!(site.paths().iter().filter(|path| *path == "/a").count(), 3);
    // Longer than max_wait_s: told at once, and not waited for.
    site.answer_with(|path| (path == "/a").then(|| Page::status(429).with("Retry-After", "3600")));
    let listing = Listing::whole(&connector(patient), None).await;
    assert_eq!(listing.failed[&key(&site, "/a")], "site_unavailable");
    assert_eq!(site.paths().iter().filter(|path| *path == "/a").count(), 1);
}

#[tokio::test]
async fn an_endless_site_stays_within_the_bounds() {
    let site = Site::new();
    site.put("/", Page::of_links(["/calendar/0", "/real"]));
    site.put("/real", Page::html("real"));
    site.answer_with(|path| {
        let day: u64 = path.strip_prefix("/calendar/")?.parse().ok()?;
        let links = (1..30).map(|later| format!("/calendar/{}", day * 30 + later));
        Some(Page::of_links(links))
    });
    let bounded = WebConfig {
        max_pages: 60,
        ..config(&site, "/")
    };
    let connector_of_pages = connector(bounded);
    let listing = Listing::whole(&connector_of_pages, None).await;
    assert!(listing.items.contains_key(&key(&site, "/real")));
    assert_eq!(site.asked().len(), 61, "60 pages and robots.txt");
    assert_eq!(listing.skipped[&key(&site, "/#too_many_pages")], "too_many_pages");
    let again = Listing::whole(&connector_of_pages, listing.cursor.as_ref()).await;
    assert!(again.gone.is_empty() && again.items.is_empty() && again.skipped.is_empty());

    site.asked();
    let shallow = WebConfig {
        max_depth: 2,
        ..config(&site, "/")
    };
    let listing = Listing::whole(&connector(shallow), None).await;
    assert_eq!(listing.items.len(), 2 + 1 + 29);
    assert_eq!(listing.skipped[&key(&site, "/#too_deep")], "too_deep");
    let long = WebConfig {
        max_url_bytes: site.address().len() + 10,
        ..config(&site, "/")
    };
    assert_eq!(
        Listing::whole(&connector(long), None).await.paths(&site),
        ["/#", "/real"]
    );
}

#[tokio::test]
async fn a_listing_that_is_dropped_asks_for_nothing_more() {
    let site = Site::new();
    site.put("/", Page::of_links((0..50).map(|number| format!("/{number}"))));
    for number in 0..50 {
        site.put(&format!("/{number}"), Page::html("x"));
    }
    let connector = connector(config(&site, "/"));
    let events: Vec<_> = connector.list(None).take(3).collect().await;
    assert_eq!(events.len(), 3);
    let asked = site.asked().len();
    assert!(asked <= 6, "{asked}");
    Listing::whole(&connector, None).await;
    assert_eq!(site.asked().len(), 53);
}

#[tokio::test]
async fn a_cursor_of_another_time_is_too_old() {
    let site = chain();
    let connector = connector(config(&site, "/"));
    let listing = Listing::of(&connector, Some(&Cursor("web0:x".to_owned()))).await;
    assert_eq!(listing.code(), Some("cursor_expired"));
    assert!(site.asked().is_empty());
}
