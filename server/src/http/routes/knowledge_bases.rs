//! Knowledge bases: listing, making, showing and deleting them.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use chrono::{DateTime, Utc};
use lectern_domain::EmbeddedShare;
use lectern_domain::ports::Embedder;
use lectern_ingest::KnowledgeBase;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{below, knowledge_base};
use crate::auth::Caller;
use crate::http::body::JsonBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::schema::EmbeddedShareSchema;
use crate::http::state::AppState;

/// A knowledge base: one set of documents with one pair of indexes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KnowledgeBase)]
pub struct KnowledgeBaseView {
    /// Random, and never used again.
    pub id: Uuid,
    /// 1 to 64 of the characters a-z, 0-9, - and _.
    pub name: String,
    /// What it is about, for people.
    pub description: String,
    /// The model whose vectors it holds.
    pub embedding_model: String,
    /// The length of those vectors.
    pub dimensions: usize,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// How many of its documents can be found.
    pub document_count: u64,
    /// How many chunks those have.
    pub chunk_count: u64,
    /// How many of them can be found by meaning yet.
    #[schema(value_type = EmbeddedShareSchema)]
    pub embedded: EmbeddedShare,
}

impl KnowledgeBaseView {
    async fn new(state: &AppState, base: KnowledgeBase) -> Result<Self, ApiError> {
        let embedded = state.lectern.ledger.embedded_share(base.id).await?;
        Ok(Self {
            id: base.id.0,
            name: base.name,
            description: base.description,
            embedding_model: base.embedding_model,
            dimensions: base.dimensions,
            created_at: base.created_at,
            document_count: base.document_count,
            chunk_count: base.chunk_count,
            embedded,
        })
    }
}

/// All knowledge bases, by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct KnowledgeBaseList {
    /// By name.
    pub knowledge_bases: Vec<KnowledgeBaseView>,
}

/// What a new knowledge base is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKnowledgeBase {
    /// 1 to 64 of the characters a-z, 0-9, - and _.
    #[schema(example = "handbook")]
    pub name: String,
    /// What it is about, for people.
    #[serde(default)]
    pub description: String,
    /// The model of its vectors, which it keeps, and which must be on the server; that of `[models] embedder` where none
    /// is named.
    #[serde(default)]
    #[schema(example = "multilingual-e5-small-int8")]
    pub embedding_model: Option<String>,
}

/// All knowledge bases, by name.
#[utoipa::path(tag = "knowledge bases", security((), ("token" = [])),
    responses((status = 200, body = KnowledgeBaseList)))]
#[get("/knowledge-bases")]
pub async fn list(
    state: web::Data<AppState>,
    _caller: Caller,
) -> Result<web::Json<KnowledgeBaseList>, ApiError> {
    let mut knowledge_bases = Vec::new();
    for base in state.lectern.ledger.knowledge_bases().await? {
        knowledge_bases.push(KnowledgeBaseView::new(&state, base).await?);
    }
    Ok(web::Json(KnowledgeBaseList { knowledge_bases }))
}

/// Makes a knowledge base.
#[utoipa::path(tag = "knowledge bases", security((), ("token" = [])), request_body = NewKnowledgeBase,
    responses(
        (status = 201, body = KnowledgeBaseView),
        (status = 400, description = "`kb_name_invalid`, `embedder_unknown`", body = ErrorBody),
        (status = 409, description = "`kb_exists`", body = ErrorBody),
        (status = 503, description = "`model_missing`: the embedder that is named isn't on the server", body = ErrorBody),
    ))]
#[post("/knowledge-bases")]
pub async fn create(
    state: web::Data<AppState>,
    _caller: Caller,
    request: HttpRequest,
    body: JsonBody<NewKnowledgeBase>,
) -> Result<HttpResponse, ApiError> {
    let JsonBody(new) = body;
    let embedder = state.lectern.embedders.for_new(new.embedding_model.as_deref())?;
    if new.embedding_model.is_some() {
        // With a model that isn't here it could take no document in, and the server would not be ready any more.
        state.lectern.require_embedder(embedder).await?;
    }
    let made = state
        .lectern
        .ledger
        .create_knowledge_base(
            &new.name,
            &new.description,
            embedder.model(),
            embedder.dimensions(),
        )
        .await?;
    tracing::info!(knowledge_base = %made.id, "made a knowledge base");
    let location = below(&request, &made.name);
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, location))
        .json(KnowledgeBaseView::new(&state, made).await?))
}

/// One knowledge base, by its name or its id.
#[utoipa::path(tag = "knowledge bases", security((), ("token" = [])),
    params(("kb" = String, Path, description = "Its name or its id.")),
    responses(
        (status = 200, body = KnowledgeBaseView),
        (status = 404, description = "`kb_not_found`", body = ErrorBody),
    ))]
#[get("/knowledge-bases/{kb}")]
pub async fn show(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<String>,
) -> Result<web::Json<KnowledgeBaseView>, ApiError> {
    let found = knowledge_base(&state, &path).await?;
    Ok(web::Json(KnowledgeBaseView::new(&state, found).await?))
}

/// Deletes a knowledge base with all its documents. It can't be undone.
#[utoipa::path(tag = "knowledge bases", security((), ("token" = [])),
    params(("kb" = String, Path, description = "Its name or its id.")),
    responses(
        (status = 204),
        (status = 404, description = "`kb_not_found`", body = ErrorBody),
    ))]
#[delete("/knowledge-bases/{kb}")]
pub async fn delete(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let found = knowledge_base(&state, &path).await?;
    state.lectern.delete_knowledge_base(&found).await?;
    tracing::info!(knowledge_base = %found.id, "deleted a knowledge base");
    Ok(HttpResponse::NoContent().finish())
}
