//! The services themselves: signed requests over HTTP, and what their answers mean.
//!
//! A request becomes an answer in this order: address and signature, which are each service's own ([`Service`]), one attempt,
//! the judgement of its status ([`answer`]), and another attempt after a pause where that may help ([`Patience`]). Each attempt
//! is signed anew, so that credentials which are renewed in the middle of a listing are used, and has a time of its own
//! ([`AttemptTime`]).

mod amazon;
mod answer;
mod attempt_time;
mod azure;
mod endpoint;
mod google;
mod json;
mod xml;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use lectern_connector_remote::{GivenUp, Patience, Secret};
use md5::{Digest, Md5};
use object_store::client::{HttpClient, HttpRequest, HttpRequestBody, HttpResponse};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue};

pub(crate) use amazon::Amazon;
pub use attempt_time::AttemptTime;
pub(crate) use azure::Azure;
pub(crate) use endpoint::Endpoint;
pub(crate) use google::Google;

use crate::credentials::read_secret;
use crate::error::Error;
use crate::key::encode;
use crate::store::{Object, Page, Store, telling};
use answer::{Asked, Trouble, transport};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long nothing may come of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// A page of a listing has five thousand keys of at most a kilobyte, and as much about each.
const MAX_LISTING_BYTES: u64 = 32 << 20;
const MAX_TAGGING_BYTES: u64 = 1 << 20;
/// What an answer is told as that says nothing but its status.
const BARE: &str = "404";

/// What differs from service to service: addresses, signatures, and the documents that they answer with.
#[async_trait]
pub(crate) trait Service: fmt::Debug + Send + Sync {
    /// Where a page of the listing is asked for.
    fn listing_url(&self, prefix: &str, token: Option<&str>) -> String;

    /// Where an object is.
    fn object_url(&self, name: &str) -> String;

    /// Where its tags are, if the service knows any.
    fn tags_url(&self, name: &str) -> Option<String>;

    /// What the names of an object's own metadata begin with among the headers.
    fn metadata_prefix(&self) -> &'static str;

    /// Reads a page of the listing. An error where it isn't one, whole.
    fn listing(&self, body: &[u8]) -> Result<Page, String>;

    /// Reads the tags of an object, sorted.
    fn tags(&self, body: &[u8]) -> Result<Vec<(String, String)>, String>;

    /// Signs a request, and says in its headers what the service needs to be told.
    async fn sign(&self, request: &mut HttpRequest) -> Result<(), Error>;

    /// What an object is asked for with besides.
    fn object_headers(&self) -> HeaderMap {
        HeaderMap::new()
    }

    /// Whether an object that was answered with a bare 404 is gone: such an answer says of nothing that it isn't there. The
    /// listing of all keys that begin with the object's tells.
    fn is_gone_told_by_listing(&self) -> bool {
        false
    }
}

/// A bucket that is spoken to in its service's own way.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) client: HttpClient,
    pub(crate) bucket: String,
    pub(crate) service: Box<dyn Service>,
    pub(crate) customer_key: Option<Secret>,
    pub(crate) patience: Patience,
    pub(crate) attempt_time: AttemptTime,
}

/// The HTTP client of all buckets of a source. It follows no redirect: a signed request is for one host alone.
pub(crate) fn http_client(allow_http: bool) -> Result<HttpClient, Error> {
    let client = reqwest::Client::builder()
        .user_agent(concat!("lectern/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .https_only(!allow_http)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        // Bytes come as they are stored.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .build()
        .map_err(|error| Error::SettingInvalid {
            setting: "endpoint",
            problem: lectern_domain::error::chain(&error),
        })?;
    Ok(HttpClient::new(client))
}

impl Wire {
    /// Attempts for as long as there is patience, each within the time that an answer of so many bytes has.
    async fn persist<T, F>(
        &self,
        asked: &Asked,
        limit_bytes: u64,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        let time = self.attempt_time.of(limit_bytes);
        let in_time = || {
            let attempt = tokio::time::timeout(time, attempt());
            async move {
                let late = |_| Err(Trouble::passing(format!("no whole answer within {time:?}")));
                attempt.await.unwrap_or_else(late)
            }
        };
        let done = self.patience.persist(asked, in_time).await;
        done.map_err(|given_up| match given_up {
            GivenUp::Lasting(error) => error,
            GivenUp::Spent { attempts, problem } => Error::Unavailable {
                what: asked.to_string(),
                attempts,
                problem,
            },
        })
    }

    /// One attempt at a GET.
    async fn attempt(&self, asked: &Asked, url: &str, headers: HeaderMap) -> Result<HttpResponse, Trouble> {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.uri_mut() = url.parse().map_err(|_| {
            Trouble::Lasting(Error::SettingInvalid {
                setting: "endpoint",
                problem: "it makes no address".to_owned(),
            })
        })?;
        *request.headers_mut() = headers;
        self.service.sign(&mut request).await?;
        let response = self.client.execute(request).await.map_err(transport)?;
        answer::judged(asked, response).await
    }

    /// The headers of a request for an object's content: the service's, and the customer's key where there is one.
    fn object_headers(&self) -> Result<HeaderMap, Error> {
        let mut headers = self.service.object_headers();
        let Some(place) = &self.customer_key else {
            return Ok(headers);
        };
        let written = read_secret(place)?;
        let invalid = || Error::SettingInvalid {
            setting: "customer_key",
            problem: "it is no base64 of 32 bytes".to_owned(),
        };
        let key = STANDARD.decode(&written).map_err(|_| invalid())?;
        if key.len() != 32 {
            return Err(invalid());
        }
        let digest = STANDARD.encode(Md5::digest(&key));
        for (name, value) in [("algorithm", "AES256"), ("key", &written), ("key-md5", &digest)] {
            let name = format!("x-amz-server-side-encryption-customer-{name}");
            let name = HeaderName::try_from(name).map_err(|_| invalid())?;
            let mut value = HeaderValue::from_str(value).map_err(|_| invalid())?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }

    async fn try_page(&self, asked: &Asked, url: &str) -> Result<Page, Trouble> {
        let response = self.attempt(asked, url, HeaderMap::new()).await?;
        let told_at = response.headers().get(DATE).and_then(http_date);
        let (body, _) = body_of(response, asked, MAX_LISTING_BYTES).await?;
        let page = self.service.listing(&body).map_err(|problem| {
            // As likely an answer that was cut short as a service that speaks otherwise.
            Trouble::passing(format!("an answer that is no listing: {problem}"))
        })?;
        Ok(Page { told_at, ..page })
    }

    async fn try_object(&self, asked: &Asked, url: &str, limit_bytes: u64) -> Result<Object, Trouble> {
        let response = self.attempt(asked, url, self.object_headers()?).await?;
        let (bytes, headers) = body_of(response, asked, limit_bytes).await?;
        let prefix = self.service.metadata_prefix();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let metadata = headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(prefix)?;
            Some((name.to_owned(), text(value)))
        });
        Ok(Object {
            bytes,
            media_type: headers.get(CONTENT_TYPE).map(text).as_deref().and_then(telling),
            metadata: metadata.collect(),
        })
    }

    async fn try_tags(&self, asked: &Asked, url: &str) -> Result<Vec<(String, String)>, Trouble> {
        let response = self.attempt(asked, url, HeaderMap::new()).await?;
        let (body, _) = body_of(response, asked, MAX_TAGGING_BYTES).await?;
        self.service
            .tags(&body)
            .map_err(|problem| Trouble::passing(format!("an answer that is no tagging: {problem}")))
    }
}

impl Wire {
    /// Whether the listing has an object of this name: it comes first of all that begin with it.
    async fn is_listed(&self, name: &str) -> Result<bool, Error> {
        let page = self.page(name, None).await?;
        Ok(page.objects.iter().any(|object| object.name == name))
    }
}

#[async_trait]
impl Store for Wire {
    async fn page(&self, prefix: &str, token: Option<&str>) -> Result<Page, Error> {
        let url = self.service.listing_url(prefix, token);
        let asked = Asked::Listing {
            bucket: self.bucket.clone(),
        };
        self.persist(&asked, MAX_LISTING_BYTES, || self.try_page(&asked, &url))
            .await
    }

    async fn object(&self, name: &str, limit_bytes: u64) -> Result<Object, Error> {
        let url = self.service.object_url(name);
        let asked = Asked::Object {
            key: encode(&self.bucket, name),
        };
        let object = self
            .persist(&asked, limit_bytes, || self.try_object(&asked, &url, limit_bytes))
            .await;
        match object {
            Err(Error::Refused { answer, .. })
                if answer == BARE
                    && self.service.is_gone_told_by_listing()
                    && !self.is_listed(name).await? =>
            {
                Err(asked.gone())
            }
            object => object,
        }
    }

    async fn tags(&self, name: &str) -> Result<Vec<(String, String)>, Error> {
        let Some(url) = self.service.tags_url(name) else {
            return Ok(Vec::new());
        };
        let asked = Asked::Tags {
            key: encode(&self.bucket, name),
        };
        let tags = self.persist(&asked, MAX_TAGGING_BYTES, || self.try_tags(&asked, &url));
        match tags.await {
            // How some say that there are none.
            Err(Error::Refused { answer, .. }) if answer.ends_with("NoSuchTagSet") => Ok(Vec::new()),
            tags => tags,
        }
    }
}

/// The body of an answer, whole: what is shorter or longer than was told is trouble.
async fn body_of(
    response: HttpResponse,
    asked: &Asked,
    limit_bytes: u64,
) -> Result<(Vec<u8>, HeaderMap), Trouble> {
    let (parts, body) = response.into_parts();
    let length = parts.headers.get(CONTENT_LENGTH);
    let length: Option<u64> = length.and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length| length > limit_bytes) {
        return Err(Trouble::Lasting(asked.too_large(limit_bytes)));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length.unwrap_or(0)).unwrap_or(0));
    let mut stream = body.bytes_stream();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk.map_err(transport)?);
        if bytes.len() as u64 > limit_bytes {
            return Err(Trouble::Lasting(asked.too_large(limit_bytes)));
        }
    }
    match length {
        Some(length) if length != bytes.len() as u64 => {
            Err(Trouble::passing(format!("{} of {length} bytes", bytes.len())))
        }
        _ => Ok((bytes, parts.headers)),
    }
}

fn http_date(value: &HeaderValue) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(value.to_str().ok()?).ok()?;
    Some(date.to_utc())
}
