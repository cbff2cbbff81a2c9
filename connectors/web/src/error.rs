//! What can go wrong with web pages. No message has a credential, a header or the name of a person in it: addresses are told
//! as they are listed, without what stood before the `@`.

use lectern_domain::ports::CURSOR_EXPIRED;
use lectern_domain::{ErrorKind, PortError};

/// An error of the connector for web pages.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A source without a seed.
    #[error("a source of web pages needs at least one seed")]
    NoSeeds,
    /// A seed or a host that can't be one.
    #[error("{setting} of the source has what is no address to crawl: {problem}")]
    AddressInvalid {
        /// The key of the configuration, and the position in it.
        setting: String,
        /// What is wrong with it; not the value, which may have a password in it.
        problem: &'static str,
    },
    /// A pattern that is none.
    #[error("a pattern can't be used")]
    PatternInvalid {
        /// Which, and why.
        #[source]
        source: globset::Error,
    },
    /// A value that can't be used.
    #[error("the {setting} of the source can't be used: {problem}")]
    SettingInvalid {
        /// The key of the configuration.
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no secret where it should be.
    #[error("no secret in {place}: {problem}")]
    SecretMissing {
        /// Where it was looked for.
        place: String,
        /// What was found instead.
        problem: String,
    },
    /// The host is in a private network, and the configuration doesn't name it.
    #[error("{host} has no public address, and allow_private_hosts doesn't name it")]
    AddressForbidden {
        /// The host.
        host: String,
    },
    /// The page was there when it was listed, or never.
    #[error("the page {key} is gone")]
    Gone {
        /// Its key.
        key: String,
    },
    /// The key names nothing that this source could have listed.
    #[error("{key:?} is no key of this source")]
    UnknownKey {
        /// What was asked for.
        key: String,
    },
    /// The site's rules forbid it.
    #[error("robots.txt of the site disallows {url}")]
    Disallowed {
        /// Its address.
        url: String,
    },
    /// The site answers that there is nothing for us.
    #[error("{url} was answered with {status}")]
    Refused {
        /// Its address.
        url: String,
        /// The status.
        status: u16,
    },
    /// The redirects don't end, or lead nowhere.
    #[error("the redirects of {url} can't be followed: {problem}")]
    Redirects {
        /// Its address.
        url: String,
        /// Why.
        problem: &'static str,
    },
    /// A seed that begins nothing.
    #[error("the crawl can't begin at {url}: {problem}")]
    Seed {
        /// Its address.
        url: String,
        /// Why.
        problem: String,
    },
    /// The site couldn't be reached, or broke off, until the budget was spent.
    #[error("{url} failed {attempts} times, at last with: {problem}")]
    Unavailable {
        /// Its address.
        url: String,
        /// How often.
        attempts: u32,
        /// What the last attempt came to.
        problem: String,
        /// The site has an error of its own with this very page, and isn't busy.
        is_broken: bool,
    },
    /// The rules of the host can't be read, so nothing of it is asked for.
    #[error("{url} isn't asked for, since robots.txt of its host can't be read: {problem}")]
    RulesUnknown {
        /// The address of the page.
        url: String,
        /// What asking for the rules came to.
        problem: String,
    },
    /// One page after the other failed.
    #[error(
        "{count} pages failed one after the other, and then one that was there before; at last: {problem}"
    )]
    SiteDown {
        /// How many.
        count: u32,
        /// The last of them.
        problem: String,
    },
    /// A sitemap that is none.
    #[error("the sitemap {url} can't be used: {problem}")]
    Sitemap {
        /// Its address.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// It has more than the limit.
    #[error("the page {url} is larger than the limit of {limit_bytes} bytes")]
    TooLarge {
        /// Its address.
        url: String,
        /// The limit.
        limit_bytes: u64,
    },
    /// The thread that reads pages ended unexpectedly.
    #[error("the thread that reads pages ended unexpectedly")]
    ThreadEnded(#[source] tokio::task::JoinError),
    /// A cursor of another time.
    #[error("what was seen at the last crawl can't be read any more")]
    CursorExpired,
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSeeds
            | Self::AddressInvalid { .. }
            | Self::PatternInvalid { .. }
            | Self::SettingInvalid { .. }
            | Self::Redirects { .. }
            | Self::Sitemap { .. }
            | Self::Seed { .. } => ErrorKind::Invalid,
            Self::Gone { .. } | Self::UnknownKey { .. } => ErrorKind::NotFound,
            Self::SecretMissing { .. }
            | Self::AddressForbidden { .. }
            | Self::Disallowed { .. }
            | Self::Refused { .. } => ErrorKind::Denied,
            Self::Unavailable { .. }
            | Self::RulesUnknown { .. }
            | Self::SiteDown { .. }
            | Self::CursorExpired => ErrorKind::Unavailable,
            Self::ThreadEnded(_) => ErrorKind::Internal,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSeeds => "no_seeds",
            Self::AddressInvalid { .. } => "address_invalid",
            Self::PatternInvalid { .. } => "pattern_invalid",
            Self::SettingInvalid { .. } => "web_setting_invalid",
            Self::SecretMissing { .. } => "credentials_missing",
            Self::AddressForbidden { .. } => "address_forbidden",
            Self::Gone { .. } | Self::UnknownKey { .. } => "page_gone",
            Self::Disallowed { .. } => "robots_disallowed",
            Self::Refused { .. } => "page_refused",
            Self::Redirects { .. } => "redirects_endless",
            Self::Seed { .. } => "seed_unusable",
            Self::Unavailable { .. } | Self::SiteDown { .. } => "site_unavailable",
            Self::RulesUnknown { .. } => "robots_unavailable",
            Self::ThreadEnded(_) => "reader_ended",
            Self::Sitemap { .. } => "sitemap_unusable",
            Self::TooLarge { .. } => "too_large",
            Self::CursorExpired => CURSOR_EXPIRED,
        }
    }

    /// Whether it may be otherwise a little later.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::RulesUnknown { .. } | Self::Sitemap { .. }
        )
    }

    /// Whether it is the page that is broken, and not the site that is busy.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self, Self::Unavailable { is_broken: true, .. })
    }
}

impl From<Error> for PortError {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.code(), error.to_string()).caused_by(error)
    }
}
