//! One request, until there is an answer.
//!
//! The way of a request: the address is looked at ([`Guard`](crate::guard::Guard)), the host's turn is waited for ([`Gates`]), the
//! request is sent and its answer judged ([`Answer`]). What may pass (a broken connection, 429, 5xx) is tried again after a
//! pause that grows, or the one that the site asks for (`Retry-After`), within a budget of attempts and of time; meanwhile the
//! host is left alone. Redirects are answers: whoever asked decides.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{
    ACCEPT, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    LOCATION, RETRY_AFTER,
};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::address::origin_of;
use crate::config::{Auth, WebConfig};
use crate::error::Error;
use crate::gate::Gates;
use crate::guard::{Forbidden, Guard, Lookup, Resolver};
use crate::secret;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause before the second attempt; each one after it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How young a change may be to be told from the next: HTTP's clock has whole seconds.
const SETTLED_AFTER_S: i64 = 2;
/// A site's own words about a version of a page are short.
const MAX_VALIDATOR_BYTES: usize = 512;
const ACCEPTED: &str = "text/html,application/xhtml+xml,application/pdf,*/*;q=0.8";

/// What a site calls a version of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Validators {
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub(crate) modified: Option<String>,
}

impl Validators {
    pub(crate) fn is_empty(&self) -> bool {
        self.etag.is_none() && self.modified.is_none()
    }
}

/// What is said about a page before its content.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    /// The media type without its parameters, in lower case.
    pub(crate) media_type: Option<String>,
    /// The encoding of its characters, where it is told.
    pub(crate) charset: Option<String>,
    /// Empty, where what is there can't be told from the next change.
    pub(crate) validators: Validators,
    pub(crate) modified_at: Option<DateTime<Utc>>,
    /// The size of the content as it will come.
    pub(crate) size_bytes: Option<u64>,
    /// All that `X-Robots-Tag` says, a line for each.
    pub(crate) robots_tags: Vec<String>,
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A page; its content where it was wanted.
    Page(Box<Head>, Option<Bytes>),
    /// The same as before.
    Unchanged,
    /// It is elsewhere: what `Location` says.
    Moved(String),
    /// 404 or 410.
    Gone,
    /// It is larger than the limit.
    TooLarge,
}

/// Which content is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Whatever comes.
    All,
    /// That of HTML alone.
    Html,
    /// The beginning of whatever comes.
    Beginning,
}

/// A request to be sent.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) url: &'a Url,
    pub(crate) validators: Option<&'a Validators>,
    pub(crate) wanted: Wanted,
    pub(crate) limit_bytes: u64,
    /// How long the host is left alone afterwards.
    pub(crate) pause: Duration,
}

/// Whoever sends the requests of a source.
#[derive(Debug)]
pub(crate) struct Exchange {
    client: reqwest::Client,
    guard: Guard,
    gates: Gates,
    auth: Option<Auth>,
    /// The hosts that the secret is for.
    seed_origins: Vec<String>,
    timeout: Duration,
    max_wait: Duration,
    retries: u32,
}

/// Why an attempt came to nothing.
enum Trouble {
    Passing { problem: String, wait: Option<Duration> },
    Lasting(Error),
}

impl Exchange {
    pub(crate) fn new(config: &WebConfig, seeds: &[Url], lookup: Arc<dyn Lookup>) -> Result<Self, Error> {
        let guard = Guard::new(&config.allow_private_hosts)?;
        if let Some(auth) = &config.auth {
            // A mistake is told before a job begins.
            secret::header(auth)?;
        }
        let resolver = Resolver {
            guard: guard.clone(),
            lookup,
        };
        let invalid = |problem: String| Error::SettingInvalid {
            setting: "contact",
            problem,
        };
        let client = reqwest::Client::builder()
            .user_agent(user_agent(config.contact.as_deref()).map_err(|problem| invalid(problem.to_owned()))?)
            .dns_resolver(resolver)
            .redirect(reqwest::redirect::Policy::none())
            // A proxy would resolve names by itself.
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|error| invalid(lectern_domain::error::chain(&error)))?;
        Ok(Self {
            client,
            guard,
            gates: Gates::default(),
            auth: config.auth.clone(),
            seed_origins: seeds.iter().map(origin_of).collect(),
            timeout: Duration::from_secs(config.timeout_s),
            max_wait: Duration::from_secs(config.max_wait_s),
            retries: config.retries,
        })
    }

    /// Sends a request until there is an answer, or the budget is spent. Dropping it ends it.
    pub(crate) async fn ask(&self, ask: &Ask<'_>) -> Result<Answer, Error> {
        self.guard.check(ask.url)?;
        let host = ask.url.host_str().unwrap_or_default();
        let mut attempts = 0;
        let mut waited = Duration::ZERO;
        let mut next_pause = FIRST_PAUSE;
        // Held while a retry is waited for: nobody else asks a host that is too busy.
        let _turn = self.gates.enter(host, ask.pause).await;
        loop {
            attempts += 1;
            let attempt = tokio::time::timeout(self.timeout, self.attempt(ask)).await;
            let (problem, wait) = match attempt {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Trouble::Lasting(error))) => return Err(error),
                Ok(Err(Trouble::Passing { problem, wait })) => (problem, wait),
                Err(_) => (format!("no answer within {} s", self.timeout.as_secs()), None),
            };
            let pause = wait.unwrap_or(next_pause);
            if attempts > self.retries || waited + pause > self.max_wait {
                return Err(Error::Unavailable {
                    url: ask.url.to_string(),
                    attempts,
                    problem,
                });
            }
            tracing::debug!(url = %ask.url, attempts, %problem, pause_ms = pause.as_millis(), "asked again after a pause");
            tokio::time::sleep(pause).await;
            waited += pause;
            next_pause *= 2;
        }
    }

    async fn attempt(&self, ask: &Ask<'_>) -> Result<Answer, Trouble> {
        let mut request = self.client.get(ask.url.clone()).header(ACCEPT, ACCEPTED);
        if let Some(validators) = ask.validators {
            let pairs = [
                (IF_NONE_MATCH, &validators.etag),
                // RFC 9110, 13.1.3: it doesn't count beside the other one, and old servers know nothing else.
                (IF_MODIFIED_SINCE, &validators.modified),
            ];
            for (name, value) in pairs {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
        }
        if let Some(auth) = &self.auth
            && self.seed_origins.contains(&origin_of(ask.url))
        {
            let (name, value) = secret::header(auth).map_err(Trouble::Lasting)?;
            request = request.header(name, value);
        }
        let response = request.send().await.map_err(trouble)?;
        let status = response.status();
        match status {
            StatusCode::OK => page(ask, response).await,
            StatusCode::NOT_MODIFIED if ask.validators.is_some() => Ok(Answer::Unchanged),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(Answer::Gone),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
                Err(busy(status, response.headers()))
            }
            status if status.is_server_error() => Err(busy(status, response.headers())),
            status if status.is_redirection() => match text(response.headers(), LOCATION) {
                Some(location) => Ok(Answer::Moved(location)),
                None => Err(refused(ask, status)),
            },
            status => Err(refused(ask, status)),
        }
    }

    /// The longest pause that a site may ask for.
    pub(crate) fn max_wait(&self) -> Duration {
        self.max_wait
    }
}

fn refused(ask: &Ask<'_>, status: StatusCode) -> Trouble {
    Trouble::Lasting(Error::Refused {
        url: ask.url.to_string(),
        status: status.as_u16(),
    })
}

fn busy(status: StatusCode, headers: &HeaderMap) -> Trouble {
    let wait = text(headers, RETRY_AFTER).and_then(|asked| match asked.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => (http_date(&asked)? - Utc::now()).to_std().ok(),
    });
    Trouble::Passing {
        problem: status.as_u16().to_string(),
        wait,
    }
}

/// What a transport says, without the address, which stands beside it.
fn trouble(error: reqwest::Error) -> Trouble {
    let mut cause = error.source();
    while let Some(current) = cause {
        if let Some(forbidden) = current.downcast_ref::<Forbidden>() {
            return Trouble::Lasting(Error::AddressForbidden {
                host: forbidden.host.clone(),
            });
        }
        cause = current.source();
    }
    Trouble::Passing {
        problem: lectern_domain::error::chain(&error.without_url()),
        wait: None,
    }
}

async fn page(ask: &Ask<'_>, mut response: reqwest::Response) -> Result<Answer, Trouble> {
    let mut head = head(response.headers());
    head.size_bytes = response.content_length();
    let is_cut = ask.wanted == Wanted::Beginning;
    if !is_cut && head.size_bytes.is_some_and(|size| size > ask.limit_bytes) {
        return Ok(Answer::TooLarge);
    }
    let is_wanted = match ask.wanted {
        Wanted::Html => head.is_html(),
        Wanted::All | Wanted::Beginning => true,
    };
    if !is_wanted {
        return Ok(Answer::Page(Box::new(head), None));
    }
    let limit = usize::try_from(ask.limit_bytes).unwrap_or(usize::MAX);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(trouble)? {
        body.extend_from_slice(&chunk);
        if body.len() > limit {
            if !is_cut {
                return Ok(Answer::TooLarge);
            }
            body.truncate(limit);
            break;
        }
    }
    Ok(Answer::Page(Box::new(head), Some(Bytes::from(body))))
}

impl Head {
    pub(crate) fn is_html(&self) -> bool {
        matches!(
            self.media_type.as_deref(),
            Some("text/html" | "application/xhtml+xml")
        )
    }
}

fn head(headers: &HeaderMap) -> Head {
    let content_type = text(headers, CONTENT_TYPE).unwrap_or_default();
    let mut parts = content_type.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches('"').to_owned())
    });
    let modified = text(headers, LAST_MODIFIED).filter(|text| text.len() <= MAX_VALIDATOR_BYTES);
    let modified_at = modified.as_deref().and_then(http_date);
    let told_at = text(headers, DATE).as_deref().and_then(http_date);
    let now = told_at.unwrap_or_else(Utc::now);
    let is_settled = modified_at.is_none_or(|at| (now - at).num_seconds() >= SETTLED_AFTER_S);
    let validators = match is_settled {
        true => Validators {
            etag: text(headers, ETAG).filter(|etag| !etag.is_empty() && etag.len() <= MAX_VALIDATOR_BYTES),
            modified: modified.filter(|_| modified_at.is_some()),
        },
        false => Validators::default(),
    };
    let robots = HeaderName::from_static("x-robots-tag");
    let tags = headers.get_all(robots).iter();
    Head {
        media_type: (!essence.is_empty()).then_some(essence),
        charset,
        validators,
        modified_at,
        size_bytes: None,
        robots_tags: tags
            .filter_map(|value| value.to_str().ok().map(str::to_owned))
            .collect(),
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn http_date(text: &str) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some(date.to_utc())
}

/// How Lectern calls itself, with the word that `robots.txt` knows it by.
fn user_agent(contact: Option<&str>) -> Result<String, &'static str> {
    const NAME: &str = concat!("Lectern/", env!("CARGO_PKG_VERSION"));
    let Some(contact) = contact else {
        return Ok(format!("{NAME} (knowledge base)"));
    };
    let is_plain = |character: char| character.is_ascii_graphic() && !matches!(character, '(' | ')' | '\\');
    match !contact.is_empty() && contact.len() <= 200 && contact.chars().all(is_plain) {
        true => Ok(format!("{NAME} (knowledge base; +{contact})")),
        false => Err("it is an address of mail or of a page, without spaces and brackets"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_change_of_this_very_second_has_no_validators() {
        let old = "Sun, 01 Nov 2026 11:00:00 GMT";
        let now = "Sun, 01 Nov 2026 11:59:59 GMT";
        for (modified, count) in [(old, 2), (now, 0)] {
            let head = head(&headers(&[
                ("date", "Sun, 01 Nov 2026 12:00:00 GMT"),
                ("last-modified", modified),
                ("etag", "\"1\""),
                ("content-type", "Text/HTML; Charset=\"latin1\""),
            ]));
            let told = [&head.validators.etag, &head.validators.modified];
            assert_eq!(told.iter().filter(|told| told.is_some()).count(), count);
            assert!(head.is_html());
            assert_eq!(head.charset.as_deref(), Some("latin1"));
        }
        let tagged = head(&headers(&[("etag", "W/\"1\"")]));
        assert_eq!(tagged.validators.etag.as_deref(), Some("W/\"1\""));
    }

    #[test]
    fn a_site_says_how_long_it_is_busy() {
        for (told, expected) in [("7", Some(7)), ("-1", None), ("soon", None)] {
            let headers = headers(&[("retry-after", told)]);
            let Trouble::Passing { problem, wait } = busy(StatusCode::TOO_MANY_REQUESTS, &headers) else {
                unreachable!()
            };
            assert_eq!(
                (problem.as_str(), wait),
                ("429", expected.map(Duration::from_secs))
            );
        }
    }

    #[test]
    fn the_user_agent_names_lectern_and_whom_to_ask() {
        let own = user_agent(None).unwrap();
        assert!(
            own.to_ascii_lowercase().starts_with(crate::robots::PRODUCT),
            "{own}"
        );
        let told = user_agent(Some("ada@example.com")).unwrap();
        assert!(told.contains("+ada@example.com"), "{told}");
        for wrong in ["", "a b", "a\r\nX: y", "a)"] {
            assert!(user_agent(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
