//! The rules that a site gives to crawlers (RFC 9309).
//!
//! The way of the rules: the lines are read in order, those of the groups for Lectern and those of the groups for everybody
//! beside each other; the former count where there is one, else the latter. Of all rules that match a path, the one with the
//! longest pattern decides, and of two as long the one that allows.

use std::time::Duration;

use crate::address::tidy;

/// What `robots.txt` calls Lectern.
pub(crate) const PRODUCT: &str = "lectern";
/// More of it isn't read (RFC 9309, 2.5, asks for 500 KiB).
pub(crate) const MAX_BYTES: usize = 512 * 1024;
/// More sitemaps aren't read.
const MAX_SITEMAPS: usize = 100;

/// The rules of one site for Lectern.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Robots {
    rules: Vec<Rule>,
    /// The pause that the site asks for.
    pub(crate) crawl_delay: Option<Duration>,
    /// The addresses of sitemaps, as they are written.
    pub(crate) sitemaps: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Rule {
    pattern: String,
    allows: bool,
}

/// A group, or several groups of the same crawler.
#[derive(Debug, Default)]
struct Group {
    is_there: bool,
    is_open: bool,
    rules: Vec<Rule>,
    crawl_delay: Option<Duration>,
}

impl Robots {
    /// Reads the file. Whatever isn't understood is passed over.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        // Where the bound cut a line, what is left of it may say something else.
        let whole_lines = bytes.iter().rposition(|byte| matches!(byte, b'\n' | b'\r'));
        let bytes = match bytes.len() >= MAX_BYTES {
            true => bytes.get(..whole_lines.unwrap_or_default()).unwrap_or_default(),
            false => bytes,
        };
        let text = String::from_utf8_lossy(bytes);
        let (mut own, mut everybodys) = (Group::default(), Group::default());
        let mut sitemaps = Vec::new();
        // Whether the last record of a group named a crawler.
        let mut is_naming = false;
        for line in text.trim_start_matches('\u{feff}').split(['\n', '\r']) {
            let line = line.split('#').next().unwrap_or_default();
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "user-agent" => {
                    if !is_naming {
                        (own.is_open, everybodys.is_open) = (false, false);
                    }
                    is_naming = true;
                    own.opens(token(value).eq_ignore_ascii_case(PRODUCT));
                    everybodys.opens(value == "*");
                }
                kind @ ("allow" | "disallow") => {
                    is_naming = false;
                    let rule = Rule {
                        pattern: pattern(value),
                        allows: kind == "allow",
                    };
                    own.push(&rule);
                    everybodys.push(&rule);
                }
                "crawl-delay" => {
                    let delay = value.parse().ok().filter(|seconds| (0.0..1e6).contains(seconds));
                    let delay = delay.map(Duration::from_secs_f64);
                    for group in [&mut own, &mut everybodys] {
                        if group.is_open {
                            group.crawl_delay = group.crawl_delay.max(delay);
                        }
                    }
                }
                "sitemap" if sitemaps.len() < MAX_SITEMAPS => sitemaps.push(value.to_owned()),
                _ => {}
            }
        }
        let group = if own.is_there { own } else { everybodys };
        Self {
            rules: group.rules,
            crawl_delay: group.crawl_delay,
            sitemaps,
        }
    }

    /// Whether an address may be asked for: its path with its query, in their one form.
    pub(crate) fn allows(&self, path: &str) -> bool {
        if path == "/robots.txt" {
            return true;
        }
        let matching = self.rules.iter().filter(|rule| matches(&rule.pattern, path));
        let decides = matching.max_by_key(|rule| (rule.pattern.len(), rule.allows));
        decides.is_none_or(|rule| rule.allows)
    }
}

impl Group {
    fn opens(&mut self, is_named: bool) {
        self.is_open |= is_named;
        self.is_there |= is_named;
    }

    fn push(&mut self, rule: &Rule) {
        // An empty pattern matches nothing.
        if self.is_open && !rule.pattern.is_empty() {
            self.rules.push(rule.clone());
        }
    }
}

/// The name of a crawler without its version.
fn token(value: &str) -> &str {
    let is_other = |character: char| !(character.is_ascii_alphabetic() || matches!(character, '-' | '_'));
    value.split(is_other).next().unwrap_or_default()
}

/// A pattern in the one form of addresses, with one star where there are several in a row.
fn pattern(written: &str) -> String {
    let mut pattern = tidy(written);
    while pattern.contains("**") {
        pattern = pattern.replace("**", "*");
    }
    pattern
}

/// Whether a pattern matches the beginning of a path; all of it, where it ends with `$`. `*` is any text.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, is_anchored) = match pattern.strip_suffix('$') {
        Some(rest) => (rest.as_bytes(), true),
        None => (pattern.as_bytes(), false),
    };
    let path = path.as_bytes();
    let (mut at, mut read) = (0, 0);
    // Where the last star stands, and up to where it was taken to match.
    let mut star: Option<(usize, usize)> = None;
    loop {
        match pattern.get(at) {
            None if !is_anchored || read == path.len() => return true,
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
                continue;
            }
            Some(byte) if path.get(read) == Some(byte) => {
                at += 1;
                read += 1;
                continue;
            }
            _ => {}
        }
        match star {
            Some((position, taken)) if taken < path.len() => {
                star = Some((position, taken + 1));
                at = position + 1;
                read = taken + 1;
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests;
