//! Google's way: listings of the JSON interface, objects of the XML one, whose headers have their metadata; each with a token
//! of a service account, of a user or of the machine. The tokens come from `object_store`.

use std::fmt;

use async_trait::async_trait;
use object_store::client::HttpRequest;
use object_store::gcp::GcpCredentialProvider;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue};

use super::{Endpoint, Service, json};
use crate::credentials::missing;
use crate::error::Error;
use crate::key::query_of;
use crate::store::Page;

/// What is told of an object, and whether there is more.
const FIELDS: &str = "kind,nextPageToken,items(name,size,updated,etag,generation,metageneration)";

/// A bucket of Google's.
pub(crate) struct Google {
    pub(crate) endpoint: Endpoint,
    /// The address of its listing, without what is asked of it.
    pub(crate) listing: String,
    /// `None`: requests have no token.
    pub(crate) credentials: Option<GcpCredentialProvider>,
}

impl fmt::Debug for Google {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Google")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Service for Google {
    fn listing_url(&self, prefix: &str, token: Option<&str>) -> String {
        let mut url = format!("{}?fields={}", self.listing, query_of(FIELDS));
        for (name, value) in [("prefix", Some(prefix)), ("pageToken", token)] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                url.push_str(&format!("&{name}={}", query_of(value)));
            }
        }
        url
    }

    fn object_url(&self, name: &str) -> String {
        self.endpoint.object_url(name)
    }

    fn tags_url(&self, _name: &str) -> Option<String> {
        None
    }

    fn metadata_prefix(&self) -> &'static str {
        "x-goog-meta-"
    }

    fn listing(&self, body: &[u8]) -> Result<Page, String> {
        json::listing(body)
    }

    fn tags(&self, _body: &[u8]) -> Result<Vec<(String, String)>, String> {
        Err("there are no tags".to_owned())
    }

    async fn sign(&self, request: &mut HttpRequest) -> Result<(), Error> {
        let Some(credentials) = &self.credentials else {
            return Ok(());
        };
        let credential = credentials.get_credential().await;
        let credential = credential.map_err(|error| missing(&error))?;
        let mut token = HeaderValue::from_str(&format!("Bearer {}", credential.bearer)).map_err(|_| {
            Error::Credentials {
                place: "the bucket".to_owned(),
                problem: "the token has characters that no token has".to_owned(),
            }
        })?;
        token.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, token);
        Ok(())
    }

    /// An object that is stored compressed comes as it is stored, and as long as it was listed.
    fn object_headers(&self) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))])
    }

    fn is_gone_told_by_listing(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_asked_for_by_its_token() {
        let google = Google {
            endpoint: Endpoint::default(),
            listing: "https://g.example/storage/v1/b/docs/o".to_owned(),
            credentials: None,
        };
        let first = google.listing_url("", None);
        assert!(
            first.starts_with("https://g.example/storage/v1/b/docs/o?fields=kind%2C") && !first.contains('&')
        );
        let next = google.listing_url("a/b c", Some("x=&y"));
        assert_eq!(next, format!("{first}&prefix=a%2Fb%20c&pageToken=x%3D%26y"));
    }
}
