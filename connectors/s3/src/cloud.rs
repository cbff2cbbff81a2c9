//! Google Cloud Storage and Azure Blob Storage, as `object_store` speaks to them.
//!
//! Their addresses and credentials come from the environment, as their own tools have them (`GOOGLE_SERVICE_ACCOUNT`,
//! `AZURE_STORAGE_ACCOUNT_NAME` and so on). `object_store` has no names for keys with `//`, `.` or `..`: a page that
//! has one is an error. A folder's marker loses its `/` there and can't be told from an empty object; fetching it finds nothing.

use std::fmt;

use async_trait::async_trait;
use chrono::Utc;
use futures::StreamExt;
use lectern_connector_remote::Patience;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{Attribute, BackoffConfig, GetOptions, ObjectStore, RetryConfig};

use crate::config::{Credentials, S3Config};
use crate::error::Error;
use crate::key::encode;
use crate::location::{Location, Scheme};
use crate::store::{Listed, Object, Page, Store, telling};

/// What both of them are.
trait Service: ObjectStore + PaginatedListStore {}

impl<T: ObjectStore + PaginatedListStore> Service for T {}

/// A bucket of another service than S3.
pub(crate) struct Cloud {
    bucket: String,
    service: Box<dyn Service>,
}

impl fmt::Debug for Cloud {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cloud")
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

impl Cloud {
    /// A bucket of Google's or a container of Azure's, with the credentials of the environment or none.
    pub(crate) fn new(config: &S3Config, location: &Location, patience: &Patience) -> Result<Self, Error> {
        let is_anonymous = match &config.credentials {
            Credentials::Chain => false,
            Credentials::Anonymous => true,
            Credentials::Profile { .. } | Credentials::Key { .. } => return Err(only_s3("credentials")),
        };
        for (setting, is_set) in [
            ("endpoint", config.endpoint.is_some()),
            ("tags", config.tags),
            ("customer_key", config.customer_key.is_some()),
            ("requester_pays", config.requester_pays),
        ] {
            if is_set {
                return Err(only_s3(setting));
            }
        }
        let missing = |_| Error::Credentials {
            place: location.to_string(),
            problem: "the variables of the environment that its own tools need are missing or wrong"
                .to_owned(),
        };
        let service: Box<dyn Service> = match location.scheme {
            Scheme::Azure => Box::new(
                MicrosoftAzureBuilder::from_env()
                    .with_container_name(&location.bucket)
                    .with_skip_signature(is_anonymous)
                    .with_retry(retries(patience))
                    .build()
                    .map_err(missing)?,
            ),
            Scheme::Google | Scheme::S3 => Box::new(
                GoogleCloudStorageBuilder::from_env()
                    .with_bucket_name(&location.bucket)
                    .with_skip_signature(is_anonymous)
                    .with_retry(retries(patience))
                    .build()
                    .map_err(missing)?,
            ),
        };
        Ok(Self {
            bucket: location.bucket.clone(),
            service,
        })
    }

    /// What went wrong, without what the library says of it: an address of Azure's can have a token in it.
    fn error(&self, error: &object_store::Error, what: String, gone: Error) -> Error {
        match error {
            object_store::Error::NotFound { .. } => gone,
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                let answer = "the credentials don't permit it".to_owned();
                Error::Denied { what, answer }
            }
            object_store::Error::InvalidPath { .. } => Error::Listing {
                bucket: self.bucket.clone(),
                problem: "it has a key with `//`, `.` or `..` in it".to_owned(),
            },
            _ => Error::Unavailable {
                what,
                attempts: 1,
                problem: "the service could not be reached, or its answer not be understood".to_owned(),
            },
        }
    }
}

/// The budget of a request in the terms of `object_store`.
fn retries(patience: &Patience) -> RetryConfig {
    let limits = patience.limits();
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: limits.first_pause,
            max_backoff: limits.longest_pause,
            base: 3.0,
        },
        max_retries: limits.retries as usize,
        retry_timeout: limits.request_time,
    }
}

fn only_s3(setting: &'static str) -> Error {
    Error::SettingInvalid {
        setting,
        problem: "it is for buckets of S3 alone".to_owned(),
    }
}

#[async_trait]
impl Store for Cloud {
    async fn page(&self, prefix: &str, token: Option<&str>) -> Result<Page, Error> {
        let options = PaginatedListOptions {
            page_token: token.map(str::to_owned),
            ..PaginatedListOptions::default()
        };
        let told_at = Utc::now();
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        let page = self
            .service
            .list_paginated(prefix, options)
            .await
            .map_err(|error| {
                let bucket = self.bucket.clone();
                self.error(
                    &error,
                    format!("listing the bucket {bucket:?}"),
                    Error::NoBucket { bucket },
                )
            })?;
        let objects = page.result.objects.into_iter().map(|object| Listed {
            name: String::from(object.location),
            size_bytes: object.size,
            modified_at: Some(object.last_modified),
            etag: object.e_tag,
            is_archived: false,
        });
        Ok(Page {
            objects: objects.collect(),
            next: page.page_token,
            told_at: Some(told_at),
        })
    }

    async fn object(&self, name: &str, limit_bytes: u64) -> Result<Object, Error> {
        let key = encode(&self.bucket, name);
        let gone = || Error::Gone { key: key.clone() };
        let failed =
            |error: object_store::Error| self.error(&error, format!("reading the object {key:?}"), gone());
        let path = Path::parse(name)
            .ok()
            .filter(|path| !path.is_root() && path.as_ref() == name)
            .ok_or_else(gone)?;
        let too_large = || Error::TooLarge {
            key: key.clone(),
            limit_bytes,
        };
        let found = self
            .service
            .get_opts(&path, GetOptions::default())
            .await
            .map_err(failed)?;
        if found.meta.size > limit_bytes {
            return Err(too_large());
        }
        let mut object = Object::default();
        for (attribute, value) in &found.attributes {
            match attribute {
                Attribute::ContentType => object.media_type = telling(value),
                Attribute::Metadata(name) => object.metadata.push((name.to_string(), value.to_string())),
                _ => {}
            }
        }
        let size = found.meta.size;
        let mut stream = found.into_stream();
        while let Some(chunk) = stream.next().await {
            object.bytes.extend_from_slice(&chunk.map_err(failed)?);
            if object.bytes.len() as u64 > limit_bytes {
                return Err(too_large());
            }
        }
        match object.bytes.len() as u64 == size {
            true => Ok(object),
            false => Err(Error::Unavailable {
                what: format!("reading the object {key:?}"),
                attempts: 1,
                problem: format!("{} of {size} bytes", object.bytes.len()),
            }),
        }
    }

    async fn tags(&self, _name: &str) -> Result<Vec<(String, String)>, Error> {
        Err(only_s3("tags"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]
mod tests;
