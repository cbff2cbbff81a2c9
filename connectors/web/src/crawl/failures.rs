//! What comes of a page that can't be read: it is told of, and what it led to is taken as it was.
//!
//! The way of a failure: when there are many in a row, the site is asked whether it is down ([`Crawl::ensure_site_is_up`]). The
//! links of the page are those of the last crawl; where these aren't known, it is asked for once more at the end, and is
//! then [`lost`](super::lost).

use lectern_domain::ports::ListEvent;
use url::Url;

use super::{Crawl, Kind, MAX_FAILURES_IN_A_ROW, MAX_REFUSALS_IN_A_ROW, item};
use crate::error::Error;
use crate::exchange::{Ask, Wanted};
use crate::memory::Came;
use crate::scope::Place;

impl Crawl<'_> {
    /// Ends the crawl where it isn't the pages that fail, but their site: after many failures in a row, the page of the host
    /// that was read last is asked for again.
    pub(super) async fn ensure_site_is_up(&mut self, url: &Url, error: &Error) -> Result<(), Error> {
        let limit = match error.is_passing() {
            true => MAX_FAILURES_IN_A_ROW,
            false => MAX_REFUSALS_IN_A_ROW,
        };
        if self.failed_in_a_row < limit {
            return Ok(());
        }
        let site = self.site;
        let is_down = |problem: &Error| Error::SiteDown {
            count: self.failed_in_a_row,
            problem: problem.to_string(),
        };
        let place = self.answered.get(&url.origin().ascii_serialization());
        let record = place.map(|&place| &self.nodes[place as usize].record);
        let Some((record, last)) = record.and_then(|record| Some((record, Url::parse(&record.url).ok()?)))
        else {
            return Err(is_down(error));
        };
        let robots = site.robots(&last, self.began).await?;
        let ask = Ask {
            url: &last,
            validators: Some(&record.validators),
            wanted: Wanted::Html,
            limit_bytes: site.config.max_page_bytes,
            pause: site.pause(&robots),
        };
        match site.exchange.ask(&ask).await {
            Ok(_) => {
                self.failed_in_a_row = 0;
                Ok(())
            }
            Err(problem @ (Error::Unavailable { .. } | Error::Refused { .. })) => Err(is_down(&problem)),
            Err(other) => Err(other),
        }
    }

    /// A page that can't be read.
    pub(super) fn fail(&mut self, place: u32, url: &Url, error: Error) -> Result<(), Error> {
        let node = self.node(place);
        // Where the rules of its host are what fails, other seeds go on.
        if node.is_seed && !matches!(error, Error::RulesUnknown { .. }) {
            return Err(error);
        }
        let is_guess = matches!(node.kind, Kind::Sitemap { is_guess: true, .. });
        if !self.take_as_it_was(place, url) {
            if error.is_passing() && self.put_off(place) {
                return Ok(());
            }
            if is_guess {
                // Nobody said that one is there.
                tracing::warn!(%error, "no sitemap is read");
                self.settle(place, Came::Nothing, None);
                return Ok(());
            }
            if error.is_passing() {
                self.lose(place, &error);
            }
        }
        self.tell_of_failure(place, &error);
        if error.is_passing() {
            self.forget_copy(place);
        } else {
            self.reinstate(place);
        }
        Ok(())
    }

    /// Tells of a page that can't be read: what it was stays, and so does what the pages were that are redirects to it now.
    fn tell_of_failure(&mut self, failed: u32, error: &Error) {
        let on_the_way: Vec<u32> = self.redirects_to(failed).collect();
        for place in on_the_way {
            let Ok(url) = Url::parse(&self.node(place).record.url) else {
                continue;
            };
            if place != failed && self.place_of(place, &url) != Place::Document {
                continue;
            }
            let event = ListEvent::Failed {
                item: item(&url),
                code: error.code(),
                reason: error.to_string(),
            };
            self.settle(place, Came::Failed, Some(event));
        }
    }

    /// Has what a page led to at the last crawl wait. What that was isn't known of every page.
    fn take_as_it_was(&mut self, place: u32, url: &Url) -> bool {
        let depth = self.node(place).depth;
        let kind = self.node(place).kind;
        let known = self.known(url.as_str()).filter(|before| before.was_read);
        let Some(reading) = known.map(|record| self.remembered(kind, record)) else {
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
        record.withheld = reading.withheld;
        true
    }
}
