//! Answers: a question, the sources that were found for it, the words, and what they cite.
//!
//! Whatever can be refused is refused before the first byte, with its status: a question that is
//! too long, a knowledge base that isn't there, a line that is full. Then the answer is a stream, and the
//! waiting for a turn happens inside it. A client that leaves drops the stream, the stream
//! drops the place in the line, and the engine stops.

use std::time::Instant;

use actix_web::{HttpRequest, HttpResponse, post, web};
use actix_web_lab::sse;
use futures::StreamExt;
use lectern_domain::{AnswerEvent, AnswerOutcome, Citation, EmbeddedShare, ErrorKind, PortError, TokenUsage};
use lectern_generation::answer::AnswerStream;
use lectern_retrieval::SearchRequest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::knowledge_base;
use crate::analytics::{QueryKind, SearchNote};
use crate::auth::Caller;
use crate::http::body::JsonBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::schema::{CitationSchema, EmbeddedShareSchema, OutcomeSchema, UsageSchema};
use crate::http::sse::{error_event, event, respond};
use crate::http::state::AppState;
use crate::render::answer_html;

/// How many passages an answer is made from; the prompt takes the best of their sentences.
const PASSAGES: usize = 8;

/// What is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerBody {
    /// 20,000 characters at most.
    #[schema(example = "How long is parental leave?", max_length = 20000)]
    pub question: String,
    /// Whether the answer comes as events (`text/event-stream`) or as one body.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub stream: bool,
}

fn yes() -> bool {
    true
}

/// The data of the event `sources`, which comes first.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourcesData {
    /// What feedback on the sources names.
    pub query_id: Uuid,
    /// What the answer may cite, numbered from 1.
    #[schema(value_type = Vec<CitationSchema>)]
    pub sources: Vec<Citation>,
    /// How much of the knowledge base could be found by meaning; the rest was found by its words.
    #[schema(value_type = EmbeddedShareSchema)]
    pub embedded: EmbeddedShare,
}

/// The data of an event `token`.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenData {
    /// May be part of a word.
    pub text: String,
}

/// The data of the event `done`, which comes last; an `error` comes in its place.
#[derive(Debug, Serialize, ToSchema)]
pub struct DoneData {
    /// The whole text, as it was streamed.
    pub text: String,
    /// The same as cleaned HTML. A citation is `<a class="citation" href="#source-N" data-source="N">[N]</a>`.
    pub html: String,
    /// Those of the sources that the text cites.
    #[schema(value_type = Vec<CitationSchema>)]
    pub citations: Vec<Citation>,
    /// Why it ended.
    #[schema(value_type = OutcomeSchema)]
    pub outcome: AnswerOutcome,
    /// What it cost.
    #[schema(value_type = UsageSchema)]
    pub usage: TokenUsage,
}

/// An answer as one body.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer {
    /// What feedback on the sources names.
    pub query_id: Uuid,
    /// What the answer could cite, numbered from 1.
    #[schema(value_type = Vec<CitationSchema>)]
    pub sources: Vec<Citation>,
    /// How much of the knowledge base could be found by meaning; the rest was found by its words.
    #[schema(value_type = EmbeddedShareSchema)]
    pub embedded: EmbeddedShare,
    /// The answer.
    #[serde(flatten)]
    pub answer: DoneData,
}

/// Answers a question from the documents of a knowledge base.
///
/// As events: one `sources`, any number of `token`, one `done`; or an `error` (with `code`, `message` and
/// perhaps `hint`) in place of what is missing. With `"stream": false`: one JSON body.
#[utoipa::path(tag = "answers", security((), ("token" = [])), request_body = AnswerBody,
    params(("kb" = String, Path, description = "The knowledge base's name or id.")),
    responses(
        (status = 200, content((Answer = "application/json"), (String = "text/event-stream"))),
        (status = 400, description = "`question_empty`, `body_invalid`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`", body = ErrorBody),
        (status = 413, description = "`question_too_long`, `body_too_large`", body = ErrorBody),
        (status = 429, description = "`generator_busy`; `Retry-After` says when to come again", body = ErrorBody),
        (status = 503, description = "`model_missing`", body = ErrorBody),
    ))]
#[post("/knowledge-bases/{kb}/answers")]
pub async fn answer(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<AnswerBody>,
) -> Result<HttpResponse, ApiError> {
    let started = Instant::now();
    let JsonBody(body) = body;
    let base = knowledge_base(&state, &path).await?;
    let search = SearchRequest {
        limit: PASSAGES,
        ..SearchRequest::new(body.question)
    };
    let found = state
        .lectern
        .searcher
        .search(&caller.read_scope(), base.id, &search)
        .await?;
    let relevant = found.relevant;
    let asked = Asked {
        query_id: found.query_id,
        embedded: found.embedded,
    };
    let note = SearchNote {
        query_id: asked.query_id,
        knowledge_base: base.id,
        text: search.text.clone(),
        user: Some(caller.user().to_owned()),
        kind: QueryKind::Answer,
        mode: found.mode,
        results: found.passages.len(),
        relevant,
        took_ms: started.elapsed().as_secs_f64() * 1_000.0,
    };
    // A full line refuses here; the turn is waited for inside the stream.
    let events = state
        .lectern
        .answerer
        .answer(&search.text, found.into_passages(), relevant)
        .await?;
    // A question that was refused is asked again: it counts when it is let in.
    state.lectern.analytics.note_search(note);
    if !body.stream {
        return Ok(HttpResponse::Ok().json(collect(events, asked).await?));
    }
    Ok(respond(
        &request,
        events.map(move |step| to_event(step, asked)),
        state.limits.keep_alive,
    ))
}

/// What is said with the sources.
#[derive(Clone, Copy, Debug)]
struct Asked {
    query_id: Uuid,
    embedded: EmbeddedShare,
}

fn to_event(step: Result<AnswerEvent, PortError>, asked: Asked) -> sse::Event {
    let Asked { query_id, embedded } = asked;
    match step {
        Ok(AnswerEvent::Sources { sources }) => event(
            "sources",
            &SourcesData {
                query_id,
                sources,
                embedded,
            },
        ),
        Ok(AnswerEvent::Token { text }) => event("token", &TokenData { text }),
        Ok(AnswerEvent::Done {
            text,
            citations,
            outcome,
            usage,
        }) => event("done", &done(text, citations, outcome, usage)),
        Err(error) => error_event(&error.into()),
    }
}

fn done(text: String, citations: Vec<Citation>, outcome: AnswerOutcome, usage: TokenUsage) -> DoneData {
    DoneData {
        html: answer_html(&text, &citations),
        text,
        citations,
        outcome,
        usage,
    }
}

async fn collect(mut events: AnswerStream, asked: Asked) -> Result<Answer, ApiError> {
    let mut all_sources = Vec::new();
    while let Some(step) = events.next().await {
        match step? {
            AnswerEvent::Sources { sources } => all_sources = sources,
            AnswerEvent::Token { .. } => {}
            AnswerEvent::Done {
                text,
                citations,
                outcome,
                usage,
            } => {
                return Ok(Answer {
                    query_id: asked.query_id,
                    sources: all_sources,
                    embedded: asked.embedded,
                    answer: done(text, citations, outcome, usage),
                });
            }
        }
    }
    Err(broken_off())
}

fn broken_off() -> ApiError {
    ApiError::new(
        ErrorKind::Internal,
        "answer_broken_off",
        "the answer ended before it was complete",
    )
}
