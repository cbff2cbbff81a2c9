//! What every command needs to know: where the data is, what is set, and how to answer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use lectern_domain::error::chain;
use lectern_domain::{ErrorKind, PortError};

use super::output;
use crate::compose::Lectern;
use crate::config::{Config, FILE_NAME};
use crate::data_folder::{DataFolder, default_data_folder};
use crate::sources::declared;

/// What can be given to every command.
#[derive(Debug, Args)]
pub struct GlobalOptions {
    /// The folder that everything is kept in [default: the user's data folder]
    #[arg(
        long,
        global = true,
        env = "LECTERN_DATA",
        hide_env_values = true,
        value_name = "DIR"
    )]
    pub data: Option<PathBuf>,
    /// Print the result as JSON, and an error too
    #[arg(long, global = true)]
    pub json: bool,
}

/// The data folder's place, the settings, and how to answer. Nothing is opened yet.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where everything is kept. It need not exist yet.
    pub data: PathBuf,
    /// What is set in the folder's `lectern.toml` and the environment.
    pub config: Config,
    /// Whether a program reads the answer.
    pub json: bool,
}

impl Context {
    /// Finds the data folder and reads its settings.
    pub fn new(options: GlobalOptions) -> Result<Self> {
        let data = match options.data {
            Some(path) if path.as_os_str().is_empty() => None,
            Some(path) => Some(path),
            None => default_data_folder(),
        };
        let data = data.ok_or_else(|| {
            PortError::new(
                ErrorKind::Invalid,
                "no_data_folder",
                "there is no home folder to keep data in",
            )
        })?;
        let data = std::path::absolute(&data).with_context(|| format!("can't use {}", data.display()))?;
        let config = Config::load(&data)?;
        Ok(Self {
            data,
            config,
            json: options.json,
        })
    }

    /// Takes the data folder and puts everything together. No model is loaded by that.
    pub async fn open(&self) -> Result<Arc<Lectern>> {
        let folder = DataFolder::open(&self.data)?;
        Ok(Arc::new(Lectern::open(folder, self.config.clone()).await?))
    }

    /// The same, with the sources that the configuration declares. One that can't be used is told.
    pub async fn open_with_sources(&self) -> Result<Arc<Lectern>> {
        let lectern = self.open().await?;
        for unusable in declared::ensure(&lectern).await {
            output::note(format!(
                "warning: the source {:?} of {}, declared in {FILE_NAME}, can't be used: {}",
                unusable.name,
                unusable.knowledge_base,
                chain(&unusable.error)
            ));
        }
        Ok(lectern)
    }

    /// The same as [`Context::open`], and what an interrupted process left stays as it is.
    pub async fn open_as_found(&self) -> Result<Arc<Lectern>> {
        let folder = DataFolder::open(&self.data)?;
        Ok(Arc::new(
            Lectern::open_as_found(folder, self.config.clone()).await?,
        ))
    }

    /// The same settings over a folder of one's own, with the models where they are.
    pub async fn open_elsewhere(&self, folder: &Path) -> Result<Arc<Lectern>> {
        let mut config = self.config.clone();
        config.models.folder = Some(self.models_folder());
        let folder = DataFolder::open(folder)?;
        Ok(Arc::new(Lectern::open(folder, config).await?))
    }

    /// Where model files are kept.
    pub fn models_folder(&self) -> PathBuf {
        self.config.models.folder_for(&self.data)
    }
}
