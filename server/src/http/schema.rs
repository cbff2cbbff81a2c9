//! How the domain's values look in the API's description.
//!
//! The domain knows no OpenAPI, and its values are sent as they serialise themselves. The types here
//! say the same once more for the description; a test sends each value of the domain through its
//! description and back, so that the two can't drift apart.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A stretch of a document's text, in bytes of UTF-8, end exclusive.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TextSpan)]
pub struct SpanSchema {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A stretch of a document's text and what stands there.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SpannedText)]
pub struct SpannedTextSchema {
    /// Where it lies in the document's text.
    #[schema(inline)]
    pub span: SpanSchema,
    /// What stands there.
    pub text: String,
}

/// How sure a search is of a passage.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = Confidence)]
pub enum ConfidenceSchema {
    /// Probably about something else.
    Low,
    /// Perhaps.
    Medium,
    /// Probably.
    High,
    /// Nearly certainly.
    VeryHigh,
}

/// A piece of a document that was found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Passage)]
pub struct PassageSchema {
    /// The chunk.
    pub chunk: Uuid,
    /// The document it is a piece of.
    pub document: Uuid,
    /// The version of that document.
    pub version: u64,
    /// The document's title.
    pub title: String,
    /// Where a person finds the original.
    pub uri: String,
    /// The headings above it, highest first.
    pub heading_path: Vec<String>,
    /// The page it begins on, from 1, where the format has pages.
    pub page: Option<u32>,
    /// Where it lies in the document's text.
    #[schema(inline)]
    pub span: SpanSchema,
    /// The piece itself.
    pub text: String,
    /// The header row of the table that it begins in the middle of. Absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub table_header: Option<SpannedTextSchema>,
    /// What a generator reads in its place: a larger piece of the document that contains it. Absent unless the
    /// source is chunked hierarchically.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub parent: Option<SpannedTextSchema>,
    /// How well it matches, from 0 to 1.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub score: f32,
    /// How sure the search is.
    #[schema(inline)]
    pub confidence: ConfidenceSchema,
}

/// A source that an answer may cite: a passage with its number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Citation)]
pub struct CitationSchema {
    /// The number in the answer's text, from 1.
    pub number: u32,
    /// The passage.
    #[serde(flatten)]
    pub passage: PassageSchema,
}

/// How many tokens a generator read and wrote, and how long it took.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenUsage)]
pub struct UsageSchema {
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
    /// From the request to the first token, in milliseconds.
    pub first_token_ms: f64,
    /// From the first token to the last, in milliseconds.
    pub output_ms: f64,
}

/// Why an answer ended.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AnswerOutcome)]
pub enum OutcomeSchema {
    /// The generator said what it had to say.
    Answered,
    /// Nothing relevant was found, so no generator was asked.
    NothingFound,
    /// The answer reached its limit of tokens.
    Truncated,
}

/// Who may read a document: whom `allow` names, unless `deny` names them too.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Acl)]
pub struct AclSchema {
    /// `everyone`, `user:NAME` or `group:NAME`.
    pub allow: Vec<String>,
    /// The same; a denial wins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
}

/// What became of a document.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DocumentStatus)]
pub enum DocumentStatusSchema {
    /// Accepted, and not yet in the indexes.
    Pending,
    /// A version of it can be found.
    Indexed,
    /// Left out for a reason that is no error.
    Skipped,
    /// Could not be read. An earlier version, if there is one, can still be found.
    Failed,
}

/// How a document can be found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Searchable)]
pub enum SearchableSchema {
    /// Not at all: no version of it is published.
    Nothing,
    /// By its words. Its vectors are still to come.
    Words,
    /// By its words and by its vectors.
    WordsAndMeaning,
}

/// A document as the ledger knows it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Document)]
pub struct DocumentSchema {
    /// Derived from the source and the key.
    pub id: Uuid,
    /// Where it can be found.
    pub knowledge_base: Uuid,
    /// Where it came from.
    pub source: Uuid,
    /// What the source calls it.
    pub key: String,
    /// Where a person finds the original.
    pub uri: String,
    /// Its title, or the file name where it has none.
    pub title: String,
    /// Its media type, as recognised from the content.
    pub media_type: String,
    /// Size of the original.
    pub size_bytes: u64,
    /// What became of it.
    #[schema(inline)]
    pub status: DocumentStatusSchema,
    /// How it can be found now: by nothing, by its words, or by its words and its meaning.
    #[schema(inline)]
    pub searchable: SearchableSchema,
    /// Why it was skipped or failed, or has no vectors: a stable code, then a sentence.
    pub reason: Option<String>,
    /// The version that can be found, if one can.
    pub current_version: Option<u64>,
    /// How many chunks that version has.
    pub chunk_count: u32,
    /// Who may read it.
    pub acl: AclSchema,
    /// What else is known about it: texts, numbers, dates (RFC 3339) or lists of texts.
    #[schema(value_type = Object)]
    pub attributes: BTreeMap<String, serde_json::Value>,
    /// When the source says that it changed.
    pub modified_at: Option<DateTime<Utc>>,
    /// When its current version became visible.
    pub indexed_at: Option<DateTime<Utc>>,
    /// How often it was read until it stood as it stands.
    pub attempts: u32,
    /// When it was last read.
    pub attempted_at: Option<DateTime<Utc>>,
}

/// What a job did, in documents. `scanned = new + modified + unchanged + metadata_only + skipped + failed`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = JobCounts)]
pub struct JobCountsSchema {
    /// Seen in the source.
    pub scanned: u64,
    /// Indexed for the first time.
    pub new: u64,
    /// Indexed again, because the content changed.
    pub modified: u64,
    /// Left as they were.
    pub unchanged: u64,
    /// Given other readers, attributes or another address; the content is the same.
    pub metadata_only: u64,
    /// Gone from the source, and so from the indexes.
    pub deleted: u64,
    /// Left out for a reason that is no error.
    pub skipped: u64,
    /// Could not be read.
    pub failed: u64,
}

/// How much of a knowledge base can be found by meaning yet, in documents that can be found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmbeddedShare)]
pub struct EmbeddedShareSchema {
    /// Documents that can be found by their words and their meaning.
    pub documents: u64,
    /// Documents that can be found at all.
    pub of: u64,
}

/// How many documents of a source stand how.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SourceTotals)]
pub struct SourceTotalsSchema {
    /// Documents in all.
    pub documents: u64,
    /// Accepted, and not yet read.
    pub pending: u64,
    /// Their newest content is in the indexes.
    pub indexed: u64,
    /// Left out for a reason that is no error.
    pub skipped: u64,
    /// Could not be read.
    pub failed: u64,
    /// Can be found by their words.
    pub searchable_by_words: u64,
    /// Can be found by their meaning too.
    pub searchable_by_meaning: u64,
    /// Chunks of the visible versions.
    pub chunks: u64,
}

/// Where a job stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JobState)]
pub enum JobStateSchema {
    /// Waiting for its turn.
    Queued,
    /// At work.
    Running,
    /// Ended, with every document accounted for.
    Complete,
    /// Ended before its time, with a reason.
    Failed,
    /// Ended by request.
    Stopped,
}

#[cfg(test)]
mod tests {
    use lectern_domain::{
        Acl, AnswerOutcome, AttributeValue, ChunkId, Citation, Confidence, Document, DocumentId,
        DocumentStatus, EmbeddedShare, JobCounts, JobState, KnowledgeBaseId, Passage, Score, Searchable,
        SourceId, SpannedText, TextSpan, TokenUsage, Version,
    };
    use lectern_ingest::SourceTotals;
    use serde::de::DeserializeOwned;

    use super::*;

    /// The JSON of `value` is what `Schema` reads, and all that it reads.
    fn agrees<Schema: Serialize + DeserializeOwned>(value: &impl Serialize) {
        let sent = serde_json::to_value(value).unwrap();
        let described: Schema = serde_json::from_value(sent.clone()).unwrap();
        assert_eq!(serde_json::to_value(described).unwrap(), sent);
    }

    fn passage() -> Passage {
        Passage {
            chunk: ChunkId(Uuid::from_u128(1)),
            document: DocumentId(Uuid::from_u128(2)),
            version: Version::FIRST,
            title: "Leave".to_owned(),
            uri: "file:///leave.md".to_owned(),
            heading_path: vec!["Parents".to_owned()],
            page: Some(3),
            span: TextSpan { start: 4, end: 9 },
            text: "weeks".to_owned(),
            table_header: Some(SpannedText {
                span: TextSpan { start: 0, end: 3 },
                text: "who".to_owned(),
            }),
            parent: Some(SpannedText {
                span: TextSpan { start: 0, end: 9 },
                text: "who weeks".to_owned(),
            }),
            score: Score::clamped(0.5),
            confidence: Confidence::VeryHigh,
        }
    }

    #[test]
    fn the_description_says_what_is_sent() {
        agrees::<PassageSchema>(&passage());
        agrees::<UsageSchema>(&TokenUsage::default());
        agrees::<JobCountsSchema>(&JobCounts::default());
        agrees::<EmbeddedShareSchema>(&EmbeddedShare::default());
        agrees::<SourceTotalsSchema>(&SourceTotals::default());
        agrees::<CitationSchema>(&Citation {
            number: 1,
            passage: passage(),
        });
        for outcome in [
            AnswerOutcome::Answered,
            AnswerOutcome::NothingFound,
            AnswerOutcome::Truncated,
        ] {
            agrees::<OutcomeSchema>(&outcome);
        }
        for state in [
            JobState::Queued,
            JobState::Running,
            JobState::Complete,
            JobState::Failed,
            JobState::Stopped,
        ] {
            agrees::<JobStateSchema>(&state);
        }
        let name = AttributeValue::Text("Ada".to_owned());
        agrees::<DocumentSchema>(&Document {
            id: DocumentId(Uuid::from_u128(1)),
            knowledge_base: KnowledgeBaseId(Uuid::from_u128(2)),
            source: SourceId(Uuid::from_u128(3)),
            key: "a.md".to_owned(),
            uri: "file:///a.md".to_owned(),
            title: "A".to_owned(),
            media_type: "text/markdown".to_owned(),
            size_bytes: 10,
            status: DocumentStatus::Indexed,
            searchable: Searchable::WordsAndMeaning,
            reason: None,
            current_version: Some(Version::FIRST),
            chunk_count: 1,
            acl: Acl::everyone(),
            attributes: [("author".to_owned(), name)].into(),
            modified_at: None,
            indexed_at: DateTime::from_timestamp(1_700_000_000, 0),
            attempts: 1,
            attempted_at: None,
        });
    }
}
