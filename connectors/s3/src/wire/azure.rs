//! Azure's way: `List Blobs`, `Get Blob`, `Get Blob Tags`, each signed with an account's key, a token, or a shared access
//! signature. The credentials and the signature are `object_store`'s.

use std::fmt;

use async_trait::async_trait;
use object_store::azure::{AzureAuthorizer, AzureCredentialProvider};
use object_store::client::HttpRequest;
use reqwest::header::HeaderValue;

use super::{Endpoint, Service, xml};
use crate::credentials::missing;
use crate::error::Error;
use crate::key::query_of;
use crate::store::Page;

/// The version of the service's interface that is spoken; with a signature, `object_store` says the same.
const VERSION: &str = "2023-11-03";

/// A container of Azure's.
pub(crate) struct Azure {
    pub(crate) endpoint: Endpoint,
    pub(crate) account: String,
    /// `None`: requests aren't signed.
    pub(crate) credentials: Option<AzureCredentialProvider>,
}

impl fmt::Debug for Azure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Azure")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Service for Azure {
    fn listing_url(&self, prefix: &str, token: Option<&str>) -> String {
        let mut url = format!("{}?restype=container&comp=list", self.endpoint.bucket_url());
        for (name, value) in [("prefix", Some(prefix)), ("marker", token)] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                url.push_str(&format!("&{name}={}", query_of(value)));
            }
        }
        url
    }

    fn object_url(&self, name: &str) -> String {
        self.endpoint.object_url(name)
    }

    fn tags_url(&self, name: &str) -> Option<String> {
        Some(format!("{}?comp=tags", self.endpoint.object_url(name)))
    }

    fn metadata_prefix(&self) -> &'static str {
        "x-ms-meta-"
    }

    fn listing(&self, body: &[u8]) -> Result<Page, String> {
        xml::blobs(body)
    }

    fn tags(&self, body: &[u8]) -> Result<Vec<(String, String)>, String> {
        xml::tags(body, "Tags")
    }

    async fn sign(&self, request: &mut HttpRequest) -> Result<(), Error> {
        request
            .headers_mut()
            .insert("x-ms-version", HeaderValue::from_static(VERSION));
        let Some(credentials) = &self.credentials else {
            return Ok(());
        };
        let credential = credentials.get_credential().await;
        let credential = credential.map_err(|error| missing(&error))?;
        AzureAuthorizer::new(&credential, &self.account)
            .try_authorize(request)
            .map_err(|error| missing(&error))
    }
}
