//! What every [`ChunkIndex`] must do, as a suite that each implementation runs.
//!
//! An index of vectors and one of words find different things, so the suite gives every chunk a topic
//! that is both a word of its text and a direction of its vector, and asks for a topic in both ways. An
//! index of vectors may find the other topics as well, below; the suite asks only what holds for both.
//!
//! A broken promise is a panic that names it; an error of the index is handed back.

use std::collections::BTreeSet;
use std::sync::Arc;

use lectern_domain::ports::{ChunkIndex, IndexEntry, IndexQuery, ScoredChunk};
use lectern_domain::{
    AccessDigest, Acl, Chunk, ChunkId, DocumentId, DocumentMetadata, KnowledgeBaseId, PortError, Principal,
    ReadScope, SourceId, TextSpan, Version, WordQuery,
};

mod filters;
mod long_life;

#[cfg(test)]
pub(crate) use long_life::Dice;

/// Words that mean nothing together and have stems of their own.
const TOPICS: [&str; 6] = ["walrus", "granite", "violin", "turbine", "saffron", "glacier"];

/// Runs all promises on an index, each in a knowledge base of its own. `dimensions` must be at least 6.
///
/// # Errors
/// Whatever the index gives where it must not fail.
///
/// # Panics
/// Where a promise is broken.
pub async fn chunk_index_suite(index: Arc<dyn ChunkIndex>, dimensions: usize) -> Result<(), PortError> {
    let suite = Suite {
        index: index.as_ref(),
        dimensions,
    };
    suite.what_is_not_there_is_empty().await?;
    suite.what_is_committed_is_found().await?;
    suite.twice_is_once().await?;
    suite.a_chunk_is_replaced().await?;
    suite.what_is_deleted_is_gone().await?;
    suite.a_search_sees_what_its_reader_may_read().await?;
    suite.a_changed_access_list_holds().await?;
    suite.the_best_come_first_up_to_the_limit().await?;
    suite.knowledge_bases_are_apart().await?;
    suite.a_dropped_knowledge_base_is_gone().await?;
    suite.optimizing_changes_nothing().await?;
    long_life::nothing_is_lost(suite.index, dimensions).await
}

/// Runs the promises about filters on an index.
///
/// # Errors
/// Whatever the index gives where it must not fail.
///
/// # Panics
/// Where a promise is broken.
pub async fn filter_suite(index: Arc<dyn ChunkIndex>, dimensions: usize) -> Result<(), PortError> {
    filters::filters_hold(index.as_ref(), dimensions).await
}

/// What an index of vectors promises of a search among named documents. An index of words may leave it to the recheck.
///
/// # Errors
/// Whatever the index gives where it must not fail.
///
/// # Panics
/// Where a promise is broken.
pub async fn documents_suite(index: Arc<dyn ChunkIndex>, dimensions: usize) -> Result<(), PortError> {
    let base = KnowledgeBaseId::generate();
    let entries: Vec<_> = (0..5)
        .map(|topic| entry(base, topic, 0, Acl::everyone(), dimensions))
        .collect();
    index.upsert(base, &entries).await?;
    index.commit(base).await?;
    let wanted = &entries[1..3];
    let documents: Vec<DocumentId> = wanted.iter().map(|entry| entry.chunk.document).collect();
    for (documents, expected) in [(documents.as_slice(), ids(wanted)), (&[], BTreeSet::new())] {
        let query = IndexQuery {
            words: &WordQuery::plain(TOPICS[4]),
            vector: &direction(4, 0, dimensions),
            filter: None,
            documents: Some(documents),
        };
        let found = index.search(base, query, &anybody(), 10).await?;
        let found: BTreeSet<_> = found.into_iter().map(|found| found.chunk).collect();
        assert_eq!(found, expected, "only what is of these documents is found");
    }
    index.drop_knowledge_base(base).await
}

/// Writes through one instance and reads through another that was opened afterwards. `open` gives a
/// new instance on the same storage; the one before it has been dropped by then.
///
/// # Errors
/// Whatever the index gives where it must not fail.
///
/// # Panics
/// Where something was lost, or came back.
pub async fn survives_reopening(
    open: impl Fn() -> Arc<dyn ChunkIndex>,
    dimensions: usize,
) -> Result<(), PortError> {
    let base = KnowledgeBaseId::generate();
    let entries: Vec<_> = (0..3)
        .map(|topic| entry(base, topic, 0, Acl::everyone(), dimensions))
        .collect();
    let index = open();
    index.upsert(base, &entries).await?;
    index.commit(base).await?;
    drop(index);

    let index = open();
    assert_eq!(
        ids_of(index.as_ref(), base).await?,
        ids(&entries),
        "reopened, it has what was committed"
    );
    index.delete(base, &[entries[0].chunk.id]).await?;
    index.commit(base).await?;
    drop(index);

    let index = open();
    let suite = Suite {
        index: index.as_ref(),
        dimensions,
    };
    assert_eq!(
        ids_of(index.as_ref(), base).await?,
        ids(&entries[1..]),
        "what was deleted stays away"
    );
    suite.assert_first(base, 1, &entries[1]).await?;
    index.drop_knowledge_base(base).await
}

struct Suite<'a> {
    index: &'a dyn ChunkIndex,
    dimensions: usize,
}

impl Suite<'_> {
    async fn what_is_not_there_is_empty(&self) -> Result<(), PortError> {
        let base = KnowledgeBaseId::generate();
        let unknown = [self.entry(base, 0, 0).chunk.id];
        assert!(self.search(base, 0, &anybody(), 10).await?.is_empty());
        assert!(self.index.chunks(base).await?.is_empty());
        self.index.delete(base, &unknown).await?;
        let metadata = DocumentMetadata::readable_by(Acl::everyone());
        self.index.set_metadata(base, &unknown, &metadata).await?;
        self.index.commit(base).await?;
        self.index.optimize(base).await?;
        self.index.drop_knowledge_base(base).await
    }

    async fn what_is_committed_is_found(&self) -> Result<(), PortError> {
        let (base, entries) = self.filled().await?;
        for (topic, entry) in entries.iter().enumerate() {
            self.assert_first(base, topic, entry).await?;
        }
        assert_eq!(ids_of(self.index, base).await?, ids(&entries));
        self.index.drop_knowledge_base(base).await
    }

    async fn twice_is_once(&self) -> Result<(), PortError> {
        let (base, entries) = self.filled().await?;
        let before = self.search(base, 0, &anybody(), 10).await?;
        self.index.upsert(base, &entries).await?;
        self.index.upsert(base, &entries[..1]).await?;
        self.index.commit(base).await?;
        self.index.commit(base).await?;
        let listed = self.index.chunks(base).await?;
        assert_eq!(listed.len(), entries.len(), "no chunk is listed twice");
        let after = self.search(base, 0, &anybody(), 10).await?;
        let chunks = |found: &[ScoredChunk]| found.iter().map(|found| found.chunk).collect::<Vec<_>>();
        assert_eq!(
            chunks(&before),
            chunks(&after),
            "writing twice finds what writing once finds"
        );
        self.index.drop_knowledge_base(base).await
    }

    async fn a_chunk_is_replaced(&self) -> Result<(), PortError> {
        let (base, entries) = self.filled().await?;
        let mut replaced = self.entry(base, 5, 0);
        replaced.chunk.id = entries[0].chunk.id;
        self.index.upsert(base, &[replaced.clone()]).await?;
        self.index.commit(base).await?;
        self.assert_first(base, 5, &replaced).await?;
        let of_old_topic = self.search(base, 0, &anybody(), 10).await?;
        let score = |found: &ScoredChunk| found.score;
        let lowest = of_old_topic.iter().map(score).fold(f32::INFINITY, f32::min);
        let old = of_old_topic
            .iter()
            .find(|found| found.chunk == replaced.chunk.id)
            .map(score);
        assert!(
            old.is_none_or(|score| score <= lowest),
            "the old content is no longer found"
        );
        assert_eq!(self.index.chunks(base).await?.len(), entries.len());
        self.index.drop_knowledge_base(base).await
    }

    async fn what_is_deleted_is_gone(&self) -> Result<(), PortError> {
        let (base, entries) = self.filled().await?;
        let gone = entries[1].chunk.id;
        let unknown = self.entry(base, 0, 99).chunk.id;
        self.index.delete(base, &[gone, unknown]).await?;
        self.index.delete(base, &[gone]).await?;
        self.index.commit(base).await?;
        let found = self.search(base, 1, &anybody(), 10).await?;
        assert!(
            found.iter().all(|found| found.chunk != gone),
            "a deleted chunk is not found"
        );
        assert!(!ids_of(self.index, base).await?.contains(&gone));
        self.assert_first(base, 2, &entries[2]).await?;
        self.index.drop_knowledge_base(base).await
    }

    async fn a_search_sees_what_its_reader_may_read(&self) -> Result<(), PortError> {
        let base = KnowledgeBaseId::generate();
        let (ada, staff) = (Principal::User("ada".into()), Principal::Group("staff".into()));
        let acls = [
            Acl::everyone(),
            Acl::nobody(),
            Acl::allowing([ada.clone()]),
            Acl::allowing([staff.clone()]),
            Acl {
                allow: BTreeSet::from([staff.clone()]),
                deny: BTreeSet::from([ada.clone()]),
            },
            Acl {
                allow: BTreeSet::from([Principal::Everyone]),
                deny: BTreeSet::from([Principal::Everyone]),
            },
        ];
        let entries: Vec<_> = (0_u32..)
            .zip(acls)
            .map(|(ordinal, acl)| entry(base, 0, ordinal, acl, self.dimensions))
            .collect();
        self.index.upsert(base, &entries).await?;
        self.index.commit(base).await?;
        let readers = [vec![], vec![ada.clone()], vec![staff.clone()], vec![ada, staff]];
        for principals in readers {
            let scope = reader(principals);
            let found: BTreeSet<_> = self
                .search(base, 0, &scope, 50)
                .await?
                .into_iter()
                .map(|found| found.chunk)
                .collect();
            let readable = entries.iter().filter(|entry| scope.may_read(&entry.metadata.acl));
            let readable: BTreeSet<_> = readable.map(|entry| entry.chunk.id).collect();
            assert_eq!(found, readable, "{scope:?} finds what it may read, and all of it");
        }
        for entry in &entries {
            self.assert_access(base, entry, &entry.metadata.acl).await?;
        }
        self.index.drop_knowledge_base(base).await
    }

    async fn assert_access(
        &self,
        base: KnowledgeBaseId,
        entry: &IndexEntry,
        acl: &Acl,
    ) -> Result<(), PortError> {
        let listed = self.index.chunks(base).await?;
        let listed = listed.iter().find(|listed| listed.chunk == entry.chunk.id);
        assert_eq!(
            listed.map(|listed| listed.metadata.access),
            Some(AccessDigest::from(acl)),
            "a chunk is listed with who may read it"
        );
        Ok(())
    }

    async fn a_changed_access_list_holds(&self) -> Result<(), PortError> {
        let (base, entries) = self.filled().await?;
        let ada = Principal::User("ada".into());
        let unknown = self.entry(base, 0, 99).chunk.id;
        self.index
            .set_metadata(
                base,
                &[entries[0].chunk.id, unknown],
                &DocumentMetadata::readable_by(Acl::allowing([ada.clone()])),
            )
            .await?;
        self.index.commit(base).await?;
        self.assert_access(base, &entries[0], &Acl::allowing([ada.clone()]))
            .await?;
        let found = self.search(base, 0, &anybody(), 10).await?;
        assert!(
            found.iter().all(|found| found.chunk != entries[0].chunk.id),
            "it may no longer be read"
        );
        let found = self.search(base, 0, &reader(vec![ada]), 10).await?;
        let first = found.first().map(|found| found.chunk);
        assert_eq!(first, Some(entries[0].chunk.id), "its text and its vector stay");
        self.index
            .set_metadata(
                base,
                &[entries[0].chunk.id],
                &DocumentMetadata::readable_by(Acl::everyone()),
            )
            .await?;
        self.index.commit(base).await?;
        self.assert_first(base, 0, &entries[0]).await?;
        assert_eq!(ids_of(self.index, base).await?, ids(&entries));
        self.index.drop_knowledge_base(base).await
    }

    async fn the_best_come_first_up_to_the_limit(&self) -> Result<(), PortError> {
        let base = KnowledgeBaseId::generate();
        let entries: Vec<_> = (0..300).map(|ordinal| self.entry(base, 3, ordinal)).collect();
        for some in entries.chunks(100) {
            self.index.upsert(base, some).await?;
            self.index.commit(base).await?;
        }
        for limit in [1, 7, 250, 1_000] {
            let found = self.search(base, 3, &anybody(), limit).await?;
            assert_eq!(
                found.len(),
                limit.min(entries.len()),
                "as many as there are, up to the limit"
            );
            for pair in found.windows(2) {
                let in_order = pair[0].score > pair[1].score
                    || (pair[0].score == pair[1].score && pair[0].chunk < pair[1].chunk);
                assert!(
                    in_order,
                    "best first, equal scores in the order of the ids: {pair:?}"
                );
            }
        }
        self.index.drop_knowledge_base(base).await
    }

    async fn knowledge_bases_are_apart(&self) -> Result<(), PortError> {
        let (first, entries) = self.filled().await?;
        let (second, others) = self.filled().await?;
        let found = self.search(first, 0, &anybody(), 50).await?;
        let mine = ids(&entries);
        assert!(
            found.iter().all(|found| mine.contains(&found.chunk)),
            "only its own chunks are found"
        );
        self.index.delete(first, &[others[0].chunk.id]).await?;
        self.index.commit(first).await?;
        self.index.drop_knowledge_base(first).await?;
        assert_eq!(
            ids_of(self.index, second).await?,
            ids(&others),
            "the other one is left alone"
        );
        self.index.drop_knowledge_base(second).await
    }

    async fn a_dropped_knowledge_base_is_gone(&self) -> Result<(), PortError> {
        let (base, entries) = self.filled().await?;
        self.index.drop_knowledge_base(base).await?;
        assert!(self.index.chunks(base).await?.is_empty());
        assert!(self.search(base, 0, &anybody(), 10).await?.is_empty());
        self.index.upsert(base, &entries[..2]).await?;
        self.index.commit(base).await?;
        assert_eq!(
            ids_of(self.index, base).await?,
            ids(&entries[..2]),
            "it begins empty again"
        );
        self.index.drop_knowledge_base(base).await
    }

    async fn optimizing_changes_nothing(&self) -> Result<(), PortError> {
        let (base, entries) = self.filled().await?;
        for entry in &entries {
            self.index.upsert(base, std::slice::from_ref(entry)).await?;
            self.index.commit(base).await?;
        }
        self.index.optimize(base).await?;
        assert_eq!(ids_of(self.index, base).await?, ids(&entries));
        self.assert_first(base, 4, &entries[4]).await?;
        self.index.drop_knowledge_base(base).await
    }

    /// A new knowledge base with one chunk for each of the first five topics.
    async fn filled(&self) -> Result<(KnowledgeBaseId, Vec<IndexEntry>), PortError> {
        let base = KnowledgeBaseId::generate();
        let entries: Vec<_> = (0..5).map(|topic| self.entry(base, topic, 0)).collect();
        self.index.upsert(base, &entries).await?;
        self.index.commit(base).await?;
        Ok((base, entries))
    }

    fn entry(&self, base: KnowledgeBaseId, topic: usize, ordinal: u32) -> IndexEntry {
        entry(base, topic, ordinal, Acl::everyone(), self.dimensions)
    }

    async fn search(
        &self,
        base: KnowledgeBaseId,
        topic: usize,
        scope: &ReadScope,
        limit: usize,
    ) -> Result<Vec<ScoredChunk>, PortError> {
        let query = IndexQuery {
            words: &WordQuery::plain(format!("What about the {}?", TOPICS[topic])),
            vector: &direction(topic, 0, self.dimensions),
            filter: None,
            documents: None,
        };
        let found = self.index.search(base, query, scope, limit).await?;
        let once: BTreeSet<_> = found.iter().map(|found| found.chunk).collect();
        assert_eq!(once.len(), found.len(), "no chunk is found twice");
        Ok(found)
    }

    async fn assert_first(
        &self,
        base: KnowledgeBaseId,
        topic: usize,
        entry: &IndexEntry,
    ) -> Result<(), PortError> {
        let found = self.search(base, topic, &anybody(), 10).await?;
        let first = found.first().map(|first| first.chunk);
        assert_eq!(first, Some(entry.chunk.id), "{} is found first", TOPICS[topic]);
        Ok(())
    }
}

/// A chunk about a topic, the `ordinal`-th of a document about it.
fn entry(base: KnowledgeBaseId, topic: usize, ordinal: u32, acl: Acl, dimensions: usize) -> IndexEntry {
    let document = DocumentId::derive(SourceId::derive(base, "conformance"), TOPICS[topic]);
    let text = format!("Paragraph {ordinal} tells of the {}.", TOPICS[topic]);
    IndexEntry {
        chunk: Chunk {
            id: ChunkId::derive(document, Version::FIRST, ordinal),
            knowledge_base: base,
            document,
            version: Version::FIRST,
            ordinal,
            title: "A title".to_owned(),
            heading_path: vec!["A heading".to_owned()],
            page: None,
            span: TextSpan {
                start: 0,
                end: text.len(),
            },
            table_header: None,
            token_count: 8,
            text,
        },
        metadata: Arc::new(DocumentMetadata::readable_by(acl)),
        vector: direction(topic, ordinal, dimensions),
    }
}

/// A vector of unit length that points to a topic, a little aside for each ordinal.
fn direction(topic: usize, ordinal: u32, dimensions: usize) -> Vec<f32> {
    let aside = 0.001 * ordinal as f32;
    let mut vector = vec![0.0; dimensions];
    vector[topic] = 1.0;
    vector[(topic + 1) % TOPICS.len()] = aside;
    let length = (1.0 + aside * aside).sqrt();
    vector.iter_mut().for_each(|number| *number /= length);
    vector
}

fn ids(entries: &[IndexEntry]) -> BTreeSet<ChunkId> {
    entries.iter().map(|entry| entry.chunk.id).collect()
}

async fn ids_of(index: &dyn ChunkIndex, base: KnowledgeBaseId) -> Result<BTreeSet<ChunkId>, PortError> {
    let listed = index.chunks(base).await?;
    Ok(listed.into_iter().map(|listed| listed.chunk).collect())
}

fn anybody() -> ReadScope {
    reader(Vec::new())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a suite of tests asks as several readers"
)]
fn reader(principals: Vec<Principal>) -> ReadScope {
    ReadScope::granted_by_authentication(principals)
}
