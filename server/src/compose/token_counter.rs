//! The token counters of the embedders, each loaded when a text is first counted with it.

use std::sync::{Arc, OnceLock};

use lectern_domain::PortError;
use lectern_domain::ports::{TokenCounter, TokenCounters};
use lectern_generation::catalogue::ModelName;
use lectern_retrieval::TokenSizer;

use super::Models;
use super::embedder::blocking;

/// The token counter of one embedder, loaded with the first text that is counted or by [`LazyTokenCounters::load`].
#[derive(Debug)]
struct LazyTokenCounter {
    name: ModelName,
    models: Models,
    loaded: OnceLock<TokenSizer>,
}

impl LazyTokenCounter {
    /// The counter itself; `None`, said aloud, where it can't be loaded.
    fn sizer(&self) -> Option<&TokenSizer> {
        if self.loaded.get().is_none() {
            match load_sizer(&self.models, &self.name) {
                Ok(sizer) => drop(self.loaded.set(sizer)),
                Err(error) => tracing::error!(error = lectern_domain::error::chain(&error), "no tokenizer"),
            }
        }
        self.loaded.get()
    }
}

impl TokenCounter for LazyTokenCounter {
    /// A counter that can't be loaded counts a byte as a token, which is never too few. Such a count
    /// is not published: the embedder needs the same files.
    fn count(&self, text: &str) -> usize {
        self.sizer().map_or(text.len(), |sizer| sizer.count(text))
    }

    fn added(&self) -> usize {
        self.sizer().map_or(EveryByte.added(), TokenCounter::added)
    }
}

/// Takes every byte for a token.
struct EveryByte;

impl TokenCounter for EveryByte {
    fn count(&self, text: &str) -> usize {
        text.len()
    }
}

/// The token counters of all embedders of the catalogue. Nothing is loaded before it is needed.
#[derive(Debug)]
pub struct LazyTokenCounters {
    all: Vec<Arc<LazyTokenCounter>>,
}

impl LazyTokenCounters {
    /// Counters over these files.
    pub fn new(models: &Models) -> Self {
        let lazy = |name: &ModelName| {
            Arc::new(LazyTokenCounter {
                name: name.clone(),
                models: models.clone(),
                loaded: OnceLock::new(),
            })
        };
        Self {
            all: models.embedders().map(lazy).collect(),
        }
    }

    /// Loads the tokenizer of an embedder: a tenth of a second for thirty thousand pieces of words, more for more.
    /// Does nothing for a model that isn't known.
    pub async fn load(&self, model: &str) -> Result<(), PortError> {
        let Some(counter) = self.find(model) else {
            return Ok(());
        };
        if counter.loaded.get().is_none() {
            let (models, name) = (counter.models.clone(), counter.name.clone());
            let sizer = blocking("load the tokenizer", move || load_sizer(&models, &name)).await?;
            counter.loaded.get_or_init(|| sizer);
        }
        Ok(())
    }

    fn find(&self, model: &str) -> Option<&Arc<LazyTokenCounter>> {
        self.all.iter().find(|counter| counter.name.as_str() == model)
    }
}

impl TokenCounters for LazyTokenCounters {
    fn of_model(&self, model: &str) -> Arc<dyn TokenCounter> {
        match self.find(model) {
            Some(counter) => Arc::clone(counter) as Arc<dyn TokenCounter>,
            None => Arc::new(EveryByte),
        }
    }
}

fn load_sizer(models: &Models, name: &ModelName) -> Result<TokenSizer, PortError> {
    let files = models.embedder_files(name)?;
    Ok(TokenSizer::load(
        &files.tokenizer,
        models.embedder_traits(name).document_prefix,
    )?)
}
