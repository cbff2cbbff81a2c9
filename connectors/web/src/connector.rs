//! The connector: its site, and the two ways into it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use lectern_domain::PortError;
use lectern_domain::attribute::Attributes;
use lectern_domain::ports::{Connector, Cursor, Fetched, ListEvent, SourceItem};
use tokio::time::Instant;
use url::Url;

use crate::address::{file_name, origin_of};
use crate::config::WebConfig;
use crate::crawl::Crawl;
use crate::error::Error;
use crate::exchange::{Answer, Ask, Exchange, Wanted};
use crate::guard::{Lookup, System};
use crate::memory::Memory;
use crate::page::{self, Manners};
use crate::robots::{self, Robots};
use crate::scope::Scope;
use crate::shelf::{Kept, Shelf};

/// How long the rules of a site count without being asked for again (RFC 9309, 2.4).
const ROBOTS_FOR: Duration = Duration::from_secs(24 * 3600);
/// How many redirects lead to the rules at most (RFC 9309, 2.3.1.2).
const ROBOTS_REDIRECTS: usize = 5;

/// Crawls a site.
pub struct WebConnector {
    pub(crate) config: WebConfig,
    pub(crate) scope: Scope,
    pub(crate) exchange: Exchange,
    pub(crate) shelf: Shelf,
    /// The rules of each host, and when they were read.
    robots: Mutex<HashMap<String, (Instant, Arc<Robots>)>>,
}

impl fmt::Debug for WebConnector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WebConnector")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl WebConnector {
    /// A connector for a site. Nobody is asked yet: what can be told is what is wrong with the configuration, and whether
    /// there is a secret where it should be.
    pub fn new(config: WebConfig) -> Result<Self, Error> {
        Self::resolving(config, Arc::new(System))
    }

    /// The same with somebody else who knows the addresses of names. Private ones are refused all the same.
    pub fn resolving(config: WebConfig, lookup: Arc<dyn Lookup>) -> Result<Self, Error> {
        for (setting, is_zero) in [
            ("max_pages", config.max_pages == 0),
            ("timeout_s", config.timeout_s == 0),
            ("max_url_bytes", config.max_url_bytes == 0),
        ] {
            if is_zero {
                return Err(Error::SettingInvalid {
                    setting,
                    problem: "it is 0".to_owned(),
                });
            }
        }
        if config.max_pages > 1_000_000 {
            return Err(Error::SettingInvalid {
                setting: "max_pages",
                problem: "1000000 is the most".to_owned(),
            });
        }
        let scope = Scope::new(&config)?;
        Ok(Self {
            exchange: Exchange::new(&config, &scope.seeds, lookup)?,
            scope,
            config,
            shelf: Shelf::default(),
            robots: Mutex::default(),
        })
    }

    /// The rules of a host, where they aren't older than asked for. Fails where they can't be read: then nothing is allowed.
    pub(crate) async fn robots(&self, url: &Url, not_before: Instant) -> Result<Arc<Robots>, Error> {
        let origin = origin_of(url);
        let known = {
            let robots = self.robots.lock().unwrap_or_else(PoisonError::into_inner);
            robots.get(&origin).cloned()
        };
        if let Some((read_at, robots)) = known
            && read_at >= not_before
        {
            return Ok(robots);
        }
        let now = Instant::now();
        let robots = Arc::new(self.read_robots(url).await?);
        let mut known = self.robots.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(origin, (now, Arc::clone(&robots)));
        Ok(robots)
    }

    async fn read_robots(&self, url: &Url) -> Result<Robots, Error> {
        let Ok(mut at) = url.join("/robots.txt") else {
            return Ok(Robots::default());
        };
        for _ in 0..=ROBOTS_REDIRECTS {
            let ask = Ask {
                url: &at,
                validators: None,
                wanted: Wanted::Beginning,
                limit_bytes: robots::MAX_BYTES as u64,
                pause: Duration::from_millis(self.config.pause_ms),
            };
            match self.exchange.ask(&ask).await {
                Ok(Answer::Page(_, Some(body))) => return Ok(Robots::parse(&body)),
                Ok(Answer::Moved(location)) => match at.join(&location) {
                    Ok(next) if matches!(next.scheme(), "http" | "https") => at = without_user(next),
                    _ => return Ok(Robots::default()),
                },
                // There are none: everything is allowed.
                Ok(_) | Err(Error::Refused { .. }) => return Ok(Robots::default()),
                Err(error) => return Err(error),
            }
        }
        Ok(Robots::default())
    }

    /// How long a host is left alone after a request.
    pub(crate) fn pause(&self, robots: &Robots) -> Duration {
        let asked = robots.crawl_delay.unwrap_or_default();
        Duration::from_millis(self.config.pause_ms).max(asked.min(self.exchange.max_wait()))
    }

    /// A document as it is now.
    async fn content(&self, key: &str) -> Result<Fetched, Error> {
        let url = self.scope.page_of(key);
        let url = url.ok_or_else(|| Error::UnknownKey { key: key.to_owned() })?;
        let not_before = Instant::now().checked_sub(ROBOTS_FOR);
        let robots = self.robots(&url, not_before.unwrap_or_else(Instant::now)).await?;
        if !robots.allows(path_of(&url)) {
            return Err(Error::Disallowed { url: url.to_string() });
        }
        let kept = self.shelf.take(url.as_str());
        let ask = Ask {
            url: &url,
            validators: kept.as_ref().map(|kept| &kept.head.validators),
            wanted: Wanted::All,
            limit_bytes: self.config.max_page_bytes,
            pause: self.pause(&robots),
        };
        let gone = || Error::Gone { key: key.to_owned() };
        let Kept { head, body } = match (self.exchange.ask(&ask).await?, kept) {
            (Answer::Page(head, Some(body)), _) => Kept { head: *head, body },
            (Answer::Unchanged, Some(kept)) => kept,
            (Answer::TooLarge, _) => {
                return Err(Error::TooLarge {
                    url: url.to_string(),
                    limit_bytes: self.config.max_page_bytes,
                });
            }
            _ => return Err(gone()),
        };
        let read = match head.is_html() {
            true => page::read_aside(&body, head.charset.as_deref()).await?,
            false => page::Page::default(),
        };
        if Manners::of(&head, &read).noindex {
            return Err(gone());
        }
        let says_nothing = |media_type: &str| media_type == "application/octet-stream";
        Ok(Fetched {
            file_name: file_name(&url, head.media_type.as_deref()),
            bytes: Arc::from(&*body),
            media_type: head.media_type.filter(|media_type| !says_nothing(media_type)),
            title: None,
            acl: None,
            attributes: Attributes::new(),
        })
    }
}

/// The path with the query, as `robots.txt` names it.
pub(crate) fn path_of(url: &Url) -> &str {
    &url[url::Position::BeforePath..url::Position::AfterQuery]
}

fn without_user(mut url: Url) -> Url {
    // Neither fails for an address that has a host.
    if url.set_username("").is_err() || url.set_password(None).is_err() {
        tracing::debug!("an address without a host");
    }
    url
}

#[async_trait]
impl Connector for WebConnector {
    fn describe(&self) -> String {
        let hosts: Vec<&str> = self
            .scope
            .origins
            .iter()
            .filter_map(|origin| Some(origin.split_once("://")?.1))
            .collect();
        format!("web pages of {}", hosts.join(", "))
    }

    fn list(&self, since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>> {
        match since.map(Memory::read).transpose() {
            Ok(before) => Crawl::new(self, before).events().boxed(),
            Err(error) => stream::iter([Err(error.into())]).boxed(),
        }
    }

    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError> {
        Ok(self.content(&item.key).await?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_left_alone_as_long_as_it_asks_within_bounds() {
        let config = WebConfig {
            pause_ms: 200,
            max_wait_s: 10,
            ..WebConfig::new(vec!["https://example.com/".to_owned()])
        };
        let site = WebConnector::new(config).unwrap();
        for (asked, expected_ms) in [
            ("0", 200),
            ("0.1", 200),
            ("3", 3000),
            ("86400", 10_000),
            ("-1", 200),
        ] {
            let robots = Robots::parse(format!("User-agent: *\nCrawl-delay: {asked}").as_bytes());
            assert_eq!(site.pause(&robots), Duration::from_millis(expected_ms), "{asked}");
        }
    }
}
