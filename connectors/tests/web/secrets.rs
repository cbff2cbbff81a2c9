//! Addresses that open something for whoever has them: they are neither asked for nor told, and what is left out so is counted.

use futures::StreamExt;
use lectern_connectors::web::WebConfig;
use lectern_domain::ports::{Connector, ListEvent};

use crate::listing::{Listing, config, connector, key};
use crate::site::{Page, Site};

const TOKEN: &str = "hunter2-4711";
/// What is told of all of them, by its key below the site.
const COUNTED: &str = "/#secret_in_address";

/// That nobody asked for an address with the token.
fn assert_kept(site: &Site, said: &str) {
    assert!(!said.contains(TOKEN), "{said}");
    let asked = site.paths();
    assert!(asked.iter().all(|path| !path.contains(TOKEN)), "{asked:?}");
}

fn sitemap(addresses: &[String]) -> Page {
    let locations = addresses
        .iter()
        .map(|address| format!("<url><loc>{address}</loc></url>"));
    Page::new(
        "text/xml",
        format!("<urlset>{}</urlset>", locations.collect::<String>()),
    )
    .tagged()
}

#[tokio::test]
async fn links_with_a_token_are_left_out_and_counted_once_for_all_crawls() {
    let site = Site::new();
    let rules = format!("Sitemap: /map.xml\nSitemap: /hidden.xml?token={TOKEN}\n");
    site.put("/robots.txt", Page::new("text/plain", rules));
    let signed = format!("{}/plan.pdf?X-Amz-Signature={TOKEN}", site.address());
    let plain = format!("{}/listed", site.address());
    site.put("/map.xml", sitemap(&[signed.clone(), plain.clone()]));
    let links = [
        format!("/download/plan.pdf?access_token={TOKEN}"),
        "/one?token=".to_owned(),
        format!("https://elsewhere.invalid/?access_token={TOKEN}"),
    ];
    site.put("/", Page::of_links(&links).tagged());
    site.put("/one?token=", Page::html("one").tagged());
    site.put("/listed", Page::html("listed").tagged());
    for opened in [&links[0], &format!("/plan.pdf?X-Amz-Signature={TOKEN}")] {
        site.put(opened, Page::html("opened"));
    }
    let connector = connector(config(&site, "/"));
    let events: Vec<_> = connector.list(None).map(Result::unwrap).collect().await;
    assert_kept(&site, &format!("{events:?}"));
    let reasons: Vec<&String> = events
        .iter()
        .filter_map(|event| match event {
            ListEvent::Skipped { code, reason, .. } if *code == "secret_in_address" => Some(reason),
            _ => None,
        })
        .collect();
    assert!(
        matches!(reasons.as_slice(), [reason] if reason.starts_with("3 links ")),
        "{reasons:?}"
    );

    let first = Listing::whole(&connector, None).await;
    assert_eq!(first.paths(&site), ["/#", "/listed", "/one?token="]);
    // What didn't change isn't sent again, and its links are known all the same.
    let again = Listing::whole(&connector, first.cursor.as_ref()).await;
    assert!(
        again.items.is_empty() && again.skipped.is_empty() && again.gone.is_empty(),
        "{again:?}"
    );
    site.put("/robots.txt", Page::new("text/plain", "Sitemap: /map.xml\n"));
    site.put("/map.xml", sitemap(&[plain]));
    site.put("/", Page::of_links(&links[1..]).tagged());
    let mended = Listing::whole(&connector, again.cursor.as_ref()).await;
    assert_eq!(mended.gone, [key(&site, COUNTED)]);
    assert_kept(&site, &format!("{first:?} {again:?} {mended:?}"));
}

#[tokio::test]
async fn what_leads_to_an_address_with_a_token_is_no_document_under_it() {
    let site = Site::new();
    site.put(
        "/",
        Page::of_links(["/docs/moved", "/docs/copy", "/docs/left", "/index/1"]),
    );
    let moved = |path: &str| Page::moved(&format!("{path}?token={TOKEN}"));
    site.put("/docs/moved", moved("/docs/new"));
    site.put("/docs/left", moved("/closed"));
    site.put("/index/1", moved("/index/2"));
    let canonical = format!("<link rel=canonical href=\"/docs/original?token={TOKEN}\"><p>copy");
    site.put("/docs/copy", Page::html(canonical));
    let connector = connector(WebConfig {
        include: vec!["/docs/**".to_owned()],
        follow: vec!["/index/*".to_owned()],
        ..config(&site, "/")
    });
    let listing = Listing::whole(&connector, None).await;
    assert_eq!(listing.paths(&site), ["/docs/copy"]);
    let skipped: Vec<String> = listing.skipped.keys().cloned().collect();
    assert_eq!(skipped, [key(&site, COUNTED), key(&site, "/docs/moved")]);
    assert!(listing.skipped.values().all(|code| *code == "secret_in_address"));
    assert!(listing.failed.is_empty(), "{listing:?}");
    assert_kept(&site, &format!("{listing:?}"));

    site.put("/", moved("/start"));
    let listing = Listing::of(&connector, None).await;
    assert_eq!(listing.code(), Some("seed_unusable"));
    assert_kept(&site, &format!("{listing:?}"));
}

#[tokio::test]
async fn rules_behind_an_address_with_a_token_count_and_the_token_is_not_told() {
    let site = Site::new();
    let rules = format!("/rules?token={TOKEN}");
    site.put("/robots.txt", Page::moved(&rules));
    site.put(
        &rules,
        Page::new("text/plain", "User-agent: *\nDisallow: /closed"),
    );
    site.put("/", Page::of_links(["/open", "/closed"]));
    site.put("/open", Page::html("open"));
    let connector = connector(config(&site, "/"));
    let listing = Listing::whole(&connector, None).await;
    assert_eq!(listing.paths(&site), ["/#", "/open"]);
    site.put(&rules, Page::status(503));
    let listing = Listing::of(&connector, None).await;
    assert_eq!(listing.code(), Some("site_unavailable"));
    assert!(!format!("{listing:?}").contains(TOKEN), "{listing:?}");
}

#[tokio::test]
async fn a_parameter_that_the_operator_drops_is_no_secret_of_the_address() {
    let site = Site::new();
    site.put(
        "/",
        Page::of_links([format!("/download/plan.pdf?page=2&access_token={TOKEN}")]),
    );
    site.put("/download/plan.pdf?page=2", Page::new("application/pdf", "%PDF"));
    let dropping = WebConfig {
        drop_parameters: vec!["access_token".to_owned()],
        ..config(&site, "/")
    };
    let listing = Listing::whole(&connector(dropping), None).await;
    assert_eq!(listing.paths(&site), ["/#", "/download/plan.pdf?page=2"]);
    assert!(listing.skipped.is_empty(), "{listing:?}");
    assert_kept(&site, &format!("{listing:?}"));
}
