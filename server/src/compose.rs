//! The one place that puts implementations into ports.
//!
//! Everything is opened here and nothing is loaded: a model costs a second or more, so the embedder
//! loads with the first text that is embedded ([`embedder`]) and the generator with the first answer
//! ([`generator`]). `lectern kb list` loads neither, and a lexical search needs no model file at all.

mod models;
mod embedder;
mod token_counter;
mod generator;
mod reranker;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::Arc;

use lectern_domain::error::chain;
use lectern_domain::ports::{
    ChunkIndex, ChunkLookup, Embedder, Embedders, Generator, TokenCounters, WordIndex,
};
use lectern_domain::{Acl, DefaultAccess, ErrorKind, PortError};
use lectern_generation::admission::{Admission, AdmissionSettings};
use lectern_generation::answer::{AnswerSettings, Answerer, AnswererParts};
use lectern_ingest::extract::{ExtractorPool, ExtractorSettings};
use lectern_ingest::{IngestSettings, Ingestion, IngestionParts, KnowledgeBase, Ledger, TextStore};
use lectern_retrieval::{
    EdgeVectors, Searcher, SearcherParts, ServerVectors, ServerVectorsConfig, TantivyWords,
};

use embedder::{EmbedderAtHand, blocking};

use crate::analytics::Analytics;
use crate::config::Config;
use crate::data_folder::DataFolder;

pub use embedder::{LazyEmbedder, LazyEmbedders};
pub use generator::LazyGenerator;
pub use models::Models;
pub use token_counter::LazyTokenCounters;

/// The hidden command of the child process that reads files.
const EXTRACT_WORKER: &str = "extract-worker";

/// Lectern, put together over one data folder. Dropping it gives the folder back.
pub struct Lectern {
    /// What is set.
    pub config: Config,
    /// What is known about documents.
    pub ledger: Arc<Ledger>,
    /// The way in.
    pub ingestion: Arc<Ingestion>,
    /// The way a question goes.
    pub searcher: Arc<Searcher>,
    /// The way an answer comes.
    pub answerer: Arc<Answerer>,
    /// Makes the vectors of new knowledge bases. Loads with the first text.
    pub embedder: Arc<LazyEmbedder>,
    /// That one and all others, for the knowledge bases that were made with them.
    pub embedders: Arc<LazyEmbedders>,
    /// Writes answers. Loads with the first one, or by [`LazyGenerator::load`].
    pub generator: Arc<LazyGenerator>,
    /// Count tokens as the embedders do. Each loads with the first text.
    pub token_counters: Arc<LazyTokenCounters>,
    /// The index of words, for those who need to know which chunks there are.
    pub words: Arc<dyn WordIndex>,
    /// What was asked and opened. Opened when it is first needed.
    pub analytics: Arc<Analytics>,
    /// The model files.
    pub models: Models,
    /// Whether ingestion is made of them. Tests put something else in their place.
    pub needs_models: bool,
    /// Where all of it is kept. Last, so that its lock outlives what is kept in it.
    pub folder: DataFolder,
}

impl std::fmt::Debug for Lectern {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Lectern")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Lectern {
    /// Opens the stores of `folder`, puts everything together, and puts in order what an interrupted
    /// process left behind. Costs milliseconds where nothing was; no model is loaded.
    pub async fn open(folder: DataFolder, config: Config) -> Result<Self, PortError> {
        let lectern = Self::open_as_found(folder, config).await?;
        if let Err(error) = lectern.ingestion.recover().await {
            // What may be seen is decided by the ledger, so reading is safe; the next job tries again.
            tracing::warn!(
                code = error.code(),
                error = chain(&error),
                "what an interrupted run left is still there"
            );
        }
        Ok(lectern)
    }

    /// The knowledge base of that name; made, with the embedder for new ones, where there is none.
    pub async fn find_or_create(&self, name: &str) -> Result<KnowledgeBase, PortError> {
        match self.ledger.knowledge_base(name).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let (model, dimensions) = (self.embedder.model(), self.embedder.dimensions());
                let made = self
                    .ledger
                    .create_knowledge_base(name, "", model, dimensions)
                    .await;
                Ok(made?)
            }
            found => Ok(found?),
        }
    }

    /// The same, and what an interrupted process left stays as it is, to be looked at.
    pub async fn open_as_found(folder: DataFolder, config: Config) -> Result<Self, PortError> {
        let models = Models::new(config.models.folder_for(folder.root()));
        let texts = Arc::new(TextStore::open(folder.root())?);
        let ledger = Arc::new(Ledger::open(&folder.ledger(), Arc::clone(&texts)).await?);
        let vectors = open_vectors(&folder, &config).await?;
        let words: Arc<dyn WordIndex> = Arc::new(TantivyWords::open(folder.words())?);
        let embedders = Arc::new(LazyEmbedders::new(
            &config.models.embedder.name(),
            &models,
            &config.ingestion,
        ));
        let token_counters = Arc::new(LazyTokenCounters::new(&models));
        let generator = Arc::new(LazyGenerator::new(models.clone(), &config.generation));
        let ingestion = Ingestion::new(IngestionParts {
            ledger: Arc::clone(&ledger),
            texts,
            extractor: Arc::new(ExtractorPool::new(extractor_settings(&config)?)),
            token_counters: Arc::clone(&token_counters) as Arc<dyn TokenCounters>,
            embedders: Arc::clone(&embedders) as Arc<dyn Embedders>,
            words: Arc::clone(&words) as Arc<dyn ChunkIndex>,
            vectors: Arc::clone(&vectors),
            settings: ingest_settings(&config),
        });
        let searcher = Searcher::new(SearcherParts {
            ledger: Arc::clone(&ledger) as Arc<dyn ChunkLookup>,
            embedders: Arc::clone(&embedders) as Arc<dyn Embedders>,
            vectors,
            words: Arc::clone(&words),
            reranker: reranker::configured(&config.retrieval, &config.models.embedder.name(), &models),
            demand: Some(ingestion.embedding_demand()),
        })
        .fusing(config.retrieval.merging());
        let answerer = answerer(&config, Arc::clone(&generator), Arc::clone(&embedders));
        let analytics = Analytics::new(folder.analytics(), config.analytics.clone());
        Ok(Self {
            config,
            ledger,
            ingestion: Arc::new(ingestion),
            searcher: Arc::new(searcher),
            answerer: Arc::new(answerer),
            embedder: Arc::clone(embedders.preferred()),
            embedders,
            generator,
            token_counters,
            words,
            analytics: Arc::new(analytics),
            models,
            needs_models: true,
            folder,
        })
    }

    /// Whether the files of the models that are in use are there, at the cost of a look at their sizes and
    /// times.
    pub async fn models_present(&self) -> Result<(), PortError> {
        let in_use = self.embedders_in_use().await?;
        let (models, generator) = (self.models.clone(), self.config.generation.model);
        blocking("look for the models", move || {
            for embedder in in_use {
                models.embedder_files(embedder.name())?;
            }
            if let Some(entry) = models.generator(generator)? {
                models.store().require(entry)?;
            }
            Ok(())
        })
        .await
    }

    /// Fails with `model_missing` or `model_corrupt` where the files of this embedder can't be used.
    pub async fn require_embedder(&self, embedder: &LazyEmbedder) -> Result<(), PortError> {
        let (models, name) = (self.models.clone(), embedder.name().clone());
        blocking("look for the embedder", move || {
            models.embedder_files(&name)?;
            Ok(())
        })
        .await
    }

    /// Loads what taking documents into knowledge bases of this embedding model needs. A missing or damaged
    /// model file is an error here, before a job is begun, rather than the error of every document.
    pub async fn prepare_ingestion(&self, embedding_model: &str) -> Result<(), PortError> {
        if !self.needs_models {
            return Ok(());
        }
        self.token_counters.load(embedding_model).await?;
        // What no embedder is known for is refused by the job itself.
        if let Some(embedder) = self.embedders.find(embedding_model) {
            embedder.load().await?;
        }
        Ok(())
    }

    /// Deletes a knowledge base, and what was asked of it. It can't be undone.
    pub async fn delete_knowledge_base(&self, base: &KnowledgeBase) -> Result<(), PortError> {
        self.ingestion.delete_knowledge_base(base).await?;
        self.analytics.erase_knowledge_base(base.id).await;
        Ok(())
    }

    /// The embedders of all knowledge bases; that of new ones where there is none yet.
    pub async fn embedders_in_use(&self) -> Result<Vec<Arc<LazyEmbedder>>, PortError> {
        let knowledge_bases = self.ledger.knowledge_bases().await?;
        if knowledge_bases.is_empty() {
            return Ok(vec![Arc::clone(&self.embedder)]);
        }
        let names: BTreeSet<String> = knowledge_bases
            .into_iter()
            .map(|knowledge_base| knowledge_base.embedding_model)
            .collect();
        let known = names.iter().filter_map(|name| self.embedders.find(name));
        Ok(known.map(Arc::clone).collect())
    }
}

async fn open_vectors(folder: &DataFolder, config: &Config) -> Result<Arc<dyn ChunkIndex>, PortError> {
    let Some(url) = &config.vectors.url else {
        return Ok(Arc::new(EdgeVectors::open(
            folder.vectors(),
            LazyEmbedder::DIMENSIONS,
        )?));
    };
    let server = ServerVectorsConfig {
        url: url.clone(),
        api_key: config.vectors.api_key.as_ref().map(|key| key.reveal().to_owned()),
        collection: config.vectors.collection.clone(),
    };
    Ok(Arc::new(
        ServerVectors::connect(server, LazyEmbedder::DIMENSIONS).await?,
    ))
}

fn extractor_settings(config: &Config) -> Result<ExtractorSettings, PortError> {
    let program = std::env::current_exe().map_err(|error| {
        PortError::new(
            ErrorKind::Internal,
            "program_unknown",
            "can't find the path of this program, which reads files",
        )
        .caused_by(error)
    })?;
    let ingestion = &config.ingestion;
    Ok(ExtractorSettings {
        workers: ingestion.processes(),
        memory_bytes: ingestion.extractor_memory_bytes(),
        timeout: ingestion.extractor_timeout(),
        max_output_bytes: ingestion.max_text_bytes(),
        max_input_bytes: ingestion.max_file_bytes(),
        max_depth: ingestion.max_depth,
        ..ExtractorSettings::new(vec![program.into_os_string(), OsString::from(EXTRACT_WORKER)])
    })
}

fn ingest_settings(config: &Config) -> IngestSettings {
    let mut settings = IngestSettings::default();
    let ingestion = &config.ingestion;
    settings.chunk.max_tokens = ingestion.chunk_tokens;
    settings.attachment_depth = ingestion.attachment_depth;
    settings.documents_ahead = ingestion.documents_ahead();
    settings.memory_bytes = usize::try_from(ingestion.documents_ahead_bytes()).unwrap_or(usize::MAX);
    settings.pushed_chunking = ingestion.chunking;
    settings.pushed_access = DefaultAccess(Acl::allowing(config.ingestion.pushed_access.iter().cloned()));
    settings
}

fn answerer(config: &Config, generator: Arc<LazyGenerator>, embedders: Arc<LazyEmbedders>) -> Answerer {
    let generation = &config.generation;
    Answerer::new(AnswererParts {
        generator: generator as Arc<dyn Generator>,
        embedder: Some(Arc::new(EmbedderAtHand::new(embedders))),
        admission: Admission::new(AdmissionSettings {
            running: generation.parallel_answers,
            waiting: generation.waiting_answers,
        }),
        settings: AnswerSettings {
            max_output_tokens: generation.max_output_tokens,
            ..AnswerSettings::default()
        },
    })
}
