//! Secrets that were written into a configuration, in the place of where they are.
//!
//! A configuration is stored, shown and answered over HTTP as it is. So one that has a secret in it is refused before
//! anything is written down, and what is said of it names the place and never the value: an address with a password, a
//! signature or a token in its query, and what looks like the token of a service or a private key.

use lectern_connector_web::opens_something;
use serde_json::Value;

use crate::config::SourceConfig;
use crate::error::Error;

/// How tokens begin that tell what they are, and no word does.
const HEADS: [&str; 9] = [
    "xoxa-",
    "xoxb-",
    "xoxe-",
    "xoxe.",
    "xoxp-",
    "ghp_",
    "github_pat_",
    "glpat-",
    "-----BEGIN ",
];

/// Fails with [`Error::SecretInConfig`] where a text of the configuration has a secret in it.
pub(crate) fn refuse(config: &SourceConfig) -> Result<(), Error> {
    look(&config.to_json()?, "")
}

fn look(value: &Value, place: &str) -> Result<(), Error> {
    match value {
        Value::String(text) => match problem(text) {
            None => Ok(()),
            Some(problem) => Err(Error::SecretInConfig {
                place: place.to_owned(),
                problem,
            }),
        },
        Value::Array(values) => values.iter().try_for_each(|value| look(value, place)),
        Value::Object(values) => values.iter().try_for_each(|(name, value)| match place {
            "" => look(value, name),
            place => look(value, &format!("{place}.{name}")),
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// What secret a text has in it.
fn problem(text: &str) -> Option<&'static str> {
    if HEADS.iter().any(|head| text.contains(head)) {
        return Some("a token or a key");
    }
    if text
        .split_once("://")
        .is_some_and(|(scheme, rest)| has_password(scheme, rest))
    {
        return Some("an address with a user or a password");
    }
    let (_, query) = text.split_once('?')?;
    opens_something(query).then_some("an address with a signature or a token")
}

/// Whether who asks stands before the host. On the web that is a secret even without a password: services take tokens there;
/// elsewhere it is an ordinary name, as in `ssh://git@host`.
fn has_password(scheme: &str, rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((user, _)) = authority.rsplit_once('@') else {
        return false;
    };
    user.contains(':') || matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_opens_something_for_whoever_has_it_is_a_secret() {
        for secret in [
            "https://ada:hunter2@git.example/handbook",
            "https://hunter2@git.example/handbook",
            "ssh://git:hunter2@git.example/handbook",
            "s3://docs/a?X-Amz-Credential=A&X-Amz-Signature=hunter2",
            "docs/a?sig=hunter2",
            "https://files.example/a?t=1&Token=hunter2#top",
            "https://files.slack.com/a?t=xoxe-1-hunter2",
            "-----BEGIN PRIVATE KEY-----hunter2",
        ] {
            assert!(problem(secret).is_some(), "{secret}");
        }
        for plain in [
            "",
            "/srv/handbook",
            "ssh://git@git.example/handbook",
            "https://a.example/search?q=token&page=2",
            "https://a.example/@ada",
            "https://a.example/?token=",
            "s3://docs/what?.md",
            "**/*.{md,pdf}",
            "user:ada@example.com",
        ] {
            assert_eq!(problem(plain), None, "{plain}");
        }
    }

    #[test]
    fn the_place_is_told_and_not_the_secret() {
        let config = json!({"kind": "slack", "export": "/x", "exclude": ["random", "xoxe-1-hunter2"]});
        let error = SourceConfig::from_json(config).unwrap_err();
        assert_eq!(
            (error.code(), error.kind()),
            ("secret_in_config", lectern_domain::ErrorKind::Invalid)
        );
        let told = error.to_string();
        assert!(
            told.contains("\"exclude\"") && !told.contains("hunter2"),
            "{told}"
        );
        let config = json!({"kind": "s3", "buckets": ["a"], "acl_file": "s3://a/b?sig=hunter2"});
        let told = SourceConfig::from_json(config).unwrap_err().to_string();
        assert!(
            told.contains("\"acl_file\"") && !told.contains("hunter2"),
            "{told}"
        );
    }
}
