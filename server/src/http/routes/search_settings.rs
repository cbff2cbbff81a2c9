//! What those who run a knowledge base say about searches in it: synonyms, tuning, featured documents, and questions
//! that have an answer already.

use actix_web::{get, put, web};
use lectern_domain::SearchSettings;

use super::knowledge_base;
use crate::auth::Caller;
use crate::http::body::JsonBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::search_schema::SearchSettingsSchema;
use crate::http::state::AppState;
use crate::search_settings;

/// What is set for searches in a knowledge base.
#[utoipa::path(tag = "search", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id.")),
    responses(
        (status = 200, body = SearchSettingsSchema),
        (status = 404, description = "`kb_not_found`", body = ErrorBody),
    ))]
#[get("/knowledge-bases/{kb}/search-settings")]
pub async fn show(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<String>,
) -> Result<web::Json<SearchSettings>, ApiError> {
    let base = knowledge_base(&state, &path).await?;
    let settings = state.lectern.ledger.search_settings(base.id).await?;
    Ok(web::Json(settings.as_ref().clone()))
}

/// Sets it, whole. The next search goes by it; nothing is indexed anew.
#[utoipa::path(tag = "search", security((), ("token" = [])), request_body = SearchSettingsSchema,
    params(("kb" = String, Path, description = "The knowledge base's name or id.")),
    responses(
        (status = 200, body = SearchSettingsSchema),
        (status = 400, description = "`settings_invalid`, `synonyms_invalid`, `body_invalid`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`", body = ErrorBody),
    ))]
#[put("/knowledge-bases/{kb}/search-settings")]
pub async fn set(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<String>,
    body: JsonBody<SearchSettings>,
) -> Result<web::Json<SearchSettings>, ApiError> {
    let JsonBody(settings) = body;
    let base = knowledge_base(&state, &path).await?;
    search_settings::check(&settings)?;
    state
        .lectern
        .ledger
        .set_search_settings(base.id, &settings)
        .await?;
    Ok(web::Json(settings))
}
