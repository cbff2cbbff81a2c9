//! The profiles of Amazon's tools: `~/.aws/credentials` and `~/.aws/config`, or what `AWS_SHARED_CREDENTIALS_FILE` and
//! `AWS_CONFIG_FILE` name.
//!
//! Read is an access key with its token and a region. A profile that asks for more (a role, single sign-on, a
//! program) is an error that says so: reading it as if it were less would be with another's permissions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use object_store::aws::AwsCredential;

use crate::error::Error;

/// What a profile can ask for and isn't done here.
const NOT_DONE: [&str; 5] = [
    "role_arn",
    "sso_session",
    "sso_start_url",
    "credential_process",
    "login_session",
];

/// The two files.
#[derive(Clone, Debug)]
pub(super) struct Profiles {
    credentials: Option<PathBuf>,
    config: Option<PathBuf>,
}

/// A profile of both files.
#[derive(Default)]
pub(super) struct Profile {
    name: String,
    pub(super) region: Option<String>,
    settings: BTreeMap<String, String>,
}

impl Profiles {
    /// Where Amazon's tools have them.
    pub(super) fn of_home() -> Self {
        let home = std::env::home_dir();
        let place = |variable: &str, name: &str| match super::variable(variable) {
            Some(path) => Some(PathBuf::from(path)),
            None => home.as_ref().map(|home| home.join(".aws").join(name)),
        };
        Self {
            credentials: place("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            config: place("AWS_CONFIG_FILE", "config"),
        }
    }

    /// The profile `name`; what is in both files is that of the credentials' one.
    pub(super) fn profile(&self, name: &str) -> Result<Profile, Error> {
        let in_config = match name {
            "default" => vec!["default".to_owned(), "profile default".to_owned()],
            name => vec![format!("profile {name}")],
        };
        let mut settings = read(self.config.as_deref(), &in_config)?;
        let own = read(self.credentials.as_deref(), &[name.to_owned()])?;
        let is_there = settings.is_some() || own.is_some();
        if !is_there && name != "default" {
            return Err(Error::Credentials {
                place: format!("the profile {name:?}"),
                problem: "neither ~/.aws/credentials nor ~/.aws/config has it".to_owned(),
            });
        }
        let mut settings = settings.take().unwrap_or_default();
        settings.extend(own.unwrap_or_default());
        Ok(Profile {
            name: name.to_owned(),
            region: settings.remove("region"),
            settings,
        })
    }
}

impl Profile {
    /// Whether it says nothing of credentials.
    pub(super) fn is_empty(&self) -> bool {
        let says = |name: &str| self.settings.contains_key(name);
        !says("aws_access_key_id") && !NOT_DONE.iter().any(|name| says(name))
    }

    /// Its access key.
    pub(super) fn key(&self) -> Result<AwsCredential, Error> {
        let missing = |problem: String| Error::Credentials {
            place: format!("the profile {:?}", self.name),
            problem,
        };
        if let Some(setting) = NOT_DONE.iter().find(|name| self.settings.contains_key(**name)) {
            return Err(missing(format!(
                "it asks for {setting}, which is not supported; name an access key, or run where a web identity, a \
                 container or a machine has a role"
            )));
        }
        let setting = |name: &str| {
            let value = self.settings.get(name).filter(|value| !value.is_empty());
            value.cloned().ok_or_else(|| missing(format!("it has no {name}")))
        };
        Ok(AwsCredential {
            key_id: setting("aws_access_key_id")?,
            secret_key: setting("aws_secret_access_key")?,
            token: setting("aws_session_token").ok(),
        })
    }
}

/// The settings of the first of the sections that a file has, or `None` where it has none of them or isn't there.
fn read(file: Option<&Path>, sections: &[String]) -> Result<Option<BTreeMap<String, String>>, Error> {
    let Some(file) = file else { return Ok(None) };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Error::Credentials {
                place: format!("the file {file:?}"),
                problem: error.to_string(),
            });
        }
    };
    Ok(section(&text, sections))
}

/// The settings of a section of an INI file. Settings within settings (lines that begin with white space) are passed over.
fn section(text: &str, names: &[String]) -> Option<BTreeMap<String, String>> {
    let mut found: Option<BTreeMap<String, String>> = None;
    let mut is_inside = false;
    for line in text.lines() {
        if let Some(name) = line
            .trim_end()
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            is_inside = names.contains(&name);
            if is_inside {
                found.get_or_insert_default();
            }
            continue;
        }
        let is_setting = is_inside && !line.starts_with([' ', '\t', '#', ';']);
        if let (true, Some((name, value)), Some(found)) = (is_setting, line.split_once('='), &mut found) {
            // A comment begins with white space before its sign; a secret may have the sign alone.
            let value = value.split(" #").next().unwrap_or_default();
            let value = value.split(" ;").next().unwrap_or_default();
            found.insert(name.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn profiles(credentials: &str, config: &str) -> (tempfile::TempDir, Profiles) {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            Some(folder.path().join(name))
        };
        let profiles = Profiles {
            credentials: write("credentials", credentials),
            config: write("config", config),
        };
        (folder, profiles)
    }

    #[test]
    fn a_profile_is_read_from_both_files() {
        let (_folder, profiles) = profiles(
            "# mine\n[default]\naws_access_key_id = A1\naws_secret_access_key=s#1 ; old\n\n[ work ]\r\n\
             aws_access_key_id=A2\naws_secret_access_key = s=2/+\naws_session_token = t2\n",
            "[default]\nregion = eu-north-1\ns3 =\n  max_concurrent_requests = 20\n[profile work]\nregion=us-west-2 # far\n\
             [profile other]\nsso_start_url = https://example\n[sso-session x]\nregion = nowhere\n",
        );
        let default = profiles.profile("default").unwrap();
        let key = default.key().unwrap();
        assert_eq!(
            (key.key_id.as_str(), key.secret_key.as_str(), key.token),
            ("A1", "s#1", None)
        );
        assert_eq!(default.region.as_deref(), Some("eu-north-1"));
        let work = profiles.profile("work").unwrap();
        let key = work.key().unwrap();
        assert_eq!(
            (key.secret_key.as_str(), key.token.as_deref()),
            ("s=2/+", Some("t2"))
        );
        assert_eq!(work.region.as_deref(), Some("us-west-2"));
        let error = profiles.profile("other").unwrap().key().err().unwrap();
        assert!(error.to_string().contains("sso_start_url"), "{error}");
        assert_eq!(
            profiles.profile("missing").err().unwrap().code(),
            "credentials_missing"
        );
    }

    #[test]
    fn no_files_are_no_profile() {
        let (folder, profiles) = profiles("", "[profile half]\naws_access_key_id = A\n");
        assert!(profiles.profile("default").unwrap().is_empty());
        let error = profiles.profile("half").unwrap().key().err().unwrap();
        assert!(error.to_string().contains("aws_secret_access_key"), "{error}");
        drop(folder);
        assert!(profiles.profile("default").unwrap().is_empty());
    }
}
