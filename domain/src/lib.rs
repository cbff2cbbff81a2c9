//! The words that every stage of Lectern shares, and the ports between the stages.
//!
//! A document travels `connectors -> ingest -> retrieval`, a question travels
//! `server -> retrieval -> generation -> server`. What passes from one stage to the next is a value
//! of this crate; what one stage asks of another is a trait in [`ports`]. Nothing here does I/O and
//! nothing here names a vendor, so a stage can be read, tested and replaced alone.
//!
//! The modules stand in the order in which a document meets them.

pub mod ids;
pub mod attribute;
pub mod acl;
pub mod access_digest;
pub mod scope;
pub mod metadata;
pub mod filter;
pub mod word_query;
pub mod tuning;
pub mod search_settings;
pub mod document;
pub mod searchable;
pub mod extracted;
pub mod chunk;
pub mod passage;
pub mod answer;
pub mod error;
pub mod ports;

pub use access_digest::AccessDigest;
pub use acl::{Acl, DefaultAccess, Principal};
pub use answer::{AnswerEvent, AnswerOutcome, Citation, TokenUsage};
pub use attribute::{AttributeValue, Attributes};
pub use chunk::{Chunk, SpannedText, TextSpan};
pub use document::{Document, DocumentStatus, JobCounts, JobState};
pub use error::{ErrorKind, PortError};
pub use extracted::{Attachment, Block, BlockKind, Extracted, MAX_ATTACHMENTS};
pub use filter::{Filter, FilterError};
pub use ids::{ChunkId, ContentHash, DocumentId, JobId, KnowledgeBaseId, SourceId, Version};
pub use metadata::{AttributesDigest, DocumentMetadata, MetadataDigest, Particulars};
pub use passage::{Confidence, LedgerChunk, Passage, Score};
pub use scope::ReadScope;
pub use search_settings::{Featured, FrequentQuestion, SearchSettings, SettingsError};
pub use searchable::{EmbeddedShare, Searchable};
pub use tuning::{FieldWeights, Tuning, TuningError};
pub use word_query::{Occurrence, WordClause, WordField, WordQuery};
