//! Documents: pushing, listing, showing and removing them.
//!
//! A push is answered when the document is durable, which is before it can be found: 202, and the
//! document with the status `pending`. With `?wait=true` the answer waits for the index.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lectern_domain::{
    Acl, Attributes, ContentHash, Document, DocumentId, DocumentStatus, ErrorKind, KnowledgeBaseId,
    Searchable, SourceId,
};
use lectern_ingest::{DocumentFilter, PushedDocument};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{below, knowledge_base};
use crate::auth::Caller;
use crate::http::body::read_json;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::metrics::Counted;
use crate::http::schema::{AclSchema, DocumentSchema};
use crate::http::state::AppState;

/// How many documents a page has where it isn't said.
const DEFAULT_PAGE: usize = 100;

/// A document to be taken in. Its content is `text`, or any file as `content_base64`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentBody {
    /// What the caller calls it: pushed again under the same key, it takes the place of the earlier
    /// one. Without a key, its `uri` is the key, and without that a hash of its content.
    pub key: Option<String>,
    /// Its title; without one, what the document itself says or its file name.
    pub title: Option<String>,
    /// The content as text.
    pub text: Option<String>,
    /// The content of a file of any kind that is read, in standard base64.
    pub content_base64: Option<String>,
    /// Its file name, a hint for recognising the format.
    pub file_name: Option<String>,
    /// Its media type, a hint too.
    pub media_type: Option<String>,
    /// Where a person finds the original.
    pub uri: Option<String>,
    /// Who may read it; without a list, everyone who is let in.
    #[schema(value_type = Option<AclSchema>)]
    pub acl: Option<Acl>,
    /// What else is known about it: texts, numbers, dates (RFC 3339) or lists of texts.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub attributes: Attributes,
}

/// How a push is to be answered.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PushQuery {
    /// Whether the answer waits until the document is indexed, or for a minute.
    #[serde(default)]
    pub wait: bool,
}

/// Which documents are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those that stand so: `pending`, `indexed`, `skipped` or `failed`.
    #[param(value_type = Option<String>, example = "failed")]
    pub status: Option<DocumentStatus>,
    /// Only those of this source.
    pub source: Option<Uuid>,
    /// How many at most.
    #[serde(default = "default_page")]
    #[param(default = 100, minimum = 1, maximum = 1000)]
    pub limit: usize,
    /// What the page before gave as `next_cursor`.
    pub cursor: Option<String>,
}

fn default_page() -> usize {
    DEFAULT_PAGE
}

/// A page of documents, by key.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentList {
    /// In the order of their keys.
    #[schema(value_type = Vec<DocumentSchema>)]
    pub documents: Vec<Document>,
    /// What to ask the next page with; `null` on the last.
    pub next_cursor: Option<String>,
}

/// One document.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentAnswer {
    /// As the ledger knows it.
    #[schema(value_type = DocumentSchema)]
    pub document: Document,
}

/// The documents of a knowledge base, a page at a time.
#[utoipa::path(tag = "documents", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id."), ListQuery),
    responses(
        (status = 200, body = DocumentList),
        (status = 400, description = "`query_invalid`, `cursor_invalid`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`", body = ErrorBody),
    ))]
#[get("/knowledge-bases/{kb}/documents")]
pub async fn list(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<String>,
    query: web::Query<ListQuery>,
) -> Result<web::Json<DocumentList>, ApiError> {
    if !(1..=1_000).contains(&query.limit) {
        return Err(ApiError::new(
            ErrorKind::Invalid,
            "limit_out_of_range",
            format!("a page has 1 to 1000 documents, not {}", query.limit),
        ));
    }
    let base = knowledge_base(&state, &path).await?;
    let filter = DocumentFilter {
        status: query.status,
        source: query.source.map(SourceId),
    };
    let ledger = &state.lectern.ledger;
    let page = ledger
        .documents(base.id, filter, query.cursor.as_deref(), query.limit)
        .await?;
    Ok(web::Json(DocumentList {
        documents: page.items,
        next_cursor: page.next_cursor,
    }))
}

/// Takes a document in.
///
/// When this answers, the document survives a crash of the server. Soon after it can be found by its words, then by its
/// meaning too; `wait=true` answers then.
#[utoipa::path(tag = "documents", security((), ("token" = [])), request_body = DocumentBody,
    params(("kb" = String, Path, description = "The knowledge base's name or id."), PushQuery),
    responses(
        (status = 200, description = "Indexed, skipped or failed, as its status says, and searchable as `searchable` says (`wait=true`).", body = DocumentAnswer),
        (status = 202, description = "Durable, and soon to be indexed.", body = DocumentAnswer),
        (status = 400, description = "`push_invalid`, `body_invalid`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`", body = ErrorBody),
        (status = 413, description = "`body_too_large`, `document_too_large`", body = ErrorBody),
        (status = 429, description = "`push_busy`; `Retry-After` says when to come again", body = ErrorBody),
        (status = 507, description = "`disk_full`", body = ErrorBody),
    ))]
#[post("/knowledge-bases/{kb}/documents")]
pub async fn push(
    state: web::Data<AppState>,
    _caller: Caller,
    request: HttpRequest,
    path: web::Path<String>,
    query: web::Query<PushQuery>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let base = knowledge_base(&state, &path).await?;
    let Ok(place) = state.receiving.try_acquire() else {
        return Err(ApiError::new(
            ErrorKind::Overloaded,
            "push_busy",
            format!(
                "{} documents are being received already",
                state.limits.concurrent_pushes
            ),
        ));
    };
    let receiving = Counted::one("lectern_pushes_receiving");
    let limits = &state.limits;
    let body = read_json(
        &request,
        payload,
        limits.push_body_bytes(),
        limits.document_timeout,
    )
    .await?;
    let document = pushed(body, limits.document_bytes)?;
    // Before the push, so that no round is missed.
    let rounds = state.pushes.rounds();
    // Once it is begun, the document may be in the ledger, whatever the answer is, and whether or not somebody hears it.
    let due = Arc::clone(&state.pushes).due(base.id);
    let (ingestion, target) = (Arc::clone(&state.lectern.ingestion), base.clone());
    let receipt = state.finish(async move {
        let _due = due;
        ingestion.push(&target, document).await
    });
    let receipt = receipt.await?;
    drop((place, receiving));

    let id = receipt.document.id;
    let mut document = receipt.document;
    if query.wait {
        document = wait_until_indexed(&state, base.id, id, rounds, limits.push_wait).await?;
    }
    let mut response = if document.status == DocumentStatus::Pending {
        HttpResponse::Accepted()
    } else {
        HttpResponse::Ok()
    };
    Ok(response
        .insert_header((LOCATION, below(&request, &id)))
        .json(DocumentAnswer { document }))
}

/// One document, with its status.
#[utoipa::path(tag = "documents", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id."), ("id" = Uuid, Path, description = "The document.")),
    responses(
        (status = 200, body = DocumentAnswer),
        (status = 404, description = "`kb_not_found`, `document_not_found`", body = ErrorBody),
    ))]
#[get("/knowledge-bases/{kb}/documents/{id}")]
pub async fn show(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<(String, Uuid)>,
) -> Result<web::Json<DocumentAnswer>, ApiError> {
    let (name, id) = path.into_inner();
    let base = knowledge_base(&state, &name).await?;
    let document = state.lectern.ledger.document(base.id, DocumentId(id)).await?;
    Ok(web::Json(DocumentAnswer { document }))
}

/// Removes a document. From then on it isn't found. (One that a folder still has comes back with the next
/// ingestion of that folder.)
#[utoipa::path(tag = "documents", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id."), ("id" = Uuid, Path, description = "The document.")),
    responses(
        (status = 204),
        (status = 404, description = "`kb_not_found`, `document_not_found`", body = ErrorBody),
    ))]
#[delete("/knowledge-bases/{kb}/documents/{id}")]
pub async fn delete(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<(String, Uuid)>,
) -> Result<HttpResponse, ApiError> {
    let (name, id) = path.into_inner();
    let base = knowledge_base(&state, &name).await?;
    let ingestion = Arc::clone(&state.lectern.ingestion);
    let removed = state.finish(async move { ingestion.remove(&base, DocumentId(id)).await });
    removed.await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The document that a body describes, with its content decoded and its key settled.
fn pushed(body: DocumentBody, limit_bytes: usize) -> Result<PushedDocument, ApiError> {
    let bytes = content(body.text, body.content_base64)?;
    if bytes.len() > limit_bytes {
        return Err(ApiError::new(
            ErrorKind::TooLarge,
            "document_too_large",
            format!(
                "the document has {} bytes, and {limit_bytes} is the most",
                bytes.len()
            ),
        ));
    }
    let key = match (&body.key, &body.uri) {
        (Some(key), _) => key.clone(),
        (None, Some(uri)) => uri.clone(),
        (None, None) => ContentHash::of(&bytes).to_hex(),
    };
    Ok(PushedDocument {
        uri: body.uri,
        key,
        title: body.title,
        media_type: body.media_type,
        file_name: body.file_name,
        bytes: bytes.into(),
        acl: body.acl,
        attributes: body.attributes,
    })
}

fn content(text: Option<String>, base64: Option<String>) -> Result<Vec<u8>, ApiError> {
    match (text, base64) {
        (Some(text), None) => Ok(text.into_bytes()),
        (None, Some(base64)) => BASE64_STANDARD.decode(base64).map_err(|error| {
            ApiError::new(
                ErrorKind::Invalid,
                "push_invalid",
                format!("content_base64 is no base64: {error}"),
            )
        }),
        _ => Err(ApiError::new(
            ErrorKind::Invalid,
            "push_invalid",
            "a document has either text or content_base64",
        )),
    }
}

/// The document as it is once nothing is pending, or when `patience` ends.
async fn wait_until_indexed(
    state: &AppState,
    base: KnowledgeBaseId,
    id: DocumentId,
    mut rounds: watch::Receiver<u64>,
    patience: Duration,
) -> Result<Document, ApiError> {
    let ledger = &state.lectern.ledger;
    let mut vectors = state.lectern.ingestion.embedding_rounds();
    let faults = vectors.borrow().faults;
    let indexed = async {
        loop {
            let embedder_fails = vectors.borrow_and_update().faults > faults;
            let document = ledger.document(base, id).await?;
            let lacks_vectors = document.searchable == Searchable::Words && document.reason.is_none();
            let waits = match document.status {
                DocumentStatus::Pending => true,
                DocumentStatus::Indexed => lacks_vectors && !embedder_fails,
                DocumentStatus::Skipped | DocumentStatus::Failed => false,
            };
            if !waits {
                return Ok::<_, ApiError>(document);
            }
            let changed = tokio::select! {
                changed = rounds.changed() => changed,
                changed = vectors.changed() => changed,
            };
            if changed.is_err() {
                return Ok(document);
            }
        }
    };
    match tokio::time::timeout(patience, indexed).await {
        Ok(document) => document,
        Err(_) => Ok(ledger.document(base, id).await?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(json: serde_json::Value) -> DocumentBody {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_document_without_a_key_is_known_by_its_uri_or_its_content() {
        let named = pushed(
            body(serde_json::json!({"text": "a", "uri": "https://example.com/a"})),
            10,
        )
        .unwrap();
        assert_eq!(named.key, "https://example.com/a");
        let bare = pushed(body(serde_json::json!({"content_base64": "YQ=="})), 10).unwrap();
        assert_eq!(bare.key, ContentHash::of(b"a").to_hex());
    }

    #[test]
    fn a_document_has_one_content_within_the_limit() {
        for (json, code) in [
            (serde_json::json!({"title": "x"}), "push_invalid"),
            (
                serde_json::json!({"text": "x", "content_base64": "YQ=="}),
                "push_invalid",
            ),
            (serde_json::json!({"content_base64": "!"}), "push_invalid"),
            (serde_json::json!({"text": "12345678901"}), "document_too_large"),
        ] {
            assert_eq!(pushed(body(json), 10).unwrap_err().code(), code);
        }
    }
}
