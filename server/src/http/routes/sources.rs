//! Sources: folders of the server's machine that are kept in step with a knowledge base.
//!
//! A source is made once, and synced as often as one likes: each sync is a job ([`super::ingestions`]). Only
//! a caller on the server's own machine may name paths: to everybody else a path says nothing, and could be
//! one that isn't theirs to read. A source that is there may be synced by whoever is let in.

use std::path::PathBuf;

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use lectern_connectors::SourceConfig;
use lectern_domain::{Acl, ErrorKind, PortError};
use lectern_ingest::{KnowledgeBase, Source, SourceSettings, SourceTotals, SyncOptions};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ingestions::{JobAnswer, JobView, viewed};
use super::{PREFIX, knowledge_base};
use crate::auth::Caller;
use crate::http::body::JsonBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::schema::{AclSchema, SourceTotalsSchema};
use crate::http::state::AppState;
use crate::sources::{self, FilesOptions, IfThere, NewSource, ResolvedSource, declared};

/// The most folders and files that one source has.
const MOST_PATHS: usize = 100;

/// A source that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceBody {
    /// What it is called, 200 characters at most; by its paths, where nothing is said.
    #[schema(example = "handbook")]
    pub name: Option<String>,
    /// Absolute paths of folders and files on the server's machine, 100 at most.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["/home/ada/handbook"]))]
    pub paths: Vec<PathBuf>,
    /// In the place of paths, the kind of the source and what its connector needs.
    #[schema(value_type = Option<Object>, example = json!({"kind": "slack", "export": "/srv/slack.zip"}))]
    pub config: Option<serde_json::Value>,
    /// Whether names that begin with a dot are read too.
    #[serde(default)]
    pub hidden: bool,
    /// Only files that match one of these are read: patterns as in a `.gitignore`.
    #[serde(default)]
    #[schema(example = json!(["*.md", "/docs/"]))]
    pub include: Vec<String>,
    /// Files and folders that match one of these are left out. What `.lecternignore` files name is left out too.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Whether `.gitignore` files count as `.lecternignore` files do.
    #[serde(default)]
    pub gitignore: bool,
    /// Larger files are skipped, in MiB; what the server is configured with is the most.
    pub max_file_mib: Option<u64>,
    /// Whether what is saved is brought in within seconds.
    #[serde(default)]
    pub watch: bool,
    /// Look for changes so often instead of being told by the system, in seconds: for NFS and SMB.
    pub poll_s: Option<u32>,
    /// Who may read documents that carry no permissions; everyone who is let in, where nothing is said.
    #[schema(value_type = Option<AclSchema>)]
    pub access: Option<Acl>,
    /// How its documents are cut and enriched, how many deletions pass unasked, and when it is synced (a cron
    /// expression in UTC, or `never`); the server's defaults, where nothing is said.
    #[schema(value_type = Option<Object>, example = json!({"schedule": "0 3 * * *", "deletions": {"max_share": 0.2, "more_than": 10}}))]
    pub settings: Option<SourceSettings>,
    /// Whether a source of that name that is there becomes this one. Its documents follow with the next sync.
    #[serde(default)]
    pub replace: bool,
}

impl SourceBody {
    /// Those paths, and no more said.
    pub(super) fn of_paths(paths: Vec<PathBuf>) -> Self {
        Self {
            name: None,
            paths,
            config: None,
            hidden: false,
            include: Vec::new(),
            exclude: Vec::new(),
            gitignore: false,
            max_file_mib: None,
            watch: false,
            poll_s: None,
            access: None,
            settings: None,
            replace: false,
        }
    }
}

/// A source.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Source)]
pub struct SourceView {
    /// Derived from the knowledge base and the name.
    pub id: Uuid,
    /// Whose source it is.
    pub knowledge_base: Uuid,
    /// Unique within the knowledge base.
    pub name: String,
    /// The kind of connector, such as `files`, or `push` for the one that holds what was pushed.
    pub kind: String,
    /// What it reads.
    #[schema(value_type = Object)]
    pub config: serde_json::Value,
    /// Who may read documents that carry no permissions.
    #[schema(value_type = AclSchema)]
    pub default_access: Acl,
    /// How its documents are cut and enriched, how many deletions pass unasked, and when it is synced.
    #[schema(value_type = Object)]
    pub settings: SourceSettings,
    /// When its schedule asks for the next sync; null where it has none.
    pub next_run: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// How its documents stand.
    #[schema(value_type = SourceTotalsSchema)]
    pub documents: SourceTotals,
    /// The last job that was asked for.
    pub last_job: Option<JobView>,
}

/// The sources of a knowledge base.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceList {
    /// By name.
    pub sources: Vec<SourceView>,
}

/// One source.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceAnswer {
    /// As it stands.
    pub source: SourceView,
}

/// What a sync may do.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncBody {
    /// Whether documents that are gone from the source are deleted, however many they are.
    #[serde(default)]
    pub allow_deletes: bool,
}

/// The sources of a knowledge base, by name, each with its last job.
#[utoipa::path(tag = "sources", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id.")),
    responses(
        (status = 200, body = SourceList),
        (status = 404, description = "`kb_not_found`", body = ErrorBody),
    ))]
#[get("/knowledge-bases/{kb}/sources")]
pub async fn list(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<String>,
) -> Result<web::Json<SourceList>, ApiError> {
    let base = knowledge_base(&state, &path).await?;
    let mut sources = Vec::new();
    for source in state.lectern.ledger.sources(base.id).await? {
        sources.push(viewed_source(&state, source).await?);
    }
    Ok(web::Json(SourceList { sources }))
}

/// Makes a source of folders of the server's machine. Nothing is read until it is synced.
#[utoipa::path(tag = "sources", security((), ("token" = [])), request_body = SourceBody,
    params(("kb" = String, Path, description = "The knowledge base's name or id.")),
    responses(
        (status = 200, description = "It was there, and is this now (`replace`).", body = SourceAnswer),
        (status = 201, body = SourceAnswer),
        (status = 400, description = "`paths_invalid`, `pattern_invalid`, `source_config_invalid`, `secret_in_config`, `not_an_export`, `export_list_broken`, `source_name_invalid`, `body_invalid`", body = ErrorBody),
        (status = 403, description = "`paths_need_loopback`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`, `path_not_found`", body = ErrorBody),
        (status = 409, description = "`source_exists`", body = ErrorBody),
    ))]
#[post("/knowledge-bases/{kb}/sources")]
pub async fn create(
    state: web::Data<AppState>,
    caller: Caller,
    path: web::Path<String>,
    body: JsonBody<SourceBody>,
) -> Result<HttpResponse, ApiError> {
    let JsonBody(body) = body;
    let base = knowledge_base(&state, &path).await?;
    let if_there = if body.replace {
        IfThere::Replace
    } else {
        IfThere::Refuse
    };
    let resolved = resolve(&state, &caller, body).await?;
    let (source, is_new) = add(&state, &base, resolved, if_there).await?;
    state.sources_changed();
    tracing::info!(knowledge_base = %base.id, source = %source.id, is_new, "a source was set");
    let location = format!("{PREFIX}/knowledge-bases/{}/sources/{}", base.name, source.id);
    let source = viewed_source(&state, source).await?;
    let mut response = if is_new {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    Ok(response
        .insert_header((LOCATION, location))
        .json(SourceAnswer { source }))
}

/// One source, with how its documents stand and its last job.
#[utoipa::path(tag = "sources", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id."), ("source" = String, Path, description = "The source's name or id.")),
    responses(
        (status = 200, body = SourceAnswer),
        (status = 404, description = "`kb_not_found`, `source_not_found`", body = ErrorBody),
    ))]
#[get("/knowledge-bases/{kb}/sources/{source}")]
pub async fn show(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<web::Json<SourceAnswer>, ApiError> {
    let source = find(&state, &path).await?;
    let source = viewed_source(&state, source).await?;
    Ok(web::Json(SourceAnswer { source }))
}

/// Changes settings of a source. Each setting that is named takes the place of the one that was; `null` gives it its
/// default back. What isn't named stays.
#[utoipa::path(tag = "sources", security((), ("token" = [])),
    request_body(content = Object, description = "Settings of a source.", example = json!({"schedule": "0 3 * * *"})),
    params(("kb" = String, Path, description = "The knowledge base's name or id."), ("source" = String, Path, description = "The source's name or id.")),
    responses(
        (status = 200, body = SourceAnswer),
        (status = 400, description = "`source_settings_invalid`, `source_is_pushed`, `chunking_invalid`, `body_invalid`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`, `source_not_found`", body = ErrorBody),
    ))]
#[patch("/knowledge-bases/{kb}/sources/{source}")]
pub async fn set(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<(String, String)>,
    body: JsonBody<serde_json::Map<String, serde_json::Value>>,
) -> Result<web::Json<SourceAnswer>, ApiError> {
    let JsonBody(changes) = body;
    let source = find(&state, &path).await?;
    let settings = merged(&source.settings, changes)
        .map_err(|error| ApiError::new(ErrorKind::Invalid, "source_settings_invalid", error.to_string()))?;
    let (ledger, ingestion) = (&state.lectern.ledger, &state.lectern.config.ingestion);
    let source = sources::set(ledger, &source, &settings, ingestion).await?;
    state.sources_changed();
    tracing::info!(source = %source.id, "a source has other settings");
    let source = viewed_source(&state, source).await?;
    Ok(web::Json(SourceAnswer { source }))
}

/// The settings with those changes.
fn merged(
    settings: &SourceSettings,
    changes: serde_json::Map<String, serde_json::Value>,
) -> serde_json::Result<SourceSettings> {
    let mut merged = serde_json::to_value(settings)?;
    for (name, value) in changes {
        if let Some(merged) = merged.as_object_mut() {
            merged.remove(&name);
            if !value.is_null() {
                merged.insert(name, value);
            }
        }
    }
    serde_json::from_value(merged)
}

/// Removes a source and all its documents. The folders stay as they are. It can't be undone.
#[utoipa::path(tag = "sources", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id."), ("source" = String, Path, description = "The source's name or id.")),
    responses(
        (status = 204),
        (status = 404, description = "`kb_not_found`, `source_not_found`", body = ErrorBody),
        (status = 409, description = "`source_declared`", body = ErrorBody),
    ))]
#[delete("/knowledge-bases/{kb}/sources/{source}")]
pub async fn delete(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let base = knowledge_base(&state, &path.0).await?;
    let source = state.lectern.ledger.source(base.id, &path.1).await?;
    declared::require_undeclared(&state.lectern.config, &base, &source)?;
    state.lectern.ingestion.remove_source(&base, &source).await?;
    state.sources_changed();
    tracing::info!(source = %source.id, "deleted a source");
    Ok(HttpResponse::NoContent().finish())
}

/// Asks for a sync: a job that takes in what is new or changed and takes out what is gone. Where one waits already,
/// it is the answer.
#[utoipa::path(tag = "sources", security((), ("token" = [])), request_body = SyncBody,
    params(("kb" = String, Path, description = "The knowledge base's name or id."), ("source" = String, Path, description = "The source's name or id.")),
    responses(
        (status = 202, description = "Queued; it can't be lost any more.", body = JobAnswer),
        (status = 400, description = "`source_not_synced`, `body_invalid`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`, `source_not_found`, `path_not_found`", body = ErrorBody),
        (status = 429, description = "`jobs_busy`; `Retry-After` says when to come again", body = ErrorBody),
        (status = 503, description = "`model_missing`", body = ErrorBody),
    ))]
#[post("/knowledge-bases/{kb}/sources/{source}/sync")]
pub async fn sync(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<(String, String)>,
    body: JsonBody<SyncBody>,
) -> Result<HttpResponse, ApiError> {
    let JsonBody(body) = body;
    let source = find(&state, &path).await?;
    let options = SyncOptions {
        allow_deletes: body.allow_deletes,
    };
    begin(&state, &path.0, &source, options).await
}

/// Queues a job of a source, and answers with it.
pub(super) async fn begin(
    state: &AppState,
    base: &str,
    source: &Source,
    options: SyncOptions,
) -> Result<HttpResponse, ApiError> {
    // A missing model or folder is told now, and not as the end of a job.
    let knowledge_base = state.lectern.ledger.knowledge_base(base).await?;
    state
        .lectern
        .prepare_ingestion(&knowledge_base.embedding_model)
        .await?;
    let opened = source.clone();
    blocking(move || sources::open(&opened).map(drop)).await?;
    let job = state.jobs.request(source, options).await?;
    tracing::info!(source = %source.id, job = %job.id, "a sync was asked for");
    let location = format!("{PREFIX}/knowledge-bases/{base}/ingestions/{}", job.id);
    Ok(HttpResponse::Accepted()
        .insert_header((LOCATION, location))
        .json(JobAnswer {
            job: viewed(state, job),
        }))
}

/// Checks who asks and for what, and looks at the folders.
pub(super) async fn resolve(
    state: &AppState,
    caller: &Caller,
    body: SourceBody,
) -> Result<ResolvedSource, ApiError> {
    if !caller.is_on_this_machine() {
        return Err(ApiError::new(
            ErrorKind::Denied,
            "paths_need_loopback",
            "only a caller on the server's own machine may name paths of it",
        )
        .hint("push documents with POST .../documents"));
    }
    let config = match body.config {
        Some(config) => Some(checked_config(config, &body.paths)?),
        None => {
            check_paths(&body.paths)?;
            None
        }
    };
    let ingestion = state.lectern.config.ingestion.clone();
    let new = NewSource {
        name: body.name,
        paths: body.paths,
        config,
        hidden: body.hidden,
        files: FilesOptions {
            include: body.include,
            exclude: body.exclude,
            gitignore: body.gitignore,
            max_file_mib: body.max_file_mib,
            watch: body.watch,
            poll_s: body.poll_s,
        },
        access: body.access.unwrap_or_else(Acl::everyone),
        settings: body.settings,
    };
    blocking(move || new.resolve(&ingestion)).await
}

/// Has the ledger know the source; a new one has the server's defaults.
pub(super) async fn add(
    state: &AppState,
    base: &KnowledgeBase,
    source: ResolvedSource,
    if_there: IfThere,
) -> Result<(Source, bool), ApiError> {
    let defaults = state.lectern.config.ingestion.source_settings();
    Ok(sources::add(&state.lectern.ledger, base.id, source, if_there, defaults).await?)
}

/// The configuration, whose paths are few and absolute; nothing is said in two places.
fn checked_config(config: serde_json::Value, paths: &[PathBuf]) -> Result<SourceConfig, ApiError> {
    if !paths.is_empty() {
        let problem = "both paths and a configuration were given";
        return Err(ApiError::new(ErrorKind::Invalid, "paths_invalid", problem));
    }
    let mut config = SourceConfig::from_json(config).map_err(PortError::from)?;
    let paths: Vec<PathBuf> = sources::paths_of(&mut config)
        .into_iter()
        .map(|path| path.clone())
        .collect();
    if !paths.is_empty() {
        check_paths(&paths)?;
    }
    Ok(config)
}

fn check_paths(paths: &[PathBuf]) -> Result<(), ApiError> {
    let problem = match paths {
        [] => "no path was given".to_owned(),
        many if many.len() > MOST_PATHS => {
            format!("{} paths were given, and {MOST_PATHS} is the most", many.len())
        }
        some => match some.iter().find(|path| !path.is_absolute()) {
            Some(relative) => format!("the path {:?} is not absolute", relative.display().to_string()),
            None => return Ok(()),
        },
    };
    Err(ApiError::new(ErrorKind::Invalid, "paths_invalid", problem))
}

/// Looks at the disk, on a thread that may wait for it.
async fn blocking<T: Send + 'static>(
    look: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> Result<T, ApiError> {
    let looked = web::block(look).await.map_err(|_| {
        ApiError::new(
            ErrorKind::Internal,
            "paths_failed",
            "looking at the paths broke off",
        )
    })?;
    Ok(looked?)
}

async fn find(state: &AppState, (base, source): &(String, String)) -> Result<Source, ApiError> {
    let base = knowledge_base(state, base).await?;
    Ok(state.lectern.ledger.source(base.id, source).await?)
}

async fn viewed_source(state: &AppState, source: Source) -> Result<SourceView, ApiError> {
    let ledger = &state.lectern.ledger;
    let documents = ledger.source_totals(source.id).await?;
    let last_job = ledger.jobs_of_source(source.id, 1).await?.into_iter().next();
    Ok(SourceView {
        next_run: sources::next_run(&source, Utc::now(), &state.lectern.config.ingestion),
        id: source.id.0,
        knowledge_base: source.knowledge_base.0,
        name: source.name,
        kind: source.kind,
        config: source.config,
        default_access: source.default_access.0,
        settings: source.settings,
        created_at: source.created_at,
        documents,
        last_job: last_job.map(|job| viewed(state, job)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_few_and_absolute() {
        assert!(check_paths(&["/a".into()]).is_ok());
        for paths in [vec![], vec!["a/b".into()], vec![PathBuf::from("/a"); 101]] {
            assert_eq!(check_paths(&paths).unwrap_err().code(), "paths_invalid");
        }
    }
}
