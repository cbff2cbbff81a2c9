//! Analytics: what was asked and opened, for who manages a knowledge base; and erasing what somebody asked.

use std::sync::Arc;

use actix_web::{delete, get, web};
use chrono::{NaiveDate, Utc};
use serde::Deserialize;
use utoipa::IntoParams;

use super::knowledge_base;
use crate::analytics::{Erased, QueryKind, Report, ReportRequest};
use crate::auth::Caller;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::state::AppState;

/// Which days, and how much of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AnalyticsQuery {
    /// The first day, in UTC. 29 days before the last where it isn't said.
    #[param(example = "2026-11-01")]
    pub from: Option<NaiveDate>,
    /// The last day, in UTC. Today where it isn't said; 365 days after the first at most.
    #[param(example = "2026-11-30")]
    pub to: Option<NaiveDate>,
    /// Count only searches, or only questions that ask for an answer.
    #[param(inline)]
    pub kind: Option<QueryKind>,
    /// How long the lists are at most; 10 where it isn't said.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

/// What was asked of a knowledge base by day, and what was opened of what was found.
#[utoipa::path(tag = "analytics", security((), ("token" = [])),
    params(("kb" = String, Path, description = "The knowledge base's name or id."), AnalyticsQuery),
    responses(
        (status = 200, body = Report),
        (status = 400, description = "`range_invalid`, `limit_out_of_range`, `query_invalid`", body = ErrorBody),
        (status = 404, description = "`kb_not_found`", body = ErrorBody),
    ))]
#[get("/knowledge-bases/{kb}/analytics")]
pub async fn report(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<String>,
    query: web::Query<AnalyticsQuery>,
) -> Result<web::Json<Report>, ApiError> {
    let base = knowledge_base(&state, &path).await?;
    let days = (query.from, query.to);
    let request = ReportRequest::new(days, query.kind, query.limit, Utc::now().date_naive());
    let lectern = &state.lectern;
    let report = lectern
        .analytics
        .report(&lectern.ledger, base.id, &request)
        .await?;
    Ok(web::Json(report))
}

/// Erases all that is kept of what somebody asked and opened, in every knowledge base. It can't be undone, and no file has a word
/// of it afterwards.
#[utoipa::path(tag = "analytics", security((), ("token" = [])),
    params(("user" = String, Path, description = "The name of who asked.", example = "operator")),
    responses(
        (status = 200, body = Erased),
        (status = 503, description = "`analytics_busy`: erase once more", body = ErrorBody),
    ))]
#[delete("/analytics/users/{user}")]
pub async fn erase_user(
    state: web::Data<AppState>,
    _caller: Caller,
    path: web::Path<String>,
) -> Result<web::Json<Erased>, ApiError> {
    let (lectern, user) = (Arc::clone(&state.lectern), path.into_inner());
    let erased = state
        .finish(async move { Ok(lectern.analytics.erase_user(&user).await?) })
        .await?;
    tracing::info!(
        searches = erased.searches,
        feedback = erased.feedback,
        "erased what somebody asked"
    );
    Ok(web::Json(erased))
}
