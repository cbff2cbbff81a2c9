//! Documents from a web site.
//!
//! The way of a listing: [`WebConnector`] crawls from its seeds and the site's sitemaps, breadth first ([`crawl`]). Each address
//! is brought to its one form ([`address`]), must be in scope ([`scope`]) and allowed by the site's rules ([`robots`]), and waits
//! for its host's turn ([`gate`]). Its host must not be in a private network ([`guard`]). It is asked for with what the site
//! called the last version ([`exchange`]), so that an unchanged page has no content, and what comes is read for links
//! ([`page`], [`sitemap`]). What each page came to is the cursor of the next listing ([`memory`]). The way of a fetch: the key
//! is an address again, looked at in the same way, and the page is asked for; what the listing has just read comes from a
//! [`shelf`], if the site says that it is still the same.
//!
//! * A page is one document, under its canonical address where that is in scope and readable, or else under its own.
//! * A redirect is a link that replaces its page: it must be in scope and allowed like any other.
//! * A page that can't be read is `Failed`. Its links are taken as they were known. Where they never were, a listing of changes
//!   takes nothing for gone that it didn't ask for, and a full one says under which addresses it knows nothing (`Failed` with a
//!   key that ends with `/`). A seed or a `robots.txt` that can't be read, and a site that is down, end the listing.
//! * Memory: four times `max_pages` addresses at most, with what is remembered of them, and the page at hand.
//! * A change tag is the hash of a page of HTML, and what the site calls the version of anything else.

mod config;
mod address;
mod scope;
mod robots;
mod guard;
mod secret;
mod gate;
mod exchange;
mod page;
mod sitemap;
mod memory;
mod crawl;
mod shelf;
mod connector;
mod error;

pub use config::{Auth, WebConfig};
pub use connector::WebConnector;
pub use error::Error;
pub use guard::{Found, Lookup};
pub use lectern_connector_remote::{Secret, opens_something};
