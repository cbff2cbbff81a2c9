//! The sources that `lectern.toml` declares.
//!
//! ```text
//! [[sources]] ──> is there and as it says? ──> else made or changed ──> synced by its schedule, as any other
//! ```
//!
//! The file counts: what was changed elsewhere is as the file says again at the next start. A source that is taken out
//! of the file stays, with its documents, until somebody removes it. One that can't be used keeps no other from being
//! used, nor what it was before.

use std::sync::Arc;

use lectern_connectors::SourceConfig;
use lectern_domain::{Acl, ErrorKind, PortError};
use lectern_ingest::{KnowledgeBase, Source};

use super::{FilesOptions, IfThere, NewSource, ResolvedSource};
use crate::compose::Lectern;
use crate::config::{Config, DeclaredSource};

/// A declared source that can't be used, and why.
#[derive(Debug)]
pub struct Unusable {
    /// Whose source it would be.
    pub knowledge_base: String,
    /// What it is called.
    pub name: String,
    /// What is wrong.
    pub error: PortError,
}

/// Has the ledger know all sources that are declared. Gives those that can't be used.
pub async fn ensure(lectern: &Arc<Lectern>) -> Vec<Unusable> {
    let mut unusable = Vec::new();
    for declared in &lectern.config.sources {
        if let Err(error) = ensure_one(lectern, declared).await {
            unusable.push(Unusable {
                knowledge_base: declared.knowledge_base.clone(),
                name: declared.name.clone(),
                error,
            });
        }
    }
    unusable
}

async fn ensure_one(lectern: &Arc<Lectern>, declared: &DeclaredSource) -> Result<(), PortError> {
    let ingestion = &lectern.config.ingestion;
    let resolved = resolve(lectern, declared.clone()).await?;
    let knowledge_base = lectern.find_or_create(&declared.knowledge_base).await?;
    match lectern.ledger.source(knowledge_base.id, &declared.name).await {
        Ok(source) if is_as_declared(&source, &resolved)? => return Ok(()),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let defaults = ingestion.source_settings();
    let (source, is_new) = super::add(
        &lectern.ledger,
        knowledge_base.id,
        resolved,
        IfThere::Replace,
        defaults,
    )
    .await?;
    tracing::info!(source = %source.id, name = source.name, is_new, "a source is as the configuration says");
    Ok(())
}

/// Looks at the places that it names, which may take as long as a disk.
async fn resolve(lectern: &Arc<Lectern>, declared: DeclaredSource) -> Result<ResolvedSource, PortError> {
    let lectern = Arc::clone(lectern);
    let resolving = tokio::task::spawn_blocking(move || {
        let new = NewSource {
            name: Some(declared.name),
            paths: Vec::new(),
            config: Some(SourceConfig::from_json(declared.config)?),
            hidden: false,
            files: FilesOptions::default(),
            access: Acl::allowing(declared.access),
            settings: declared.settings,
        };
        new.resolve(&lectern.config.ingestion)
    });
    resolving.await.map_err(|error| {
        PortError::new(
            ErrorKind::Internal,
            "source_failed",
            "looking at the source broke off",
        )
        .caused_by(error)
    })?
}

fn is_as_declared(source: &Source, declared: &ResolvedSource) -> Result<bool, PortError> {
    let keeps_settings = declared
        .settings
        .as_ref()
        .is_none_or(|settings| *settings == source.settings);
    Ok(keeps_settings
        && source.name == declared.name
        && source.kind == declared.config.kind()
        && source.config == declared.config.to_json()?
        && source.default_access == declared.access)
}

/// Refuses to remove a source that would be back at the next start: `source_declared`.
pub fn require_undeclared(
    config: &Config,
    knowledge_base: &KnowledgeBase,
    source: &Source,
) -> Result<(), PortError> {
    let is_it = |declared: &DeclaredSource| {
        declared.knowledge_base == knowledge_base.name && declared.name == source.name
    };
    if !config.sources.iter().any(is_it) {
        return Ok(());
    }
    Err(PortError::new(
        ErrorKind::Conflict,
        "source_declared",
        format!(
            "the source {:?} is declared in {}, and would be back at the next start; take it out there first",
            source.name,
            crate::config::FILE_NAME
        ),
    ))
}
