//! A fetch: the object, then what is known about it.
//!
//! In this order: whoever closes a document before writing something confidential into it never has the new content shown
//! to its old readers.

use std::sync::Arc;

use lectern_connector_sidecar::{self as sidecar, Sidecar, attribute};
use lectern_domain::attribute::{AttributeValue, Attributes, names};
use lectern_domain::ports::Fetched;

use crate::beside::sidecar_of;
use crate::connector::{Bucket, S3Connector};
use crate::error::Error;
use crate::key::{decode, file_name, is_addressable};
use crate::listing::address;

impl S3Connector {
    /// A document as it is now.
    pub(crate) async fn content(&self, key: &str) -> Result<Fetched, Error> {
        self.read(key).await.map_err(|error| lost(error, key))
    }

    async fn read(&self, key: &str) -> Result<Fetched, Error> {
        let (bucket, name) = self
            .locate(key)
            .ok_or_else(|| Error::UnknownKey { key: key.to_owned() })?;
        let object = bucket.store.object(&name, self.config.max_object_bytes).await?;
        let sidecar = self.sidecar(bucket, &name, key).await?;
        let tags = match self.config.tags {
            true => bucket.store.tags(&name).await?,
            false => Vec::new(),
        };
        let acl = match (sidecar.acl, &self.access) {
            (Some(acl), _) => Some(acl),
            (None, Some(access)) => Some(access.recent().await?.acl_of(&address(bucket, &name), &name)),
            (None, None) => None,
        };
        // What was written later in life wins: the object's own metadata over its tags, the sidecar over both.
        let mut attributes = plain(tags);
        attributes.extend(plain(object.metadata));
        let title = match attributes.remove(names::TITLE) {
            Some(AttributeValue::Text(title)) => Some(title),
            _ => None,
        };
        attributes.extend(sidecar.attributes);
        Ok(Fetched {
            bytes: Arc::from(object.bytes),
            file_name: file_name(&name).to_owned(),
            media_type: sidecar.media_type.or(object.media_type),
            title: sidecar.title.or(title),
            acl,
            attributes,
        })
    }

    /// The object that a key is of, if it is one that could have been listed.
    fn locate(&self, key: &str) -> Option<(&Bucket, String)> {
        let (bucket, name) = decode(key)?;
        let is_in = |candidate: &&Bucket| {
            candidate.location.bucket == bucket && name.starts_with(&candidate.location.prefix)
        };
        let bucket = self.buckets.iter().find(is_in)?;
        let is_one = is_addressable(&name) && self.is_document(bucket, &name);
        is_one.then_some((bucket, name))
    }

    /// What the sidecar of an object says; nothing where there is none.
    async fn sidecar(&self, bucket: &Bucket, name: &str, key: &str) -> Result<Sidecar, Error> {
        if !self.config.sidecars {
            return Ok(Sidecar::default());
        }
        let unusable = |problem: String| Error::Sidecar {
            key: key.to_owned(),
            problem,
        };
        match bucket.store.object(&sidecar_of(name), sidecar::MAX_BYTES).await {
            Ok(object) => sidecar::parse(&object.bytes).map_err(unusable),
            Err(Error::Gone { .. }) => Ok(Sidecar::default()),
            Err(Error::TooLarge { limit_bytes, .. }) => {
                Err(unusable(format!("is larger than {limit_bytes} bytes")))
            }
            Err(error @ Error::Refused { .. }) => Err(unusable(format!("can't be read: {error}"))),
            Err(error) => Err(error),
        }
    }
}

/// Without its bucket, or that of its sidecar or readers, nothing is known about an object: it isn't gone.
fn lost(error: Error, key: &str) -> Error {
    match error {
        Error::NoBucket { bucket } => Error::Unavailable {
            what: format!("reading the object {key:?}"),
            attempts: 1,
            problem: format!("there is no bucket {bucket:?}"),
        },
        error => error,
    }
}

/// Texts as attributes. What should be a date and is none is left out: nobody promised that these are ours.
fn plain(texts: Vec<(String, String)>) -> Attributes {
    texts
        .into_iter()
        .filter(|(name, _)| !name.is_empty())
        .filter_map(|(name, text)| attribute(&name, &text).ok())
        .collect()
}
