//! The rules that make a [`Caller`] of a request, free of any web framework.
//!
//! Without a token the operator is whoever reaches the server on the loopback interface directly.
//! With a token, the token decides and the address doesn't. A server that listens elsewhere than on
//! the loopback interface doesn't start without one.

use std::net::{IpAddr, SocketAddr};

use super::{ApiToken, Caller};

/// What the rules need to know of a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestFacts<'a> {
    /// The `Host` header (or `:authority`).
    pub host: Option<&'a str>,
    /// The `Origin` header.
    pub origin: Option<&'a str>,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The other end of the connection.
    pub peer: Option<IpAddr>,
    /// Whether a proxy says that it passed the request on.
    pub forwarded: bool,
    /// Whether a foreign page must not be able to send it: everything but GET, HEAD and OPTIONS.
    pub guarded_method: bool,
}

/// Why a request was turned away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It was sent to a name that isn't this server's.
    #[error("this server doesn't answer to the host {0:?}")]
    UnknownHost(String),
    /// A page of another origin sent it.
    #[error("a page of {0:?} may not change anything here")]
    ForeignOrigin(String),
    /// No token was shown.
    #[error("this server asks for its token")]
    TokenNeeded,
    /// A token was shown, and not the right one.
    #[error("the token that was sent is not this server's")]
    TokenWrong,
    /// There is no token, and the request doesn't come straight from this machine.
    #[error("without a token this server answers only to requests made on its own machine")]
    NotLocal,
}

impl Refusal {
    /// Stable and machine-readable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownHost(_) => "host_unknown",
            Self::ForeignOrigin(_) => "origin_foreign",
            Self::TokenNeeded => "token_needed",
            Self::TokenWrong => "token_wrong",
            Self::NotLocal => "not_local",
        }
    }

    /// Whether showing a (better) token would help.
    pub fn asks_for_token(&self) -> bool {
        matches!(self, Self::TokenNeeded | Self::TokenWrong)
    }
}

/// A server that must not be started like this.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Everybody on the network would be the operator.
    #[error(
        "listening on {0} without a token would let everybody on the network in: set LECTERN_API_TOKEN \
         or `[server] token_file`, or listen on 127.0.0.1"
    )]
    OpenToTheNetwork(SocketAddr),
}

/// Who is let in.
#[derive(Clone, Debug)]
pub struct AccessRules {
    token: Option<ApiToken>,
    known_hosts: Vec<String>,
    any_host: bool,
}

impl AccessRules {
    /// The rules of a server that listens on `bind`, and is also known as `allowed_hosts`.
    ///
    /// A server that listens on the network has a token. There, where no names are given, it
    /// answers to any: a page that points its own name at it has no token to show.
    pub fn new(
        bind: SocketAddr,
        token: Option<ApiToken>,
        allowed_hosts: &[String],
    ) -> Result<Self, RulesError> {
        let on_loopback = bind.ip().is_loopback();
        if !on_loopback && token.is_none() {
            return Err(RulesError::OpenToTheNetwork(bind));
        }
        let mut known_hosts: Vec<String> = allowed_hosts.iter().map(|host| host.to_lowercase()).collect();
        known_hosts.push(bind.ip().to_string());
        Ok(Self {
            token,
            known_hosts,
            any_host: !on_loopback && allowed_hosts.is_empty(),
        })
    }

    /// Whether the request may be looked at: it is sent to this server, and by no foreign page.
    pub fn check_target(&self, facts: &RequestFacts<'_>) -> Result<(), Refusal> {
        let host = facts.host.unwrap_or("");
        if !self.any_host && !self.knows(host) {
            return Err(Refusal::UnknownHost(host.to_owned()));
        }
        if let Some(origin) = facts.origin
            && facts.guarded_method
            && !is_same_origin(origin, host)
        {
            return Err(Refusal::ForeignOrigin(origin.to_owned()));
        }
        Ok(())
    }

    /// Who sends the request. Costs two BLAKE3 hashes.
    pub fn identify(&self, facts: &RequestFacts<'_>) -> Result<Caller, Refusal> {
        let direct_from_loopback =
            facts.peer.is_some_and(|peer| peer.to_canonical().is_loopback()) && !facts.forwarded;
        let Some(token) = &self.token else {
            if direct_from_loopback {
                return Ok(Caller {
                    on_this_machine: true,
                });
            }
            return Err(Refusal::NotLocal);
        };
        let Some(shown) = facts.authorization.and_then(bearer) else {
            return Err(Refusal::TokenNeeded);
        };
        if !token.matches(shown) {
            return Err(Refusal::TokenWrong);
        }
        Ok(Caller {
            on_this_machine: direct_from_loopback,
        })
    }

    fn knows(&self, host: &str) -> bool {
        let name = without_port(host).trim_end_matches('.').to_lowercase();
        if name.eq_ignore_ascii_case("localhost") {
            return true;
        }
        let address = name.trim_start_matches('[').trim_end_matches(']');
        if address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
            return true;
        }
        self.known_hosts
            .iter()
            .any(|known| *known == name || known == address)
    }
}

/// The token of `Bearer TOKEN` (RFC 6750, section 2.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A page's own requests carry the origin that the page was loaded from, so its authority is the
/// `Host`. `null` (a sandboxed frame, a file) is nobody's origin.
fn is_same_origin(origin: &str, host: &str) -> bool {
    let authority = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

fn without_port(host: &str) -> &str {
    match host.rfind(':') {
        Some(colon) if !host.ends_with(']') && (host.starts_with('[') || host.matches(':').count() == 1) => {
            &host[..colon]
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn local_rules() -> AccessRules {
        AccessRules::new(
            "127.0.0.1:8080".parse().unwrap(),
            None,
            &["lectern.lan".to_owned()],
        )
        .unwrap()
    }

    fn local_facts<'a>() -> RequestFacts<'a> {
        RequestFacts {
            host: Some("127.0.0.1:8080"),
            peer: Some("127.0.0.1".parse().unwrap()),
            guarded_method: true,
            ..RequestFacts::default()
        }
    }

    #[test]
    fn only_the_servers_own_names_are_answered_to() {
        let rules = local_rules();
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:1",
            "[::1]:8080",
            "::1",
            "lectern.lan:80",
            "localhost.",
        ] {
            let facts = RequestFacts {
                host: Some(host),
                ..local_facts()
            };
            assert_eq!(rules.check_target(&facts), Ok(()), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8080",
            "10.0.0.1",
        ] {
            let facts = RequestFacts {
                host: Some(host),
                ..local_facts()
            };
            assert_eq!(
                rules.check_target(&facts),
                Err(Refusal::UnknownHost(host.to_owned()))
            );
        }
    }

    #[test]
    fn a_foreign_page_changes_nothing() {
        let rules = local_rules();
        for origin in [
            "http://evil.example",
            "null",
            "http://127.0.0.1:9999",
            "http://127.0.0.1:8080.evil.example",
        ] {
            let facts = RequestFacts {
                origin: Some(origin),
                ..local_facts()
            };
            assert_eq!(
                rules.check_target(&facts),
                Err(Refusal::ForeignOrigin(origin.to_owned()))
            );
            let reading = RequestFacts {
                guarded_method: false,
                ..facts
            };
            assert_eq!(rules.check_target(&reading), Ok(()));
        }
        let own = RequestFacts {
            origin: Some("http://127.0.0.1:8080"),
            ..local_facts()
        };
        assert_eq!(rules.check_target(&own), Ok(()));
    }

    #[test]
    fn without_a_token_only_this_machine_is_let_in() {
        let rules = local_rules();
        assert!(rules.identify(&local_facts()).unwrap().is_on_this_machine());
        let mapped = RequestFacts {
            peer: Some("::ffff:127.0.0.1".parse().unwrap()),
            ..local_facts()
        };
        assert!(rules.identify(&mapped).is_ok());
        let elsewhere = RequestFacts {
            peer: Some("192.0.2.7".parse().unwrap()),
            ..local_facts()
        };
        assert_eq!(rules.identify(&elsewhere), Err(Refusal::NotLocal));
        let proxied = RequestFacts {
            forwarded: true,
            ..local_facts()
        };
        assert_eq!(rules.identify(&proxied), Err(Refusal::NotLocal));
    }

    #[test]
    fn a_token_is_asked_of_everybody() {
        let token = ApiToken::from_text(SECRET).unwrap();
        let rules = AccessRules::new("0.0.0.0:8080".parse().unwrap(), Some(token), &[]).unwrap();
        assert_eq!(rules.identify(&local_facts()), Err(Refusal::TokenNeeded));
        let wrong = RequestFacts {
            authorization: Some("Bearer wrong"),
            ..local_facts()
        };
        assert_eq!(rules.identify(&wrong), Err(Refusal::TokenWrong));
        let right = format!("bearer  {SECRET}");
        let away = RequestFacts {
            authorization: Some(&right),
            peer: Some("192.0.2.7".parse().unwrap()),
            ..local_facts()
        };
        assert!(!rules.identify(&away).unwrap().is_on_this_machine());
    }

    #[test]
    fn the_network_is_not_served_without_a_token() {
        let error = AccessRules::new("0.0.0.0:8080".parse().unwrap(), None, &[]).unwrap_err();
        assert!(error.to_string().contains("LECTERN_API_TOKEN"));
    }
}
