//! Documents rather than chunks: which of them are meant.
//!
//! A document is met by its chunks, which may lie in several segments. It is counted once, by the first chunk of it
//! that comes by.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use lectern_domain::{DocumentId, Filter, WordQuery};
use tantivy::query::{EnableScoring, Query};
use tantivy::{DocSet, SegmentReader, TERMINATED};

use super::best::Narrowed;
use super::clauses;
use super::columns::Columns;
use super::engine::Engine;
use super::members::Members;
use crate::acl_filter::ReaderNames;
use crate::error::Error;

/// Which documents are meant: those that the reader may read, that pass the filter, and, where there is a query, of
/// which a chunk has its words.
#[derive(Clone, Debug)]
pub(super) struct Meant {
    pub query: Option<WordQuery>,
    pub filter: Option<Filter>,
    pub readers: ReaderNames,
}

impl Meant {
    pub(super) fn narrowed(&self) -> Narrowed<'_> {
        Narrowed {
            readers: &self.readers,
            filter: self.filter.as_ref(),
        }
    }
}

/// Ids are evenly spread already; they need no hash.
#[derive(Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for eight in bytes.chunks(8) {
            let mut number = [0; 8];
            number.iter_mut().zip(eight).for_each(|(to, from)| *to = *from);
            self.0 = self.0.rotate_left(5) ^ u64::from_le_bytes(number);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

pub(super) type ById = BuildHasherDefault<IdHasher>;

impl Engine {
    /// Goes through the first chunks, as they come, of all documents that are meant.
    pub(super) fn for_each_document(
        &self,
        meant: &Meant,
        mut take: impl FnMut(&SegmentReader, &Members, &[DocumentId]) -> tantivy::Result<bool>,
    ) -> tantivy::Result<()> {
        let searcher = self.searcher();
        let query = match &meant.query {
            None => None,
            Some(words) => match clauses::query(words, self, &searcher, &meant.readers)? {
                None => return Ok(()),
                Some(query) => Some(query),
            },
        };
        let mut seen: HashSet<DocumentId, ById> = HashSet::default();
        for segment in searcher.segment_readers() {
            let mut counting = self.counting_alive(segment, meant.narrowed())?;
            if let Some(query) = &query {
                counting.intersect(&matching(query.as_ref(), segment, searcher.schema())?);
            }
            let (first, documents) = firsts(segment, &counting, &mut seen)?;
            if !take(segment, &first, &documents)? {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn documents(&self, meant: &Meant, most: usize) -> Result<Option<Vec<DocumentId>>, Error> {
        let mut found: Vec<DocumentId> = Vec::new();
        let listed = self.for_each_document(meant, |_, _, documents| {
            found.extend(documents);
            Ok(found.len() <= most)
        });
        listed.map_err(|error| self.failed("list documents", error))?;
        if found.len() > most {
            return Ok(None);
        }
        found.sort_unstable();
        Ok(Some(found))
    }
}

/// The chunks of a segment that a query matches.
fn matching(
    query: &dyn Query,
    segment: &SegmentReader,
    schema: &tantivy::schema::Schema,
) -> tantivy::Result<Members> {
    let weight = query.weight(EnableScoring::disabled_from_schema(schema))?;
    let mut scorer = weight.scorer(segment, 1.0)?;
    let mut members = Members::none(segment.max_doc());
    while scorer.doc() != TERMINATED {
        members.insert(scorer.doc());
        scorer.advance();
    }
    Ok(members)
}

/// Of each document that wasn't seen before one chunk, and the documents.
fn firsts(
    segment: &SegmentReader,
    counting: &Members,
    seen: &mut HashSet<DocumentId, ById>,
) -> tantivy::Result<(Members, Vec<DocumentId>)> {
    let columns = Columns::of(segment)?;
    let (mut first, mut documents) = (Members::none(segment.max_doc()), Vec::new());
    let mut last = None;
    for number in counting.iter() {
        let document = columns.document(number);
        // Chunks of a document mostly stand together.
        if document == last {
            continue;
        }
        last = document;
        if let Some(document) = document
            && seen.insert(document)
        {
            first.insert(number);
            documents.push(document);
        }
    }
    Ok((first, documents))
}
