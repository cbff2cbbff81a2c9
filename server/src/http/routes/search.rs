//! Search: passages that match a text, and what may be meant while it is typed.

use std::time::Instant;

use actix_web::{get, post, web};
use lectern_domain::ports::{Facet, FacetRequest, SortKey};
use lectern_domain::{EmbeddedShare, Filter, KnowledgeBaseId, Tuning};
use lectern_retrieval::{
    Answered, Hit, SearchMode, SearchRequest, SearchResponse, SearchTimings, Spelling, Suggestion,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::knowledge_base;
use crate::analytics::{QueryKind, SearchNote};
use crate::auth::Caller;
use crate::http::body::JsonBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::schema::EmbeddedShareSchema;
use crate::http::search_schema::{
    AnsweredSchema, FacetRequestSchema, FacetSchema, FilterSchema, HitSchema, SortKeySchema, SpellingSchema,
    SuggestionSchema, TimingsSchema, TuningSchema,
};
use crate::http::state::AppState;

/// How many passages are found where it isn't said.
const DEFAULT_LIMIT: usize = 10;
/// How many suggestions are made where it isn't said.
const DEFAULT_SUGGESTIONS: usize = 8;

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
    /// A question or a few words, 20,000 characters at most. May be empty where there is a filter, an order or a facet:
    /// then all documents are meant, each by its beginning.
    #[serde(default)]
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
    /// Whether `"a phrase"`, `+word`, `-word`, `title:word` and `attribute:value` mean something in the text. Whatever is
    /// typed is a question: what can't be read as an operator is a word.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub operators: bool,
    /// Whether a word that no document has may stand for one that differs in a letter or two. Where it isn't wanted,
    /// `spelling` says what may have been meant.
    #[serde(default)]
    pub typos: bool,
    /// Which documents count.
    #[schema(value_type = Option<FilterSchema>)]
    pub filter: Option<Filter>,
    /// Attributes whose values are counted, over the documents that pass the filter and have one of the words. 20 at most.
    #[serde(default)]
    #[schema(value_type = Vec<FacetRequestSchema>)]
    pub facets: Vec<FacetRequest>,
    /// What the results are put in order by, in place of how well they match: the documents that pass the filter and
    /// have one of the words, each once. Where more than 10,000 do, the first 10,000 in that order can be paged through.
    /// The first attribute decides, the next among what is equal in it. A list counts by its least text, or by its
    /// greatest where the greatest come first. Neither tuning nor the reranker changes it. 3 at most.
    #[serde(default)]
    #[schema(value_type = Vec<SortKeySchema>)]
    pub sort: Vec<SortKey>,
    /// How matches are weighed, in place of the settings of the knowledge base.
    #[schema(value_type = Option<TuningSchema>)]
    pub tuning: Option<Tuning>,
    /// Whether the places are marked where the words stand.
    #[serde(default)]
    pub highlights: bool,
    /// Whether the sentence is looked for that answers the question.
    #[serde(default)]
    pub answer: bool,
    /// Whether each passage says how it came to its place.
    #[serde(default)]
    pub explain: bool,
    /// Whether passages that say nearly the same stand behind the best of them, as its `duplicates`.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub fold: bool,
    /// How much a passage counts less for saying what was said above it, from 0 (not at all) to 1.
    #[serde(default)]
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub diversity: f32,
    /// Each document once, with so many more of its passages behind the best one, as its `others`. 20 at most.
    #[schema(maximum = 20)]
    pub expand: Option<usize>,
    /// How many chunks before and after each passage are given with it, as its `context`. 5 at most.
    #[serde(default)]
    #[schema(maximum = 5)]
    pub neighbours: u32,
    /// Whether the reranker judges the first passages again, where one is configured.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub rerank: bool,
    /// `next` of the page before: gives the next page of that search, to whoever asked it. All else is as it was then.
    pub cursor: Option<String>,
}

fn default_limit() -> usize {
    DEFAULT_LIMIT
}

fn yes() -> bool {
    true
}

impl From<SearchBody> for SearchRequest {
    fn from(body: SearchBody) -> Self {
        Self {
            text: body.text,
            mode: body.mode.into(),
            limit: body.limit,
            per_document: body.per_document,
            operators: body.operators,
            typos: body.typos,
            filter: body.filter,
            facets: body.facets,
            sort: body.sort,
            tuning: body.tuning,
            highlights: body.highlights,
            answer: body.answer,
            spelling: true,
            explain: body.explain,
            fold: body.fold,
            diversity: body.diversity,
            expand: body.expand,
            neighbours: body.neighbours,
            rerank: body.rerank,
        }
    }
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchResults {
    /// The search, for its next pages and for what is said of its results.
    pub query_id: Uuid,
    /// Best first, or in the order that was asked for.
    #[schema(value_type = Vec<HitSchema>)]
    pub passages: Vec<Hit>,
    /// Which index was asked.
    #[schema(value_type = Mode, inline)]
    pub mode: SearchMode,
    /// How long the search took, in milliseconds.
    pub took_ms: f64,
    /// Whether anything that was found is about what was asked. Where nothing was named to look for, whatever passes
    /// the filter is.
    pub relevant: bool,
    /// Where the next page begins: send it as `cursor`. Absent where there is no more. It is of use for 15 minutes,
    /// or until 64 MiB of newer lists have taken its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How much of the knowledge base can be found by meaning yet; the rest is found by its words.
    #[schema(value_type = EmbeddedShareSchema)]
    pub embedded: EmbeddedShare,
    /// The values that were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<FacetSchema>)]
    pub facets: Vec<Facet>,
    /// Documents that come first for this question, each by its beginning.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<HitSchema>)]
    pub featured: Vec<Hit>,
    /// What answers the question, where that was asked for and there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<AnsweredSchema>)]
    pub answer: Option<Answered>,
    /// How the question may have been meant, where the documents don't have a word of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<SpellingSchema>)]
    pub spelling: Option<Spelling>,
    /// Where the time went. Absent unless `explain` was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TimingsSchema>)]
    pub timings: Option<SearchTimings>,
}

/// Finds passages.
#[utoipa::path(tag = "search", security((), ("token" = [])), request_body = SearchBody,
    params(("kb" = String, Path, description = "The knowledge base's name or id.")),
    responses(
        (status = 200, body = SearchResults),
        (status = 400, description = "`question_empty`, `limit_out_of_range`, `filter_invalid`, `tuning_invalid`, `facet_invalid`, `too_many_facets`, `too_many_sort_keys`, `diversity_out_of_range`, `too_many_beside`, `cursor_invalid`, `body_invalid`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`, `cursor_expired`", body = ErrorBody),
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
    let (searcher, scope) = (&state.lectern.searcher, caller.read_scope());
    let explained = body.explain;
    let found = match body.cursor.clone() {
        Some(cursor) => searcher.next_page(&scope, base.id, &cursor).await?,
        None => {
            let request = body.into();
            let found = searcher.search(&scope, base.id, &request).await?;
            note(&state, &caller, base.id, &request, &found, started);
            found
        }
    };
    Ok(web::Json(SearchResults {
        query_id: found.query_id,
        passages: found.passages,
        mode: found.mode,
        took_ms: started.elapsed().as_secs_f64() * 1_000.0,
        relevant: found.relevant,
        next: found.next,
        embedded: found.embedded,
        facets: found.facets,
        featured: found.featured,
        answer: found.answer,
        spelling: found.spelling,
        timings: explained.then_some(found.timings),
    }))
}

/// Has the search counted, unless nothing was asked and documents were listed. Further pages are of the same search.
fn note(
    state: &AppState,
    caller: &Caller,
    knowledge_base: KnowledgeBaseId,
    request: &SearchRequest,
    found: &SearchResponse,
    started: Instant,
) {
    if request.is_browsing() {
        return;
    }
    state.lectern.analytics.note_search(SearchNote {
        query_id: found.query_id,
        knowledge_base,
        text: request.text.clone(),
        user: Some(caller.user().to_owned()),
        kind: QueryKind::Search,
        mode: found.mode,
        results: found.passages.len(),
        relevant: found.relevant,
        took_ms: started.elapsed().as_secs_f64() * 1_000.0,
    });
}

/// What was typed so far.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SuggestionQuery {
    /// What was typed so far.
    pub text: String,
    /// How many suggestions at most, 1 to 50.
    #[serde(default = "default_suggestions")]
    #[param(default = 8, minimum = 1, maximum = 50)]
    pub limit: usize,
}

fn default_suggestions() -> usize {
    DEFAULT_SUGGESTIONS
}

/// What may be meant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suggestions {
    /// What the caller asked before, then titles of documents that the caller may read, then phrases of their texts; each
    /// best first. What was asked before gets half of the places at most. Phrases get what titles leave, or a quarter in
    /// place of titles that have the words only somewhere.
    #[schema(value_type = Vec<SuggestionSchema>)]
    pub suggestions: Vec<Suggestion>,
}

/// Completes a question while it is typed: from what the caller asked before, and from titles and phrases of documents
/// that the caller may read. Phrases come from three characters or two words on.
#[utoipa::path(tag = "search", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id."), SuggestionQuery),
    responses(
        (status = 200, body = Suggestions),
        (status = 400, description = "`limit_out_of_range`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`", body = ErrorBody),
        (status = 413, description = "`question_too_long`", body = ErrorBody),
    ))]
#[get("/knowledge-bases/{kb}/suggestions")]
pub async fn suggest(
    state: web::Data<AppState>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<SuggestionQuery>,
) -> Result<web::Json<Suggestions>, ApiError> {
    let base = knowledge_base(&state, &path).await?;
    let (searcher, analytics) = (&state.lectern.searcher, &state.lectern.analytics);
    let half = u32::try_from(query.limit.div_ceil(2)).unwrap_or(u32::MAX);
    let asked = analytics
        .asked_before(base.id, caller.user(), &query.text, half)
        .await?;
    let suggestions = searcher
        .suggest(&caller.read_scope(), base.id, &query.text, asked, query.limit)
        .await?;
    Ok(web::Json(Suggestions { suggestions }))
}
