//! The text of a document, and a passage in it.
//!
//! Whoever manages a knowledge base sees which documents it has; what they say is shown to those only who
//! may read them. A document that the caller may not read has no text, as one that was never indexed.

use actix_web::{get, web};
use lectern_domain::{Document, DocumentId, ErrorKind, TextSpan};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::knowledge_base;
use crate::auth::Caller;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::schema::DocumentSchema;
use crate::http::state::AppState;
use crate::render::passage_html;

/// A document and its text.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentText {
    /// The document.
    #[schema(value_type = DocumentSchema)]
    pub document: Document,
    /// Its text as it was extracted; spans count its bytes in UTF-8.
    pub text: String,
}

/// A document with a passage marked.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentPassage {
    /// The document.
    #[schema(value_type = DocumentSchema)]
    pub document: Document,
    /// Cleaned HTML, safe to insert into a page. The passage is in `<mark class="passage">` elements, of
    /// which the first has the id `passage`.
    pub html: String,
    /// Whether `html` is a part of a document that is too long to show whole.
    pub is_excerpt: bool,
}

/// Where the passage lies, in bytes of the document's text.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PassageQuery {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// The text of a document.
#[utoipa::path(tag = "documents", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id."), ("id" = Uuid, Path, description = "The document.")),
    responses(
        (status = 200, body = DocumentText),
        (status = 404, description = "`kb_not_found`, `document_not_found`, `document_has_no_text`", body = ErrorBody),
    ))]
#[get("/knowledge-bases/{kb}/documents/{id}/text")]
pub async fn show_text(
    state: web::Data<AppState>,
    caller: Caller,
    path: web::Path<(String, Uuid)>,
) -> Result<web::Json<DocumentText>, ApiError> {
    let (document, text) = readable_text(&state, &caller, path.into_inner()).await?;
    Ok(web::Json(DocumentText { document, text }))
}

/// A document as HTML, with a passage of it marked.
#[utoipa::path(tag = "documents", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id."), ("id" = Uuid, Path, description = "The document."), PassageQuery),
    responses(
        (status = 200, body = DocumentPassage),
        (status = 400, description = "`span_invalid`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`, `document_not_found`, `document_has_no_text`", body = ErrorBody),
    ))]
#[get("/knowledge-bases/{kb}/documents/{id}/passage")]
pub async fn show_passage(
    state: web::Data<AppState>,
    caller: Caller,
    path: web::Path<(String, Uuid)>,
    query: web::Query<PassageQuery>,
) -> Result<web::Json<DocumentPassage>, ApiError> {
    let (document, text) = readable_text(&state, &caller, path.into_inner()).await?;
    let span = TextSpan {
        start: query.start,
        end: query.end,
    };
    let media_type = document.media_type.clone();
    let rendered = web::block(move || passage_html(&text, &media_type, span))
        .await
        .map_err(|_| {
            ApiError::new(
                ErrorKind::Internal,
                "render_failed",
                "rendering the document broke off",
            )
        })?
        .map_err(|error| ApiError::new(ErrorKind::Invalid, "span_invalid", error.to_string()))?;
    Ok(web::Json(DocumentPassage {
        document,
        html: rendered.html,
        is_excerpt: rendered.is_excerpt,
    }))
}

async fn readable_text(
    state: &AppState,
    caller: &Caller,
    (name, id): (String, Uuid),
) -> Result<(Document, String), ApiError> {
    let base = knowledge_base(state, &name).await?;
    let (document, text) = state
        .lectern
        .ledger
        .document_text(base.id, DocumentId(id))
        .await?;
    if !caller.read_scope().may_read(&document.acl) {
        return Err(lectern_ingest::Error::NoText {
            document: document.id,
        }
        .into());
    }
    Ok((document, text))
}
