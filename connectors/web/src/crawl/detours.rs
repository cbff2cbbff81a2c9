//! Addresses that stand for others: redirects, and canonical addresses of copies.
//!
//! A copy is no document while its canonical address may be one. When that comes to nothing, the copy is asked for once more
//! and stands for itself.

use url::Url;

use super::{Crawl, Kind, SECRET_IN_ADDRESS, Stage};
use crate::address::has_secret;
use crate::error::Error;
use crate::memory::{Came, fingerprint};
use crate::scope::Place;

impl Crawl<'_> {
    /// Whether a page is left to its canonical address. That one is asked for; where it came to nothing already, the page stands
    /// for itself.
    pub(super) fn is_copy_of(&mut self, place: u32, other: u32, depth: u16) -> bool {
        self.enqueue(other, depth);
        let node = self.node(other);
        match (node.stage, &node.record.came) {
            (Stage::Settled, Came::Document(_) | Came::Skipped(_) | Came::Failed) => true,
            (Stage::Settled | Stage::Known, _) => false,
            (Stage::Waiting | Stage::Asked, _) => {
                self.copies.entry(other).or_insert(place);
                true
            }
        }
    }

    /// Has a page stand for itself whose canonical address came to nothing.
    pub(super) fn reinstate(&mut self, canonical: u32) {
        let Some(copy) = self.copies.remove(&canonical) else {
            return;
        };
        let node = self.node(copy);
        if node.stage == Stage::Settled {
            node.is_own = true;
            node.stage = Stage::Waiting;
            self.queue.push_back(copy);
        }
    }

    /// Leaves the copies of an address to it.
    pub(super) fn forget_copy(&mut self, canonical: u32) {
        self.copies.remove(&canonical);
    }

    /// A redirect: its target takes its place.
    pub(super) fn follow(&mut self, place: u32, url: &Url, location: &str) -> Result<(), Error> {
        let scope = &self.site.scope;
        let endless = |problem: &'static str| Error::Redirects {
            url: url.to_string(),
            problem,
        };
        let node = &self.nodes[place as usize];
        let (kind, is_seed, depth, redirects) = (node.kind, node.is_seed, node.depth, node.redirects);
        let Some(target) = scope.target(url, location) else {
            return self.fail(place, url, endless("they lead to no address of the web"));
        };
        if !scope.has(&target) {
            let host = target.host_str().unwrap_or_default();
            let reason = format!("it leads to {host}, which is no host of the source");
            if is_seed {
                return Err(Error::Seed {
                    url: url.to_string(),
                    problem: reason,
                });
            }
            self.skip(place, url, "redirect_out_of_scope", reason);
            self.reinstate(place);
            return Ok(());
        }
        let known = self.places.get(&fingerprint(target.as_str())).copied();
        if known.is_some_and(|known| self.redirects_to(place).any(|before| before == known)) {
            return self.fail(place, url, endless("they lead back"));
        }
        if redirects >= self.site.config.max_redirects {
            return self.fail(place, url, endless("there are more than max_redirects"));
        }
        let is_out = kind == Kind::Page && scope.place(&target) == Place::Out && !is_seed;
        if has_secret(&target) && !is_out {
            return self.withhold(place, url);
        }
        self.settle(place, Came::Nothing, None);
        let target = (!is_out).then(|| self.intern(&target, kind)).flatten();
        let Some(target) = target else {
            self.reinstate(place);
            return Ok(());
        };
        let node = self.node(target);
        node.is_seed |= is_seed;
        if node.stage == Stage::Known {
            node.redirects = redirects + 1;
            node.from = Some(place);
            node.kind = kind;
            node.depth = depth;
            node.stage = Stage::Waiting;
            // A seed is to be told of before anything else is asked for.
            self.queue.push_front(target);
        }
        if let Some(copy) = self.copies.remove(&place)
            && (copy == target || !self.is_copy_of(copy, target, depth))
        {
            self.copies.insert(place, copy);
            self.reinstate(place);
        }
        Ok(())
    }

    /// A redirect to an address with a secret in it isn't followed: the page would get that for its own.
    fn withhold(&mut self, place: u32, url: &Url) -> Result<(), Error> {
        let reason = "it leads to an address with a token or a signature in it";
        if self.node(place).is_seed {
            return Err(Error::Seed {
                url: url.to_string(),
                problem: reason.to_owned(),
            });
        }
        // What is no document itself is counted like a link.
        let is_told = self.place_of(place, url) == Place::Document;
        self.node(place).record.withheld = u32::from(!is_told);
        self.skip(place, url, SECRET_IN_ADDRESS, reason.to_owned());
        self.reinstate(place);
        Ok(())
    }

    /// A page, and those whose redirects led to it, nearest first.
    pub(super) fn redirects_to(&self, place: u32) -> impl Iterator<Item = u32> + '_ {
        let most = usize::from(self.site.config.max_redirects) + 1;
        std::iter::successors(Some(place), |&place| self.nodes[place as usize].from).take(most)
    }
}
