//! What is kept of a search.

use chrono::{DateTime, Utc};
use lectern_domain::KnowledgeBaseId;
use lectern_retrieval::SearchMode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The longest text that is kept, in characters: people ask in less, and programs send whole pages.
const LONGEST_TEXT: usize = 1_000;

/// What was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueryKind {
    /// Passages.
    Search,
    /// An answer, made from passages.
    Answer,
}

impl QueryKind {
    /// The name that is written and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Answer => "answer",
        }
    }
}

/// A search that was done.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchNote {
    /// What feedback on it names. Must not be guessable, and never be used again.
    pub query_id: Uuid,
    /// What was searched.
    pub knowledge_base: KnowledgeBaseId,
    /// What was asked, as it was typed.
    pub text: String,
    /// Who asked, where that is known.
    pub user: Option<String>,
    /// What was wanted.
    pub kind: QueryKind,
    /// Which index was asked.
    pub mode: SearchMode,
    /// How many passages were found.
    pub results: usize,
    /// Whether any of them is about what was asked.
    pub relevant: bool,
    /// How long it took until they were found, in milliseconds.
    pub took_ms: f64,
}

impl SearchNote {
    /// The same with what is kept of it: the beginning of a long text, and no name where that is left out.
    pub(super) fn into_kept(mut self, anonymous: bool) -> Self {
        if let Some((end, _)) = self.text.char_indices().nth(LONGEST_TEXT) {
            self.text.truncate(end);
        }
        if anonymous {
            self.user = None;
        }
        self
    }
}

/// A note and its time.
#[derive(Clone, Debug)]
pub(super) struct TimedNote {
    pub(super) note: SearchNote,
    pub(super) at: DateTime<Utc>,
}

/// What is the same for one question, however it was typed: small letters, single spaces, no marks at its end.
pub(super) fn normalised(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let joined = words.join(" ");
    let bare = joined.trim_end_matches(['?', '!', '.', ' ']);
    // What is nothing but marks stays what it is.
    if bare.is_empty() { joined } else { bare.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_the_same_however_it_is_typed() {
        let expected = "how long is parental leave";
        for typed in [
            "How long is parental leave?",
            " how  long\tis PARENTAL leave ?!",
            "how long is parental leave...",
        ] {
            assert_eq!(normalised(typed), expected, "{typed:?}");
        }
        assert_eq!(normalised("ÜBER Größe."), "über größe");
        assert_eq!(normalised("???"), "???");
        assert_ne!(normalised("C++"), normalised("C"));
    }
}
