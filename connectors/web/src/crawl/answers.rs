//! What comes of an answer: a document, something that is left out, a failure, or nothing, and the addresses that it leads to.

use chrono::{DateTime, Utc};
use lectern_domain::ports::ListEvent;
use url::Url;

use super::{Crawl, Kind, MAX_SITEMAP_LEVELS, item};
use crate::error::Error;
use crate::exchange::{Answer, Head, Validators};
use crate::memory::{Came, MAX_LINKS, Record};
use crate::page::{self, Manners, Page};
use crate::scope::Place;
use crate::sitemap::{self, Sitemap};

/// What was read of an address.
pub(super) struct Reading {
    came: Came,
    /// Why it is left out, where it is.
    reason: String,
    /// Its canonical address, where that is another one that could be a document.
    pub(super) canonical: Option<Url>,
    pub(super) links: Vec<Url>,
    /// What the links are.
    pub(super) links_are: Kind,
    validators: Validators,
    modified_at: Option<DateTime<Utc>>,
    size_bytes: Option<u64>,
    /// Not all of its links were read.
    is_cut: bool,
    /// How many more links it has, with a secret in their address.
    pub(super) withheld: u32,
}

impl Reading {
    fn new(came: Came) -> Self {
        Self {
            came,
            reason: String::new(),
            canonical: None,
            links: Vec::new(),
            links_are: Kind::Page,
            validators: Validators::default(),
            modified_at: None,
            size_bytes: None,
            is_cut: false,
            withheld: 0,
        }
    }

    /// What is told of it.
    fn event(&self, url: &Url, came: &Came) -> Option<ListEvent> {
        let mut item = item(url);
        item.size_bytes = self.size_bytes;
        item.modified_at = self.modified_at;
        match came {
            Came::Document(tag) => {
                item.change_tag.clone_from(tag);
                Some(ListEvent::Item(item))
            }
            Came::Skipped(code) => Some(ListEvent::Skipped {
                item,
                code: stable(code),
                reason: self.reason.clone(),
            }),
            _ => None,
        }
    }
}

impl Crawl<'_> {
    pub(super) async fn judge(&mut self, place: u32, url: &Url, answer: Answer) -> Result<(), Error> {
        let is_seed = self.node(place).is_seed;
        let seed = |problem: String| Error::Seed {
            url: url.to_string(),
            problem,
        };
        match answer {
            Answer::Page(head, body) => match (self.node(place).kind, body) {
                (Kind::Page, body) => {
                    let page = match &body {
                        Some(body) => page::read_aside(body, head.charset.as_deref()).await?,
                        None => Page::default(),
                    };
                    let reading = self.read_page(place, url, &head, body.as_deref(), page);
                    if let (Some(body), Came::Document(_)) = (&body, &reading.came) {
                        self.site.shelf.put(url.as_str(), &head, body);
                    }
                    self.take(place, url, reading);
                    Ok(())
                }
                (kind @ Kind::Sitemap { .. }, body) => {
                    let sitemap = sitemap::read_aside(&body.unwrap_or_default()).await?;
                    self.read_sitemap(place, url, kind, &head, sitemap)
                }
            },
            Answer::Unchanged => {
                let kind = self.node(place).kind;
                let reading = self
                    .known(url.as_str())
                    .map(|record| self.remembered(kind, record));
                if let Some(reading) = reading {
                    self.take(place, url, reading);
                }
                Ok(())
            }
            Answer::Moved(location) => self.follow(place, url, &location),
            Answer::Gone if is_seed => Err(seed("the site says that it isn't there".to_owned())),
            Answer::Gone => {
                self.settle(place, Came::Nothing, None);
                self.reinstate(place);
                Ok(())
            }
            Answer::TooLarge if is_seed => Err(seed("it is larger than max_page_bytes".to_owned())),
            Answer::TooLarge => {
                let limit_bytes = self.site.config.max_page_bytes;
                let too_large = Error::TooLarge {
                    url: url.to_string(),
                    limit_bytes,
                };
                self.skip(place, url, too_large.code(), too_large.to_string());
                self.reinstate(place);
                Ok(())
            }
        }
    }

    fn read_page(&mut self, place: u32, url: &Url, head: &Head, body: Option<&[u8]>, page: Page) -> Reading {
        let manners = Manners::of(head, &page);
        let may_be = self.place_of(place, url);
        let scope = &self.site.scope;
        let base = page.base.as_deref().and_then(|base| url.join(base).ok());
        let base = base.as_ref().unwrap_or(url);
        let mut reading = Reading {
            validators: head.validators.clone(),
            modified_at: head.modified_at,
            size_bytes: body.map_or(head.size_bytes, |body| Some(body.len() as u64)),
            is_cut: page.is_cut,
            ..Reading::new(Came::Links)
        };
        if !manners.nofollow {
            let is_wanted = |link: &Url| scope.place(link) != Place::Out;
            (reading.links, reading.withheld) = scope.resolve_all(base, &page.links, is_wanted);
        }
        let canonical = page.canonical.as_deref();
        let canonical = canonical.and_then(|canonical| scope.resolve(base, canonical));
        let canonical = canonical.filter(|other| other != url && scope.place(other) == Place::Document);
        match may_be {
            Place::Document if manners.noindex => {
                reading.came = Came::Skipped("noindex".to_owned());
                "the page or its headers say noindex".clone_into(&mut reading.reason);
            }
            Place::Document if is_unwanted(head.media_type.as_deref()) => {
                reading.came = Came::Skipped("media_type_unsupported".to_owned());
                reading.reason = format!("{} has no text", head.media_type.as_deref().unwrap_or_default());
            }
            Place::Document => {
                reading.came = Came::Document(change_tag(head, body));
                reading.canonical = canonical;
            }
            Place::Links | Place::Out => reading.links.extend(canonical),
        }
        reading
    }

    fn read_sitemap(
        &mut self,
        place: u32,
        url: &Url,
        kind: Kind,
        head: &Head,
        sitemap: Result<Sitemap, String>,
    ) -> Result<(), Error> {
        let Kind::Sitemap { level, is_guess } = kind else {
            return Ok(());
        };
        let sitemap = match sitemap {
            Ok(sitemap) => sitemap,
            // Nobody said that one is there.
            Err(_) if is_guess && self.known(url.as_str()).is_none_or(|before| !before.was_read) => {
                self.settle(place, Came::Nothing, None);
                return Ok(());
            }
            Err(problem) => {
                let url_of_it = url.to_string();
                let unusable = Error::Sitemap {
                    url: url_of_it,
                    problem,
                };
                return self.fail(place, url, unusable);
            }
        };
        let scope = &self.site.scope;
        let is_wanted = |page: &Url| scope.place(page) != Place::Out;
        let (mut links, mut withheld) = scope.resolve_all(url, &sitemap.pages, is_wanted);
        let is_index = !sitemap.sitemaps.is_empty();
        if is_index && level < MAX_SITEMAP_LEVELS {
            let may_be_sitemap = |one: &Url| scope.may_be_sitemap(one);
            (links, withheld) = scope.resolve_all(url, &sitemap.sitemaps, may_be_sitemap);
        } else if is_index {
            tracing::warn!(%url, MAX_SITEMAP_LEVELS, "a sitemap is too many sitemaps away; what it lists isn't read");
        }
        let reading = Reading {
            links,
            links_are: if is_index { kind.listed() } else { Kind::Page },
            validators: head.validators.clone(),
            is_cut: sitemap.is_cut,
            withheld,
            ..Reading::new(Came::Links)
        };
        self.take(place, url, reading);
        Ok(())
    }

    /// What the last crawl read of an address that hasn't changed.
    pub(super) fn remembered(&self, kind: Kind, record: &Record) -> Reading {
        let before = self.before.as_ref();
        let address = |place: &u32| Url::parse(&before?.at(*place)?.url).ok();
        let canonical = record.canonical.as_ref().and_then(address);
        let came = match &record.came {
            // A copy of another page, which may have to stand for itself now.
            Came::Links if canonical.is_some() => Came::Document(None),
            came => came.clone(),
        };
        Reading {
            canonical,
            links: record.links.iter().filter_map(address).collect(),
            links_are: if record.is_index {
                kind.listed()
            } else {
                Kind::Page
            },
            validators: record.validators.clone(),
            withheld: record.withheld,
            ..Reading::new(came)
        }
    }

    /// Notes what was read, and has what it leads to wait.
    fn take(&mut self, place: u32, url: &Url, reading: Reading) {
        let (depth, is_own) = (self.node(place).depth, self.node(place).is_own);
        let mut links = self.name_links(&reading.links, reading.links_are, depth);
        let mut is_whole = !reading.is_cut && links.len() == reading.links.len();
        self.left_over += u64::from(reading.is_cut);
        let mut came = reading.came.clone();
        let mut canonical = None;
        if let Some(other) = reading.canonical.as_ref().filter(|_| !is_own) {
            canonical = self.intern(other, Kind::Page);
            is_whole &= canonical.is_some();
            if canonical.is_some_and(|other| self.is_copy_of(place, other, depth)) {
                came = Came::Links;
            }
        }
        links.sort_unstable();
        links.dedup();
        let is_kept = is_whole && self.links_kept + links.len() <= MAX_LINKS;
        let event = reading.event(url, &came);
        let record = &mut self.node(place).record;
        record.was_read = is_kept;
        record.canonical = canonical;
        record.is_index = reading.links_are != Kind::Page;
        record.withheld = reading.withheld;
        if is_kept {
            record.validators = reading.validators;
            let count = links.len();
            record.links = links;
            self.links_kept += count;
        }
        let is_there = matches!(came, Came::Document(_));
        self.settle(place, came, event);
        match is_there {
            true => self.forget_copy(place),
            false => self.reinstate(place),
        }
    }

    /// The places of links, which wait now.
    pub(super) fn name_links(&mut self, links: &[Url], links_are: Kind, depth: u16) -> Vec<u32> {
        let mut places = Vec::with_capacity(links.len());
        for link in links {
            let Some(place) = self.intern(link, links_are) else {
                continue;
            };
            match links_are {
                Kind::Page => self.enqueue(place, depth.saturating_add(1)),
                Kind::Sitemap { .. } => self.enqueue(place, depth),
            }
            places.push(place);
        }
        places
    }
}

/// What is another text whenever the document is: the content's hash where it was read, else what the site calls the version.
fn change_tag(head: &Head, body: Option<&[u8]>) -> Option<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(head.media_type.as_deref().unwrap_or_default().as_bytes());
    hasher.update(&[0]);
    let kind = match body {
        Some(body) => {
            hasher.update(body);
            'c'
        }
        None if head.validators.is_empty() => return None,
        None => {
            for told in [&head.validators.etag, &head.validators.modified] {
                hasher.update(told.as_deref().unwrap_or_default().as_bytes());
                hasher.update(&[0]);
            }
            hasher.update(&head.size_bytes.unwrap_or_default().to_le_bytes());
            'v'
        }
    };
    Some(format!("{kind}{}", hasher.finalize().to_hex().get(..32)?))
}

/// Pictures, sounds, and what makes pages look as they do.
fn is_unwanted(media_type: Option<&str>) -> bool {
    let Some(media_type) = media_type else {
        return false;
    };
    let groups = ["image/", "audio/", "video/", "font/"];
    let others = ["text/css", "text/javascript", "application/javascript"];
    groups.iter().any(|group| media_type.starts_with(group)) || others.contains(&media_type)
}

/// A code of a skipped page as the ledger knows it.
fn stable(code: &str) -> &'static str {
    match code {
        "noindex" => "noindex",
        "media_type_unsupported" => "media_type_unsupported",
        _ => "skipped",
    }
}
