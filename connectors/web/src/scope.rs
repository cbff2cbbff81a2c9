//! Which addresses belong to a source: by scheme, host and port, then by path.

use globset::GlobSet;
use lectern_connector_remote::glob_set;
use url::Url;

use crate::address::{Spelling, decoded, has_secret, origin_of};
use crate::config::WebConfig;
use crate::error::Error;

/// More would be a crawl of the web.
const MAX_HOSTS: usize = 100;

/// What may come of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A document.
    Document,
    /// Links, and no document.
    Links,
    /// Nothing: it is never asked for.
    Out,
}

/// The bounds of a source.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    spelling: Spelling,
    pub(crate) seeds: Vec<Url>,
    /// Scheme, host and port; those of the seeds come first.
    pub(crate) origins: Vec<String>,
    /// `None`: everything.
    include: Option<GlobSet>,
    exclude: GlobSet,
    follow: GlobSet,
}

impl Scope {
    pub(crate) fn new(config: &WebConfig) -> Result<Self, Error> {
        if config.seeds.is_empty() {
            return Err(Error::NoSeeds);
        }
        let spelling = Spelling::new(&config.drop_parameters, config.max_url_bytes);
        let read = |setting: &str, texts: &[String], default_scheme: &str| -> Result<Vec<Url>, Error> {
            let numbered = texts.iter().enumerate();
            let urls = numbered.map(|(position, text)| {
                let invalid = |problem| Error::AddressInvalid {
                    setting: format!("{setting}[{position}]"),
                    problem,
                };
                let whole = match text.contains("://") {
                    true => text.clone(),
                    false => format!("{default_scheme}{text}"),
                };
                let url = Url::parse(&whole).map_err(|_| invalid("write it as https://HOST/PATH"))?;
                if url.password().is_some() || !url.username().is_empty() {
                    return Err(invalid("it names a user; use auth"));
                }
                let url = spelling.spelled(url);
                let url =
                    url.ok_or_else(|| invalid("only http and https are crawled, and no endless address"))?;
                match has_secret(&url) {
                    true => Err(invalid("it has a token or a signature in its query")),
                    false => Ok(url),
                }
            });
            urls.collect()
        };
        let seeds = read("seeds", &config.seeds, "")?;
        let hosts = read("hosts", &config.hosts, "https://")?;
        let mut origins: Vec<String> = Vec::new();
        for origin in seeds.iter().chain(&hosts).map(origin_of) {
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        if origins.len() > MAX_HOSTS {
            return Err(Error::SettingInvalid {
                setting: "hosts",
                problem: format!("they are more than {MAX_HOSTS}"),
            });
        }
        Ok(Self {
            spelling,
            seeds,
            origins,
            include: match config.include.as_slice() {
                [] => None,
                patterns => Some(set(patterns)?),
            },
            exclude: set(&config.exclude)?,
            follow: set(&config.follow)?,
        })
    }

    /// The address that a reference leads to, where it is one of the web and has no secret in it: in its one form, and over
    /// TLS where the source has the host so.
    pub(crate) fn resolve(&self, base: &Url, reference: &str) -> Option<Url> {
        self.target(base, reference).filter(|url| !has_secret(url))
    }

    /// The addresses of these references that are wanted, and how many of the wanted ones have a secret in them.
    pub(crate) fn resolve_all(
        &self,
        base: &Url,
        references: &[String],
        is_wanted: impl Fn(&Url) -> bool,
    ) -> (Vec<Url>, u32) {
        let targets = references
            .iter()
            .filter_map(|reference| self.target(base, reference))
            .filter(is_wanted);
        let (withheld, urls): (Vec<Url>, Vec<Url>) = targets.partition(has_secret);
        (urls, u32::try_from(withheld.len()).unwrap_or(u32::MAX))
    }

    /// The same as [`Scope::resolve`], also where it has a secret in it: such an address is neither kept nor told.
    pub(crate) fn target(&self, base: &Url, reference: &str) -> Option<Url> {
        let url = self.spelling.spelled(base.join(reference.trim()).ok()?)?;
        if url.scheme() != "http" || self.has(&url) {
            return Some(url);
        }
        let mut upgraded = url.clone();
        upgraded.set_scheme("https").ok()?;
        Some(if self.has(&upgraded) { upgraded } else { url })
    }

    /// Whether the host belongs to the source.
    pub(crate) fn has(&self, url: &Url) -> bool {
        let origin = origin_of(url);
        self.origins.contains(&origin)
    }

    /// Whether a sitemap may be read. It needn't be included.
    pub(crate) fn may_be_sitemap(&self, url: &Url) -> bool {
        self.has(url) && !matches(&self.exclude, url)
    }

    /// What may come of an address in its one form.
    pub(crate) fn place(&self, url: &Url) -> Place {
        let is_seed = self.seeds.contains(url);
        if !self.has(url) || (!is_seed && matches(&self.exclude, url)) {
            return Place::Out;
        }
        let is_included = self.include.as_ref().is_none_or(|include| matches(include, url));
        if is_included && !matches(&self.exclude, url) {
            return Place::Document;
        }
        match is_seed || matches(&self.follow, url) {
            true => Place::Links,
            false => Place::Out,
        }
    }

    /// The page that a key is of, where it is one that could be a document.
    pub(crate) fn page_of(&self, key: &str) -> Option<Url> {
        let url = self.spelling.normalized(Url::parse(key).ok()?)?;
        let is_key = crate::address::key_of(url.as_str()) == key;
        (is_key && self.place(&url) == Place::Document).then_some(url)
    }
}

fn matches(patterns: &GlobSet, url: &Url) -> bool {
    if patterns.is_empty() {
        return false;
    }
    let path = decoded(url.path());
    let matches_query = |query| patterns.is_match(format!("{path}?{}", decoded(query)));
    patterns.is_match(&path) || url.query().is_some_and(matches_query)
}

fn set(patterns: &[String]) -> Result<GlobSet, Error> {
    glob_set(patterns).map_err(|source| Error::PatternInvalid { source })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn config() -> WebConfig {
        WebConfig {
            hosts: owned(&["cdn.example.com", "http://intranet:8080"]),
            include: owned(&["/docs/**", "/**/*.pdf"]),
            exclude: owned(&["/docs/drafts/**", "/**/*print=*"]),
            follow: owned(&["/news/*"]),
            ..WebConfig::new(owned(&["https://example.com/start"]))
        }
    }

    #[test]
    fn the_scope_is_hosts_and_then_paths() {
        let scope = Scope::new(&config()).unwrap();
        let base = &scope.seeds[0];
        for (reference, expected) in [
            ("/docs/a", Place::Document),
            ("docs/a b/c", Place::Document),
            ("/x/y.pdf", Place::Document),
            ("/docs/drafts/a", Place::Out),
            ("/docs/a?print=1", Place::Out),
            ("/docs/a?page=1", Place::Document),
            ("/news/today", Place::Links),
            ("/news/to/day", Place::Out),
            ("/start", Place::Links),
            ("http://example.com/docs/a", Place::Document),
            ("https://example.com:8443/docs/a", Place::Out),
            ("//cdn.example.com/a.pdf", Place::Document),
            ("http://intranet:8080/docs/", Place::Document),
            ("http://intranet/docs/", Place::Out),
            ("https://example.com.evil.example/docs/a", Place::Out),
            ("https://example.com@evil.example/docs/a", Place::Out),
        ] {
            let url = scope.resolve(base, reference).unwrap();
            assert_eq!(scope.place(&url), expected, "{reference}");
        }
        for none in [
            "mailto:a@example.com",
            "javascript:alert(1)",
            "data:,x",
            "http://",
        ] {
            assert_eq!(scope.resolve(base, none), None, "{none}");
        }
    }

    #[test]
    fn a_key_is_one_that_could_have_been_listed() {
        let scope = Scope::new(&config()).unwrap();
        for key in ["https://example.com/docs/a", "https://example.com/docs/#"] {
            assert!(scope.page_of(key).is_some(), "{key}");
        }
        for key in [
            "",
            "docs/a",
            "https://example.com/docs/",
            "https://example.com/docs/a#",
            "https://EXAMPLE.com/docs/a",
            "https://user@example.com/docs/a",
            "https://example.com/docs/a?token=1",
            "https://example.com/start",
            "http://example.com/docs/a",
            "https://evil.example/docs/a",
            "file:///etc/passwd",
        ] {
            assert_eq!(scope.page_of(key), None, "{key}");
        }
    }

    #[test]
    fn what_is_no_scope_is_refused_without_its_password() {
        for (seed, code) in [
            ("example.com", "address_invalid"),
            ("ftp://example.com/", "address_invalid"),
            ("https://ada:hunter2@example.com/", "address_invalid"),
            ("https://example.com/?token=hunter2", "address_invalid"),
        ] {
            let error = Scope::new(&WebConfig::new(owned(&[seed]))).unwrap_err();
            assert_eq!(error.code(), code, "{seed}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let nothing = Scope::new(&WebConfig::new(Vec::new())).unwrap_err();
        assert_eq!(nothing.code(), "no_seeds");
        let bad = WebConfig {
            include: owned(&["["]),
            ..config()
        };
        assert_eq!(Scope::new(&bad).unwrap_err().code(), "pattern_invalid");
    }
}
