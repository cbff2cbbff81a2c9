//! The account of a listing: what became of each message of the mailboxes.
//!
//! Messages = in threads + left out, by reason. The attribute `message_count` of the documents adds up to the messages in
//! threads; what is left out is told as a `Skipped` event with its count for each reason, or, where it may be a mistake, as an event
//! for each message.

use std::collections::BTreeMap;

/// Why a message is in no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    Duplicate,
    Deleted,
    Draft,
    Excluded,
    Incomplete,
    TooLarge,
    Broken,
    Unreadable,
}

impl Reason {
    /// Stable.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Deleted => "deleted_message",
            Self::Draft => "draft",
            Self::Excluded => "excluded_label",
            Self::Incomplete => "incomplete_message",
            Self::TooLarge => "too_large",
            Self::Broken => "message_broken",
            Self::Unreadable => "message_unreadable",
        }
    }

    /// To be read after "12 of the 80 messages"; nothing where each message has an event of its own.
    pub(crate) fn sentence(self) -> Option<&'static str> {
        match self {
            Self::Duplicate => Some("are the same as another one, mostly in another folder"),
            Self::Deleted => Some("are marked as deleted"),
            Self::Draft => Some("are drafts"),
            Self::Excluded => Some("have a label that the configuration leaves out"),
            Self::Incomplete => Some("are being written just now"),
            Self::TooLarge | Self::Broken | Self::Unreadable => None,
        }
    }
}

/// What a whole listing has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Files that have messages.
    pub mailboxes: u64,
    /// Messages in them.
    pub messages: u64,
    /// Those of them that stand in a document.
    pub in_threads: u64,
    /// Those that don't, by the code of the reason.
    pub left_out: BTreeMap<&'static str, u64>,
    /// Threads, a message without an answer among them.
    pub threads: u64,
    /// Documents of messages.
    pub documents: u64,
    /// Attachments that are documents.
    pub attachments: u64,
    /// Attachments that are signatures, which are left out.
    pub signatures: u64,
}

impl Account {
    pub(crate) fn leave_out(&mut self, reason: Reason, count: u64) {
        if count > 0 {
            *self.left_out.entry(reason.code()).or_default() += count;
        }
    }

    /// Whether every message is accounted for.
    pub fn adds_up(&self) -> bool {
        self.messages == self.in_threads + self.left_out.values().sum::<u64>()
    }
}
