//! What is read of every hit from columns: ids, and the place in the document. And all chunks, for `lectern fsck`.

use lectern_domain::ports::IndexedChunk;
use lectern_domain::{AccessDigest, AttributesDigest, ChunkId, DocumentId, MetadataDigest};
use tantivy::columnar::Column;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, SegmentReader, TERMINATED};

use super::engine::Engine;
use super::schema::{
    CHUNK_HIGH, CHUNK_LOW, DIGEST, DOCUMENT_HIGH, DOCUMENT_LOW, FIELDS, ORDINAL, chunk_from_halves,
    document_from_halves,
};
use crate::error::Error;

/// The columns of a segment that every chunk is in.
pub(super) struct Columns {
    chunk_high: Column<u64>,
    chunk_low: Column<u64>,
    document_high: Column<u64>,
    document_low: Column<u64>,
    ordinal: Column<u64>,
}

impl Columns {
    pub(super) fn of(segment: &SegmentReader) -> tantivy::Result<Self> {
        let column = |name| segment.fast_fields().u64(name);
        Ok(Self {
            chunk_high: column(CHUNK_HIGH)?,
            chunk_low: column(CHUNK_LOW)?,
            document_high: column(DOCUMENT_HIGH)?,
            document_low: column(DOCUMENT_LOW)?,
            ordinal: column(ORDINAL)?,
        })
    }

    pub(super) fn chunk(&self, number: u32) -> Option<ChunkId> {
        Some(chunk_from_halves(
            self.chunk_high.first(number)?,
            self.chunk_low.first(number)?,
        ))
    }

    pub(super) fn document(&self, number: u32) -> Option<DocumentId> {
        Some(document_from_halves(
            self.document_high.first(number)?,
            self.document_low.first(number)?,
        ))
    }

    pub(super) fn ordinal(&self, number: u32) -> Option<u64> {
        self.ordinal.first(number)
    }
}

impl Engine {
    pub(super) fn chunks(&self) -> Result<Vec<IndexedChunk>, Error> {
        let searcher = self.searcher();
        let mut chunks = Vec::with_capacity(usize::try_from(searcher.num_docs()).unwrap_or_default());
        for segment in searcher.segment_readers() {
            add_chunks(segment, &mut chunks).map_err(|error| self.failed("list the chunks", error))?;
        }
        Ok(chunks)
    }
}

fn add_chunks(segment: &SegmentReader, chunks: &mut Vec<IndexedChunk>) -> tantivy::Result<()> {
    let (columns, access) = (Columns::of(segment)?, access_of(segment)?);
    let digests = segment.fast_fields().u64(DIGEST)?;
    let chunk_of = |number: u32| {
        Some(IndexedChunk {
            chunk: columns.chunk(number)?,
            metadata: MetadataDigest {
                access: *access.get(number as usize)?,
                attributes: AttributesDigest(digests.first(number)?),
            },
        })
    };
    chunks.extend(segment.doc_ids_alive().filter_map(chunk_of));
    Ok(())
}

/// Who may read each chunk of a segment: the lists of names aren't stored, so they are put together from
/// what is looked up in a search.
fn access_of(segment: &SegmentReader) -> tantivy::Result<Vec<AccessDigest>> {
    let mut access = vec![AccessDigest::NOBODY; segment.max_doc() as usize];
    for field in [FIELDS.readers, FIELDS.denied] {
        let index = segment.inverted_index(field)?;
        let mut names = index.terms().stream()?;
        while names.advance() {
            let name = String::from_utf8_lossy(names.key());
            let entry = match field == FIELDS.readers {
                true => AccessDigest::of_reader(&name),
                false => AccessDigest::of_denied(&name),
            };
            let mut chunks = index.read_postings_from_terminfo(names.value(), IndexRecordOption::Basic)?;
            while chunks.doc() != TERMINATED {
                if let Some(access) = access.get_mut(chunks.doc() as usize) {
                    *access = *access ^ entry;
                }
                chunks.advance();
            }
        }
    }
    Ok(access)
}
