//! The indexes of a made-up knowledge base, which may be kept: to make them takes much longer than to ask them.
//!
//! ```text
//! Generated -> vectors.upsert, words.upsert -> commit -> optimise -> built.json
//! ```
//!
//! The chunks are written to the two indexes as ingestion writes them. What is said in `built.json`, which is written at the
//! end, is there whole.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use lectern_domain::KnowledgeBaseId;
use lectern_domain::ports::{ChunkIndex, IndexEntry};
use lectern_retrieval::{EdgeVectors, TantivyWords};
use serde::{Deserialize, Serialize};

use super::Watcher;
use super::generated::{CHUNKS_PER_DOCUMENT, Generated};
use super::memory::Resident;

/// Documents that are written at a time.
const DOCUMENTS_PER_WRITE: u64 = 100;
/// Chunks between two commits.
const CHUNKS_PER_COMMIT: u64 = 20_000;
/// Tells in a folder what is there.
const FILE: &str = "built.json";

/// What is there.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Built {
    /// The knowledge base.
    pub base: KnowledgeBaseId,
    /// Its chunks.
    chunks: u64,
    /// Numbers of a vector.
    dimensions: usize,
    /// How it was made.
    pub figures: BuiltFigures,
}

/// How long it took, and what it needs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct BuiltFigures {
    /// Making up and writing the chunks.
    pub write_s: f64,
    /// Building the graph, and quantising.
    pub optimise_vectors_s: f64,
    /// Merging the index of words.
    pub optimise_words_s: f64,
    /// Bytes of both indexes on disk.
    pub disk_bytes: u64,
    /// When both were built.
    pub resident_built: Resident,
}

/// Both indexes, open.
pub struct Indexes {
    /// That of vectors.
    pub vectors: Arc<dyn ChunkIndex>,
    /// That of words.
    pub words: Arc<dyn ChunkIndex>,
}

impl Indexes {
    /// Those in `folder`.
    pub fn open(folder: &Path, dimensions: usize) -> Result<Self> {
        Ok(Self {
            vectors: Arc::new(EdgeVectors::open(folder.join("vectors"), dimensions)?),
            words: Arc::new(TantivyWords::open(folder.join("words"))?),
        })
    }
}

impl Built {
    /// What is in `folder`, or is made there where nothing is.
    ///
    /// # Errors
    /// Where something else is there, and those of the indexes.
    pub async fn there_or_new(
        chunks: u64,
        folder: &Path,
        dimensions: usize,
        watcher: Watcher<'_>,
    ) -> Result<Self> {
        let file = folder.join(FILE);
        if file.is_file() {
            let text = fs::read(&file).with_context(|| format!("can't read {}", file.display()))?;
            let there: Self = serde_json::from_slice(&text)
                .with_context(|| format!("can't understand {}", file.display()))?;
            ensure!(
                (there.chunks, there.dimensions) == (chunks, dimensions),
                "{} has a made-up knowledge base of {} chunks with vectors of {} numbers, and {chunks} of {dimensions} \
                 are asked for: name another folder",
                folder.display(),
                there.chunks,
                there.dimensions
            );
            return Ok(there);
        }
        for part in ["vectors", "words"] {
            let part = folder.join(part);
            ensure!(
                !part.exists(),
                "{} is there and wasn't finished: remove it",
                part.display()
            );
        }
        let built = Self::new(chunks, folder, dimensions, watcher).await?;
        let text = serde_json::to_vec_pretty(&built)?;
        fs::write(&file, text).with_context(|| format!("can't write {}", file.display()))?;
        Ok(built)
    }

    async fn new(chunks: u64, folder: &Path, dimensions: usize, watcher: Watcher<'_>) -> Result<Self> {
        let base = KnowledgeBaseId::generate();
        let generated = Generated::new(base, chunks, dimensions);
        let indexes = Indexes::open(folder, dimensions)?;
        let writing = Instant::now();
        write(&generated, base, &indexes, watcher).await?;
        let write_s = writing.elapsed().as_secs_f64();
        watcher("building the graph", 0, 0);
        let optimise_vectors_s = optimise(indexes.vectors.as_ref(), base).await?;
        watcher("merging the index of words", 0, 0);
        let optimise_words_s = optimise(indexes.words.as_ref(), base).await?;
        let figures = BuiltFigures {
            write_s,
            optimise_vectors_s,
            optimise_words_s,
            disk_bytes: bytes_under(folder),
            resident_built: Resident::now(),
        };
        Ok(Self {
            base,
            chunks,
            dimensions,
            figures,
        })
    }
}

/// Both indexes are written at the same time, while the next chunks are made up.
async fn write(
    generated: &Generated,
    base: KnowledgeBaseId,
    indexes: &Indexes,
    watcher: Watcher<'_>,
) -> Result<()> {
    let documents = generated.chunks().div_ceil(CHUNKS_PER_DOCUMENT);
    let make = |from: u64| {
        let generated = generated.clone();
        let to = (from + DOCUMENTS_PER_WRITE).min(documents);
        tokio::task::spawn_blocking(move || -> Vec<IndexEntry> {
            (from..to)
                .flat_map(|document| generated.entries(document))
                .collect()
        })
    };
    let (mut next, mut from, mut written) = (make(0), 0, 0_u64);
    while from < documents {
        let entries = next.await.context("making chunks up ended in a panic")?;
        from += DOCUMENTS_PER_WRITE;
        next = make(from.min(documents));
        futures::try_join!(
            indexes.vectors.upsert(base, &entries),
            indexes.words.upsert(base, &entries)
        )?;
        let before = written;
        written += entries.len() as u64;
        if before / CHUNKS_PER_COMMIT != written / CHUNKS_PER_COMMIT || from >= documents {
            futures::try_join!(indexes.vectors.commit(base), indexes.words.commit(base))?;
        }
        watcher("writing chunks", written, generated.chunks());
    }
    Ok(())
}

async fn optimise(index: &dyn ChunkIndex, base: KnowledgeBaseId) -> Result<f64> {
    let started = Instant::now();
    index.optimize(base).await?;
    index.commit(base).await?;
    Ok(started.elapsed().as_secs_f64())
}

fn bytes_under(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_under(&entry.path()),
            // A file may have holes.
            Ok(metadata) => metadata.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}
