//! Which model files there are to be, and where they lie.

use std::path::PathBuf;

use lectern_generation::Error;
use lectern_generation::catalogue::{
    Catalogue, EmbedderTraits, ModelEntry, ModelName, ModelRole, ModelStore,
};
use lectern_retrieval::EmbedderFiles;

use crate::config::{Config, GeneratorChoice};

/// The store of model files, with the catalogue that says what belongs into it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Models {
    store: ModelStore,
    catalogue: Catalogue,
}

impl Models {
    /// The models in `folder`, which is made when something is fetched.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            store: ModelStore::new(folder),
            catalogue: Catalogue::builtin(),
        }
    }

    /// The folder with the files.
    pub fn store(&self) -> &ModelStore {
        &self.store
    }

    /// All models that can be had.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The entries that a new Lectern with these settings needs. An ONNX Runtime of the operator's own
    /// (`ORT_DYLIB_PATH`) need not be fetched.
    pub fn needed(&self, config: &Config) -> Result<Vec<&ModelEntry>, Error> {
        let mut entries = vec![self.catalogue.find(config.models.embedder.name().as_str())?];
        if std::env::var_os("ORT_DYLIB_PATH").is_none_or(|path| path.is_empty()) {
            entries.push(self.catalogue.find(ModelName::RUNTIME.as_str())?);
        }
        entries.extend(self.generator(config.generation.model)?);
        Ok(entries)
    }

    /// The entry of a generator, if it is one that needs files.
    pub fn generator(&self, generator: GeneratorChoice) -> Result<Option<&ModelEntry>, Error> {
        match generator {
            GeneratorChoice::Qwen | GeneratorChoice::SmolLm2 => {
                self.catalogue.find(generator.as_str()).map(Some)
            }
            GeneratorChoice::Extractive => Ok(None),
        }
    }

    /// The names of all embedders that can be had.
    pub fn embedders(&self) -> impl Iterator<Item = &ModelName> {
        let entries = self.catalogue.entries().iter();
        entries
            .filter(|entry| entry.role == ModelRole::Embedder)
            .map(|entry| &entry.name)
    }

    /// How the embedder called `name` is used.
    pub fn embedder_traits(&self, name: &ModelName) -> EmbedderTraits {
        let entry = self.catalogue.find(name.as_str()).ok();
        entry.and_then(|entry| entry.embedder).unwrap_or_default()
    }

    /// The same models, with files taken from `folder` and from nowhere else.
    #[must_use]
    pub fn taken_from(mut self, folder: PathBuf) -> Self {
        self.store = self.store.with_folder(folder);
        self
    }

    /// The files of the embedder called `name`.
    ///
    /// Fails with `model_missing` or `model_corrupt`.
    pub fn embedder_files(&self, name: &ModelName) -> Result<EmbedderFiles, Error> {
        let installed = self.store.require(self.catalogue.find(name.as_str())?)?;
        Ok(EmbedderFiles {
            model: installed.onnx()?,
            tokenizer: installed.file("tokenizer.json")?,
            config: installed.file("config.json")?,
            special_tokens_map: installed.file("special_tokens_map.json")?,
            tokenizer_config: installed.file("tokenizer_config.json")?,
            onnx_runtime: self.store.onnx_runtime(&self.catalogue)?,
        })
    }

    /// The weights of the generator called `name`.
    ///
    /// Fails with `model_missing` or `model_corrupt`.
    pub fn generator_weights(&self, name: &str) -> Result<PathBuf, Error> {
        self.store.require(self.catalogue.find(name)?)?.gguf()
    }
}
