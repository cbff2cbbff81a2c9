//! The contract of connectors, for a site that is found by links, by sitemaps, with and without names of versions.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use async_trait::async_trait;
use lectern_connectors::conformance::{Fixture, connector_suite};
use lectern_connectors::web::{WebConfig, WebConnector};
use lectern_connectors::{SourceConfig, open};
use lectern_domain::ports::Connector;
use serde_json::json;

use crate::site::{Page, Site};

/// What the site is opened with.
const PASSWORD: &str = "shelf/pass+word=4711";
/// What an address of the site has in it that opens a page for whoever has the address.
const TOKEN: &str = "eyJhbGciOi.4711+token/of=a-page";

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
    config: SourceConfig,
    connector: Box<dyn Connector>,
    /// Where the password is.
    _folder: tempfile::TempDir,
}

impl Shelf {
    fn new(manner: Manner) -> Self {
        let site = Site::new();
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("password");
        std::fs::write(&place, PASSWORD).unwrap();
        let auth = match manner.has_sitemap {
            true => json!({"by": "bearer", "token": {"file": place}}),
            false => json!({"by": "basic", "user": "ada", "password": {"file": place}}),
        };
        let config = json!({
            "kind": "web", "seeds": [format!("{}/", site.address())], "allow_private_hosts": ["127.0.0.1"],
            "include": ["/shelf/**"], "follow": ["/index/*"], "pause_ms": 0, "retries": 0, "auth": auth,
        });
        let config = SourceConfig::from_json(config).unwrap();
        let shelf = Self {
            site,
            manner,
            names: Mutex::default(),
            connector: open(&config).unwrap(),
            config,
            _folder: folder,
        };
        for address in shelf.tokened() {
            shelf
                .site
                .put(&address, Page::html("Whoever has the address may read it."));
        }
        shelf.write_indexes();
        shelf
    }

    /// A link as somebody pastes it who has signed in: with the password in it.
    fn link(&self, name: &str) -> String {
        let (_, host) = self.site.address().split_once("://").unwrap();
        let password = encoded(PASSWORD).replace('/', "%2F");
        format!("http://ada:{password}@{host}/shelf/{}", encoded(name))
    }

    /// Addresses of a page that is there, with a token and with a signature, as a download has them.
    fn tokened(&self) -> [String; 2] {
        let token = encoded(TOKEN).replace('/', "%2F");
        ["access_token", "X-Amz-Signature"].map(|name| format!("/shelf/plan.md?page=1&{name}={token}"))
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
                write!(sitemap, "<url><loc>{}</loc></url>", self.link(name)).unwrap();
            }
            for address in self.tokened() {
                let address = address.replace('&', "&amp;");
                write!(sitemap, "<url><loc>{}{address}</loc></url>", self.site.address()).unwrap();
            }
            sitemap.push_str("</urlset>");
            self.site
                .put("/sitemap.xml", tagged(Page::new("application/xml", sitemap)));
            self.site.put("/", tagged(Page::html("<title>Welcome</title>")));
            return;
        }
        let groups: Vec<&[String]> = names.chunks(100).collect();
        for (number, group) in groups.iter().enumerate() {
            let links = group.iter().map(|name| self.link(name));
            self.site
                .put(&format!("/index/{number}"), tagged(Page::of_links(links)));
        }
        let links = (0..groups.len()).map(|number| format!("index/{number}"));
        let links = links.chain(self.tokened().map(|address| address.replace('&', "&amp;")));
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

    fn secrets(&self) -> Vec<String> {
        vec![PASSWORD.to_owned(), TOKEN.to_owned()]
    }

    fn left_out(&self) -> Vec<&'static str> {
        vec!["secret_in_address"]
    }

    fn shown(&self) -> Vec<String> {
        let SourceConfig::Web(web) = &self.config else {
            panic!("the source has another configuration");
        };
        let connector = WebConnector::new(WebConfig::clone(web)).unwrap();
        vec![
            format!("{:?} {connector:?}", self.config),
            self.config.to_json().unwrap().to_string(),
        ]
    }

    /// A site that is too busy, that hangs up, that goes down in the middle of a listing, and that has another password.
    async fn break_source(&self, way: usize) -> bool {
        match way {
            0 => self.site.answer_with(|_| Some(Page::status(503))),
            1 => self.site.break_off(),
            2 => {
                let mut left = 5;
                self.site.answer_with(move |_| match left {
                    0 => Some(Page::status(503)),
                    _ => {
                        left -= 1;
                        None
                    }
                });
            }
            3 => self.site.answer_with(|_| Some(Page::status(401))),
            _ => return false,
        }
        true
    }

    async fn mend(&self) {
        self.site.mend();
    }
}

/// Runs the suite, and sees that the password was shown each time, and that no address with a token was asked for.
async fn assert_kept(manner: Manner) {
    let shelf = Shelf::new(manner);
    connector_suite(&shelf).await.unwrap();
    let asked = shelf.site.asked();
    assert!(!asked.is_empty());
    assert!(
        asked
            .iter()
            .all(|asked| asked.headers.contains_key("authorization"))
    );
    assert!(asked.iter().all(|asked| !asked.path.contains("plan.md")));
}

#[tokio::test]
async fn a_site_of_links_keeps_the_contract() {
    let manner = Manner {
        has_sitemap: false,
        is_html: true,
        is_tagged: true,
    };
    assert_kept(manner).await;
}

#[tokio::test]
async fn a_site_with_a_sitemap_keeps_the_contract() {
    let manner = Manner {
        has_sitemap: true,
        is_html: false,
        is_tagged: true,
    };
    assert_kept(manner).await;
}

#[tokio::test]
async fn a_site_that_names_no_versions_keeps_the_contract() {
    for is_html in [true, false] {
        let manner = Manner {
            has_sitemap: false,
            is_html,
            is_tagged: false,
        };
        assert_kept(manner).await;
    }
}
