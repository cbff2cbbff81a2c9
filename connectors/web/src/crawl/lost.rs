//! What may lie behind pages that can't be read, and whose links were never known.
//!
//! Such a page is asked for once more when everything else was. If it fails again, it is lost, and what happens then depends on
//! what is remembered:
//!
//! * In a listing of changes, what was told at the last crawl and wasn't come by is asked for directly
//!   ([`Crawl::look_for_the_missing`]). It is gone if the site says so, and stays if it is there: it may be linked from the lost
//!   page alone.
//! * In a full listing nobody knows what to ask for. A page that the site has an error of its own with (500 and its like)
//!   counts as broken, and leads nowhere, as a page that isn't there leads nowhere. Of one that can't be read for now (429, 502,
//!   503, 504, no connection, a time-out), and of a sitemap that the site names, the listing says that nothing is known of what
//!   lies under its address ([`Crawl::tell_of_hidden`]); the pipeline keeps what it has there, and asks for a full listing again.

use std::collections::BTreeMap;

use lectern_domain::ports::{ListEvent, SourceItem};
use url::Url;

use super::{Crawl, Kind, Stage};
use crate::address::origin_of;
use crate::error::Error;
use crate::memory::{Came, Record, fingerprint};
use crate::scope::Place;

/// A page that may lead to others.
#[derive(Debug)]
pub(super) struct Lost {
    depth: u16,
    /// All keys that begin with it may be behind the page. None, where it is broken for good.
    prefix: Option<String>,
    problem: String,
}

impl Crawl<'_> {
    /// Has a page that failed wait for the end of the crawl; whether it hasn't done so already.
    pub(super) fn put_off(&mut self, place: u32) -> bool {
        let node = self.node(place);
        let is_first = !node.was_put_off;
        node.was_put_off = true;
        if is_first {
            self.put_off.push(place);
        }
        is_first
    }

    /// Asks once more for what failed; whether there is any.
    pub(super) fn ask_again(&mut self) -> bool {
        self.queue.extend(self.put_off.drain(..));
        !self.queue.is_empty()
    }

    /// Notes a page that failed, where something could be behind it at all.
    pub(super) fn lose(&mut self, place: u32, error: &Error) {
        let max_depth = self.site.config.max_depth;
        let node = self.node(place);
        let is_sitemap = matches!(node.kind, Kind::Sitemap { .. });
        if node.depth >= max_depth {
            return;
        }
        let url = Url::parse(&node.record.url).ok();
        let prefix = url.filter(|_| is_sitemap || !error.is_broken());
        let lost = Lost {
            depth: node.depth,
            prefix: prefix.map(|url| if is_sitemap { folder_of(&url) } else { under(&url) }),
            problem: error.to_string(),
        };
        self.lost.push(lost);
    }

    /// In a listing of changes: asks for what was told at the last crawl and wasn't come by; whether there is any.
    pub(super) fn look_for_the_missing(&mut self) -> bool {
        let Some(depth) = self.lost.iter().map(|lost| lost.depth.saturating_add(1)).min() else {
            return false;
        };
        if std::mem::replace(&mut self.has_looked, true) {
            return false;
        }
        let Some(before) = &self.before else {
            return false;
        };
        let was_there = |record: &&Record| matches!(record.came, Came::Document(_) | Came::Skipped(_));
        let told = before
            .records
            .iter()
            .filter(|record| was_there(record) && !record.is_note());
        let missing = told.filter(|record| {
            let place = self.places.get(&fingerprint(&record.url));
            place.is_none_or(|&place| self.nodes[place as usize].stage == Stage::Known)
        });
        let missing: Vec<Url> = missing
            .filter_map(|record| Url::parse(&record.url).ok())
            .collect();
        for url in missing {
            if self.site.scope.place(&url) != Place::Out
                && let Some(place) = self.intern(&url, Kind::Page)
            {
                self.enqueue(place, depth);
            }
        }
        !self.queue.is_empty()
    }

    /// In a full listing: says under which addresses nothing is to be taken for gone; whether there are any.
    pub(super) fn tell_of_hidden(&mut self) -> bool {
        let hidden = self.lost.iter();
        let hidden = hidden.filter_map(|lost| Some((lost.prefix.as_ref()?, &lost.problem)));
        let mut last: Option<&String> = None;
        // In order, what lies under a prefix comes right behind it.
        for (prefix, problem) in hidden.collect::<BTreeMap<_, _>>() {
            if last.is_some_and(|last| prefix.starts_with(last)) {
                continue;
            }
            last = Some(prefix);
            let reason =
                format!("it isn't known what lies under it, so nothing is taken for gone: {problem}");
            self.events.push_back(ListEvent::Failed {
                item: SourceItem::new(prefix.clone(), prefix.clone()),
                code: "links_unknown",
                reason,
            });
        }
        last.is_some()
    }
}

/// What lies under a page, as a prefix of keys: `/guide/` for `/guide`, `/guide.html` and `/guide/index.html`.
fn under(url: &Url) -> String {
    let folder = folder_of(url);
    let name = url.path().rsplit('/').next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    match stem {
        "" => folder,
        // The first page of a site is the index of everything, and with a query it is any page.
        "index" if url.path().matches('/').count() > 1 => folder,
        _ => format!("{folder}{stem}/"),
    }
}

/// The folder of an address: what a sitemap may list (the protocol of sitemaps.org).
fn folder_of(url: &Url) -> String {
    let path = url.path();
    let end = path.rfind('/').map_or(0, |slash| slash + 1);
    format!("{}{}", origin_of(url), path.get(..end).unwrap_or("/"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn what_lies_under_a_page_begins_with_its_address() {
        for (page, expected) in [
            ("https://example.com/guide", "https://example.com/guide/"),
            ("https://example.com/guide/", "https://example.com/guide/"),
            ("https://example.com/guide?page=2", "https://example.com/guide/"),
            ("https://example.com/guide.html", "https://example.com/guide/"),
            (
                "https://example.com/guide/index.html",
                "https://example.com/guide/",
            ),
            (
                "https://example.com/index.php?page=2",
                "https://example.com/index/",
            ),
            ("http://example.com:81/a/b.c/d", "http://example.com:81/a/b.c/d/"),
            ("https://example.com/", "https://example.com/"),
        ] {
            assert_eq!(under(&Url::parse(page).unwrap()), expected, "{page}");
        }
        let sitemap = Url::parse("https://example.com/a/sitemap.xml?part=1").unwrap();
        assert_eq!(folder_of(&sitemap), "https://example.com/a/");
    }
}
