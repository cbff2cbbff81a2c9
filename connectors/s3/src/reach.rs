//! How each bucket of a source is reached: which service it is, where, and with which keys.
//!
//! All of them share one HTTP client and one patience: a service that is down costs a job minutes, however many buckets it has.

use std::sync::Arc;

use lectern_connector_remote::{Limits, Patience};
use object_store::client::HttpClient;

use crate::config::S3Config;
use crate::credentials::{Account, Identity, google, not_for};
use crate::error::Error;
use crate::location::{Location, Scheme};
use crate::store::Store;
use crate::wire::{Amazon, AttemptTime, Azure, Endpoint, Google, Service, Wire, http_client};

const GOOGLE: &str = "https://storage.googleapis.com";

/// The buckets at `locations`, in their order. Asks nobody.
pub(crate) fn stores(
    config: &S3Config,
    locations: &[Location],
    limits: Limits,
    attempt_time: AttemptTime,
) -> Result<Vec<Arc<dyn Store>>, Error> {
    let patience = Patience::new(limits);
    let client = http_client(config.allow_http)?;
    let mut reach = Reach {
        config,
        identity: None,
    };
    locations
        .iter()
        .map(|location| -> Result<Arc<dyn Store>, Error> {
            Ok(Arc::new(Wire {
                client: HttpClient::clone(&client),
                bucket: location.bucket.clone(),
                service: reach.service(location)?,
                customer_key: config.customer_key.clone(),
                patience: patience.clone(),
                attempt_time,
            }))
        })
        .collect()
}

struct Reach<'a> {
    config: &'a S3Config,
    /// Of all buckets of Amazon's, once it was looked for.
    identity: Option<Identity>,
}

impl Reach<'_> {
    fn service(&mut self, location: &Location) -> Result<Box<dyn Service>, Error> {
        Ok(match location.scheme {
            Scheme::S3 => Box::new(self.amazon(location)?),
            Scheme::Google => Box::new(self.google(location)?),
            Scheme::Azure => Box::new(self.azure(location)?),
        })
    }

    fn amazon(&mut self, location: &Location) -> Result<Amazon, Error> {
        let identity = match self.identity.take() {
            Some(identity) => identity,
            None => Identity::find(&self.config.credentials, self.config.region.as_deref())?,
        };
        let identity = self.identity.insert(identity);
        let region = identity.region.clone();
        let credentials = identity.credentials.clone();
        Ok(Amazon {
            endpoint: self.endpoint(
                self.config.endpoint.as_deref(),
                location,
                &region,
                self.config.virtual_hosted,
            )?,
            region,
            credentials,
            requester_pays: self.config.requester_pays,
        })
    }

    fn google(&self, location: &Location) -> Result<Google, Error> {
        if self.config.tags {
            return Err(not_for("tags", "Amazon's and Azure's"));
        }
        self.refuse_what_is_amazons()?;
        let base = self.config.endpoint.as_deref().unwrap_or(GOOGLE);
        let endpoint = self.endpoint(Some(base), location, "", false)?;
        let base = base.trim_end_matches('/');
        Ok(Google {
            endpoint,
            listing: format!("{base}/storage/v1/b/{}/o", location.bucket),
            credentials: google(&self.config.credentials)?,
        })
    }

    fn azure(&self, location: &Location) -> Result<Azure, Error> {
        self.refuse_what_is_amazons()?;
        let account = Account::find(&self.config.credentials)?;
        let base = match (
            self.config.endpoint.clone().or(account.endpoint),
            account.name.as_str(),
        ) {
            (Some(base), _) => base,
            (None, "") => {
                return Err(Error::SettingInvalid {
                    setting: "endpoint",
                    problem:
                        "it says where the account is, https://ACCOUNT.blob.core.windows.net, as long as \
                              AZURE_STORAGE_ACCOUNT_NAME doesn't"
                            .to_owned(),
                });
            }
            (None, name) => format!("https://{name}.blob.core.windows.net"),
        };
        Ok(Azure {
            endpoint: self.endpoint(Some(&base), location, "", false)?,
            account: account.name,
            credentials: account.credentials,
        })
    }

    fn endpoint(
        &self,
        base: Option<&str>,
        location: &Location,
        region: &str,
        virtual_hosted: bool,
    ) -> Result<Endpoint, Error> {
        Endpoint::new(
            base,
            &location.bucket,
            region,
            virtual_hosted,
            self.config.allow_http,
        )
    }

    fn refuse_what_is_amazons(&self) -> Result<(), Error> {
        let own = [
            ("customer_key", self.config.customer_key.is_some()),
            ("requester_pays", self.config.requester_pays),
            ("virtual_hosted", self.config.virtual_hosted),
        ];
        match own.into_iter().find(|(_, is_set)| *is_set) {
            Some((setting, _)) => Err(not_for(setting, "Amazon's")),
            None => Ok(()),
        }
    }
}
