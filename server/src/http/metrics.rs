//! `/metrics`: what there is to count, in the Prometheus text format.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::metrics::gauge;
use actix_web::{HttpResponse, get, web};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::error::ApiError;
use super::state::AppState;

/// From a cached file to a slow answer.
const SECONDS: &[f64] = &[
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];
/// How often collected samples are folded into their buckets, so that they don't pile up between scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

static RECORDER: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// The recorder of this process, installed by the first call: the `metrics` crate has one a process.
pub fn recorder() -> io::Result<PrometheusHandle> {
    let mut recorder = RECORDER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = recorder.as_ref() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets(SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(io::Error::other)?;
    *recorder = Some(handle.clone());
    Ok(handle)
}

/// Folds samples into buckets for as long as the process lives.
pub async fn upkeep(handle: PrometheusHandle) {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        handle.run_upkeep();
    }
}

/// One more in a gauge, until it is dropped.
#[derive(Debug)]
pub struct Counted(&'static str);

impl Counted {
    /// Counts one in the gauge `name`.
    pub fn one(name: &'static str) -> Self {
        gauge!(name).increment(1.0);
        Self(name)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1.0);
    }
}

/// Every counter, gauge and histogram of this process.
#[utoipa::path(
    tag = "operation",
    responses((status = 200, description = "Prometheus text format 0.0.4", content_type = "text/plain", body = String))
)]
#[get("/metrics")]
pub async fn scrape(state: web::Data<AppState>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(state.metrics.render()))
}
