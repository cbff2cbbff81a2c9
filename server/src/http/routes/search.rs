//! Search: passages that match a text.

use std::time::Instant;

use actix_web::{post, web};
use lectern_domain::{EmbeddedShare, Passage};
use lectern_retrieval::{SearchMode, SearchRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::knowledge_base;
use crate::auth::Caller;
use crate::http::body::JsonBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::schema::{EmbeddedShareSchema, PassageSchema};
use crate::http::state::AppState;

/// How many passages are found where it isn't said.
const DEFAULT_LIMIT: usize = 10;

/// Which index is asked.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Both, and their lists are merged.
    #[default]
    Hybrid,
    /// That of vectors.
    Vector,
    /// That of words.
    Lexical,
}

impl From<Mode> for SearchMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Hybrid => Self::Hybrid,
            Mode::Vector => Self::Vector,
            Mode::Lexical => Self::Lexical,
        }
    }
}

/// What is looked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchBody {
    /// A question or a few words, 20,000 characters at most.
    #[schema(example = "How long is parental leave?", max_length = 20000)]
    pub text: String,
    /// Which index is asked.
    #[serde(default)]
    #[schema(inline)]
    pub mode: Mode,
    /// How many passages at most.
    #[serde(default = "default_limit")]
    #[schema(default = 10, minimum = 1, maximum = 1000)]
    pub limit: usize,
    /// How many passages of one document at most; any number where it isn't said.
    pub per_document: Option<usize>,
}

fn default_limit() -> usize {
    DEFAULT_LIMIT
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchResults {
    /// Best first.
    #[schema(value_type = Vec<PassageSchema>)]
    pub passages: Vec<Passage>,
    /// Which index was asked.
    #[schema(value_type = Mode, inline)]
    pub mode: SearchMode,
    /// How long the search took, in milliseconds.
    pub took_ms: f64,
    /// Whether anything that was found is about what was asked.
    pub relevant: bool,
    /// How much of the knowledge base can be found by meaning yet; the rest is found by its words.
    #[schema(value_type = EmbeddedShareSchema)]
    pub embedded: EmbeddedShare,
}

/// Finds passages.
#[utoipa::path(tag = "search", security((), ("token" = [])), request_body = SearchBody,
    params(("kb" = String, Path, description = "The knowledge base's name or id.")),
    responses(
        (status = 200, body = SearchResults),
        (status = 400, description = "`question_empty`, `limit_out_of_range`, `body_invalid`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`", body = ErrorBody),
        (status = 413, description = "`question_too_long`, `body_too_large`", body = ErrorBody),
        (status = 503, description = "`model_missing`", body = ErrorBody),
    ))]
#[post("/knowledge-bases/{kb}/search")]
pub async fn search(
    state: web::Data<AppState>,
    caller: Caller,
    path: web::Path<String>,
    body: JsonBody<SearchBody>,
) -> Result<web::Json<SearchResults>, ApiError> {
    let started = Instant::now();
    let JsonBody(body) = body;
    let base = knowledge_base(&state, &path).await?;
    let request = SearchRequest {
        mode: body.mode.into(),
        limit: body.limit,
        per_document: body.per_document,
        ..SearchRequest::new(body.text)
    };
    let found = state
        .lectern
        .searcher
        .search(&caller.read_scope(), base.id, &request)
        .await?;
    Ok(web::Json(SearchResults {
        passages: found.passages,
        mode: found.mode,
        took_ms: started.elapsed().as_secs_f64() * 1_000.0,
        relevant: found.relevant,
        embedded: found.embedded,
    }))
}
