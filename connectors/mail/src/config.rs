//! What a source of mailboxes is configured with.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The largest message that can be asked for: lengths are kept in 32 bits.
const MOST_MESSAGE_BYTES: u64 = 1 << 31;

/// Mailboxes, and what becomes of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// mbox files, Maildir folders, files with one message, and folders of all these.
    pub roots: Vec<PathBuf>,
    /// Who may read the documents.
    #[serde(default)]
    pub readers: Readers,
    /// Folders and Gmail labels that are left out, by name, in upper or lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// A thread of more messages than this is several documents.
    #[serde(default = "default_max_document_messages")]
    pub max_document_messages: u32,
    /// A thread of more bytes of text than this, about, is cut between two messages.
    #[serde(default = "default_max_document_bytes")]
    pub max_document_bytes: u32,
    /// A reply without In-Reply-To and References joins the last message of its subject that is at most so many days older; 0
    /// leaves it alone.
    #[serde(default = "default_subject_days")]
    pub subject_days: u32,
    /// A larger message is skipped.
    #[serde(default = "default_max_message_bytes")]
    pub max_message_bytes: u64,
    /// A larger attachment is skipped.
    #[serde(default = "default_max_attachment_bytes")]
    pub max_attachment_bytes: u64,
    /// A listing ends with an error where there are more messages and attachments than this.
    #[serde(default = "default_max_messages")]
    pub max_messages: u64,
}

/// Who may read what a mailbox has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readers {
    /// Whom the source names.
    #[default]
    Source,
    /// Those whom From, To and Cc name, as `user:ada@example.com`, in lower case.
    Participants,
}

impl MailConfig {
    /// Those roots, with defaults for the rest.
    pub fn new(roots: Vec<PathBuf>) -> Self {
        Self {
            roots,
            readers: Readers::default(),
            exclude: Vec::new(),
            max_document_messages: default_max_document_messages(),
            max_document_bytes: default_max_document_bytes(),
            subject_days: default_subject_days(),
            max_message_bytes: default_max_message_bytes(),
            max_attachment_bytes: default_max_attachment_bytes(),
            max_messages: default_max_messages(),
        }
    }

    /// Fails with [`Error::Setting`] where a value makes no sense.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let setting = |name, problem| Err(Error::Setting { name, problem });
        if self.roots.is_empty() {
            return setting("roots", "it must name a path at least");
        }
        if self.max_document_messages == 0 {
            return setting("max_document_messages", "it must be 1 at least");
        }
        if self.max_document_bytes == 0 {
            return setting("max_document_bytes", "it must be 1 at least");
        }
        if self.max_message_bytes == 0 || self.max_message_bytes > MOST_MESSAGE_BYTES {
            return setting("max_message_bytes", "it must be 1 to 2147483648");
        }
        if self.max_messages > u64::from(u32::MAX) {
            return setting("max_messages", "it must be 4294967295 at most");
        }
        Ok(())
    }

    /// Whether a folder or label of that name is left out: as a whole, or as what its last part is called.
    pub(crate) fn excludes(&self, label: &str) -> bool {
        if self.exclude.is_empty() {
            return false;
        }
        let whole = label.to_lowercase();
        let last = whole.rsplit('/').next().unwrap_or_default();
        self.exclude.iter().any(|name| {
            let name = name.to_lowercase();
            name == whole || name == last
        })
    }
}

fn default_max_document_messages() -> u32 {
    50
}

fn default_max_document_bytes() -> u32 {
    60_000
}

fn default_subject_days() -> u32 {
    14
}

fn default_max_message_bytes() -> u64 {
    64 << 20
}

fn default_max_attachment_bytes() -> u64 {
    50 << 20
}

fn default_max_messages() -> u64 {
    5_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let config = MailConfig::new(vec!["/var/mail".into()]);
        assert!(config.check().is_ok());
        let wrong = [
            MailConfig::new(Vec::new()),
            MailConfig {
                max_document_messages: 0,
                ..config.clone()
            },
            MailConfig {
                max_message_bytes: 1 << 40,
                ..config
            },
        ];
        for config in wrong {
            assert_eq!(
                config.check().unwrap_err().code(),
                "source_config_invalid",
                "{config:?}"
            );
        }
    }

    #[test]
    fn a_folder_is_left_out_by_its_whole_name_or_its_last_part() {
        let config = MailConfig {
            exclude: vec!["spam".to_owned(), "Archive/2019".to_owned()],
            ..MailConfig::new(vec!["/var/mail".into()])
        };
        for (label, is_excluded) in [
            ("Spam", true),
            ("Work/SPAM", true),
            ("archive/2019", true),
            ("2019", false),
            ("Spam/Kept", false),
            ("INBOX", false),
        ] {
            assert_eq!(config.excludes(label), is_excluded, "{label}");
        }
    }
}
