//! What comes of a page that can't be read: it is told of, and what it led to is taken as it was.

use lectern_domain::ports::ListEvent;
use url::Url;

use super::{Crawl, Kind, MAX_FAILURES_IN_A_ROW, MAX_REFUSALS_IN_A_ROW, item};
use crate::error::Error;
use crate::memory::Came;
use crate::scope::Place;

impl Crawl<'_> {
    /// A page that can't be read. What it led to is taken as it was.
    pub(super) fn fail(&mut self, place: u32, url: &Url, error: Error) -> Result<(), Error> {
        if self.node(place).is_seed {
            return Err(error);
        }
        let limit = match error.is_passing() {
            true => MAX_FAILURES_IN_A_ROW,
            false => MAX_REFUSALS_IN_A_ROW,
        };
        if self.failed_in_a_row >= limit {
            return Err(Error::SiteDown {
                count: self.failed_in_a_row,
                problem: error.to_string(),
            });
        }
        if !self.take_as_it_was(place, url) && error.is_passing() {
            self.lost.get_or_insert_with(|| error.to_string());
        }
        if self.place_of(place, url) == Place::Document {
            let event = ListEvent::Failed {
                item: item(url),
                code: error.code(),
                reason: error.to_string(),
            };
            self.settle(place, Came::Failed, Some(event));
        } else {
            tracing::warn!(%error, "a page or a sitemap of a crawl can't be read");
            self.settle(place, Came::Links, None);
        }
        if error.is_passing() {
            self.forget_copy(place);
        } else {
            self.reinstate(place);
        }
        Ok(())
    }

    /// Has what a page led to at the last crawl wait. What that was isn't known of every page.
    fn take_as_it_was(&mut self, place: u32, url: &Url) -> bool {
        let depth = self.node(place).depth;
        let known = self.known(url.as_str()).filter(|before| before.was_read);
        let Some(reading) = known.map(|record| self.remembered(record)) else {
            return false;
        };
        let links = self.name_links(&reading.links, reading.links_are, depth);
        let canonical = reading.canonical.as_ref();
        if let Some(other) = canonical.and_then(|other| self.intern(other, Kind::Page)) {
            self.enqueue(other, depth);
        }
        let record = &mut self.node(place).record;
        record.links = links;
        record.was_read = true;
        record.is_index = reading.links_are != Kind::Page;
        true
    }
}
