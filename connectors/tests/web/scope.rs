//! What belongs to a source: hosts, paths, redirects, and no machine of a private network.

use lectern_connectors::web::{Auth, Secret, WebConfig};
use lectern_domain::ports::{Connector, SourceItem};

use crate::listing::{Listing, config, connector, key};
use crate::site::{Page, Site};

#[tokio::test]
async fn only_what_is_in_scope_is_asked_for() {
    let site = Site::new();
    site.put(
        "/",
        Page::of_links([
            "/docs/one",
            "/docs/one#part",
            "/docs/one?utm_source=x",
            "/docs/drafts/a",
            "/about",
            "/news/1",
            "https://elsewhere.invalid/docs/one",
            "//user:hunter2@elsewhere.invalid/docs/",
            "mailto:ada@example.com",
            "javascript:void(0)",
        ]),
    );
    site.put("/docs/one", Page::of_links(["two/", "/docs/one"]));
    site.put(
        "/docs/two/",
        Page::of_links([site.address().replacen("//", "//ada:hunter2@", 1) + "/docs/three"]),
    );
    site.put("/docs/three", Page::html("three"));
    site.put("/news/1", Page::of_links(["/docs/four"]));
    site.put("/docs/four", Page::html("four"));
    let connector = connector(WebConfig {
        include: vec!["/docs/**".to_owned()],
        exclude: vec!["/docs/drafts/**".to_owned()],
        follow: vec!["/news/*".to_owned()],
        ..config(&site, "/")
    });
    let listing = Listing::whole(&connector, None).await;
    let found = listing.paths(&site);
    assert_eq!(found, ["/docs/four", "/docs/one", "/docs/three", "/docs/two/#"]);
    assert!(!format!("{listing:?} {}", connector.describe()).contains("hunter2"));
    let mut asked = site.paths();
    asked.sort();
    let expected = [
        "/",
        "/docs/four",
        "/docs/one",
        "/docs/three",
        "/docs/two/",
        "/news/1",
        "/robots.txt",
        "/sitemap.xml",
    ];
    assert_eq!(asked, expected);
    assert_eq!(
        listing.items[&key(&site, "/docs/two/#")].uri,
        key(&site, "/docs/two/")
    );
}

#[tokio::test]
async fn a_redirect_is_asked_for_where_its_target_may_be() {
    let (site, other) = (Site::new(), Site::new());
    other.put("/", Page::html("other"));
    site.put(
        "/",
        Page::of_links(["/old", "/out", "/loop", "/self", "/private", "/chain/0", "/gone"]),
    );
    site.put("/old", Page::moved("/new?utm_medium=redirect"));
    site.put("/new", Page::html("new"));
    site.put("/out", Page::moved(&format!("{}/", other.address())));
    site.put("/private", Page::moved("http://10.0.0.1/latest/meta-data/"));
    site.put("/loop", Page::moved("/loop/back"));
    site.put("/loop/back", Page::moved("/loop"));
    site.put("/self", Page::moved("/self"));
    site.put("/gone", Page::moved("/nowhere"));
    for hop in 0..9 {
        site.put(
            &format!("/chain/{hop}"),
            Page::moved(&format!("/chain/{}", hop + 1)),
        );
    }
    let listing = Listing::whole(&connector(config(&site, "/")), None).await;
    assert_eq!(listing.paths(&site), ["/#", "/new"]);
    assert_eq!(listing.skipped[&key(&site, "/out")], "redirect_out_of_scope");
    assert_eq!(listing.skipped[&key(&site, "/private")], "redirect_out_of_scope");
    // Neither of the pages on the way can be read, and what they were stays.
    let mut endless: Vec<String> = (0..6).map(|hop| key(&site, &format!("/chain/{hop}"))).collect();
    endless.extend(["/loop", "/loop/back", "/self"].map(|path| key(&site, path)));
    assert!(listing.failed.keys().eq(&endless), "{:?}", listing.failed);
    assert!(listing.failed.values().all(|code| *code == "redirects_endless"));
    assert!(!site.paths().contains(&"/chain/6".to_owned()));
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn a_seed_may_lead_elsewhere_within_its_hosts_alone() {
    let site = Site::new();
    site.put("/", Page::moved("/en/"));
    site.put("/en/", Page::of_links(["/docs/one"]));
    site.put("/docs/one", Page::html("one"));
    let inside = WebConfig {
        include: vec!["/docs/**".to_owned()],
        ..config(&site, "/")
    };
    let listing = Listing::whole(&connector(inside), None).await;
    assert_eq!(listing.paths(&site), ["/docs/one"]);
    site.put("/", Page::moved("https://www.elsewhere.invalid/"));
    let listing = Listing::of(&connector(config(&site, "/")), None).await;
    assert_eq!(listing.code(), Some("seed_unusable"));
    assert!(listing.error.unwrap().message.contains("www.elsewhere.invalid"));
}

#[tokio::test]
async fn a_private_network_is_asked_only_where_it_is_named() {
    let site = Site::new();
    site.put("/", Page::of_links(["/one"]));
    site.put("/one", Page::html("one"));
    let named = |host: &str| WebConfig {
        seeds: vec![format!("http://{host}{}/", site.port())],
        ..config(&site, "/")
    };
    // Not named: a name that leads there, and addresses in all their spellings.
    for host in [
        "public.example",
        "2130706433",
        "0x7f.1",
        "127.0.0.2",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "0.0.0.0",
    ] {
        let refused = WebConfig {
            allow_private_hosts: vec!["inside.example".to_owned()],
            ..named(host)
        };
        let listing = Listing::of(&connector(refused), None).await;
        assert_eq!(listing.code(), Some("address_forbidden"), "{host}");
        assert!(listing.items.is_empty() && listing.cursor.is_none());
    }
    assert!(site.asked().is_empty(), "nothing was sent");
    let allowed = WebConfig {
        allow_private_hosts: vec!["inside.example".to_owned()],
        ..named("inside.example")
    };
    assert_eq!(Listing::whole(&connector(allowed), None).await.items.len(), 2);

    // Nor does a page, a redirect or a rule of an allowed host lead to one that isn't.
    site.asked();
    let hosts = vec![format!("http://other.example{}", site.port())];
    let target = format!("{}/one", hosts[0]);
    let with_other = WebConfig {
        hosts,
        ..config(&site, "/")
    };
    for page in [Page::of_links([&target]), Page::moved(&target)] {
        site.put("/", page);
        let listing = Listing::of(&connector(with_other.clone()), None).await;
        assert_eq!(listing.code(), Some("address_forbidden"));
    }
    site.put(
        "/robots.txt",
        Page::moved(&format!("http://other.example{}/robots", site.port())),
    );
    let listing = Listing::of(&connector(with_other.clone()), None).await;
    assert_eq!(listing.code(), Some("address_forbidden"));
    site.put(
        "/robots.txt",
        Page::new("text/plain", format!("Sitemap: {target}")),
    );
    site.put("/", Page::html("no links"));
    let listing = Listing::of(&connector(with_other), None).await;
    assert_eq!(listing.code(), Some("address_forbidden"));
    assert!(
        site.asked()
            .iter()
            .all(|asked| !asked.headers["host"].starts_with("other"))
    );
}

#[tokio::test]
async fn a_secret_is_shown_to_the_host_of_the_seed_alone() {
    let (site, other) = (Site::new(), Site::new());
    let elsewhere = format!("{}/page", other.address());
    site.put("/", Page::of_links([elsewhere.as_str(), "/moved"]));
    site.put("/moved", Page::moved(&format!("{}/moved", other.address())));
    other.put("/page", Page::html("page"));
    other.put("/moved", Page::html("moved"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "hunter2").unwrap();
    let connector = connector(WebConfig {
        hosts: vec![other.address().to_owned()],
        auth: Some(Auth::Bearer {
            token: Secret::File(file),
        }),
        ..config(&site, "/")
    });
    let listing = Listing::whole(&connector, None).await;
    assert_eq!(listing.items.len(), 3);
    for key in listing.items.keys() {
        connector.fetch(&SourceItem::new(key.clone(), "")).await.unwrap();
    }
    for asked in site.asked() {
        assert_eq!(asked.headers["authorization"], "Bearer hunter2", "{}", asked.path);
        assert!(asked.headers["user-agent"].starts_with("Lectern/"));
    }
    let asked = other.asked();
    assert!(
        asked.len() >= 5
            && asked
                .iter()
                .all(|asked| !asked.headers.contains_key("authorization"))
    );
    assert!(!format!("{connector:?} {listing:?}").contains("hunter2"));
}
