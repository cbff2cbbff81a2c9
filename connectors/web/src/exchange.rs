//! One request, until there is an answer.
//!
//! The way of a request: the address is looked at ([`Guard`]), the host's turn is waited for ([`Gates`]), the
//! request is sent and its answer read ([`answer`]). What may pass (a broken connection, 429, 5xx) is tried again after a
//! pause that grows, and not before the site wants it (`Retry-After`), within the budgets of a request and of all of them
//! ([`Patience`]); meanwhile the host is left alone. Redirects are answers: whoever asked decides.

mod agent;
mod answer;

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::Utc;
use lectern_connector_remote::{GivenUp, Limits, Patience, retry_after};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION, RETRY_AFTER};
use url::Url;

use crate::address::{origin_of, shown};
use crate::config::{Auth, WebConfig};
use crate::error::Error;
use crate::gate::Gates;
use crate::guard::{Forbidden, Guard, Lookup, Resolver};
use crate::secret;

pub(crate) use answer::{Answer, Head, Validators};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause before the second attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const ACCEPTED: &str = "text/html,application/xhtml+xml,application/pdf,*/*;q=0.8";

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
    patience: Patience,
}

/// Why an attempt came to nothing.
type Trouble = lectern_connector_remote::Trouble<Error>;

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
        let agent = agent::user_agent(config.contact.as_deref());
        let client = reqwest::Client::builder()
            .user_agent(agent.map_err(|problem| invalid(problem.to_owned()))?)
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
            patience: Patience::new(limits(config)),
        })
    }

    /// Sends a request until there is an answer, or the budget is spent. Dropping it ends it.
    pub(crate) async fn ask(&self, ask: &Ask<'_>) -> Result<Answer, Error> {
        self.guard.check(ask.url)?;
        let host = ask.url.host_str().unwrap_or_default();
        let is_broken = AtomicBool::new(false);
        // Held while a retry is waited for: nobody else asks a host that is too busy.
        let _turn = self.gates.enter(host, ask.pause).await;
        let attempt = || async {
            is_broken.store(false, Ordering::Relaxed);
            let attempt = tokio::time::timeout(self.timeout, self.attempt(ask, &is_broken)).await;
            attempt.unwrap_or_else(|_| {
                let seconds = self.timeout.as_secs();
                Err(Trouble::passing(format!("no answer within {seconds} s")))
            })
        };
        let asked = shown(ask.url);
        let answer = self.patience.persist(&asked, attempt).await;
        answer.map_err(|given_up| match given_up {
            GivenUp::Lasting(error) => error,
            GivenUp::Spent { attempts, problem } => Error::Unavailable {
                url: asked.to_string(),
                attempts,
                problem,
                is_broken: is_broken.load(Ordering::Relaxed),
            },
        })
    }

    /// One attempt. Notes whether the site has an error of its own with this very page, and isn't busy.
    async fn attempt(&self, ask: &Ask<'_>, is_broken: &AtomicBool) -> Result<Answer, Trouble> {
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
        is_broken.store(is_own_error(status), Ordering::Relaxed);
        match status {
            StatusCode::OK => answer::read(ask, response).await.map_err(trouble),
            StatusCode::NOT_MODIFIED if ask.validators.is_some() => Ok(Answer::Unchanged),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(Answer::Gone),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
                Err(busy(status, response.headers()))
            }
            status if status.is_server_error() => Err(busy(status, response.headers())),
            status if status.is_redirection() => match response.headers().get(LOCATION) {
                // Some servers write it as UTF-8.
                Some(location) => Ok(Answer::Moved(
                    String::from_utf8_lossy(location.as_bytes()).into_owned(),
                )),
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

/// The budgets of a request, and of all requests of the source.
fn limits(config: &WebConfig) -> Limits {
    let max_wait = Duration::from_secs(config.max_wait_s);
    let attempts = config.retries.saturating_add(1);
    let attempts_time = Duration::from_secs(config.timeout_s).saturating_mul(attempts);
    Limits {
        first_pause: FIRST_PAUSE,
        retries: config.retries,
        // What an attempt takes has a limit of its own.
        request_time: attempts_time.saturating_add(max_wait),
        pause_time: max_wait,
        ..Limits::default()
    }
}

fn refused(ask: &Ask<'_>, status: StatusCode) -> Trouble {
    Trouble::Lasting(Error::Refused {
        url: shown(ask.url).to_string(),
        status: status.as_u16(),
    })
}

/// Whether it is the page that is broken, and not the site that is busy.
fn is_own_error(status: StatusCode) -> bool {
    let is_for_now = matches!(
        status,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    );
    status.is_server_error() && !is_for_now
}

fn busy(status: StatusCode, headers: &HeaderMap) -> Trouble {
    Trouble::Passing {
        problem: status.as_u16().to_string(),
        wait: answer::text(headers, RETRY_AFTER).and_then(|asked| retry_after(&asked, Utc::now())),
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
    Trouble::passing(lectern_domain::error::chain(&error.without_url()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_budgets_of_its_configuration_and_all_share_one() {
        let config = WebConfig {
            retries: 3,
            timeout_s: 20,
            max_wait_s: 60,
            ..WebConfig::new(Vec::new())
        };
        let of_request = limits(&config);
        assert_eq!(of_request.retries, 3);
        assert_eq!(of_request.pause_time, Duration::from_secs(60));
        assert_eq!(of_request.request_time, Duration::from_secs(4 * 20 + 60));
        assert_eq!(of_request.job_time, Limits::default().job_time);
        let endless = limits(&WebConfig {
            retries: u32::MAX,
            timeout_s: u64::MAX,
            max_wait_s: u64::MAX,
            ..config
        });
        assert_eq!(endless.request_time, Duration::MAX);
    }
}
