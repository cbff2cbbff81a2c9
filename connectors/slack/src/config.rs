//! What a source of a Slack export is configured with.

use std::path::PathBuf;

use lectern_domain::Principal;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The longest pause and the largest document that can be asked for, so that a slip is told.
const MOST_PAUSE_MINUTES: u32 = 7 * 24 * 60;

/// An export of a Slack workspace, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackConfig {
    /// The zip file as Slack gives it, or the folder that it was unpacked to. A newer export takes its place.
    pub export: PathBuf,
    /// The address of the workspace, such as `https://acme.slack.com`: documents then have the addresses of their
    /// messages there. Without it they have addresses that Slack's own program opens (`slack://`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_url: Option<String>,
    /// Who reads what stands in public channels. Guests of the workspace don't, so it isn't `everyone` by itself.
    #[serde(default = "default_workspace_access")]
    pub workspace_access: Vec<Principal>,
    /// How the members of a private channel or message are named.
    #[serde(default)]
    pub members_as: MembersAs,
    /// Channels and conversations that are left out, by name or id. A folder of the export that no list names is
    /// left out by its name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// A pause of more than this many minutes between two messages ends an exchange.
    #[serde(default = "default_pause_minutes")]
    pub pause_minutes: u32,
    /// An exchange of more messages than this is cut.
    #[serde(default = "default_max_exchange_messages")]
    pub max_exchange_messages: u32,
    /// An exchange of more bytes than this is cut between two messages.
    #[serde(default = "default_max_exchange_bytes")]
    pub max_exchange_bytes: u32,
    /// A larger file that was shared is skipped, where the export has it.
    #[serde(default = "default_max_file_bytes")]
    pub max_file_bytes: u64,
    /// A larger file of messages, or list, of the export isn't read.
    #[serde(default = "default_max_entry_bytes")]
    pub max_entry_bytes: u64,
    /// A listing ends with an error where it has read more than this, unpacked.
    #[serde(default = "default_max_total_bytes")]
    pub max_total_bytes: u64,
    /// An archive with more entries isn't opened.
    #[serde(default = "default_max_entries")]
    pub max_entries: u64,
}

/// The name of a member in a list of who may read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MembersAs {
    /// `user:ada@example.com`, in lower case; `user:U012AB3CD` for one whose address the export doesn't have.
    #[default]
    Email,
    /// `user:ada`, as the member is called in the workspace.
    Name,
    /// `user:U012AB3CD`.
    Id,
}

impl SlackConfig {
    /// That export, with defaults for the rest.
    pub fn new(export: PathBuf) -> Self {
        Self {
            export,
            workspace_url: None,
            workspace_access: default_workspace_access(),
            members_as: MembersAs::default(),
            exclude: Vec::new(),
            pause_minutes: default_pause_minutes(),
            max_exchange_messages: default_max_exchange_messages(),
            max_exchange_bytes: default_max_exchange_bytes(),
            max_file_bytes: default_max_file_bytes(),
            max_entry_bytes: default_max_entry_bytes(),
            max_total_bytes: default_max_total_bytes(),
            max_entries: default_max_entries(),
        }
    }

    /// Fails with [`Error::Setting`] where a value makes no sense.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let setting = |name, problem: &str| {
            Err(Error::Setting {
                name,
                problem: problem.to_owned(),
            })
        };
        if self.pause_minutes == 0 || self.pause_minutes > MOST_PAUSE_MINUTES {
            return setting("pause_minutes", "it must be 1 to 10080");
        }
        if self.max_exchange_messages == 0 {
            return setting("max_exchange_messages", "it must be 1 at least");
        }
        if self.max_exchange_bytes == 0 {
            return setting("max_exchange_bytes", "it must be 1 at least");
        }
        match self.workspace_url.as_deref().map(is_workspace_url) {
            Some(false) => setting(
                "workspace_url",
                "it must be an address such as https://acme.slack.com, without a path",
            ),
            _ => Ok(()),
        }
    }

    /// The address of the workspace without a slash at its end.
    pub(crate) fn workspace(&self) -> Option<&str> {
        self.workspace_url.as_deref().map(|url| url.trim_end_matches('/'))
    }
}

fn is_workspace_url(url: &str) -> bool {
    let Some(host) = url.strip_prefix("https://") else {
        return false;
    };
    let host = host.strip_suffix('/').unwrap_or(host);
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-.".contains(character);
    !host.is_empty() && host.chars().all(is_plain)
}

fn default_workspace_access() -> Vec<Principal> {
    vec![Principal::Group("slack".to_owned())]
}

fn default_pause_minutes() -> u32 {
    30
}

fn default_max_exchange_messages() -> u32 {
    60
}

fn default_max_exchange_bytes() -> u32 {
    12_000
}

fn default_max_file_bytes() -> u64 {
    50 << 20
}

fn default_max_entry_bytes() -> u64 {
    128 << 20
}

fn default_max_total_bytes() -> u64 {
    256 << 30
}

fn default_max_entries() -> u64 {
    2_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_workspace_is_a_host_and_no_more() {
        for (url, is_one) in [
            ("https://acme.slack.com", true),
            ("https://acme.enterprise.slack.com/", true),
            ("http://acme.slack.com", false),
            ("https://acme.slack.com/archives", false),
            ("https://acme.slack.com?t=xoxe-1", false),
            ("https://a@b", false),
            ("https://", false),
        ] {
            assert_eq!(is_workspace_url(url), is_one, "{url}");
        }
    }

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let config = SlackConfig::new("/export.zip".into());
        assert!(config.check().is_ok());
        let wrong = SlackConfig {
            pause_minutes: 0,
            ..config
        };
        let error = wrong.check().unwrap_err();
        assert_eq!(error.code(), "source_config_invalid");
        assert!(error.to_string().contains("pause_minutes"));
    }
}
