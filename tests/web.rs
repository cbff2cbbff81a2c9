//! A web site is a source like any other: the real binary crawls one that this process serves, what changed is read again and
//! nothing else, and a site that is down loses no document.

use std::fs;

use serde_json::json;

use crate::harness::lectern::KB;
use crate::harness::{Outcome, Workplace};

#[allow(dead_code, reason = "the suite of the connector uses the rest")]
#[path = "../connectors/tests/web/site.rs"]
mod site;

use site::{Page, Site};

fn sync(lectern: &Workplace) -> Outcome {
    lectern.run(["source", "sync", "--kb", KB, "site"])
}

/// A page with a title, a sentence, and links.
fn page(title: &str, sentence: &str, links: &[&str]) -> Page {
    let links = links
        .iter()
        .map(|link| format!("<li><a href=\"{link}\">{link}</a>"));
    let links: String = links.collect();
    Page::html(format!(
        "<!doctype html><title>{title}</title><h1>{title}</h1><p>{sentence}</p><ul>{links}</ul>"
    ))
    .tagged()
}

/// A knowledge base with the site as its source, made of a configuration in a file.
fn workplace(site: &Site) -> Workplace {
    let lectern = Workplace::new();
    let config = json!({
        "kind": "web", "seeds": [format!("{}/", site.address())], "allow_private_hosts": ["127.0.0.1"],
        "include": ["/docs/**"], "pause_ms": 0, "retries": 0,
    });
    let file = lectern.elsewhere("site.json");
    fs::write(&file, config.to_string()).unwrap();
    let mut add = lectern.program();
    add.args([
        "--json", "source", "add", "--create", "--kb", KB, "--name", "site", "--config",
    ])
    .arg(file);
    let added = Outcome::of(add).exits(0).json();
    assert_eq!(added["source"]["kind"], "web", "{added:#}");
    lectern
}

/// The page that says who keeps the keys.
fn keys(keeper: &str) -> Page {
    let sentence = format!("The keys to the lighthouse are kept by {keeper}.");
    page("Keys", &sentence, &["/docs/anchor"])
}

fn harbour() -> Site {
    let site = Site::new();
    site.put(
        "/",
        page(
            "Harbour",
            "Welcome to the harbour.",
            &["/docs/keys", "/docs/ferry", "/about"],
        ),
    );
    site.put("/docs/keys", keys("Theodora"));
    site.put(
        "/docs/ferry",
        page("Ferry", "The ferry to Skagen leaves at dawn.", &[]),
    );
    site.put(
        "/docs/anchor",
        Page::new("text/markdown", "# Anchor\n\nThe anchor weighs nine tons.\n").tagged(),
    );
    site.put(
        "/about",
        page("About", "The harbour master is called Ansgar.", &[]),
    );
    site
}

#[test]
fn a_site_is_kept_in_step() {
    let site = harbour();
    let lectern = workplace(&site);
    // A proxy of the environment would resolve names by itself.
    let proxy = Site::new();
    let mut first = lectern.program();
    first.args(["--json", "source", "sync", "--kb", KB, "site"]);
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        first.env(name, proxy.address());
    }
    assert_eq!(Outcome::of(first).exits(0).counts().new, 3);
    assert!(proxy.asked().is_empty());
    assert_eq!(lectern.found("Theodora"), ["keys"]);
    assert_eq!(lectern.found("weighs"), ["anchor"], "behind a page of the site");
    assert!(lectern.found("Ansgar").is_empty(), "not included");
    let found = lectern.search("lexical", "Theodora");
    assert_eq!(found[0]["uri"], format!("{}/docs/keys", site.address()));

    // What didn't change isn't sent.
    site.asked();
    let again = sync(&lectern).exits(0).counts();
    assert_eq!((again.new, again.modified, again.deleted), (0, 0, 0));
    assert_eq!(site.asked().iter().map(|asked| asked.bytes).sum::<usize>(), 0);

    site.put("/docs/keys", keys("Dietlinde"));
    site.remove("/docs/ferry");
    let changed = sync(&lectern).exits(0).counts();
    assert_eq!((changed.modified, changed.deleted), (1, 1));
    assert_eq!(lectern.found("Dietlinde"), ["keys"]);
    assert!(lectern.found("Theodora").is_empty() && lectern.found("Skagen").is_empty());
    lectern.assert_sound();
}

#[test]
fn a_site_that_is_down_loses_nothing() {
    let site = harbour();
    let lectern = workplace(&site);
    sync(&lectern).exits(0);
    // One page fails: the others and what is behind it stay.
    site.put("/docs/keys", Page::status(503));
    let partly = sync(&lectern).exits(4).counts();
    assert_eq!((partly.failed, partly.deleted), (1, 0));
    assert_eq!(lectern.found("Theodora"), ["keys"]);
    assert_eq!(lectern.found("weighs"), ["anchor"]);
    // It comes back, and is what it was.
    site.put("/docs/keys", keys("Theodora"));
    assert_eq!(sync(&lectern).exits(0).counts().failed, 0);

    site.put("/robots.txt", Page::status(500));
    assert_ne!(sync(&lectern).code, 0);
    site.stop();
    let down = sync(&lectern);
    assert_ne!(down.code, 0, "{}", down.stdout);
    let told = format!("{}{}", down.stdout, down.stderr);
    assert!(told.contains("site_unavailable"), "{told}");
    for (question, name) in [("Theodora", "keys"), ("weighs", "anchor"), ("Skagen", "ferry")] {
        assert_eq!(lectern.found(question), [name]);
    }
    lectern.assert_sound();
}

#[test]
fn a_private_address_that_is_not_named_is_refused() {
    let site = harbour();
    let lectern = Workplace::new();
    let file = lectern.elsewhere("site.toml");
    fs::write(
        &file,
        format!("kind = \"web\"\nseeds = [\"{}/\"]\n", site.address()),
    )
    .unwrap();
    let mut add = lectern.program();
    add.args([
        "source", "add", "--create", "--kb", KB, "--name", "site", "--config",
    ])
    .arg(file);
    Outcome::of(add).exits(0);
    let refused = sync(&lectern);
    assert_ne!(refused.code, 0);
    let told = format!("{}{}", refused.stdout, refused.stderr);
    assert!(
        told.contains("address_forbidden") && told.contains("allow_private_hosts"),
        "{told}"
    );
    assert!(site.asked().is_empty());
}
