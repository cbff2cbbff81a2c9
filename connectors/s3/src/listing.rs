//! A listing: page after page of each bucket, as events.
//!
//! What comes of an object: nothing, where it is a sidecar, a folder's marker or left out by the configuration; a skipped
//! item with the reason, where it can't be read; else an item with a change tag. The tag has what the listing tells of the
//! object and of its sidecar, and what is known of its tags and readers besides. It is left out where one of them changed
//! within the last seconds of the service's clock, which has no more than whole seconds.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use lectern_connector_sidecar::AccessFile;
use lectern_domain::PortError;
use lectern_domain::ports::{ListEvent, SourceItem};

use crate::beside::{Beside, Pair, described_by};
use crate::connector::{Bucket, S3Connector};
use crate::error::Error;
use crate::key::{encode, is_addressable, path_of};
use crate::store::Listed;

/// How old a change must be for the next one to be told from it.
const SETTLED_AFTER: TimeDelta = TimeDelta::seconds(2);
/// How many objects are asked for their tags at a time.
const TAG_REQUESTS: usize = 16;

/// Between two pages.
struct Place {
    /// Which bucket.
    bucket: usize,
    /// What its next page is asked with.
    token: Option<String>,
    /// The last key of it.
    last: String,
    beside: Beside,
    access: Option<Arc<AccessFile>>,
}

impl S3Connector {
    /// All events of all buckets. One page is in memory at a time.
    pub(crate) fn events(&self) -> impl Stream<Item = Result<ListEvent, PortError>> + Send + '_ {
        let pages = stream::try_unfold(None, move |place| async move {
            let place = match place {
                Some(place) => place,
                None => self.beginning().await?,
            };
            self.next_page(place)
                .await
                .map(|next| next.map(|(events, place)| (events, Some(place))))
        });
        pages
            .map_ok(|events| stream::iter(events.into_iter().map(Ok)))
            .try_flatten()
            .map_err(|error: Error| PortError::from(error))
    }

    async fn beginning(&self) -> Result<Place, Error> {
        let access = match &self.access {
            Some(access) => Some(access.read().await?),
            None => None,
        };
        Ok(Place {
            bucket: 0,
            token: None,
            last: String::new(),
            beside: Beside::default(),
            access,
        })
    }

    async fn next_page(&self, mut place: Place) -> Result<Option<(Vec<ListEvent>, Place)>, Error> {
        let Some(bucket) = self.buckets.get(place.bucket) else {
            return Ok(None);
        };
        let page = bucket
            .store
            .page(&bucket.location.prefix, place.token.as_deref())
            .await?;
        let now = page.told_at.unwrap_or_else(Utc::now);
        let mut found = Vec::new();
        for object in page.objects {
            self.check_order(bucket, &mut place.last, &object)?;
            self.sort_out(bucket, object, &mut place.beside, &mut found);
        }
        if page.next.is_some() && page.next == place.token {
            return Err(unusable(bucket, "a page leads to itself"));
        }
        place.token = page.next;
        if place.token.is_none() {
            found.extend(place.beside.finish().map(Found::Document));
            place.bucket += 1;
            place.last.clear();
        }
        let access = place.access.as_deref();
        let events: Vec<Vec<ListEvent>> = stream::iter(found)
            .map(|found| self.said_of(bucket, found, access, now))
            .buffered(TAG_REQUESTS)
            .try_collect()
            .await?;
        Ok(Some((events.into_iter().flatten().collect(), place)))
    }

    /// Pairs are found by the order of the keys, so a listing in another one is an error, and not one that looks whole.
    fn check_order(&self, bucket: &Bucket, last: &mut String, object: &Listed) -> Result<(), Error> {
        if object.name.as_bytes() <= last.as_bytes() {
            return Err(unusable(bucket, "its keys are not in the order of their bytes"));
        }
        if !object.name.starts_with(&bucket.location.prefix) {
            return Err(unusable(bucket, "it has keys that weren't asked for"));
        }
        object.name.clone_into(last);
        Ok(())
    }

    /// What an object is, and what need wait no longer since it has come.
    fn sort_out(&self, bucket: &Bucket, object: Listed, beside: &mut Beside, found: &mut Vec<Found>) {
        found.extend(beside.release(&object.name).map(Found::Document));
        if self.config.sidecars && described_by(&object.name).is_some() {
            found.push(match beside.join(object) {
                Ok(pair) => Found::Document(pair),
                Err(sidecar) => Found::SidecarAlone(sidecar),
            });
            return;
        }
        let is_marker = object.name.ends_with('/') && object.size_bytes == 0;
        if !is_marker && self.is_document(bucket, &object.name) {
            beside.wait(object);
        }
    }

    /// What is said of an object.
    async fn said_of(
        &self,
        bucket: &Bucket,
        found: Found,
        access: Option<&AccessFile>,
        now: DateTime<Utc>,
    ) -> Result<Vec<ListEvent>, Error> {
        let pair = match found {
            Found::Document(pair) => pair,
            Found::SidecarAlone(sidecar) => return Ok(self.alone(bucket, &sidecar).into_iter().collect()),
        };
        let mut item = item(bucket, &pair.object);
        let object = &pair.object;
        let skipped = if !is_addressable(&object.name) {
            let reason = "its key has `.` or `..` between slashes, which no address on the web can have";
            Some(("key_not_addressable", reason.to_owned()))
        } else if object.is_archived {
            Some((
                "archived",
                "it is in an archive and has to be restored before it can be read".to_owned(),
            ))
        } else if object.size_bytes > self.config.max_object_bytes {
            let limit = self.config.max_object_bytes;
            Some((
                "too_large",
                format!("it has {} bytes; the limit is {limit}", object.size_bytes),
            ))
        } else {
            None
        };
        if let Some((code, reason)) = skipped {
            let readers = readers_of_unread(bucket, &pair, access);
            let skipped = ListEvent::Skipped { item, code, reason };
            return Ok(readers.into_iter().chain([skipped]).collect());
        }
        let tags = match self.config.tags {
            false => None,
            true => match bucket.store.tags(&object.name).await {
                Ok(tags) => Some(tags),
                // Gone since the page was told.
                Err(Error::Gone { .. }) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            },
        };
        let readers = access.map(|access| access.acl_of(&address(bucket, &object.name), &object.name));
        item.change_tag = change_tag(&pair, now).map(|tag| {
            let besides = serde_json::json!({ "tags": tags, "readers": readers }).to_string();
            match (&tags, &readers) {
                (None, None) => tag,
                _ => format!("{tag} {}", blake3::hash(besides.as_bytes()).to_hex()),
            }
        });
        Ok(vec![ListEvent::Item(item)])
    }

    /// What is said of a sidecar that is about nothing that is read: nothing, where that is left out on purpose.
    fn alone(&self, bucket: &Bucket, sidecar: &Listed) -> Option<ListEvent> {
        let described = described_by(&sidecar.name)?;
        self.is_document(bucket, described).then(|| ListEvent::Skipped {
            item: item(bucket, sidecar),
            code: "sidecar_alone",
            reason: format!("it is about {described:?}, and there is no such object"),
        })
    }
}

/// Who may read what is there of an object that isn't read: by the file of readers, unless its sidecar may say otherwise.
fn readers_of_unread(bucket: &Bucket, pair: &Pair, access: Option<&AccessFile>) -> Option<ListEvent> {
    let access = access.filter(|_| pair.sidecar.is_none())?;
    Some(ListEvent::Readers {
        key: item(bucket, &pair.object).key,
        acl: access.acl_of(&address(bucket, &pair.object.name), &pair.object.name),
    })
}

/// What comes of an object.
enum Found {
    Document(Pair),
    SidecarAlone(Listed),
}

fn unusable(bucket: &Bucket, problem: &str) -> Error {
    Error::Listing {
        bucket: bucket.location.bucket.clone(),
        problem: problem.to_owned(),
    }
}

/// The address of an object as an access file has it, with nothing encoded.
pub(crate) fn address(bucket: &Bucket, name: &str) -> String {
    format!(
        "{}://{}/{name}",
        bucket.location.scheme.as_str(),
        bucket.location.bucket
    )
}

fn item(bucket: &Bucket, object: &Listed) -> SourceItem {
    let location = &bucket.location;
    SourceItem {
        key: encode(&location.bucket, &object.name),
        uri: format!(
            "{}://{}/{}",
            location.scheme.as_str(),
            location.bucket,
            path_of(&object.name)
        ),
        size_bytes: Some(object.size_bytes),
        modified_at: object.modified_at,
        change_tag: None,
    }
}

fn change_tag(pair: &Pair, now: DateTime<Utc>) -> Option<String> {
    let object = state(&pair.object, now)?;
    match &pair.sidecar {
        Some(sidecar) => Some(format!("{object} {}", state(sidecar, now)?)),
        None => Some(object),
    }
}

/// One object's part of the tag; nothing where it changed just now, or in the future.
fn state(object: &Listed, now: DateTime<Utc>) -> Option<String> {
    let (etag, modified) = (object.etag.as_ref()?, object.modified_at?);
    let is_settled = modified + SETTLED_AFTER <= now;
    is_settled.then(|| format!("{etag} {} {}", object.size_bytes, modified.timestamp_millis()))
}
