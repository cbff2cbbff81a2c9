//! Whether the process is up, and whether it can do its work.
//!
//! `/healthz` fails only with the process, so that a supervisor doesn't restart what is merely waiting for
//! a model; `/readyz` says what is missing. Neither tells anything about documents.

use std::sync::Arc;

use actix_web::{HttpResponse, get, web};
use lectern_domain::PortError;
use serde::Serialize;
use utoipa::ToSchema;

use super::state::AppState;

/// The process is up.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alive {
    /// Always `ok`.
    pub status: &'static str,
    /// The version of this server.
    pub version: &'static str,
}

/// Whether everything that an answer needs is there.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// Whether all of it is.
    pub ready: bool,
    /// Each part by its name.
    pub parts: Vec<PartReadiness>,
}

/// Whether one part is there.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartReadiness {
    /// `ledger`, `models` or `serving`.
    pub name: &'static str,
    /// Whether it works.
    pub ready: bool,
    /// Why not: a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
}

impl PartReadiness {
    fn of(name: &'static str, result: Result<(), PortError>) -> Self {
        Self {
            name,
            ready: result.is_ok(),
            code: result.err().map(|error| error.code),
        }
    }
}

/// Whether the process is up.
#[utoipa::path(tag = "operation", responses((status = 200, body = Alive)))]
#[get("/healthz")]
pub async fn alive() -> web::Json<Alive> {
    web::Json(Alive {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// Whether the server can answer: the ledger reads, the models' files are there, and it isn't shutting
/// down. (The indexes were opened before the server began to listen.)
#[utoipa::path(tag = "operation", responses(
    (status = 200, body = Readiness),
    (status = 503, description = "Something is missing.", body = Readiness),
))]
#[get("/readyz")]
pub async fn ready(state: web::Data<AppState>) -> HttpResponse {
    let lectern = Arc::clone(&state.lectern);
    let ledger = lectern
        .ledger
        .knowledge_bases()
        .await
        .map(drop)
        .map_err(PortError::from);
    let mut parts = vec![
        PartReadiness::of("ledger", ledger),
        PartReadiness::of("models", lectern.models_present().await),
    ];
    parts.push(PartReadiness {
        name: "serving",
        ready: !state.is_shutting_down(),
        code: state.is_shutting_down().then_some("shutting_down"),
    });
    let readiness = Readiness {
        ready: parts.iter().all(|part| part.ready),
        parts,
    };
    if readiness.ready {
        HttpResponse::Ok().json(readiness)
    } else {
        HttpResponse::ServiceUnavailable().json(readiness)
    }
}
