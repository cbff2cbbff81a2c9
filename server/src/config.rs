//! What an operator can set, and where each value comes from.
//!
//! `lectern.toml` in the data folder comes first, the environment wins over it:
//! `LECTERN_SERVER__PORT=9000` sets `port` in `[server]`. Three settings have a short name because
//! they are set so often: `LECTERN_DATA` (the data folder, read by the command line),
//! `LECTERN_MODELS` (`[models] folder`) and `LECTERN_API_TOKEN` (`[server] api_token`). A key that
//! nobody knows is refused, so that a misspelt one is noticed.
//!
//! The environment is read here and nowhere else.

mod server;
mod models;
mod ingestion;
mod vectors;
mod retrieval;
mod generation;
mod analytics;
mod sources;
mod secret;

use std::path::Path;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use lectern_domain::{ErrorKind, PortError};
use serde::{Deserialize, Serialize};

pub use analytics::AnalyticsConfig;
pub use generation::{GenerationConfig, GeneratorChoice};
pub use ingestion::{IngestionConfig, cores};
pub use models::{EmbedderChoice, ModelsConfig};
pub use retrieval::{CrossEncoderConfig, RerankerChoice, RetrievalConfig};
pub use secret::Secret;
pub use server::ServerConfig;
pub use sources::DeclaredSource;
pub use vectors::VectorsConfig;

/// The name of the configuration file in the data folder.
pub const FILE_NAME: &str = "lectern.toml";

/// Environment variables that begin with `LECTERN_` and are no settings of the file: the data folder
/// and the log level belong to the command line, the Python to the store of models, and the other two
/// are mapped by their short names.
const NOT_SECTIONS: &[&str] = &["data", "log", "python", "models", "api_token"];

/// Everything that can be set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The server's address and who may talk to it.
    pub server: ServerConfig,
    /// Where model files are kept.
    pub models: ModelsConfig,
    /// How documents are read and cut.
    pub ingestion: IngestionConfig,
    /// Where vectors are kept.
    pub vectors: VectorsConfig,
    /// How what was found is put into order.
    pub retrieval: RetrievalConfig,
    /// Who writes the answers.
    pub generation: GenerationConfig,
    /// Whether it is kept what people ask and open.
    pub analytics: AnalyticsConfig,
    /// Sources that are there whenever Lectern starts.
    pub sources: Vec<DeclaredSource>,
}

impl Config {
    /// Reads `lectern.toml` in `data_folder`, if it is there, and the environment.
    ///
    /// Fails with `Invalid` `config_invalid`, naming the file or the variable and the key.
    pub fn load(data_folder: &Path) -> Result<Self, PortError> {
        let file = data_folder.join(FILE_NAME);
        let figment = Figment::from(Serialized::defaults(Self::default()))
            .merge(Toml::file(&file))
            .merge(sections_of_environment())
            .merge(short_names_of_environment());
        let config: Self = figment.extract().map_err(|error| {
            PortError::new(
                ErrorKind::Invalid,
                "config_invalid",
                format!("can't use the configuration of {}: {error}", file.display()),
            )
        })?;
        config.check()?;
        Ok(config)
    }

    /// What can't be said by a field's type.
    fn check(&self) -> Result<(), PortError> {
        self.ingestion.check()?;
        self.vectors.check()?;
        self.retrieval.check()?;
        self.check_reranker()?;
        self.generation.check()?;
        self.analytics.check()?;
        sources::check(&self.sources)
    }

    /// Late interaction judges with the tokens of the embedder, which not every one is good for.
    fn check_reranker(&self) -> Result<(), PortError> {
        let is_late = self.retrieval.reranker == RerankerChoice::LateInteraction;
        if is_late && self.models.embedder == EmbedderChoice::Multilingual {
            return Err(invalid(format!(
                "[retrieval] reranker is \"late_interaction\", which was not measured on the tokens of [models] embedder \
                 \"{}\"; set the reranker to \"none\" or \"cross_encoder\"",
                self.models.embedder.name()
            )));
        }
        Ok(())
    }
}

/// `LECTERN_SERVER__PORT` and its like. A variable without `__` that isn't one of the short names is
/// refused as an unknown key; those that begin with `LECTERN_TEST_` belong to the test suite.
fn sections_of_environment() -> Env {
    Env::prefixed("LECTERN_")
        .filter(|key| !NOT_SECTIONS.iter().any(|name| key == *name) && !key.starts_with("test_"))
        .split("__")
}

/// The short names, mapped to the keys that they stand for.
fn short_names_of_environment() -> Env {
    Env::prefixed("LECTERN_")
        .only(&["models", "api_token"])
        .map(|key| {
            if key == "models" {
                "models.folder".into()
            } else {
                "server.api_token".into()
            }
        })
}

/// An error about one setting.
fn invalid(message: String) -> PortError {
    PortError::new(ErrorKind::Invalid, "config_invalid", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str) -> Result<Config, PortError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        Config::load(folder.path())
    }

    #[test]
    fn a_folder_without_a_file_has_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::load(folder.path()).unwrap();
        assert_eq!(config.server.port, 8080);
        assert_eq!(config.ingestion.chunk_tokens, 256);
    }

    #[test]
    fn a_setting_in_the_file_counts() {
        let config = load_text("[server]\nport = 9000\n").unwrap();
        assert_eq!(config.server.port, 9000);
    }

    #[test]
    fn an_unknown_key_is_refused_by_name_and_place() {
        for (text, key) in [("[server]\nprot = 1\n", "prot"), ("[sever]\nport = 1\n", "sever")] {
            let error = load_text(text).unwrap_err();
            assert_eq!(error.code, "config_invalid");
            assert!(error.message.contains(key), "{}", error.message);
            assert!(error.message.contains(FILE_NAME), "{}", error.message);
        }
    }

    #[test]
    fn a_value_out_of_range_is_refused() {
        for text in [
            "[ingestion]\nchunk_tokens = 8\n",
            "[ingestion]\nchunk_tokens = 257\n",
            "[ingestion]\ndeletions = { max_share = 1.5 }\n",
            "[ingestion]\ndeletions = { most = 3 }\n",
            "[ingestion]\nchunking = { strategy = \"fixed\", max_tokens = 9 }\n",
            "[ingestion]\njobs_at_once = 0\n",
            "[vectors]\nurl = \"\"\n",
            "[retrieval]\nreranker = \"cross_encoder\"\n",
            "[retrieval]\nreranker = \"best\"\n",
            "[retrieval]\nvectors_weight = 1.5\n",
            "[models]\nembedder = \"multilingual-e5-small-int8\"\n[retrieval]\nreranker = \"late_interaction\"\n",
            "[retrieval]\ncross_encoder = { folder = \"x\", max_tokens = 1 }\n",
            "[generation]\nmax_output_tokens = 0\n",
            "[server]\nport = 70000\n",
            "[analytics]\nkeep_days = 4000\n",
            "[analytics]\nkeep_days = -1\n",
        ] {
            assert_eq!(load_text(text).unwrap_err().code, "config_invalid", "{text}");
        }
    }

    #[test]
    fn a_secret_never_shows_itself() {
        let config = load_text("[server]\napi_token = \"open sesame\"\n").unwrap();
        assert!(!format!("{config:?}").contains("sesame"));
        assert!(!serde_json::to_string(&config).unwrap().contains("sesame"));
        assert_eq!(config.server.api_token.unwrap().reveal(), "open sesame");
    }
}
