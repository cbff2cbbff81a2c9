//! What a source of web pages is configured with. It names secrets, and never has one.

use lectern_connector_remote::Secret;
use serde::{Deserialize, Serialize};

/// The pages of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebConfig {
    /// Where the crawl begins: addresses of pages. They are always read for their links.
    pub seeds: Vec<String>,
    /// Other hosts that belong to the source, beside those of the seeds: `docs.example.com`, `http://intranet:8080`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Patterns of paths that become documents; all, where nothing is said. `*` stays within a folder, `**` doesn't:
    /// `/docs/**`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Patterns of paths that are never asked for, whatever else is said. They are held against the path, and against
    /// the path with its query: `/**/*print=*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Patterns of paths that are read for their links, and are no documents where `include` doesn't name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follow: Vec<String>,
    /// Whether the sitemaps that `robots.txt` names, or else `/sitemap.xml`, are read.
    #[serde(default = "yes")]
    pub sitemaps: bool,
    /// Hosts by name or address that may be in a private network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_private_hosts: Vec<String>,
    /// Parameters that are taken out of addresses, beside the usual ones that track people: `ref`, `trk_*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop_parameters: Vec<String>,
    /// How the operator can be reached, told to the sites with each request: an address of mail or of a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// What is shown to the hosts of the seeds, and to no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// How long a host is left alone between two requests, in milliseconds.
    #[serde(default = "default_pause_ms")]
    pub pause_ms: u64,
    /// The longest `Crawl-delay` and `Retry-After` that are waited, in seconds.
    #[serde(default = "default_max_wait_s")]
    pub max_wait_s: u64,
    /// How often a request that failed for now is sent anew.
    #[serde(default = "default_retries")]
    pub retries: u32,
    /// How long one request may take, with its body, in seconds.
    #[serde(default = "default_timeout_s")]
    pub timeout_s: u64,
    /// How many addresses are asked for at most.
    #[serde(default = "default_max_pages")]
    pub max_pages: u32,
    /// How many links lead from a seed to a page at most.
    #[serde(default = "default_max_depth")]
    pub max_depth: u16,
    /// How many redirects are followed one after the other.
    #[serde(default = "default_max_redirects")]
    pub max_redirects: u8,
    /// Longer addresses are passed over.
    #[serde(default = "default_max_url_bytes")]
    pub max_url_bytes: usize,
    /// Larger pages are skipped.
    #[serde(default = "default_max_page_bytes")]
    pub max_page_bytes: u64,
}

impl WebConfig {
    /// Those seeds, with defaults for the rest.
    pub fn new(seeds: Vec<String>) -> Self {
        Self {
            seeds,
            hosts: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            follow: Vec::new(),
            sitemaps: true,
            allow_private_hosts: Vec::new(),
            drop_parameters: Vec::new(),
            contact: None,
            auth: None,
            pause_ms: default_pause_ms(),
            max_wait_s: default_max_wait_s(),
            retries: default_retries(),
            timeout_s: default_timeout_s(),
            max_pages: default_max_pages(),
            max_depth: default_max_depth(),
            max_redirects: default_max_redirects(),
            max_url_bytes: default_max_url_bytes(),
            max_page_bytes: default_max_page_bytes(),
        }
    }
}

/// What is shown to the hosts of the seeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// A name and a password (RFC 7617).
    Basic {
        /// The name.
        user: String,
        /// The place of the password.
        password: Secret,
    },
    /// A token (RFC 6750).
    Bearer {
        /// Its place.
        token: Secret,
    },
    /// A header of the site's own.
    Header {
        /// Its name.
        name: String,
        /// The place of its value.
        value: Secret,
    },
}

fn yes() -> bool {
    true
}

fn default_pause_ms() -> u64 {
    500
}

fn default_max_wait_s() -> u64 {
    60
}

fn default_retries() -> u32 {
    3
}

fn default_timeout_s() -> u64 {
    60
}

fn default_max_pages() -> u32 {
    10_000
}

fn default_max_depth() -> u16 {
    16
}

fn default_max_redirects() -> u8 {
    5
}

fn default_max_url_bytes() -> usize {
    2048
}

fn default_max_page_bytes() -> u64 {
    50 * 1024 * 1024
}
