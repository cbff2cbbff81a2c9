//! The connector: its buckets, and the two ways into them.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt};
use lectern_connector_remote::Limits;
use lectern_domain::PortError;
use lectern_domain::ports::{Connector, Cursor, Fetched, ListEvent, SourceItem};
use tokio::sync::Mutex;

use crate::access::Access;
use crate::beside::described_by;
use crate::config::S3Config;
use crate::credentials::read_secret;
use crate::error::Error;
use crate::filter::Filter;
use crate::location::Location;
use crate::reach::stores;
use crate::store::Store;
use crate::wire::AttemptTime;

/// How many objects may be read at a time.
const FETCHES_AT_ONCE: RangeInclusive<usize> = 1..=256;

/// A bucket, and how it is spoken to.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) location: Location,
    pub(crate) store: Arc<dyn Store>,
}

/// Reads buckets.
pub struct S3Connector {
    pub(crate) config: S3Config,
    pub(crate) buckets: Vec<Bucket>,
    pub(crate) filter: Filter,
    /// Who may read what, where there is a file of it.
    pub(crate) access: Option<Access>,
}

impl fmt::Debug for S3Connector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("S3Connector")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl S3Connector {
    /// A connector for buckets. Nobody is asked yet: what can be told is what is wrong with the configuration, and
    /// whether there are credentials where they should be.
    pub fn new(config: S3Config) -> Result<Self, Error> {
        Self::with_patience(config, Limits::default(), AttemptTime::default())
    }

    /// The same with other budgets: of all attempts, and of each.
    pub fn with_patience(config: S3Config, limits: Limits, attempt_time: AttemptTime) -> Result<Self, Error> {
        let locations: Vec<Location> = config
            .buckets
            .iter()
            .map(|bucket| Location::parse(bucket))
            .collect::<Result<_, _>>()?;
        if locations.is_empty() {
            return Err(Error::NoBuckets);
        }
        if !FETCHES_AT_ONCE.contains(&config.fetches_at_once) {
            return Err(Error::SettingInvalid {
                setting: "fetches_at_once",
                problem: format!(
                    "it must be {} to {}",
                    FETCHES_AT_ONCE.start(),
                    FETCHES_AT_ONCE.end()
                ),
            });
        }
        for (position, one) in locations.iter().enumerate() {
            if let Some(two) = locations.iter().skip(position + 1).find(|two| one.overlaps(two)) {
                return Err(Error::BucketsOverlap {
                    one: one.to_string(),
                    two: two.to_string(),
                });
            }
        }
        if let Some(customer_key) = &config.customer_key {
            read_secret(customer_key)?;
        }
        let filter = Filter::new(&config)?;
        let stores = stores(&config, &locations, limits, attempt_time)?;
        let buckets: Vec<Bucket> = locations
            .into_iter()
            .zip(stores)
            .map(|(location, store)| Bucket { location, store })
            .collect();
        let access = match &config.acl_file {
            Some(place) => Some(access(place, &buckets)?),
            None => None,
        };
        Ok(Self {
            config,
            buckets,
            filter,
            access,
        })
    }

    /// Whether an object of this name is a document: neither left out nor about another one.
    pub(crate) fn is_document(&self, bucket: &Bucket, name: &str) -> bool {
        let is_access_file = self
            .access
            .as_ref()
            .is_some_and(|access| access.bucket == bucket.location.bucket && access.name == name);
        let is_sidecar = self.config.sidecars && described_by(name).is_some();
        !is_access_file && !is_sidecar && self.filter.admits(name)
    }
}

/// The file with who may read what, which is in one of the buckets.
fn access(place: &str, buckets: &[Bucket]) -> Result<Access, Error> {
    let location = Location::parse(place)?;
    let is_same = |bucket: &&Bucket| {
        bucket.location.bucket == location.bucket && bucket.location.scheme == location.scheme
    };
    let bucket = buckets
        .iter()
        .find(is_same)
        .filter(|_| !location.prefix.is_empty());
    let bucket = bucket.ok_or_else(|| Error::SettingInvalid {
        setting: "acl_file",
        problem: "it is no object of one of the buckets, such as s3://BUCKET/acl.json".to_owned(),
    })?;
    Ok(Access {
        bucket: location.bucket,
        name: location.prefix,
        store: Arc::clone(&bucket.store),
        kept: Mutex::new(None),
    })
}

#[async_trait]
impl Connector for S3Connector {
    fn describe(&self) -> String {
        let places: Vec<String> = self
            .buckets
            .iter()
            .map(|bucket| bucket.location.to_string())
            .collect();
        format!("objects in {}", places.join(", "))
    }

    fn list(&self, _since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>> {
        self.events().boxed()
    }

    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError> {
        Ok(self.content(&item.key).await?)
    }

    fn fetches_at_once(&self) -> Option<usize> {
        Some(self.config.fetches_at_once)
    }
}
