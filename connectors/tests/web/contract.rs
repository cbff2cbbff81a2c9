//! The contract of connectors, for a site that is found by links, by sitemaps, with and without names of versions.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use async_trait::async_trait;
use lectern_connectors::conformance::{Fixture, connector_suite};
use lectern_connectors::{SourceConfig, open};
use lectern_domain::ports::Connector;
use serde_json::json;

use crate::site::{Page, Site};

/// What a site is like.
#[derive(Clone, Copy)]
struct Manner {
    /// Its pages are named by a sitemap, and not by links.
    has_sitemap: bool,
    /// All pages are said to be HTML.
    is_html: bool,
    is_tagged: bool,
}

/// Pages under `/shelf/`, and how one comes to them.
struct Shelf {
    site: Site,
    manner: Manner,
    names: Mutex<BTreeMap<String, ()>>,
    connector: Box<dyn Connector>,
}

impl Shelf {
    fn new(manner: Manner) -> Self {
        let site = Site::new();
        let config = json!({
            "kind": "web", "seeds": [format!("{}/", site.address())], "allow_private_hosts": ["127.0.0.1"],
            "include": ["/shelf/**"], "follow": ["/index/*"], "pause_ms": 0,
        });
        let connector = open(&SourceConfig::from_json(config).unwrap()).unwrap();
        let shelf = Self {
            site,
            manner,
            names: Mutex::default(),
            connector,
        };
        shelf.write_indexes();
        shelf
    }

    /// A page of links for each hundred pages, or a sitemap.
    fn write_indexes(&self) {
        let names: Vec<String> = self.names.lock().unwrap().keys().cloned().collect();
        let tagged = |page: Page| {
            if self.manner.is_tagged {
                page.tagged()
            } else {
                page
            }
        };
        if self.manner.has_sitemap {
            let mut sitemap = "<urlset>".to_owned();
            for name in &names {
                let path = encoded(name);
                write!(
                    sitemap,
                    "<url><loc>{}/shelf/{path}</loc></url>",
                    self.site.address()
                )
                .unwrap();
            }
            sitemap.push_str("</urlset>");
            self.site
                .put("/sitemap.xml", tagged(Page::new("application/xml", sitemap)));
            self.site.put("/", tagged(Page::html("<title>Welcome</title>")));
            return;
        }
        let groups: Vec<&[String]> = names.chunks(100).collect();
        for (number, group) in groups.iter().enumerate() {
            let links = group.iter().map(|name| format!("../shelf/{}", encoded(name)));
            self.site
                .put(&format!("/index/{number}"), tagged(Page::of_links(links)));
        }
        let links = (0..groups.len()).map(|number| format!("index/{number}"));
        self.site.put("/", tagged(Page::of_links(links)));
    }
}

/// A name as a path: each byte that a path has to have encoded is.
fn encoded(name: &str) -> String {
    let mut path = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'/' => {
                path.push(char::from(byte))
            }
            byte => write!(path, "%{byte:02X}").unwrap(),
        }
    }
    path
}

#[async_trait]
impl Fixture for Shelf {
    fn connector(&self) -> &dyn Connector {
        self.connector.as_ref()
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> String {
        let media_type = match name.rsplit('.').next() {
            _ if self.manner.is_html => "text/html",
            Some("md") => "text/markdown; charset=utf-8",
            Some("txt") => "text/plain",
            _ => "application/octet-stream",
        };
        let page = Page::new(media_type, bytes);
        let page = if self.manner.is_tagged {
            page.tagged()
        } else {
            page
        };
        let path = format!("/shelf/{}", encoded(name));
        self.site.put(&path, page);
        self.names.lock().unwrap().insert(name.to_owned(), ());
        self.write_indexes();
        format!("{}{path}", self.site.address())
    }

    async fn remove(&self, name: &str) {
        self.names.lock().unwrap().remove(name);
        self.site.remove(&format!("/shelf/{}", encoded(name)));
        self.write_indexes();
    }
}

#[tokio::test]
async fn a_site_of_links_keeps_the_contract() {
    let manner = Manner {
        has_sitemap: false,
        is_html: true,
        is_tagged: true,
    };
    connector_suite(&Shelf::new(manner)).await.unwrap();
}

#[tokio::test]
async fn a_site_with_a_sitemap_keeps_the_contract() {
    let manner = Manner {
        has_sitemap: true,
        is_html: false,
        is_tagged: true,
    };
    connector_suite(&Shelf::new(manner)).await.unwrap();
}

#[tokio::test]
async fn a_site_that_names_no_versions_keeps_the_contract() {
    for is_html in [true, false] {
        let manner = Manner {
            has_sitemap: false,
            is_html,
            is_tagged: false,
        };
        connector_suite(&Shelf::new(manner)).await.unwrap();
    }
}
