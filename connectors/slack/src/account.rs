//! The account of a listing: what became of each message of the export.
//!
//! Messages = indexed + left out, by reason. The attribute `message_count` of the documents adds up to the messages
//! that are indexed; what is left out is told as one `Skipped` event for each conversation and reason, with its count.

use std::collections::BTreeMap;

/// Why a message is in no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    JoinOrLeave,
    SystemMessage,
    Empty,
    Deleted,
    Superseded,
    AccessDenied,
    BrokenRecord,
    DayUnreadable,
    Unlisted,
}

impl Reason {
    /// Stable.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::JoinOrLeave => "join_or_leave",
            Self::SystemMessage => "system_message",
            Self::Empty => "empty_message",
            Self::Deleted => "deleted_message",
            Self::Superseded => "superseded_message",
            Self::AccessDenied => "access_denied_message",
            Self::BrokenRecord => "broken_record",
            Self::DayUnreadable => "day_unreadable",
            Self::Unlisted => "conversation_unlisted",
        }
    }

    /// To be read after "12 messages".
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::JoinOrLeave => "say that somebody joined or left",
            Self::SystemMessage => "were written by Slack about the conversation",
            Self::Empty => "have no text, and nothing is attached to them",
            Self::Deleted => "were deleted, or say that another one was",
            Self::Superseded => "are an older state of one that was edited, or the same once more",
            Self::AccessDenied => "were withheld from the export by the workspace's own keys",
            Self::BrokenRecord => "are no messages: they have no time, or aren't what a message is",
            Self::DayUnreadable => {
                "belong to documents that stay as they were, since a day beside them can't be read"
            }
            Self::Unlisted => "lie in a folder that no list of the export names",
        }
    }
}

/// What a whole listing has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Conversations that the lists name, but for those that the configuration leaves out.
    pub conversations: u64,
    /// Messages in the files that could be read.
    pub messages: u64,
    /// Those of them that stand in a document.
    pub indexed: u64,
    /// Those that don't, by the code of the reason.
    pub left_out: BTreeMap<&'static str, u64>,
    /// Documents of messages.
    pub documents: u64,
    /// Those of them that are threads.
    pub threads: u64,
    /// Threads that have fewer replies than Slack counts. They are indexed as they are.
    pub threads_short: u64,
    /// Files that were shared and that the export has.
    pub files: u64,
    /// Files of messages that can't be read. Nobody knows how many messages they have.
    pub days_unreadable: u64,
}

impl Account {
    pub(crate) fn leave_out(&mut self, reason: Reason, count: u64) {
        if count > 0 {
            *self.left_out.entry(reason.code()).or_default() += count;
        }
    }

    /// Whether every message is accounted for.
    pub fn adds_up(&self) -> bool {
        self.messages == self.indexed + self.left_out.values().sum::<u64>()
    }
}
