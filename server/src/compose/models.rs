//! Which model files there are to be, and where they lie.

use std::path::PathBuf;

use lectern_generation::Error;
use lectern_generation::catalogue::{Catalogue, ModelEntry, ModelName, ModelStore};
use lectern_retrieval::EmbedderFiles;

use crate::config::GeneratorChoice;

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

    /// The entries that a Lectern with this generator needs. An ONNX Runtime of the operator's own
    /// (`ORT_DYLIB_PATH`) need not be fetched.
    pub fn needed(&self, generator: GeneratorChoice) -> Result<Vec<&ModelEntry>, Error> {
        let mut names = vec![ModelName::EMBEDDER];
        if std::env::var_os("ORT_DYLIB_PATH").is_none_or(|path| path.is_empty()) {
            names.push(ModelName::RUNTIME);
        }
        match generator {
            GeneratorChoice::Qwen => names.push(ModelName::GENERATOR),
            GeneratorChoice::SmolLm2 => names.push(ModelName::SMALL_GENERATOR),
            GeneratorChoice::Extractive => {}
        }
        names
            .iter()
            .map(|name| self.catalogue.find(name.as_str()))
            .collect()
    }

    /// The embedder's files.
    ///
    /// Fails with `model_missing` or `model_corrupt`.
    pub fn embedder_files(&self) -> Result<EmbedderFiles, Error> {
        let installed = self
            .store
            .require(self.catalogue.find(ModelName::EMBEDDER.as_str())?)?;
        Ok(EmbedderFiles {
            model: installed.file("model.onnx")?,
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
