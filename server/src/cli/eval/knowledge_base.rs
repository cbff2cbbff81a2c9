//! What is asked: a knowledge base made of a set's documents, or one that people use.

use std::sync::Arc;

use anyhow::Result;
use lectern_connectors::SourceConfig;
use lectern_connectors::files::FilesConfig;
use lectern_domain::ports::Connector;
use lectern_domain::{Acl, DefaultAccess, KnowledgeBaseId};
use lectern_ingest::KnowledgeBase;
use serde_json::{Value, json};

use super::super::context::Context;
use super::super::ingest;
use crate::compose::Lectern;
use crate::eval::connector::CorpusConnector;
use crate::eval::layouts::Corpus;
use crate::eval::run::CorpusFigures;

/// The knowledge base and the source that a set's documents are taken into.
const NAME: &str = "eval";

/// What is asked, and what it is made of.
pub struct Subject {
    /// The knowledge base.
    pub knowledge_base: KnowledgeBaseId,
    /// What a run calls it.
    pub name: String,
    /// What it holds.
    pub corpus: CorpusFigures,
    /// What it was made with, and what it is searched with.
    pub configuration: Value,
}

/// Takes the documents of a set in; those that are there and unchanged stay.
pub async fn take_in(context: &Context, lectern: &Lectern, corpus: &Corpus) -> Result<Subject> {
    let knowledge_base = ingest::find_or_create(lectern, NAME, true).await?;
    let (kind, connector) = match corpus {
        Corpus::Documents(documents) => {
            let connector: Arc<dyn Connector> = Arc::new(CorpusConnector::new(documents.clone()));
            ("corpus", connector)
        }
        Corpus::Files(root) => {
            let config = SourceConfig::Files(FilesConfig {
                max_file_bytes: context.config.ingestion.max_file_bytes(),
                ..FilesConfig::new(vec![std::path::absolute(root)?])
            });
            ("files", Arc::from(lectern_connectors::open(&config)?))
        }
    };
    let access = DefaultAccess(Acl::everyone());
    let source = lectern
        .ledger
        .ensure_source(knowledge_base.id, NAME, kind, &Value::Null, &access)
        .await?;
    let settings = context.config.ingestion.source_settings();
    let source = lectern.ledger.set_source_settings(source.id, &settings).await?;
    let report = ingest::sync(lectern, &knowledge_base, &source, connector).await?;
    ingest::require_complete(&report)?;
    let counts = report.job.counts;
    let mut subject = Subject::known(lectern, NAME).await?;
    subject.corpus.left_out = counts.skipped + counts.failed;
    subject.corpus.ingest_s = report.wall_ms as f64 / 1000.0;
    Ok(subject)
}

impl Subject {
    /// The knowledge base called `name`, as it is.
    pub async fn known(lectern: &Lectern, name: &str) -> Result<Self> {
        let knowledge_base = lectern.ledger.knowledge_base(name).await?;
        Self::of(lectern, knowledge_base).await
    }

    async fn of(lectern: &Lectern, knowledge_base: KnowledgeBase) -> Result<Self> {
        Ok(Self {
            knowledge_base: knowledge_base.id,
            name: knowledge_base.name.clone(),
            corpus: CorpusFigures {
                documents: knowledge_base.document_count,
                chunks: knowledge_base.chunk_count,
                ..CorpusFigures::default()
            },
            configuration: configuration(lectern, &knowledge_base).await?,
        })
    }
}

/// What a search depends on besides the documents.
async fn configuration(lectern: &Lectern, knowledge_base: &KnowledgeBase) -> Result<Value> {
    let sources = lectern.ledger.sources(knowledge_base.id).await?;
    let sources = sources.iter().map(|source| {
        json!({ "kind": source.kind, "chunking": source.settings.chunking, "enrichment": source.settings.enrichment })
    });
    let search_settings = lectern.ledger.search_settings(knowledge_base.id).await?;
    Ok(json!({
        "lectern": env!("CARGO_PKG_VERSION"),
        "embedding_model": knowledge_base.embedding_model,
        "chunk_tokens": lectern.config.ingestion.chunk_tokens,
        "sources": sources.collect::<Vec<_>>(),
        "fusion": lectern.config.retrieval.merging().describe(),
        "retrieval": lectern.config.retrieval,
        "search_settings": *search_settings,
    }))
}
