//! The second crawl: what didn't change isn't sent, and what did is named once.

use crate::listing::{Listing, config, connector, key};
use crate::site::{Page, Site};

const PAGES: usize = 300;

fn text(number: usize, edition: usize) -> Page {
    let links = (1..6).map(|step| format!("<a href=\"/page/{}\">on</a>", (number * 5 + step) % PAGES));
    let text = format!("Page {number}, edition {edition}. ").repeat(200);
    Page::html(format!(
        "<title>{number}</title>{}<p>{text}",
        links.collect::<String>()
    ))
}

#[tokio::test]
async fn an_unchanged_site_is_not_sent_again() {
    for is_dated in [false, true] {
        let named = |page: Page| match is_dated {
            true => page.with("Last-Modified", "Sun, 01 Nov 2020 12:00:00 GMT"),
            false => page.tagged(),
        };
        let site = Site::new();
        site.put("/", named(Page::of_links(["/page/0", "/paper.pdf"])));
        site.put(
            "/paper.pdf",
            named(Page::new("application/pdf", vec![b'%'; 100_000])),
        );
        for number in 0..PAGES {
            site.put(&format!("/page/{number}"), named(text(number, 1)));
        }
        let connector = connector(config(&site, "/"));
        let first = Listing::whole(&connector, None).await;
        assert_eq!(first.items.len(), PAGES + 2);
        let bytes = |site: &Site| site.asked().iter().map(|asked| asked.bytes).sum::<usize>();
        let sent_first = bytes(&site);
        let second = Listing::whole(&connector, first.cursor.as_ref()).await;
        assert!(second.items.is_empty() && second.gone.is_empty());
        let sent_second = bytes(&site);
        eprintln!("first crawl: {sent_first} bytes of content, second: {sent_second}");
        assert!(sent_first > 1_000_000);
        assert_eq!(sent_second, 0);
    }
}

#[tokio::test]
async fn what_changed_is_named_once_and_what_is_gone_is_told() {
    let site = Site::new();
    site.put("/", Page::of_links(["/page/0"]).tagged());
    for number in 0..PAGES {
        site.put(&format!("/page/{number}"), text(number, 1).tagged());
    }
    let connector = connector(config(&site, "/"));
    let first = Listing::whole(&connector, None).await;
    site.put("/page/7", text(7, 2).tagged());
    site.remove("/page/299");
    site.put("/", Page::of_links(["/page/0", "/new"]).tagged());
    site.put("/new", Page::html("new").tagged());
    site.put(
        "/page/200",
        Page::html("<meta name=robots content=noindex>").tagged(),
    );
    let second = Listing::whole(&connector, first.cursor.as_ref()).await;
    assert_eq!(second.paths(&site), ["/#", "/new", "/page/7"]);
    assert_eq!(second.skipped[&key(&site, "/page/200")], "noindex");
    assert_eq!(second.gone, [key(&site, "/page/299")]);
    assert!(
        second.items[&key(&site, "/page/7")].change_tag != first.items[&key(&site, "/page/7")].change_tag
    );

    // A full listing now and the first one with its changes name the same.
    let full = Listing::whole(&connector, None).await;
    let mut followed = first.items;
    followed.extend(second.items);
    followed.retain(|key, _| !second.gone.contains(key) && !second.skipped.contains_key(key));
    assert_eq!(full.items, followed);
}

#[tokio::test]
async fn a_site_that_names_no_versions_is_compared_by_its_content() {
    let site = Site::new();
    site.put("/", Page::of_links(["/page/0"]));
    for number in 0..PAGES {
        site.put(&format!("/page/{number}"), text(number, 1));
    }
    let connector = connector(config(&site, "/"));
    let first = Listing::whole(&connector, None).await;
    site.put("/page/7", text(7, 2));
    let second = Listing::whole(&connector, first.cursor.as_ref()).await;
    assert_eq!(second.paths(&site), ["/page/7"]);
}
