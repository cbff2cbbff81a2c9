//! What may lie behind pages that can't be read, and whose links were never known.
//!
//! Such a page is asked for once more when everything else was. If it fails again, it is lost, and what happens then depends on
//! what is remembered:
//!
//! * In a listing of changes, what was told at the last crawl and wasn't come by is asked for directly
//!   ([`Crawl::look_for_the_missing`]). It is gone if the site says so, and stays if it is there: it may be linked from the lost
//!   page alone.
//! * In a full listing nobody knows what to ask for. A page that the site has an error of its own with (500 and its like)
//!   counts as broken, and leads nowhere, as a page that isn't there leads nowhere. What one leads to that can't be read for now
//!   (429, 502, 503, 504, no connection, a time-out, a host whose rules can't be read), or a sitemap that the site names, may lie
//!   anywhere on the hosts of the source: so the listing says of all of them that nothing is known of what lies there
//!   ([`Crawl::tell_of_hidden`]). The pipeline keeps what it has, and asks for a full listing again.

use lectern_domain::ports::{ListEvent, SourceItem};
use url::Url;

use super::{Crawl, Kind, Stage};
use crate::error::Error;
use crate::memory::{Came, Record, fingerprint};
use crate::scope::Place;

/// A page that may lead to others.
#[derive(Debug)]
pub(super) struct Lost {
    depth: u16,
    /// It may be otherwise a little later, and isn't broken.
    is_for_now: bool,
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
        let depth = node.depth;
        let is_sitemap = matches!(node.kind, Kind::Sitemap { .. });
        if depth >= max_depth {
            return;
        }
        let lost = Lost {
            depth,
            is_for_now: is_sitemap || !error.is_broken(),
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

    /// In a full listing: says that nothing on any host of the source is to be taken for gone; whether it has to.
    pub(super) fn tell_of_hidden(&mut self) -> bool {
        let mut for_now = self.lost.iter().filter(|lost| lost.is_for_now);
        let Some(first) = for_now.next() else {
            return false;
        };
        let reason = format!(
            "{} pages can't be read for now, and it isn't known what they lead to, so nothing is taken for gone: {}",
            1 + for_now.count(),
            first.problem
        );
        for origin in &self.site.scope.origins {
            let everything = format!("{origin}/");
            self.events.push_back(ListEvent::Failed {
                item: SourceItem::new(everything.clone(), everything),
                code: "links_unknown",
                reason: reason.clone(),
            });
        }
        true
    }
}
