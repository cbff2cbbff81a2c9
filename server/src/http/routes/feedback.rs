//! Feedback: what somebody did with the passages that a search or an answer showed them.

use std::collections::HashMap;

use actix_web::{post, web};
use lectern_domain::ports::ChunkLookup;
use lectern_domain::{ChunkId, DocumentId, ErrorKind, KnowledgeBaseId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::knowledge_base;
use crate::analytics::{Feedback, FeedbackKind, QueryRef};
use crate::auth::Caller;
use crate::http::body::JsonBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::state::AppState;

/// The most items of one request.
const MOST_ITEMS: usize = 100;

/// What was done with which passages.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackBody {
    /// The `query_id` of the results, or of the answer's sources.
    pub query_id: Uuid,
    /// 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    pub items: Vec<FeedbackItem>,
}

/// What was done with one passage.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackItem {
    /// The passage's `chunk`.
    pub chunk: Uuid,
    /// What was done.
    #[schema(inline)]
    pub kind: FeedbackKind,
}

/// What became of the items.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeedbackReceipt {
    /// How many say something new.
    pub counted: u64,
    /// Passages that there aren't (any more), or that the caller may not read. They count nothing.
    pub unknown: Vec<Uuid>,
}

/// Says what was done with passages: `click` for one that was opened, `relevant` or `not_relevant` for one that was judged.
///
/// The same said twice counts once, and of two judgements the later. Only who asked can say it, of what they may read.
#[utoipa::path(tag = "analytics", security((), ("token" = [])), request_body = FeedbackBody,
    params(("kb" = String, Path, description = "The knowledge base's name or id.")),
    responses(
        (status = 200, body = FeedbackReceipt),
        (status = 400, description = "`feedback_invalid`, `body_invalid`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`, `query_not_found`", body = ErrorBody),
        (status = 409, description = "`analytics_disabled`", body = ErrorBody),
    ))]
#[post("/knowledge-bases/{kb}/feedback")]
pub async fn give(
    state: web::Data<AppState>,
    caller: Caller,
    path: web::Path<String>,
    body: JsonBody<FeedbackBody>,
) -> Result<web::Json<FeedbackReceipt>, ApiError> {
    let JsonBody(FeedbackBody { query_id, items }) = body;
    if !(1..=MOST_ITEMS).contains(&items.len()) {
        return Err(ApiError::new(
            ErrorKind::Invalid,
            "feedback_invalid",
            format!(
                "{} items were sent, and there must be 1 to {MOST_ITEMS}",
                items.len()
            ),
        ));
    }
    let base = knowledge_base(&state, &path).await?;
    let documents = readable(&state, &caller, base.id, &items).await?;
    let (mut said, mut unknown) = (Vec::new(), Vec::new());
    for FeedbackItem { chunk, kind } in items {
        match documents.get(&ChunkId(chunk)) {
            Some(document) => said.push(Feedback {
                chunk: ChunkId(chunk),
                document: *document,
                kind,
            }),
            None => unknown.push(chunk),
        }
    }
    let query = QueryRef {
        id: query_id,
        knowledge_base: base.id,
        user: caller.user(),
    };
    let counted = state.lectern.analytics.give_feedback(query, &said).await?;
    Ok(web::Json(FeedbackReceipt { counted, unknown }))
}

/// The documents of those of the chunks that the caller may read.
async fn readable(
    state: &AppState,
    caller: &Caller,
    base: KnowledgeBaseId,
    items: &[FeedbackItem],
) -> Result<HashMap<ChunkId, DocumentId>, ApiError> {
    let chunks: Vec<ChunkId> = items.iter().map(|item| ChunkId(item.chunk)).collect();
    let found = state.lectern.ledger.look_up(base, &chunks).await?;
    let scope = caller.read_scope();
    let readable = found
        .into_iter()
        .filter(|chunk| scope.may_read(&chunk.metadata.acl));
    Ok(readable.map(|chunk| (chunk.chunk, chunk.document)).collect())
}
