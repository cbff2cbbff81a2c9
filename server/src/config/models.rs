//! `[models]`: where model files are kept.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where model files are kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelsConfig {
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
