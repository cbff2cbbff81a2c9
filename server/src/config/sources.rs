//! `[[sources]]`: sources that are there whenever Lectern starts, for those who keep their configuration in files.

use std::collections::BTreeSet;

use lectern_domain::{PortError, Principal};
use lectern_ingest::SourceSettings;
use serde::{Deserialize, Serialize};

use super::invalid;

/// A source that the configuration declares.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredSource {
    /// The name of the knowledge base; it is made where there is none.
    pub knowledge_base: String,
    /// What the source is called, unique within the knowledge base.
    pub name: String,
    /// Its kind and what its connector needs, as in a file for `lectern source add --config`.
    pub config: serde_json::Value,
    /// Who may read documents that carry no permissions. Default: everyone who is let in.
    #[serde(default = "everyone")]
    pub access: BTreeSet<Principal>,
    /// How its documents are cut and enriched, how many deletions pass unasked, when it is synced. Where nothing is
    /// said, a new one has what `[ingestion]` says, and one that is there keeps what it was set to.
    #[serde(default)]
    pub settings: Option<SourceSettings>,
}

fn everyone() -> BTreeSet<Principal> {
    BTreeSet::from([Principal::Everyone])
}

/// Refuses two sources under one name.
pub(super) fn check(sources: &[DeclaredSource]) -> Result<(), PortError> {
    let mut names = BTreeSet::new();
    for source in sources {
        if !names.insert((&source.knowledge_base, &source.name)) {
            return Err(invalid(format!(
                "[[sources]] has two sources {:?} of the knowledge base {:?}",
                source.name, source.knowledge_base
            )));
        }
    }
    Ok(())
}
