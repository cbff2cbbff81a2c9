//! S3's own way: `ListObjectsV2`, `GetObject`, `GetObjectTagging`, each signed with an access key.

use std::fmt;

use async_trait::async_trait;
use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::client::HttpRequest;

use super::{Endpoint, Service, xml};
use crate::credentials::{check, missing};
use crate::error::Error;
use crate::key::query_of;
use crate::store::Page;

/// A bucket of Amazon's or of who speaks like it.
pub(crate) struct Amazon {
    pub(crate) endpoint: Endpoint,
    pub(crate) region: String,
    /// `None`: requests aren't signed.
    pub(crate) credentials: Option<AwsCredentialProvider>,
    pub(crate) requester_pays: bool,
}

impl fmt::Debug for Amazon {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Amazon")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Service for Amazon {
    fn listing_url(&self, prefix: &str, token: Option<&str>) -> String {
        let mut url = format!(
            "{}?list-type=2&prefix={}",
            self.endpoint.bucket_url(),
            query_of(prefix)
        );
        if let Some(token) = token {
            url.push_str("&continuation-token=");
            url.push_str(&query_of(token));
        }
        url
    }

    fn object_url(&self, name: &str) -> String {
        self.endpoint.object_url(name)
    }

    fn tags_url(&self, name: &str) -> Option<String> {
        Some(format!("{}?tagging=", self.endpoint.object_url(name)))
    }

    fn metadata_prefix(&self) -> &'static str {
        "x-amz-meta-"
    }

    fn listing(&self, body: &[u8]) -> Result<Page, String> {
        xml::listing(body)
    }

    fn tags(&self, body: &[u8]) -> Result<Vec<(String, String)>, String> {
        xml::tags(body, "Tagging")
    }

    async fn sign(&self, request: &mut HttpRequest) -> Result<(), Error> {
        let Some(credentials) = &self.credentials else {
            return Ok(());
        };
        let credential = credentials.get_credential().await;
        let credential = credential.map_err(|error| missing(&error))?;
        check(&credential)?;
        AwsAuthorizer::new(&credential, "s3", &self.region)
            .with_request_payer(self.requester_pays)
            .try_authorize(request, None)
            .map_err(|error| missing(&error))
    }
}
