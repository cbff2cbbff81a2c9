//! What the index of words does besides finding chunks, behind its port.

use async_trait::async_trait;
use lectern_domain::ports::{
    Correction, DocumentSet, Facet, FacetRequest, ScoredChunk, SortKey, TitleFound, WordIndex,
};
use lectern_domain::{ChunkId, DocumentId, KnowledgeBaseId, PortError, ReadScope};

use super::TantivyWords;
use super::documents::Meant;
use crate::acl_filter::ReaderNames;
use crate::bases::Absent;

impl From<DocumentSet<'_>> for Meant {
    fn from(documents: DocumentSet<'_>) -> Self {
        Self {
            query: documents.query.cloned(),
            filter: documents.filter.cloned(),
            readers: ReaderNames::from(documents.scope),
        }
    }
}

#[async_trait]
impl WordIndex for TantivyWords {
    async fn facets(
        &self,
        base: KnowledgeBaseId,
        documents: DocumentSet<'_>,
        wanted: &[FacetRequest],
    ) -> Result<Vec<Facet>, PortError> {
        let (meant, requests) = (Meant::from(documents), wanted.to_vec());
        let counted = self
            .bases
            .at_work("count the values", base, Absent::Skip, move |engine| {
                engine.facets(&meant, &requests)
            });
        let nothing = wanted.iter().map(|request| Facet {
            attribute: request.attribute.clone(),
            values: Vec::new(),
            other_values: 0,
        });
        Ok(counted.await?.unwrap_or_else(|| nothing.collect()))
    }

    async fn attributes_among(
        &self,
        base: KnowledgeBaseId,
        names: &[String],
        scope: &ReadScope,
    ) -> Result<Vec<String>, PortError> {
        let (names, readers) = (names.to_vec(), ReaderNames::from(scope));
        let known = self
            .bases
            .at_work("look for attributes", base, Absent::Skip, move |engine| {
                engine.attributes_among(names, &readers)
            });
        Ok(known.await?.unwrap_or_default())
    }

    async fn documents(
        &self,
        base: KnowledgeBaseId,
        documents: DocumentSet<'_>,
        most: usize,
    ) -> Result<Option<Vec<DocumentId>>, PortError> {
        let meant = Meant::from(documents);
        let listed = self
            .bases
            .at_work("list documents", base, Absent::Skip, move |engine| {
                engine.documents(&meant, most)
            });
        Ok(listed.await?.unwrap_or(Some(Vec::new())))
    }

    async fn in_order(
        &self,
        base: KnowledgeBaseId,
        documents: DocumentSet<'_>,
        by: &[SortKey],
        limit: usize,
    ) -> Result<Vec<ScoredChunk>, PortError> {
        let (meant, by) = (Meant::from(documents), by.to_vec());
        let found = self
            .bases
            .at_work("put in order", base, Absent::Skip, move |engine| {
                engine.in_order(&meant, &by, limit)
            });
        Ok(found.await?.unwrap_or_default())
    }

    async fn titles(
        &self,
        base: KnowledgeBaseId,
        typed: &str,
        scope: &ReadScope,
        limit: usize,
    ) -> Result<Vec<TitleFound>, PortError> {
        let (typed, readers) = (typed.to_owned(), ReaderNames::from(scope));
        let found = self
            .bases
            .at_work("look for titles", base, Absent::Skip, move |engine| {
                engine.titles(&typed, &readers, limit)
            });
        Ok(found.await?.unwrap_or_default())
    }

    async fn with_phrase(
        &self,
        base: KnowledgeBaseId,
        typed: &str,
        goes_on: bool,
        scope: &ReadScope,
        limit: usize,
    ) -> Result<Vec<ChunkId>, PortError> {
        let (typed, readers) = (typed.to_owned(), ReaderNames::from(scope));
        let found = self
            .bases
            .at_work("look for phrases", base, Absent::Skip, move |engine| {
                engine.with_phrase(&typed, goes_on, &readers, limit)
            });
        Ok(found.await?.unwrap_or_default())
    }

    async fn corrections(
        &self,
        base: KnowledgeBaseId,
        text: &str,
        scope: &ReadScope,
    ) -> Result<Vec<Correction>, PortError> {
        let (text, readers) = (text.to_owned(), ReaderNames::from(scope));
        let found = self
            .bases
            .at_work("correct words", base, Absent::Skip, move |engine| {
                engine.corrections(&text, &readers)
            });
        Ok(found.await?.unwrap_or_default())
    }
}
