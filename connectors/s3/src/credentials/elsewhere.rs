//! The keys to Google's and Azure's buckets: of the environment, as their own tools have them, or in named places.
//!
//! What is found there, and the tokens that are got with it, are `object_store`'s. It asks for a token anew before it ends.

use std::sync::Arc;

use async_trait::async_trait;
use lectern_connector_remote::Secret;
use object_store::CredentialProvider;
use object_store::azure::{
    AzureAccessKey, AzureConfigKey, AzureCredential, AzureCredentialProvider, MicrosoftAzureBuilder,
};
use object_store::gcp::{GcpCredentialProvider, GoogleCloudStorageBuilder};

use super::{as_store_error, brief, not_for, read_secret};
use crate::config::Credentials;
use crate::error::Error;

/// The account of Azure's that a container is in.
pub(crate) struct Account {
    pub(crate) name: String,
    /// `None`: requests aren't signed.
    pub(crate) credentials: Option<AzureCredentialProvider>,
    /// Where the environment says that it is, if it does.
    pub(crate) endpoint: Option<String>,
}

impl Account {
    /// The account that the configuration asks for. Reads the environment and files, and asks nobody.
    pub(crate) fn find(configured: &Credentials) -> Result<Self, Error> {
        let environment = MicrosoftAzureBuilder::from_env();
        let endpoint = environment.get_config_value(&AzureConfigKey::Endpoint);
        let name = environment.get_config_value(&AzureConfigKey::AccountName);
        let name = name.filter(|name| is_account(name));
        match configured {
            Credentials::Anonymous => Ok(Self {
                name: name.unwrap_or_default(),
                credentials: None,
                endpoint,
            }),
            Credentials::Key {
                id,
                secret,
                token: None,
            } => {
                let key = NamedKey(secret.clone());
                // A mistake is told before a job begins.
                key.read()?;
                let name = Some(read_secret(id)?).filter(|name| is_account(name));
                Ok(Self {
                    name: name.ok_or_else(|| nowhere("the id of the key is no name of an account"))?,
                    credentials: Some(Arc::new(key)),
                    endpoint,
                })
            }
            Credentials::Chain => {
                let name =
                    name.ok_or_else(|| nowhere("AZURE_STORAGE_ACCOUNT_NAME is not set, or is no name"))?;
                let store = environment
                    .with_container_name("any")
                    .with_retry(brief())
                    .build()
                    .map_err(|_| nowhere("a variable of the environment, AZURE_..., is wrong"))?;
                Ok(Self {
                    name,
                    credentials: Some(Arc::clone(store.credentials())),
                    endpoint,
                })
            }
            Credentials::Key { .. } => Err(Error::SettingInvalid {
                setting: "credentials",
                problem: "an account of Azure's has a key and no token".to_owned(),
            }),
            Credentials::Profile { .. } => Err(not_for("credentials", "Amazon's")),
            Credentials::ServiceAccount { .. } => Err(not_for("credentials", "Google's")),
        }
    }
}

/// What becomes a part of the host's name, and of the signature.
fn is_account(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit())
}

/// The key of an account in a named place, read for each request.
#[derive(Debug)]
struct NamedKey(Secret);

impl NamedKey {
    fn read(&self) -> Result<AzureCredential, Error> {
        let key = read_secret(&self.0)?;
        let key = AzureAccessKey::try_new(&key).map_err(|_| nowhere("the account's key is no base64"))?;
        Ok(AzureCredential::AccessKey(key))
    }
}

#[async_trait]
impl CredentialProvider for NamedKey {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AzureCredential>> {
        self.read().map(Arc::new).map_err(as_store_error)
    }
}

/// Who gives the tokens for Google's buckets; `None` where requests have none. Reads the environment and files, and asks
/// nobody.
pub(crate) fn google(configured: &Credentials) -> Result<Option<GcpCredentialProvider>, Error> {
    let (builder, problem) = match configured {
        Credentials::Anonymous => return Ok(None),
        Credentials::Chain => (
            GoogleCloudStorageBuilder::from_env(),
            "the key that GOOGLE_SERVICE_ACCOUNT or GOOGLE_APPLICATION_CREDENTIALS names can't be read",
        ),
        Credentials::ServiceAccount { key } => (
            GoogleCloudStorageBuilder::new().with_service_account_key(read_secret(key)?),
            "it is no key of a service account, in JSON as it was downloaded",
        ),
        Credentials::Profile { .. } | Credentials::Key { .. } => {
            return Err(not_for("credentials", "Amazon's and Azure's"));
        }
    };
    let store = builder.with_bucket_name("any").with_retry(brief()).build();
    // What the library says of a key may have half of it.
    let store = store.map_err(|_| nowhere(problem))?;
    Ok(Some(Arc::clone(store.credentials())))
}

fn nowhere(problem: &str) -> Error {
    Error::Credentials {
        place: "the bucket".to_owned(),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_told_and_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            Secret::File(path)
        };
        for (id, secret) in [("reader", "hunter2!"), ("hunter2@host", "aHVudGVyMg==")] {
            let error = Account::find(&Credentials::Key {
                id: place("id", id),
                secret: place("secret", secret),
                token: None,
            });
            let error = error.err().unwrap();
            assert_eq!(error.code(), "credentials_missing");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
        for key in [
            "hunter2",
            "{\"private_key\": \"hunter2\"}",
            "{\"private_key\": \"hunter2\", \"private_key_id\": \"1\", \"client_email\": \"a@b\"}",
        ] {
            let key = place("key", key);
            let error = google(&Credentials::ServiceAccount { key }).unwrap_err();
            assert_eq!(error.code(), "credentials_missing");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
