//! One request, until there is an answer.
//!
//! The way of a request: the address is looked at ([`Guard`]), the host's turn is waited for ([`Gates`]), the
//! request is sent and its answer read ([`answer`]). What may pass (a broken connection, 429, 5xx) is tried again after a
//! pause that grows, or the one that the site asks for (`Retry-After`), within a budget of attempts and of time ([`patience`]);
//! meanwhile the host is left alone. Redirects are answers: whoever asked decides.

mod agent;
mod answer;
mod patience;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{ACCEPT, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION, RETRY_AFTER};
use url::Url;

use crate::address::origin_of;
use crate::config::{Auth, WebConfig};
use crate::error::Error;
use crate::gate::Gates;
use crate::guard::{Forbidden, Guard, Lookup, Resolver};
use crate::secret;

pub(crate) use answer::{Answer, Head, Validators};

use patience::Patience;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
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
    retries: u32,
}

/// Why an attempt came to nothing.
enum Trouble {
    Passing(Passing),
    Lasting(Error),
}

/// What may be otherwise at the next attempt.
struct Passing {
    problem: String,
    /// How long the site asks to be left alone.
    wait: Option<Duration>,
    /// The site has an error of its own with this very page, and isn't busy.
    is_broken: bool,
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
            retries: config.retries,
        })
    }

    /// Sends a request until there is an answer, or the budget is spent. Dropping it ends it.
    pub(crate) async fn ask(&self, ask: &Ask<'_>) -> Result<Answer, Error> {
        self.guard.check(ask.url)?;
        let host = ask.url.host_str().unwrap_or_default();
        let mut attempts = 0;
        let mut patience = Patience::new(self.retries, self.max_wait);
        // Held while a retry is waited for: nobody else asks a host that is too busy.
        let _turn = self.gates.enter(host, ask.pause).await;
        loop {
            attempts += 1;
            let attempt = tokio::time::timeout(self.timeout, self.attempt(ask)).await;
            let passing = match attempt {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Trouble::Lasting(error))) => return Err(error),
                Ok(Err(Trouble::Passing(passing))) => passing,
                Err(_) => Passing {
                    problem: format!("no answer within {} s", self.timeout.as_secs()),
                    wait: None,
                    is_broken: false,
                },
            };
            let Passing {
                problem,
                wait,
                is_broken,
            } = passing;
            let Some(pause) = patience.pause(wait) else {
                return Err(Error::Unavailable {
                    url: ask.url.to_string(),
                    attempts,
                    problem,
                    is_broken,
                });
            };
            tracing::debug!(url = %ask.url, attempts, %problem, pause_ms = pause.as_millis(), "asked again after a pause");
            tokio::time::sleep(pause).await;
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

fn refused(ask: &Ask<'_>, status: StatusCode) -> Trouble {
    Trouble::Lasting(Error::Refused {
        url: ask.url.to_string(),
        status: status.as_u16(),
    })
}

fn busy(status: StatusCode, headers: &HeaderMap) -> Trouble {
    let is_for_now = matches!(
        status,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    );
    Trouble::Passing(Passing {
        problem: status.as_u16().to_string(),
        wait: answer::text(headers, RETRY_AFTER).and_then(|asked| patience::asked(&asked)),
        is_broken: status.is_server_error() && !is_for_now,
    })
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
    Trouble::Passing(Passing {
        problem: lectern_domain::error::chain(&error.without_url()),
        wait: None,
        is_broken: false,
    })
}
