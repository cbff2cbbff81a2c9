//! Where the keys to a bucket come from: the chain that Amazon's tools look at, a profile, named places, or nowhere; and the like
//! at Google's and Azure's ([`elsewhere`]).
//!
//! The chain, in the order of Amazon's tools: environment variables, a web identity (`AWS_WEB_IDENTITY_TOKEN_FILE`), the
//! profile `AWS_PROFILE` or `default` in `~/.aws` ([`profile`]), the container, the machine's metadata service. All but the
//! profiles is `object_store`'s own. Whatever comes is looked at before a request is signed with it ([`check`]).

mod elsewhere;
mod profile;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lectern_connector_remote::Secret;
use object_store::aws::{AmazonS3Builder, AwsCredential, AwsCredentialProvider};
use object_store::{BackoffConfig, CredentialProvider, RetryConfig};

use crate::config::Credentials;
use crate::error::Error;
pub(crate) use elsewhere::{Account, google};
use profile::Profiles;

const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
const DEFAULT_REGION: &str = "us-east-1";

/// What a bucket is asked with.
#[derive(Debug)]
pub(crate) struct Identity {
    /// `None`: requests aren't signed.
    pub(crate) credentials: Option<AwsCredentialProvider>,
    pub(crate) region: String,
}

impl Identity {
    /// The keys and the region that the configuration asks for. Reads the environment and files, and asks nobody.
    pub(crate) fn find(configured: &Credentials, region: Option<&str>) -> Result<Self, Error> {
        let profiles = Profiles::of_home();
        let (credentials, own_region): (Option<AwsCredentialProvider>, Option<String>) = match configured {
            Credentials::Anonymous => (None, None),
            Credentials::Key { id, secret, token } => {
                let key = NamedKey {
                    id: id.clone(),
                    secret: secret.clone(),
                    token: token.clone(),
                };
                // A mistake is told before a job begins.
                key.read()?;
                (Some(Arc::new(key)), None)
            }
            Credentials::Profile { name } => {
                let profile = profiles.profile(name)?;
                profile.key()?;
                (
                    Some(Arc::new(InProfile {
                        profiles,
                        name: name.clone(),
                    })),
                    profile.region,
                )
            }
            Credentials::Chain => chain(profiles)?,
            Credentials::ServiceAccount { .. } => return Err(not_for("credentials", "Google's")),
        };
        let of_environment = || REGION_VARIABLES.iter().find_map(|name| variable(name));
        let region = region.map(str::to_owned).or_else(of_environment).or(own_region);
        let region = region.unwrap_or_else(|| DEFAULT_REGION.to_owned());
        let is_plain = |character: char| character.is_ascii_alphanumeric() || character == '-';
        if region.is_empty() || !region.chars().all(is_plain) {
            return Err(Error::SettingInvalid {
                setting: "region",
                problem: "a region has letters, digits and `-`".to_owned(),
            });
        }
        Ok(Self { credentials, region })
    }
}

type Found = (Option<AwsCredentialProvider>, Option<String>);

fn chain(profiles: Profiles) -> Result<Found, Error> {
    let is_before_profiles =
        variable("AWS_ACCESS_KEY_ID").is_some() || variable("AWS_WEB_IDENTITY_TOKEN_FILE").is_some();
    let name = variable("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
    let profile = profiles.profile(&name);
    let region = profile.as_ref().ok().and_then(|profile| profile.region.clone());
    if !is_before_profiles {
        let profile = profile?;
        // What is there and not understood isn't to be passed over for the machine's own.
        if !profile.is_empty() {
            profile.key()?;
            return Ok((Some(Arc::new(InProfile { profiles, name })), region));
        }
    }
    let unusable = |error: object_store::Error| Error::Credentials {
        place: "the environment".to_owned(),
        problem: told(&error),
    };
    let store = AmazonS3Builder::from_env()
        .with_bucket_name("any")
        .with_retry(brief())
        .build()
        .map_err(unusable)?;
    Ok((Some(Arc::clone(store.credentials())), region))
}

/// How long whoever gives credentials is asked: where nothing answers, it is told within seconds.
fn brief() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: 3,
        retry_timeout: Duration::from_secs(10),
    }
}

/// A setting that isn't for this service.
pub(crate) fn not_for(setting: &'static str, whose: &str) -> Error {
    Error::SettingInvalid {
        setting,
        problem: format!("it is for buckets of {whose} alone"),
    }
}

/// An access key whose parts are in named places, read for each request.
#[derive(Debug)]
struct NamedKey {
    id: Secret,
    secret: Secret,
    token: Option<Secret>,
}

impl NamedKey {
    fn read(&self) -> Result<AwsCredential, Error> {
        Ok(AwsCredential {
            key_id: read_secret(&self.id)?,
            secret_key: read_secret(&self.secret)?,
            token: self.token.as_ref().map(read_secret).transpose()?,
        })
    }
}

#[async_trait]
impl CredentialProvider for NamedKey {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        self.read().map(Arc::new).map_err(as_store_error)
    }
}

/// A profile, read for each request: whoever renews it needs to tell nobody.
#[derive(Debug)]
struct InProfile {
    profiles: Profiles,
    name: String,
}

#[async_trait]
impl CredentialProvider for InProfile {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let key = self
            .profiles
            .profile(&self.name)
            .and_then(|profile| profile.key());
        key.map(Arc::new).map_err(as_store_error)
    }
}

/// A secret from its place.
pub(crate) fn read_secret(place: &Secret) -> Result<String, Error> {
    place.read().map_err(|missing| Error::Credentials {
        place: missing.place,
        problem: missing.problem,
    })
}

/// Whether a request can be signed with it: its parts become a header.
pub(crate) fn check(credential: &AwsCredential) -> Result<(), Error> {
    let is_plain = |text: &str| text.chars().all(|character| character.is_ascii_graphic());
    let is_key = !credential.key_id.is_empty() && is_plain(&credential.key_id);
    if is_key && credential.token.as_deref().is_none_or(is_plain) {
        return Ok(());
    }
    Err(Error::Credentials {
        place: "the bucket".to_owned(),
        problem: "the id of the access key or the token has characters that no key has".to_owned(),
    })
}

/// That a provider gave nothing. What it says of itself names places and not what was found there.
pub(crate) fn missing(error: &object_store::Error) -> Error {
    Error::Credentials {
        place: "the bucket".to_owned(),
        problem: told(error),
    }
}

/// What is wrong, without what a service may have answered: that could be half of a secret.
fn told(error: &object_store::Error) -> String {
    match error {
        object_store::Error::Generic { source, .. } => match source.downcast_ref::<Error>() {
            Some(own) => own.to_string(),
            None => "the environment, the profiles, the container and the machine have none".to_owned(),
        },
        _ => "they are refused by whoever gives them".to_owned(),
    }
}

fn as_store_error(error: Error) -> object_store::Error {
    object_store::Error::Generic {
        store: "credentials",
        source: Box::new(error),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_in_files_is_read_again_when_it_changes_and_never_told() {
        let folder = tempfile::tempdir().unwrap();
        let (id, secret) = (folder.path().join("id"), folder.path().join("secret"));
        std::fs::write(&id, "AKIAEXAMPLE\n").unwrap();
        std::fs::write(&secret, " hunter2\n").unwrap();
        let configured = Credentials::Key {
            id: Secret::File(id.clone()),
            secret: Secret::File(secret.clone()),
            token: None,
        };
        let identity = Identity::find(&configured, Some("eu-north-1")).unwrap();
        assert!(!format!("{identity:?}").contains("hunter2"));
        let provider = identity.credentials.unwrap();
        let key = provider.get_credential().await.unwrap();
        assert_eq!(
            (key.key_id.as_str(), key.secret_key.as_str()),
            ("AKIAEXAMPLE", "hunter2")
        );
        std::fs::write(&secret, "hunter3").unwrap();
        assert_eq!(provider.get_credential().await.unwrap().secret_key, "hunter3");
        std::fs::remove_file(&secret).unwrap();
        let error = missing(&provider.get_credential().await.unwrap_err());
        assert!(
            error.to_string().contains("secret") && !error.to_string().contains("hunter"),
            "{error}"
        );
        assert_eq!(
            Identity::find(&configured, None).unwrap_err().code(),
            "credentials_missing"
        );
    }

    #[test]
    fn what_would_not_fit_a_header_is_refused() {
        let key = |key_id: &str, token: Option<&str>| AwsCredential {
            key_id: key_id.to_owned(),
            secret_key: "hunter2".to_owned(),
            token: token.map(str::to_owned),
        };
        assert!(check(&key("AKIA", Some("a/b+c="))).is_ok());
        for wrong in [
            key("", None),
            key("A\nB", None),
            key("A", Some("a\r\nb")),
            key("ü", None),
        ] {
            let error = check(&wrong).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_region_is_a_word() {
        let region =
            |region: &str| Identity::find(&Credentials::Anonymous, Some(region)).map(|found| found.region);
        assert_eq!(region("eu-north-1").unwrap(), "eu-north-1");
        for wrong in ["", "eu north", "x/y", "a.example/"] {
            assert_eq!(
                region(wrong).unwrap_err().code(),
                "bucket_setting_invalid",
                "{wrong}"
            );
        }
    }
}
