//! Ingestions: jobs that take folders of the server's machine into a knowledge base.
//!
//! A job is started by a request and runs on after it; its progress can be asked for or watched. Only
//! a caller on the server's own machine may name paths: to everybody else a path says nothing, and
//! could be one that isn't theirs to read.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use actix_web_lab::sse;
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt, stream};
use lectern_connectors::SourceConfig;
use lectern_connectors::files::FilesConfig;
use lectern_domain::ports::Connector;
use lectern_domain::{Acl, DefaultAccess, ErrorKind, JobCounts, JobId, JobState, PortError};
use lectern_ingest::{Job, KnowledgeBase, Progress, ProgressSnapshot};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{below, knowledge_base};
use crate::auth::Caller;
use crate::folders;
use crate::http::body::JsonBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::runs::Task;
use crate::http::schema::{JobCountsSchema, JobStateSchema};
use crate::http::sse::{error_event, event, respond};
use crate::http::state::AppState;

/// The most folders and files that one job reads.
const MOST_PATHS: usize = 100;
/// The least time between two events of a job.
const EVENT_INTERVAL: Duration = Duration::from_millis(200);

/// What is to be read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIngestion {
    /// Absolute paths of folders and files on the server's machine, 100 at most. The same paths again are
    /// the same source: only what changed is read, and what is gone is taken out.
    #[schema(value_type = Vec<String>, example = json!(["/home/ada/handbook"]))]
    pub paths: Vec<PathBuf>,
}

/// A job.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub struct JobView {
    /// Sorts by the start.
    pub id: Uuid,
    /// What is written to.
    pub knowledge_base: Uuid,
    /// What is read.
    pub source: Uuid,
    /// Where it stands.
    #[schema(value_type = JobStateSchema, inline)]
    pub state: JobState,
    /// Why it ended so, where it isn't complete: a stable code, then a sentence.
    pub reason: Option<String>,
    /// What became of documents so far.
    #[schema(value_type = JobCountsSchema)]
    pub counts: JobCounts,
    /// How far it is, while it runs.
    pub progress: Option<ProgressView>,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it first began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// How far a running job is.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = JobProgress)]
pub struct ProgressView {
    /// Documents that the listing gave so far.
    pub listed: u64,
    /// Whether the listing has ended, so that `listed` is the total.
    pub listing_complete: bool,
    /// What became of documents so far.
    #[schema(value_type = JobCountsSchema)]
    pub counts: JobCounts,
    /// Chunks that were cut so far.
    pub chunks_cut: u64,
    /// Chunks that can be found.
    pub chunks_published: u64,
    /// The key of a document that is being read.
    pub current_document: Option<String>,
}

impl From<ProgressSnapshot> for ProgressView {
    fn from(now: ProgressSnapshot) -> Self {
        Self {
            listed: now.listed,
            listing_complete: now.listing_complete,
            counts: now.counts,
            chunks_cut: now.chunks_cut,
            chunks_published: now.chunks_published,
            current_document: now.current_document,
        }
    }
}

impl JobView {
    fn new(job: Job, progress: Option<ProgressSnapshot>) -> Self {
        let progress = progress
            .filter(|_| job.ended_at.is_none())
            .map(ProgressView::from);
        Self {
            id: job.id.0,
            knowledge_base: job.knowledge_base.0,
            source: job.source.0,
            state: job.state,
            reason: job.reason,
            counts: progress.as_ref().map_or(job.counts, |progress| progress.counts),
            progress,
            requested_at: job.requested_at,
            started_at: job.started_at,
            ended_at: job.ended_at,
        }
    }
}

/// The jobs of a knowledge base.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobList {
    /// Newest first, 1,000 at most.
    pub jobs: Vec<JobView>,
}

/// One job.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobAnswer {
    /// As it stands.
    pub job: JobView,
}

/// The jobs of a knowledge base, newest first.
#[utoipa::path(tag = "ingestions", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id.")),
    responses(
        (status = 200, body = JobList),
        (status = 404, description = "`kb_not_found`", body = ErrorBody),
    ))]
#[get("/knowledge-bases/{kb}/ingestions")]
pub async fn list(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<String>,
) -> Result<web::Json<JobList>, ApiError> {
    let base = knowledge_base(&state, &path).await?;
    let jobs = state.lectern.ledger.jobs(base.id).await?;
    let jobs = jobs.into_iter().map(|job| viewed(&state, job)).collect();
    Ok(web::Json(JobList { jobs }))
}

/// Starts a job that reads folders and files of the server's machine.
#[utoipa::path(tag = "ingestions", security((), ("token" = [])), request_body = NewIngestion,
    params(("kb" = String, Path, description = "The knowledge base's name or id.")),
    responses(
        (status = 202, description = "Begun.", body = JobAnswer),
        (status = 400, description = "`paths_invalid`", body = ErrorBody),
        (status = 403, description = "`paths_need_loopback`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`, `path_not_found`", body = ErrorBody),
        (status = 409, description = "`job_running`", body = ErrorBody),
        (status = 503, description = "`model_missing`", body = ErrorBody),
    ))]
#[post("/knowledge-bases/{kb}/ingestions")]
pub async fn start(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<NewIngestion>,
) -> Result<HttpResponse, ApiError> {
    if !caller.is_on_this_machine() {
        return Err(ApiError::new(
            ErrorKind::Denied,
            "paths_need_loopback",
            "only a caller on the server's own machine may name paths of it",
        )
        .hint("push documents with POST .../documents"));
    }
    let JsonBody(NewIngestion { paths }) = body;
    check_paths(&paths)?;
    let base = knowledge_base(&state, &path).await?;
    let task = task(&state, base.clone(), paths).await?;
    // A missing model is told now, and not as the end of a job.
    state.lectern.prepare_ingestion().await?;
    let job = state.runs.start(&state, task).await?;
    tracing::info!(knowledge_base = %base.id, job = %job.id, "an ingestion began");
    Ok(HttpResponse::Accepted()
        .insert_header((LOCATION, below(&request, &job.id)))
        .json(JobAnswer {
            job: viewed(&state, job),
        }))
}

/// One job, with its progress while it runs.
#[utoipa::path(tag = "ingestions", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id."), ("job" = Uuid, Path, description = "The job.")),
    responses(
        (status = 200, body = JobAnswer),
        (status = 404, description = "`kb_not_found`, `job_not_found`", body = ErrorBody),
    ))]
#[get("/knowledge-bases/{kb}/ingestions/{job}")]
pub async fn show(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<(String, Uuid)>,
) -> Result<web::Json<JobAnswer>, ApiError> {
    let job = find(&state, path.into_inner()).await?;
    Ok(web::Json(JobAnswer {
        job: viewed(&state, job),
    }))
}

/// Asks a job to stop after the documents that are being written. One that has ended stays as it is.
#[utoipa::path(tag = "ingestions", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id."), ("job" = Uuid, Path, description = "The job.")),
    responses(
        (status = 202, description = "Asked to stop, or ended before.", body = JobAnswer),
        (status = 404, description = "`kb_not_found`, `job_not_found`", body = ErrorBody),
    ))]
#[delete("/knowledge-bases/{kb}/ingestions/{job}")]
pub async fn stop(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<(String, Uuid)>,
) -> Result<HttpResponse, ApiError> {
    let job = find(&state, path.into_inner()).await?;
    if state.runs.stop(job.id) {
        tracing::info!(job = %job.id, "an ingestion was asked to stop");
    }
    Ok(HttpResponse::Accepted().json(JobAnswer {
        job: viewed(&state, job),
    }))
}

/// Watches a job: events `progress`, at most five a second, then `done` with the job.
#[utoipa::path(tag = "ingestions", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id."), ("job" = Uuid, Path, description = "The job.")),
    responses(
        (status = 200, description = "`progress` has a JobProgress, `done` a JobAnswer.", content_type = "text/event-stream", body = String),
        (status = 404, description = "`kb_not_found`, `job_not_found`", body = ErrorBody),
    ))]
#[get("/knowledge-bases/{kb}/ingestions/{job}/events")]
pub async fn events(
    state: web::Data<AppState>,
    _caller: Caller,
    request: HttpRequest,
    path: web::Path<(String, Uuid)>,
) -> Result<HttpResponse, ApiError> {
    let job = find(&state, path.into_inner()).await?;
    let progress = state.runs.progress(job.id);
    let steps = match progress {
        Some(progress) => progress_events(progress).left_stream(),
        None => stream::empty().right_stream(),
    };
    let ended_state = state.clone();
    let end = stream::once(async move {
        match ended_state.lectern.ledger.job(job.id).await {
            Ok(job) => event(
                "done",
                &JobAnswer {
                    job: viewed(&ended_state, job),
                },
            ),
            Err(error) => error_event(&error.into()),
        }
    });
    Ok(respond(&request, steps.chain(end), state.limits.keep_alive))
}

/// The progress of a running job until it ends, never two events within [`EVENT_INTERVAL`].
fn progress_events(progress: Progress) -> impl Stream<Item = sse::Event> {
    let receiver = progress.subscribe();
    drop(progress);
    stream::unfold((receiver, true), |(mut receiver, first)| async move {
        if !first {
            tokio::time::sleep(EVENT_INTERVAL).await;
            receiver.changed().await.ok()?;
        }
        let now = receiver.borrow_and_update().clone();
        if now.ended {
            return None;
        }
        Some((event("progress", &ProgressView::from(now)), (receiver, false)))
    })
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

/// Opens the folders and finds, or makes, their source.
pub(crate) async fn task(
    state: &AppState,
    base: KnowledgeBase,
    paths: Vec<PathBuf>,
) -> Result<Task, ApiError> {
    let lectern = &state.lectern;
    let max_file_bytes = lectern.config.ingestion.max_file_bytes();
    let (name, config, connector) = web::block(move || open_folders(&paths, max_file_bytes))
        .await
        .map_err(|_| {
            ApiError::new(
                ErrorKind::Internal,
                "paths_failed",
                "looking at the paths broke off",
            )
        })??;
    let config = serde_json::to_value(&config)
        .map_err(|error| ApiError::new(ErrorKind::Internal, "source_unwritable", error.to_string()))?;
    let access = DefaultAccess(Acl::everyone());
    let source = lectern
        .ledger
        .ensure_source(base.id, &name, "files", &config, &access)
        .await?;
    Ok(Task {
        knowledge_base: base,
        source,
        connector,
    })
}

fn open_folders(
    paths: &[PathBuf],
    max_file_bytes: u64,
) -> Result<(String, SourceConfig, Arc<dyn Connector>), PortError> {
    let files = FilesConfig {
        max_file_bytes,
        ..FilesConfig::new(folders::resolved(paths)?)
    };
    let name = folders::source_name(&files.roots);
    let config = SourceConfig::Files(files);
    let connector = lectern_connectors::open(&config)?;
    Ok((name, config, Arc::from(connector)))
}

async fn find(state: &AppState, (name, job): (String, Uuid)) -> Result<Job, ApiError> {
    let base = knowledge_base(state, &name).await?;
    let job = state.lectern.ledger.job(JobId(job)).await?;
    if job.knowledge_base != base.id {
        return Err(lectern_ingest::Error::NoJob { job: job.id }.into());
    }
    Ok(job)
}

fn viewed(state: &AppState, job: Job) -> JobView {
    let progress = state.runs.progress(job.id).map(|progress| progress.snapshot());
    JobView::new(job, progress)
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
