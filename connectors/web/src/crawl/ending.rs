//! The end of a listing: what is gone, what was left over, and the memory for the next one.

use std::mem;

use lectern_domain::ports::{ListEvent, SourceItem};

use super::{Crawl, Kind, Node, SECRET_IN_ADDRESS, Stage};
use crate::address::key_of;
use crate::memory::{Came, Record, cursor, fingerprint};

impl Crawl<'_> {
    pub(super) fn end(&mut self) {
        self.is_over = true;
        self.tell_of_leavings();
        if self.before.is_none() && self.tell_of_hidden() {
            // What they hide isn't known, so the next listing is a full one too.
            return;
        }
        self.tell_of_gone();
        let nodes = mem::take(&mut self.nodes);
        let records: Vec<Record> = nodes.into_iter().map(|node| node.record).collect();
        match cursor(&records) {
            Some(cursor) => self.events.push_back(ListEvent::Checkpoint(cursor)),
            None => tracing::warn!("the crawl is too large to be remembered; the next one reads everything"),
        }
    }

    /// What the bounds left out, and what has a secret in its address, as one line for each.
    fn tell_of_leavings(&mut self) {
        let too_deep = self.nodes.iter().filter(|node| node.stage == Stage::Known);
        let too_deep = too_deep.count() as u64;
        let withheld = self.nodes.iter().map(|node| u64::from(node.record.withheld));
        let withheld = withheld.sum::<u64>() + u64::from(self.withheld_sitemaps);
        let config = &self.site.config;
        let told = [
            (
                "too_many_pages",
                self.left_over,
                format!(
                    "at least {} links were left at max_pages = {}",
                    self.left_over, config.max_pages
                ),
            ),
            (
                "too_deep",
                if self.left_over == 0 { too_deep } else { 0 },
                format!(
                    "{too_deep} pages are more than max_depth = {} links away",
                    config.max_depth
                ),
            ),
            (
                SECRET_IN_ADDRESS,
                withheld,
                format!(
                    "{withheld} links have a token or a signature in their address, which would be shown with the \
                     document; drop_parameters takes parameters out"
                ),
            ),
        ];
        let Some(origin) = self.site.scope.origins.first().cloned() else {
            return;
        };
        for (code, count, reason) in told {
            if count == 0 {
                continue;
            }
            let url = format!("{origin}/#{code}");
            let came = Came::Skipped(code.to_owned());
            if self.known(&url).is_none_or(|before| before.came != came) {
                self.events.push_back(ListEvent::Skipped {
                    item: SourceItem::new(url.clone(), format!("{origin}/")),
                    code,
                    reason,
                });
            }
            self.note(url, came);
        }
    }

    /// What was told at the last crawl and came to nothing now.
    fn tell_of_gone(&mut self) {
        let Some(before) = self.before.take() else {
            return;
        };
        for record in before.records.iter().filter(|record| record.came.is_told()) {
            let place = self.places.get(&fingerprint(&record.url)).copied();
            let now = place.map(|place| &mut self.nodes[place as usize]);
            let is_asked = now.as_ref().is_some_and(|node| node.stage == Stage::Settled);
            match now {
                Some(node) if node.record.came.is_told() => {}
                // There was no room to look for it, and nobody knows whether it could have been come by.
                Some(node) if !self.lost.is_empty() && !is_asked => node.record.came = record.came.clone(),
                None if !self.lost.is_empty() && !record.is_note() => {
                    self.note(record.url.clone(), record.came.clone());
                }
                _ => {
                    let key = key_of(&record.url);
                    self.events.push_back(ListEvent::Gone { key });
                }
            }
        }
    }

    /// Remembers an address that nobody asked for.
    fn note(&mut self, url: String, came: Came) {
        let key = fingerprint(&url);
        let Ok(place) = u32::try_from(self.nodes.len()) else {
            return;
        };
        let mut node = Node::new(url, Kind::Page);
        node.record.came = came;
        node.stage = Stage::Settled;
        self.nodes.push(node);
        self.places.insert(key, place);
    }
}
