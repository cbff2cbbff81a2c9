//! What one stage asks of another. Only the server puts implementations into these.
//!
//! All of them can be shared between threads. A method that waits for a machine (a disk, a network,
//! a model) is `async`; dropping its future is a cancellation and must leave nothing half done
//! that a second call doesn't mend.

mod connector;
mod extractor;
mod embedder;
mod chunk_index;
mod word_index;
mod chunk_lookup;
mod embedding_demand;
mod generator;

pub use chunk_index::{ChunkIndex, IndexEntry, IndexQuery, IndexedChunk, ScoredChunk};
pub use chunk_lookup::ChunkLookup;
pub use connector::{CURSOR_EXPIRED, Connector, Cursor, Fetched, ListEvent, SIDECAR_INVALID, SourceItem};
pub use embedder::{
    CosineScale, Embedder, Embedders, OneEmbedder, OneTokenCounter, Reranker, TokenCounter, TokenCounters,
};
pub use embedding_demand::EmbeddingDemand;
pub use extractor::{Extractor, RawFile};
pub use generator::{FinishReason, Generator, GeneratorEvent, Message, Prompt, Role};
pub use word_index::{
    Correction, DocumentSet, Facet, FacetRequest, FacetValue, SortKey, TitleFound, WordIndex,
};
