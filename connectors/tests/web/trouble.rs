//! What goes wrong with a site takes nothing away, and what is endless ends.

use std::io::Write;

use futures::StreamExt;
use lectern_connectors::web::WebConfig;
use lectern_domain::ports::{Connector, Cursor};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

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
}

#[tokio::test]
async fn a_page_that_could_never_be_read_suspends_no_deletion() {
    let site = chain();
    site.put("/", Page::of_links(["/a", "/b", "/broken"]));
    site.put("/broken", Page::status(500));
    let connector = connector(config(&site, "/"));
    let only_broken = |listing: &Listing| listing.failed.keys().eq([&key(&site, "/broken")]);
    let first = Listing::whole(&connector, None).await;
    assert!(only_broken(&first) && first.items.len() == 5, "{first:?}");
    let asked = site.paths().into_iter().filter(|path| path == "/broken").count();
    assert_eq!(asked, 2, "once more at the end");
    // What the site says is gone, is.
    site.put("/a", Page::of_links(["/a/2"]));
    site.remove("/a/1");
    let second = Listing::whole(&connector, first.cursor.as_ref()).await;
    assert!(only_broken(&second), "{second:?}");
    assert_eq!(second.gone, [key(&site, "/a/1")]);
    // What is there and has lost its link may have it from the broken page.
    site.put("/a", Page::html("no links"));
    site.asked();
    let third = Listing::whole(&connector, second.cursor.as_ref()).await;
    assert!(third.gone.is_empty() && site.paths().contains(&"/a/2".to_owned()));
    site.put("/broken", Page::html("no links either"));
    let fourth = Listing::whole(&connector, third.cursor.as_ref()).await;
    assert!(fourth.failed.is_empty(), "{fourth:?}");
    assert_eq!(fourth.gone, [key(&site, "/a/2")]);
}

#[tokio::test]
async fn a_full_listing_leaves_open_what_pages_lead_to_that_fail_for_now() {
    let site = chain();
    // Only `/a` leads there, and the address doesn't show it.
    site.put("/a", Page::of_links(["/elsewhere", "/a/1"]));
    site.put("/elsewhere", Page::html("elsewhere"));
    let connector = connector(config(&site, "/"));
    let known: Vec<String> = Listing::whole(&connector, None).await.items.into_keys().collect();
    assert!(known.contains(&key(&site, "/elsewhere")));
    for (status, is_for_now) in [
        (500, false),
        (501, false),
        (429, true),
        (502, true),
        (503, true),
        (504, true),
    ] {
        site.put("/a", Page::status(status));
        let full = Listing::whole(&connector, None).await;
        assert_eq!(full.failed[&key(&site, "/a")], "site_unavailable", "{status}");
        let is_kept = |known: &String| {
            let mut folders = full.failed.keys().filter(|failed| failed.ends_with('/'));
            full.items.contains_key(known)
                || full.failed.contains_key(known)
                || folders.any(|folder| known.starts_with(folder))
        };
        assert_eq!(known.iter().all(is_kept), is_for_now, "{status}: {full:?}");
        assert_eq!(full.failed.len(), 1 + usize::from(is_for_now), "{status}");
        assert_eq!(full.cursor.is_none(), is_for_now, "{status}");
    }
    site.put("/a", Page::of_links(["/a/1", "/a/2"]));
    // Nothing is left open where it can be read at the end of the crawl.
    let mut failures = 0;
    site.answer_with(move |path| {
        failures += u32::from(path == "/a");
        (path == "/a" && failures == 1).then(|| Page::status(503))
    });
    let full = Listing::whole(&connector, None).await;
    assert!(full.failed.is_empty() && full.items.len() == 5, "{full:?}");
}

#[tokio::test]
async fn a_page_stays_until_its_redirect_leads_to_one_that_can_be_read() {
    let site = chain();
    let connector = connector(config(&site, "/"));
    let whole = Listing::whole(&connector, None).await;
    site.put("/b", Page::moved("/new"));
    site.put("/new", Page::status(503));
    let listing = Listing::whole(&connector, whole.cursor.as_ref()).await;
    assert!(
        listing.failed.keys().eq([&key(&site, "/b"), &key(&site, "/new")]),
        "{listing:?}"
    );
    assert!(listing.gone.is_empty());
    site.put("/new", Page::html("new"));
    let listing = Listing::whole(&connector, listing.cursor.as_ref()).await;
    assert_eq!(listing.paths(&site), ["/new"]);
    assert_eq!(listing.gone, [key(&site, "/b")]);
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
    site.put("/robots.txt", Page::new("text/plain", "Sitemap: /sitemap.xml"));
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
        assert!(
            listing.failed.keys().eq([&key(&site, "/sitemap.xml")]),
            "{listing:?}"
        );
        let full = Listing::whole(&connector, None).await;
        assert_eq!(full.failed[&key(&site, "/")], "links_unknown");
    }
    site.put("/sitemap.xml", Page::status(500));
    let without = crate::listing::connector(WebConfig {
        exclude: vec!["/sitemap.xml".to_owned()],
        ..config(&site, "/")
    });
    assert!(Listing::whole(&without, None).await.failed.is_empty());
    // Where nobody says that one is there, none is missed.
    site.remove("/robots.txt");
    for status in [403, 500, 503] {
        site.put("/sitemap.xml", Page::status(status));
        let full = Listing::whole(&connector, None).await;
        assert!(
            full.failed.is_empty() && full.cursor.is_some(),
            "{status} {full:?}"
        );
    }
    site.remove("/sitemap.xml");
    let listing = Listing::whole(&connector, whole.cursor.as_ref()).await;
    assert_eq!(listing.gone, [key(&site, "/only")]);
}

#[tokio::test]
async fn many_failures_in_a_row_end_the_crawl_where_the_site_is_down() {
    let site = Site::new();
    site.put("/", Page::of_links((0..200).map(|number| format!("/{number}"))));
    for (status, most) in [(500, 10), (403, 50)] {
        // The pages are broken, and the site is there.
        site.answer_with(move |path| (path.len() > 1 && !path.contains('.')).then(|| Page::status(status)));
        let listing = Listing::whole(&connector(config(&site, "/")), None).await;
        assert_eq!((listing.failed.len(), listing.items.len()), (200, 1), "{status}");
        // After the first page, nothing is there any more.
        let mut pages = 0;
        site.answer_with(move |path| {
            pages += u32::from(!path.contains('.'));
            (pages > 1).then(|| Page::status(status))
        });
        site.asked();
        let listing = Listing::of(&connector(config(&site, "/")), None).await;
        assert_eq!(listing.code(), Some("site_unavailable"));
        let asked = site.paths();
        assert_eq!(
            asked.len(),
            3 + most + 1,
            "robots.txt, the seed, a sitemap, failures, and the seed"
        );
        assert_eq!(asked.last().map(String::as_str), Some("/"));
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
    // Longer than max_wait_s: not waited for, but asked once more at the end.
    site.answer_with(|path| (path == "/a").then(|| Page::status(429).with("Retry-After", "3600")));
    let listing = Listing::whole(&connector(patient), None).await;
    assert_eq!(listing.failed[&key(&site, "/a")], "site_unavailable");
    assert_eq!(site.paths().iter().filter(|path| *path == "/a").count(), 2);
}

#[tokio::test]
async fn what_is_packed_counts_as_it_is_unpacked() {
    let packed = |text: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(text).unwrap();
        Page::html(packer.finish().unwrap()).with("Content-Encoding", "gzip")
    };
    let site = Site::new();
    site.put("/", packed(b"<a href=/bomb>b</a><a href=/cut>c</a>"));
    let bomb = packed(&vec![b' '; 8 << 20]);
    assert!(bomb.body.len() < 100_000);
    let mut cut = bomb.clone();
    cut.body.truncate(100);
    site.put("/robots.txt", bomb.clone());
    site.put("/bomb", bomb);
    site.put("/cut", cut);
    let small = WebConfig {
        max_page_bytes: 1 << 20,
        ..config(&site, "/")
    };
    let listing = Listing::whole(&connector(small), None).await;
    assert_eq!(listing.paths(&site), ["/#"]);
    assert_eq!(listing.skipped[&key(&site, "/bomb")], "too_large");
    assert_eq!(listing.failed[&key(&site, "/cut")], "site_unavailable");
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
async fn a_listing_that_is_dropped_hangs_up() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let connector = connector(WebConfig {
        allow_private_hosts: vec!["127.0.0.1".to_owned()],
        ..WebConfig::new(vec![format!("http://{}/", listener.local_addr().unwrap())])
    });
    let mut listing = connector.list(None);
    // It is asked, and never answers.
    let asked = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        assert_ne!(socket.read(&mut [0; 1024]).await.unwrap(), 0);
        socket
    };
    let mut socket = tokio::select! {
        socket = asked => socket,
        event = listing.next() => panic!("{event:?}"),
    };
    drop(listing);
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).await.unwrap();
}

#[tokio::test]
async fn a_cursor_of_another_time_is_too_old() {
    let site = chain();
    let connector = connector(config(&site, "/"));
    let listing = Listing::of(&connector, Some(&Cursor("web0:x".to_owned()))).await;
    assert_eq!(listing.code(), Some("cursor_expired"));
    assert!(site.asked().is_empty());
}
