//! Ingestions: jobs, each of which is one sync of a source.
//!
//! A job is asked for by a request and done after it; it can be looked at, watched and stopped, and the ledger
//! keeps it for the history. Taking folders in without naming a source first is a shorthand: their paths are its name.

use std::path::PathBuf;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use actix_web_lab::sse;
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt, stream};
use lectern_domain::{ErrorKind, JobCounts, JobId, JobState};
use lectern_ingest::{Job, JobEvent, Progress, ProgressSnapshot, SyncOptions};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::knowledge_base;
use super::sources::{SourceBody, add, begin, resolve};
use crate::auth::Caller;
use crate::http::body::JsonBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::schema::{JobCountsSchema, JobStateSchema};
use crate::http::sse::{error_event, event, respond};
use crate::http::state::AppState;
use crate::sources::IfThere;

/// The least time between two events of a job.
const EVENT_INTERVAL: Duration = Duration::from_millis(200);
/// How many jobs are listed where it isn't said.
const DEFAULT_PAGE: usize = 100;

/// What is to be read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIngestion {
    /// Absolute paths of folders and files on the server's machine, 100 at most. The same paths again are
    /// the same source: only what changed is read, and what is gone is taken out.
    #[schema(value_type = Vec<String>, example = json!(["/home/ada/handbook"]))]
    pub paths: Vec<PathBuf>,
    /// Whether documents that are gone from the paths are deleted, however many they are.
    #[serde(default)]
    pub allow_deletes: bool,
}

/// Which jobs are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JobQuery {
    /// Only those of this source, by its name or id.
    pub source: Option<String>,
    /// How many at most.
    #[serde(default = "default_page")]
    #[param(default = 100, minimum = 1, maximum = 1000)]
    pub limit: usize,
}

fn default_page() -> usize {
    DEFAULT_PAGE
}

/// A job.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub struct JobView {
    /// Sorts by when it was asked for.
    pub id: Uuid,
    /// What is written to.
    pub knowledge_base: Uuid,
    /// What is synced.
    pub source: Uuid,
    /// Where it stands.
    #[schema(value_type = JobStateSchema, inline)]
    pub state: JobState,
    /// Why it stands so, where it isn't complete: a stable code, a colon, a sentence.
    pub reason: Option<String>,
    /// What became of documents so far, over all attempts.
    #[schema(value_type = JobCountsSchema)]
    pub counts: JobCounts,
    /// How far it is, while it waits or runs on this server.
    pub progress: Option<ProgressView>,
    /// Whether it may delete however much is gone.
    pub allow_deletes: bool,
    /// How often it was begun: more than once where it was interrupted.
    pub attempts: u32,
    /// What happened to it besides its beginning and its end, oldest first; the last 50.
    pub history: Vec<JobEventView>,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it was first begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Something that happened to a job.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobEvent)]
pub struct JobEventView {
    /// When.
    pub at: DateTime<Utc>,
    /// A sentence.
    pub what: String,
}

impl From<JobEvent> for JobEventView {
    fn from(event: JobEvent) -> Self {
        Self {
            at: event.at,
            what: event.what,
        }
    }
}

/// How far a job is. A document can be found by its words when its chunks are published, and by its meaning
/// when they are embedded too.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = JobProgress)]
pub struct ProgressView {
    /// `queued` until it is its turn, then `running`.
    #[schema(value_type = JobStateSchema, inline)]
    pub state: JobState,
    /// Documents that the listing gave so far.
    pub listed: u64,
    /// Whether the listing has ended, so that `listed` is the total.
    pub listing_complete: bool,
    /// What became of documents so far.
    #[schema(value_type = JobCountsSchema)]
    pub counts: JobCounts,
    /// Chunks that were cut so far.
    pub chunks_cut: u64,
    /// Chunks that can be found by their words.
    pub chunks_published: u64,
    /// Chunks that the embedder made a vector for.
    pub chunks_embedded: u64,
    /// Chunks whose vector was known, because nothing about their text changed.
    pub chunks_reused: u64,
    /// Documents that can be found by their meaning now and couldn't before.
    pub documents_embedded: u64,
    /// Whether all documents can be found by their words, so that only vectors are missing.
    pub words_complete: bool,
    /// The key of a document that is being read.
    pub current_document: Option<String>,
}

impl From<ProgressSnapshot> for ProgressView {
    fn from(now: ProgressSnapshot) -> Self {
        Self {
            state: match now.job {
                Some(_) => JobState::Running,
                None => JobState::Queued,
            },
            listed: now.listed,
            listing_complete: now.listing_complete,
            counts: now.counts,
            chunks_cut: now.chunks_cut,
            chunks_published: now.chunks_published,
            chunks_embedded: now.chunks_embedded,
            chunks_reused: now.chunks_reused,
            documents_embedded: now.documents_embedded,
            words_complete: now.words_complete,
            current_document: now.current_document,
        }
    }
}

impl JobView {
    fn new(job: Job, progress: Option<ProgressSnapshot>) -> Self {
        let progress = progress
            .filter(|now| job.ended_at.is_none() && !now.ended)
            .map(ProgressView::from);
        let running = progress.as_ref().filter(|now| now.state == JobState::Running);
        Self {
            id: job.id.0,
            knowledge_base: job.knowledge_base.0,
            source: job.source.0,
            state: job.state,
            reason: job.reason,
            counts: running.map_or(job.counts, |now| now.counts),
            progress,
            allow_deletes: job.allow_deletes,
            attempts: job.attempts,
            history: job.history.into_iter().map(JobEventView::from).collect(),
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

/// The jobs of a knowledge base, or of one of its sources, newest first.
#[utoipa::path(tag = "ingestions", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id."), JobQuery),
    responses(
        (status = 200, body = JobList),
        (status = 400, description = "`query_invalid`, `limit_out_of_range`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`, `source_not_found`", body = ErrorBody),
    ))]
#[get("/knowledge-bases/{kb}/ingestions")]
pub async fn list(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<String>,
    query: web::Query<JobQuery>,
) -> Result<web::Json<JobList>, ApiError> {
    if !(1..=1_000).contains(&query.limit) {
        return Err(ApiError::new(
            ErrorKind::Invalid,
            "limit_out_of_range",
            format!("a list has 1 to 1000 jobs, not {}", query.limit),
        ));
    }
    let base = knowledge_base(&state, &path).await?;
    let ledger = &state.lectern.ledger;
    let mut jobs = match &query.source {
        Some(name) => {
            let source = ledger.source(base.id, name).await?;
            ledger.jobs_of_source(source.id, query.limit).await?
        }
        None => ledger.jobs(base.id).await?,
    };
    jobs.truncate(query.limit);
    let jobs = jobs.into_iter().map(|job| viewed(&state, job)).collect();
    Ok(web::Json(JobList { jobs }))
}

/// Takes folders and files of the server's machine in: makes a source of them, or finds it, and asks for a sync.
#[utoipa::path(tag = "ingestions", security((), ("token" = [])), request_body = NewIngestion,
    params(("kb" = String, Path, description = "The knowledge base's name or id.")),
    responses(
        (status = 202, description = "Queued; it can't be lost any more.", body = JobAnswer),
        (status = 400, description = "`paths_invalid`", body = ErrorBody),
        (status = 403, description = "`paths_need_loopback`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`, `path_not_found`", body = ErrorBody),
        (status = 429, description = "`jobs_busy`; `Retry-After` says when to come again", body = ErrorBody),
        (status = 503, description = "`model_missing`", body = ErrorBody),
    ))]
#[post("/knowledge-bases/{kb}/ingestions")]
pub async fn start(
    state: web::Data<AppState>,
    caller: Caller,
    path: web::Path<String>,
    body: JsonBody<NewIngestion>,
) -> Result<HttpResponse, ApiError> {
    let JsonBody(body) = body;
    let options = SyncOptions {
        allow_deletes: body.allow_deletes,
    };
    let source = resolve(&state, &caller, SourceBody::of_paths(body.paths)).await?;
    let base = knowledge_base(&state, &path).await?;
    let (source, _) = add(&state, &base, source, IfThere::Replace).await?;
    begin(&state, &base.name, &source, options).await
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

/// Asks a job to stop: one that waits ends at once, one that runs after the documents that are being written. What it
/// took in stays, and gets its vectors after it. A job that has ended stays as it is.
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
    let job = state.jobs.stop(job.id).await?;
    tracing::info!(job = %job.id, "a job was asked to stop");
    Ok(HttpResponse::Accepted().json(JobAnswer {
        job: viewed(&state, job),
    }))
}

/// Watches a job, from the queue to its end: events `progress`, at most five a second, then `done` with the job. Where the
/// server shuts down meanwhile, an `error` comes in place of `done`, and the job goes on at the next start.
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
    let progress = state.jobs.progress(job.id);
    let steps = match progress {
        Some(progress) => progress_events(progress).left_stream(),
        None => stream::empty().right_stream(),
    };
    let ended_state = state.clone();
    let end = stream::once(async move {
        match ended_state.lectern.ledger.job(job.id).await {
            Ok(job) if job.ended_at.is_none() => error_event(&put_down()),
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

/// What is told of a job that goes on, but not on this server.
fn put_down() -> ApiError {
    ApiError::new(
        ErrorKind::Unavailable,
        "job_put_down",
        "the server put the job down; it goes on when the server starts again",
    )
}

async fn find(state: &AppState, (name, job): (String, Uuid)) -> Result<Job, ApiError> {
    let base = knowledge_base(state, &name).await?;
    let job = state.lectern.ledger.job(JobId(job)).await?;
    if job.knowledge_base != base.id {
        return Err(lectern_ingest::Error::NoJob { job: job.id }.into());
    }
    Ok(job)
}

/// The job as it is shown, with how far it is.
pub(super) fn viewed(state: &AppState, job: Job) -> JobView {
    let progress = state.jobs.progress(job.id).map(|progress| progress.snapshot());
    JobView::new(job, progress)
}
