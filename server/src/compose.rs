//! The one place that puts implementations into ports.
//!
//! Everything is opened here and nothing is loaded: a model costs a second or more, so the embedder
//! loads with the first text that is embedded ([`embedder`]) and the generator with the first answer
//! ([`generator`]). `lectern kb list` loads neither, and a lexical search needs no model file at all.

mod models;
mod embedder;
mod generator;

use std::ffi::OsString;
use std::sync::Arc;

use lectern_domain::error::chain;
use lectern_domain::ports::{ChunkIndex, ChunkLookup, Embedder, Generator, TokenCounter};
use lectern_domain::{Acl, DefaultAccess, ErrorKind, PortError};
use lectern_generation::admission::{Admission, AdmissionSettings};
use lectern_generation::answer::{AnswerSettings, Answerer, AnswererParts};
use lectern_ingest::extract::{ExtractorPool, ExtractorSettings};
use lectern_ingest::{IngestSettings, Ingestion, IngestionParts, Ledger, TextStore};
use lectern_retrieval::{
    EdgeVectors, Searcher, SearcherParts, ServerVectors, ServerVectorsConfig, TantivyWords,
};

use crate::config::Config;
use crate::data_folder::DataFolder;

#[cfg(test)]
pub use embedder::EMBEDDING_MODEL;
pub use embedder::{LazyEmbedder, LazyTokenCounter};
pub use generator::LazyGenerator;
pub use models::Models;

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
    /// Makes vectors. Loads with the first text.
    pub embedder: Arc<LazyEmbedder>,
    /// Writes answers. Loads with the first one, or by [`LazyGenerator::load`].
    pub generator: Arc<LazyGenerator>,
    /// Counts tokens as the embedder does. Loads with the first text.
    pub token_counter: Arc<LazyTokenCounter>,
    /// The index of words, for those who need to know which chunks there are.
    pub words: Arc<dyn ChunkIndex>,
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
        let models = Models::new(config.models.folder_for(folder.root()));
        let texts = Arc::new(TextStore::open(folder.root())?);
        let ledger = Arc::new(Ledger::open(&folder.ledger(), Arc::clone(&texts)).await?);
        let vectors = open_vectors(&folder, &config).await?;
        let words: Arc<dyn ChunkIndex> = Arc::new(TantivyWords::open(folder.words())?);
        let embedder = Arc::new(LazyEmbedder::new(models.clone(), &config.ingestion));
        let token_counter = Arc::new(LazyTokenCounter::new(models.clone()));
        let generator = Arc::new(LazyGenerator::new(models.clone(), &config.generation));
        let ingestion = Ingestion::new(IngestionParts {
            ledger: Arc::clone(&ledger),
            texts,
            extractor: Arc::new(ExtractorPool::new(extractor_settings(&config)?)),
            token_counter: Arc::clone(&token_counter) as Arc<dyn TokenCounter>,
            embedder: Arc::clone(&embedder) as Arc<dyn Embedder>,
            words: Arc::clone(&words),
            vectors: Arc::clone(&vectors),
            settings: ingest_settings(&config),
        });
        let searcher = Searcher::new(SearcherParts {
            ledger: Arc::clone(&ledger) as Arc<dyn ChunkLookup>,
            embedder: Arc::clone(&embedder) as Arc<dyn Embedder>,
            vectors,
            words: Arc::clone(&words),
            reranker: None,
        });
        if let Err(error) = ingestion.recover().await {
            // What may be seen is decided by the ledger, so reading is safe; the next job tries again.
            tracing::warn!(
                code = error.code(),
                error = chain(&error),
                "what an interrupted run left is still there"
            );
        }
        let answerer = answerer(&config, Arc::clone(&generator), Arc::clone(&embedder));
        Ok(Self {
            config,
            ledger,
            ingestion: Arc::new(ingestion),
            searcher: Arc::new(searcher),
            answerer: Arc::new(answerer),
            embedder,
            generator,
            token_counter,
            words,
            models,
            needs_models: true,
            folder,
        })
    }

    /// Whether the files of the models that are configured are there, at the cost of a look at their
    /// sizes and times.
    pub fn models_present(&self) -> Result<(), PortError> {
        self.models.embedder_files()?;
        for entry in self.models.needed(self.config.generation.model)? {
            self.models.store().require(entry)?;
        }
        Ok(())
    }

    /// Loads what taking documents in needs. A missing or damaged model file is an error here,
    /// before a job is begun, rather than the error of every document.
    pub async fn prepare_ingestion(&self) -> Result<(), PortError> {
        if self.needs_models {
            self.token_counter.load().await?;
            self.embedder.load().await?;
        }
        Ok(())
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
        ..ExtractorSettings::new(vec![program.into_os_string(), OsString::from(EXTRACT_WORKER)])
    })
}

fn ingest_settings(config: &Config) -> IngestSettings {
    let mut settings = IngestSettings::default();
    let ingestion = &config.ingestion;
    settings.chunk.max_tokens = ingestion.chunk_tokens;
    settings.documents_ahead = ingestion.documents_ahead();
    settings.memory_bytes = usize::try_from(ingestion.documents_ahead_bytes()).unwrap_or(usize::MAX);
    settings.pushed_access = DefaultAccess(Acl::allowing(config.ingestion.pushed_access.iter().cloned()));
    settings
}

fn answerer(config: &Config, generator: Arc<LazyGenerator>, embedder: Arc<LazyEmbedder>) -> Answerer {
    let generation = &config.generation;
    Answerer::new(AnswererParts {
        generator: generator as Arc<dyn Generator>,
        embedder: Some(embedder as Arc<dyn Embedder>),
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
