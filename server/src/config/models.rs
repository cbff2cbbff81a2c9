//! `[models]`: which embedder new knowledge bases get, and where model files are kept.

use std::path::{Path, PathBuf};

use lectern_generation::catalogue::ModelName;
use serde::{Deserialize, Serialize};

/// The embedder of new knowledge bases. One that exists keeps to the embedder that it was made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EmbedderChoice {
    /// Computes with integers: more than twice as fast.
    #[default]
    #[serde(rename = "all-minilm-l6-v2-int8")]
    Integers,
    /// The same model computing with floats: a little more exact.
    #[serde(rename = "all-minilm-l6-v2")]
    Floats,
    /// For a hundred languages: five times the file, and the same length of vectors.
    #[serde(rename = "multilingual-e5-small-int8")]
    Multilingual,
}

impl EmbedderChoice {
    /// Its name in the catalogue of models.
    pub fn name(self) -> ModelName {
        match self {
            Self::Integers => ModelName::EMBEDDER,
            Self::Floats => ModelName::FLOAT_EMBEDDER,
            Self::Multilingual => ModelName::MULTILINGUAL_EMBEDDER,
        }
    }
}

/// Which embedder new knowledge bases get, and where model files are kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelsConfig {
    /// The embedder of new knowledge bases that name none: `all-minilm-l6-v2-int8` (default), `all-minilm-l6-v2` or
    /// `multilingual-e5-small-int8`.
    pub embedder: EmbedderChoice,
    /// The folder of the model files; several data folders may share one. Set it in the environment
    /// with `LECTERN_MODELS`. Default: `models` in the data folder.
    pub folder: Option<PathBuf>,
}

impl ModelsConfig {
    /// The folder of the model files of the data folder `data`.
    pub fn folder_for(&self, data: &Path) -> PathBuf {
        self.folder.clone().unwrap_or_else(|| data.join("models"))
    }
}
