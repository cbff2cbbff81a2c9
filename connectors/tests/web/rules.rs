//! The rules of a site: `robots.txt`, robots tags, sitemaps.

use std::io::Write;

use lectern_connectors::web::WebConfig;
use lectern_domain::ErrorKind;
use lectern_domain::ports::{Connector, SourceItem};

use crate::listing::{Listing, config, connector, key};
use crate::site::{Page, Site};

fn small_site() -> Site {
    let site = Site::new();
    site.put("/", Page::of_links(["/open", "/closed/a", "/closed/b"]));
    site.put("/open", Page::html("open"));
    site.put("/closed/a", Page::html("a"));
    site.put("/closed/b", Page::html("b"));
    site
}

fn robots(site: &Site, rules: &str) {
    site.put("/robots.txt", Page::new("text/plain", rules));
}

#[tokio::test]
async fn what_the_site_disallows_is_not_asked_for() {
    let site = small_site();
    robots(
        &site,
        "User-agent: *\nDisallow: /\n\nUser-agent: Lectern\nDisallow: /closed\nAllow: /closed/b$\n",
    );
    let connector = connector(config(&site, "/"));
    let listing = Listing::whole(&connector, None).await;
    assert_eq!(listing.paths(&site), ["/#", "/closed/b", "/open"]);
    assert_eq!(listing.skipped[&key(&site, "/closed/a")], "robots_disallowed");
    let asked = site.paths();
    assert!(!asked.contains(&"/closed/a".to_owned()));
    let count = asked.iter().filter(|path| *path == "/robots.txt").count();
    assert_eq!(count, 1, "the rules are read once");
    let item = SourceItem::new(key(&site, "/closed/a"), "");
    let error = connector.fetch(&item).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Denied, "robots_disallowed"));
    robots(&site, "User-agent: *\nDisallow: /");
    assert_eq!(
        Listing::of(&connector, None).await.code(),
        Some("robots_disallowed")
    );
}

#[tokio::test]
async fn rules_that_are_not_there_allow_everything_and_rules_that_fail_nothing() {
    let site = small_site();
    let connector = connector(config(&site, "/"));
    for status in [400, 401, 403, 404, 410] {
        site.put("/robots.txt", Page::status(status));
        assert_eq!(Listing::whole(&connector, None).await.items.len(), 4, "{status}");
    }
    let cursor = Listing::whole(&connector, None).await.cursor;
    for status in [429, 500, 503] {
        site.put("/robots.txt", Page::status(status));
        for since in [None, cursor.as_ref()] {
            site.asked();
            let listing = Listing::of(&connector, since).await;
            assert_eq!(listing.code(), Some("site_unavailable"), "{status}");
            assert!(listing.gone.is_empty() && listing.cursor.is_none());
            assert!(site.paths().iter().all(|path| path == "/robots.txt"));
        }
    }
    site.put("/robots.txt", Page::moved("/rules/1"));
    site.put("/rules/1", Page::moved("/rules/2"));
    site.put(
        "/rules/2",
        Page::new("text/plain", "User-agent: *\nDisallow: /closed"),
    );
    assert_eq!(Listing::whole(&connector, None).await.items.len(), 2);
}

#[tokio::test]
async fn a_host_whose_rules_fail_is_left_out_alone() {
    let (site, other) = (small_site(), Site::new());
    other.put("/", Page::of_links(["/page"]));
    other.put("/page", Page::html("page"));
    site.put("/", Page::of_links(["/a", &key(&other, "/named")]));
    other.put("/named", Page::html("named"));
    let mut both = config(&site, "/");
    both.seeds.push(key(&other, "/"));
    let connector = connector(both);
    let whole = Listing::whole(&connector, None).await;
    let of_other =
        |keys: &mut dyn Iterator<Item = &String>| keys.filter(|key| key.starts_with(other.address())).count();
    assert_eq!(of_other(&mut whole.items.keys()), 3, "{whole:?}");
    let own = whole.items.len() - 3;
    for status in [429, 500, 503] {
        other.put("/robots.txt", Page::status(status));
        other.asked();
        let changes = Listing::whole(&connector, whole.cursor.as_ref()).await;
        assert!(changes.gone.is_empty(), "{status}: {changes:?}");
        assert!(
            whole
                .items
                .keys()
                .filter(|key| key.starts_with(other.address()))
                .all(|key| changes.failed.get(key) == Some(&"robots_unavailable")),
            "{status}: {changes:?}"
        );
        let full = Listing::whole(&connector, None).await;
        assert_eq!(full.items.len(), own, "{status}: {full:?}");
        assert_eq!(full.failed[&key(&other, "/")], "links_unknown", "{status}");
        assert!(other.paths().iter().all(|path| path == "/robots.txt"), "{status}");
        other.remove("/robots.txt");
        let back = Listing::whole(&connector, changes.cursor.as_ref()).await;
        assert_eq!(
            (of_other(&mut back.items.keys()), back.gone.len()),
            (3, 0),
            "{status}: {back:?}"
        );
    }
    // Where no seed's host has rules that can be read, there is nothing to begin with.
    for host in [&site, &other] {
        host.put("/robots.txt", Page::status(503));
    }
    let listing = Listing::of(&connector, whole.cursor.as_ref()).await;
    assert_eq!(listing.code(), Some("site_unavailable"));
    assert!(listing.gone.is_empty());
}

#[tokio::test]
async fn pages_say_themselves_what_may_be_done_with_them() {
    let site = Site::new();
    site.put(
        "/",
        Page::of_links(["/hidden", "/hidden/too", "/end", "/polite", "/picture", "/style"]),
    );
    site.put(
        "/hidden",
        Page::html("<meta name=robots content=noindex><a href=/behind>b</a>"),
    );
    site.put("/hidden/too", Page::html("x").with("X-Robots-Tag", "noindex"));
    site.put(
        "/end",
        Page::html("<meta name=lectern content=nofollow><a href=/unseen>u</a>"),
    );
    site.put("/polite", Page::html("<a rel='nofollow' href=/unseen>u</a>"));
    site.put("/behind", Page::html("behind"));
    site.put("/unseen", Page::html("unseen"));
    site.put("/picture", Page::new("image/png", "x"));
    site.put("/style", Page::new("text/css", "x"));
    let connector = connector(config(&site, "/"));
    let listing = Listing::whole(&connector, None).await;
    assert_eq!(listing.paths(&site), ["/#", "/behind", "/end", "/polite"]);
    for (path, code) in [
        ("/hidden", "noindex"),
        ("/hidden/too", "noindex"),
        ("/picture", "media_type_unsupported"),
        ("/style", "media_type_unsupported"),
    ] {
        assert_eq!(listing.skipped[&key(&site, path)], code, "{path}");
    }
    site.put("/end", Page::html("<meta name=robots content=noindex>"));
    let item = &listing.items[&key(&site, "/end")];
    assert_eq!(connector.fetch(item).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn sitemaps_are_read_in_all_their_forms() {
    let site = Site::new();
    let address = site.address().to_owned();
    let urls = |paths: &[&str]| {
        let urls = paths
            .iter()
            .map(|path| format!("<url><loc>{address}{path}</loc></url>"));
        format!("<urlset>{}</urlset>", urls.collect::<String>())
    };
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(urls(&["/packed"]).as_bytes()).unwrap();
    robots(
        &site,
        "Sitemap: /maps/index.xml\nSitemap: /maps/list.txt\nSitemap: https://elsewhere.invalid/sitemap.xml\n",
    );
    let index = format!(
        "<sitemapindex><sitemap><loc>{address}/maps/1.xml</loc></sitemap><sitemap><loc>{address}/maps/2.xml.gz</loc></sitemap>\
         <sitemap><loc>{address}/maps/none.xml</loc></sitemap><sitemap><loc>{address}/maps/index.xml</loc></sitemap></sitemapindex>"
    );
    site.put("/", Page::html("nothing leads on"));
    site.put("/maps/index.xml", Page::new("text/xml", index).tagged());
    site.put(
        "/maps/1.xml",
        Page::new("text/xml", urls(&["/plain", "/plain?a=1&amp;b=2", "/closed/1"])),
    );
    site.put(
        "/maps/2.xml.gz",
        Page::new("application/gzip", packer.finish().unwrap()),
    );
    site.put(
        "/maps/list.txt",
        Page::new("text/plain", format!("{address}/listed\n")),
    );
    for path in ["/plain", "/plain?a=1&b=2", "/packed", "/listed"] {
        site.put(path, Page::html(path));
    }
    let narrowed = WebConfig {
        exclude: vec!["/closed/**".to_owned()],
        ..config(&site, "/")
    };
    let connector = connector(narrowed);
    let listing = Listing::whole(&connector, None).await;
    let expected = ["/#", "/listed", "/packed", "/plain", "/plain?a=1&b=2"];
    assert_eq!(listing.paths(&site), expected);
    let again = Listing::whole(&connector, listing.cursor.as_ref()).await;
    assert!(again.items.is_empty() && again.gone.is_empty(), "{again:?}");
}

#[tokio::test]
async fn lists_of_sitemaps_have_an_end() {
    let site = Site::new();
    let index = |paths: Vec<String>| {
        let sitemaps = paths.iter();
        let sitemaps = sitemaps.map(|path| format!("<sitemap><loc>{}{path}</loc></sitemap>", site.address()));
        Page::new(
            "text/xml",
            format!("<sitemapindex>{}</sitemapindex>", sitemaps.collect::<String>()),
        )
        .tagged()
    };
    robots(&site, "Sitemap: /maps/0.xml\n");
    site.put("/", Page::html("nothing leads on").tagged());
    for level in 0..9 {
        let next = [level, level + 1].map(|level| format!("/maps/{level}.xml"));
        site.put(&format!("/maps/{level}.xml"), index(next.to_vec()));
    }
    let bounded = WebConfig {
        max_pages: 50,
        ..config(&site, "/")
    };
    let connector = connector(bounded);
    let mut cursor = None;
    for _ in 0..2 {
        site.asked();
        cursor = Listing::whole(&connector, cursor.as_ref()).await.cursor;
        let asked = site.paths();
        let asked: Vec<&String> = asked.iter().filter(|path| path.contains("maps")).collect();
        assert_eq!(
            asked,
            ["/maps/0.xml", "/maps/1.xml", "/maps/2.xml", "/maps/3.xml"]
        );
    }
    let wide = (0..1000).map(|number| format!("/maps/wide/{number}.xml"));
    site.put("/maps/0.xml", index(wide.collect()));
    let listing = Listing::whole(&connector, None).await;
    assert_eq!(site.asked().len(), 51, "50 addresses and robots.txt");
    assert_eq!(listing.skipped[&key(&site, "/#too_many_pages")], "too_many_pages");
}
