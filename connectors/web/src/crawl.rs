//! A listing: the site from its seeds, breadth first, one request after the other.
//!
//! The way of an address: a link or a sitemap names it and it gets a place ([`Crawl::intern`]), it waits in the queue
//! ([`Crawl::enqueue`]), the site's rules are asked, then the site ([`Crawl::visit`]), and what comes is judged ([`answers`],
//! [`detours`], [`failures`]): events, and more addresses. When the queue is empty, what failed is asked for once more, and what
//! may lie behind pages that can't be read is looked for ([`lost`]). Then what was told at the last crawl and isn't any more is
//! gone ([`ending`]).

mod answers;
mod detours;
mod failures;
mod lost;
mod ending;

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::Arc;

use futures::stream::{self, Stream};
use lectern_domain::PortError;
use lectern_domain::ports::{ListEvent, SourceItem};
use tokio::time::Instant;
use url::Url;

use crate::address::{has_secret, key_of, origin_of, shown};
use crate::connector::{WebConnector, path_of};
use crate::error::Error;
use crate::exchange::{Answer, Ask, Wanted};
use crate::memory::{Came, Fingerprint, Memory, Record, fingerprint};
use crate::robots::Robots;
use crate::scope::Place;
use crate::sitemap;

use lost::Lost;

/// After so many failures in a row it is asked whether the site is down, and not its pages.
const MAX_FAILURES_IN_A_ROW: u32 = 10;
/// The same of refusals (403 and its like), which a list of closed pages may well give.
const MAX_REFUSALS_IN_A_ROW: u32 = 50;
/// Addresses that are known at most, for each that may be asked for: links may lead to nothing that is asked for.
const KNOWN_PER_PAGE: usize = 4;
/// What leads to an address with a secret in it is left out by this code.
const SECRET_IN_ADDRESS: &str = "secret_in_address";
/// How many sitemaps lead to a sitemap at most.
const MAX_SITEMAP_LEVELS: u8 = 3;

/// What an address was named as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Page,
    Sitemap {
        /// How many sitemaps led to it.
        level: u8,
        /// Nobody named it: it is where sitemaps mostly are.
        is_guess: bool,
    },
}

impl Kind {
    /// What the sitemaps are that it lists.
    fn listed(self) -> Self {
        let level = match self {
            Self::Page => 0,
            Self::Sitemap { level, .. } => level,
        };
        Self::Sitemap {
            level: level.saturating_add(1),
            is_guess: false,
        }
    }
}

/// How far an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Known,
    Waiting,
    Asked,
    Settled,
}

/// An address of this crawl.
#[derive(Debug)]
pub(super) struct Node {
    record: Record,
    kind: Kind,
    stage: Stage,
    depth: u16,
    redirects: u8,
    /// Whose redirect led here.
    from: Option<u32>,
    /// It failed, and is asked for once more at the end.
    was_put_off: bool,
    is_seed: bool,
    /// Its canonical address came to nothing: it is a document under its own.
    is_own: bool,
}

impl Node {
    fn new(url: String, kind: Kind) -> Self {
        Self {
            record: Record {
                url,
                ..Record::default()
            },
            kind,
            stage: Stage::Known,
            depth: u16::MAX,
            redirects: 0,
            from: None,
            was_put_off: false,
            is_seed: false,
            is_own: false,
        }
    }
}

/// A crawl on its way.
pub(crate) struct Crawl<'a> {
    site: &'a WebConnector,
    began: Instant,
    /// What the last crawl left, in a listing of changes.
    before: Option<Memory>,
    nodes: Vec<Node>,
    places: HashMap<Fingerprint, u32>,
    queue: VecDeque<u32>,
    events: VecDeque<ListEvent>,
    /// Pages whose canonical address is that of another, by the place of the other.
    copies: HashMap<u32, u32>,
    asked: u32,
    failed_in_a_row: u32,
    links_kept: usize,
    /// The page of each host that was read last.
    answered: HashMap<String, u32>,
    /// The hosts whose rules can't be read, and why: nothing of them is asked for.
    closed: HashMap<String, String>,
    /// Pages that failed once, and whose links were never known.
    put_off: Vec<u32>,
    /// Those that failed again.
    lost: Vec<Lost>,
    has_looked: bool,
    /// Addresses that found no place within the bounds.
    left_over: u64,
    /// Sitemaps that `robots.txt` names, with a secret in their address.
    withheld_sitemaps: u32,
    has_begun: bool,
    is_over: bool,
}

impl<'a> Crawl<'a> {
    pub(crate) fn new(site: &'a WebConnector, before: Option<Memory>) -> Self {
        Self {
            site,
            began: Instant::now(),
            before,
            nodes: Vec::new(),
            places: HashMap::new(),
            queue: VecDeque::new(),
            events: VecDeque::new(),
            copies: HashMap::new(),
            asked: 0,
            failed_in_a_row: 0,
            links_kept: 0,
            answered: HashMap::new(),
            closed: HashMap::new(),
            put_off: Vec::new(),
            lost: Vec::new(),
            has_looked: false,
            left_over: 0,
            withheld_sitemaps: 0,
            has_begun: false,
            is_over: false,
        }
    }

    /// All events, as they come. Nothing is asked for before the next one is wanted.
    pub(crate) fn events(self) -> impl Stream<Item = Result<ListEvent, PortError>> + Send + 'a {
        stream::try_unfold(self, |mut crawl| async move {
            loop {
                if let Some(event) = crawl.events.pop_front() {
                    return Ok::<_, PortError>(Some((event, crawl)));
                }
                if crawl.is_over {
                    return Ok(None);
                }
                crawl.step().await?;
            }
        })
    }

    async fn step(&mut self) -> Result<(), Error> {
        if !mem::replace(&mut self.has_begun, true) {
            return self.begin().await;
        }
        match self.queue.pop_front() {
            Some(place) => self.visit(place).await,
            None => {
                if !self.ask_again() && !self.look_for_the_missing() {
                    self.end();
                }
                Ok(())
            }
        }
    }

    /// The seeds, and then the sitemaps of their hosts.
    async fn begin(&mut self) -> Result<(), Error> {
        self.began = Instant::now();
        let site = self.site;
        for seed in &site.scope.seeds {
            if let Some(place) = self.intern(seed, Kind::Page) {
                self.node(place).is_seed = true;
                self.enqueue(place, 0);
            }
        }
        if !site.config.sitemaps {
            return Ok(());
        }
        for seed in &site.scope.seeds {
            let robots = match self.rules(seed).await {
                Ok(robots) => robots,
                // The seed will tell of it.
                Err(Error::RulesUnknown { .. }) => continue,
                Err(error) => return Err(error),
            };
            let is_guess = robots.sitemaps.is_empty();
            let usual = ["/sitemap.xml".to_owned()];
            let named = if is_guess {
                &usual[..]
            } else {
                &robots.sitemaps[..]
            };
            for reference in named {
                self.name_sitemap(seed, reference, Kind::Sitemap { level: 0, is_guess });
            }
        }
        Ok(())
    }

    /// Notes a sitemap, where its host belongs to the source.
    fn name_sitemap(&mut self, base: &Url, reference: &str, kind: Kind) -> Option<u32> {
        let url = self.site.scope.target(base, reference)?;
        if !self.site.scope.may_be_sitemap(&url) {
            tracing::debug!(url = %shown(&url), "a sitemap that is excluded, or of another host, isn't read");
            return None;
        }
        if has_secret(&url) {
            self.withheld_sitemaps += 1;
            return None;
        }
        let place = self.intern(&url, kind)?;
        self.enqueue(place, 0);
        Some(place)
    }

    /// Asks for an address.
    async fn visit(&mut self, place: u32) -> Result<(), Error> {
        if self.asked >= self.site.config.max_pages && !self.node(place).was_put_off {
            self.left_over += 1;
            self.node(place).stage = Stage::Known;
            return Ok(());
        }
        let site = self.site;
        let node = self.node(place);
        let (kind, is_seed, is_own) = (node.kind, node.is_seed, node.is_own);
        let address = node.record.url.clone();
        let Ok(url) = Url::parse(&address) else {
            return Ok(());
        };
        let robots = match self.rules(&url).await {
            Ok(robots) => robots,
            Err(error @ Error::RulesUnknown { .. }) => return self.fail(place, &url, error),
            Err(error) => return Err(error),
        };
        if kind == Kind::Page && !robots.allows(path_of(&url)) {
            let disallowed = Error::Disallowed { url: address };
            return match is_seed {
                true => Err(disallowed),
                false => {
                    self.skip(place, &url, "robots_disallowed", disallowed.to_string());
                    Ok(())
                }
            };
        }
        self.asked += 1;
        self.node(place).stage = Stage::Asked;
        let before = self.before.as_ref().and_then(|before| before.find(&address));
        let known = before.filter(|before| before.was_read && !before.validators.is_empty() && !is_own);
        let ask = Ask {
            url: &url,
            validators: known.map(|before| &before.validators),
            wanted: match kind {
                Kind::Page => Wanted::Html,
                Kind::Sitemap { .. } => Wanted::All,
            },
            limit_bytes: match kind {
                Kind::Page => site.config.max_page_bytes,
                Kind::Sitemap { .. } => sitemap::MAX_BYTES,
            },
            pause: site.pause(&robots),
        };
        match site.exchange.ask(&ask).await {
            Ok(answer) => {
                self.failed_in_a_row = 0;
                if kind == Kind::Page && matches!(answer, Answer::Page(..) | Answer::Unchanged) {
                    self.answered.insert(origin_of(&url), place);
                }
                self.judge(place, &url, answer).await
            }
            Err(error @ (Error::Unavailable { .. } | Error::Refused { .. })) => {
                self.failed_in_a_row += 1;
                self.ensure_site_is_up(&url, &error).await?;
                self.fail(place, &url, error)
            }
            Err(error) => Err(error),
        }
    }

    /// The rules of the host of an address. Where they can't be read, the host alone is closed for this crawl
    /// ([`Error::RulesUnknown`]), as long as a seed has another one.
    async fn rules(&mut self, url: &Url) -> Result<Arc<Robots>, Error> {
        let origin = origin_of(url);
        let is_known = self.closed.contains_key(&origin);
        if !is_known {
            match self.site.robots(url, self.began).await {
                Err(error @ Error::Unavailable { .. }) => {
                    tracing::warn!(%origin, %error, "a host is left out, since its rules can't be read");
                    self.closed.insert(origin.clone(), error.to_string());
                    let mut seeds = self.site.scope.seeds.iter();
                    if seeds.all(|seed| self.closed.contains_key(&origin_of(seed))) {
                        return Err(error);
                    }
                }
                read => return read,
            }
        }
        Err(Error::RulesUnknown {
            url: url.to_string(),
            problem: self.closed.get(&origin).cloned().unwrap_or_default(),
        })
    }

    /// The place of an address; none, where there are too many.
    fn intern(&mut self, url: &Url, kind: Kind) -> Option<u32> {
        let key = fingerprint(url.as_str());
        if let Some(&place) = self.places.get(&key) {
            return Some(place);
        }
        let limit = KNOWN_PER_PAGE * usize::try_from(self.site.config.max_pages).ok()?;
        if self.nodes.len() >= limit.max(self.site.scope.seeds.len()) {
            self.left_over += 1;
            return None;
        }
        let place = u32::try_from(self.nodes.len()).ok()?;
        self.nodes.push(Node::new(url.to_string(), kind));
        self.places.insert(key, place);
        Some(place)
    }

    /// Has an address wait for its turn, where it isn't too deep and doesn't wait already.
    fn enqueue(&mut self, place: u32, depth: u16) {
        let max_depth = self.site.config.max_depth;
        let node = self.node(place);
        if node.stage != Stage::Known || depth > max_depth {
            return;
        }
        node.stage = Stage::Waiting;
        node.depth = depth;
        self.queue.push_back(place);
    }

    fn node(&mut self, place: u32) -> &mut Node {
        // Places are given by `intern` alone, and nodes are never taken away.
        &mut self.nodes[place as usize]
    }

    /// What the last crawl knew of an address.
    fn known(&self, url: &str) -> Option<&Record> {
        self.before.as_ref()?.find(url)
    }

    /// Ends the way of an address, and tells of it: always in a full listing, else where it came to something else.
    fn settle(&mut self, place: u32, came: Came, event: Option<ListEvent>) {
        let node = self.node(place);
        node.stage = Stage::Settled;
        node.record.came = came.clone();
        let address = mem::take(&mut node.record.url);
        let is_uncertain = matches!(came, Came::Document(None) | Came::Failed);
        let is_new = is_uncertain || self.known(&address).is_none_or(|before| before.came != came);
        if is_new {
            self.events.extend(event);
        }
        self.node(place).record.url = address;
    }

    /// Leaves a page out, and says why.
    fn skip(&mut self, place: u32, url: &Url, code: &'static str, reason: String) {
        if self.place_of(place, url) != Place::Document {
            self.settle(place, Came::Nothing, None);
            return;
        }
        let item = item(url);
        let event = ListEvent::Skipped { item, code, reason };
        self.settle(place, Came::Skipped(code.to_owned()), Some(event));
    }

    /// What may come of an address of this crawl: of a seed's redirect at least links, and of a sitemap nothing else.
    fn place_of(&mut self, place: u32, url: &Url) -> Place {
        let node = self.node(place);
        match (node.kind, node.is_seed) {
            (Kind::Sitemap { .. }, _) => Place::Links,
            (Kind::Page, is_seed) => match self.site.scope.place(url) {
                Place::Out if is_seed => Place::Links,
                other => other,
            },
        }
    }
}

/// An item of which no more is known than its address.
fn item(url: &Url) -> SourceItem {
    SourceItem::new(key_of(url.as_str()), url.as_str())
}
