//! Reading a JSON body within its bounds.
//!
//! actix-web's own extractor knows a size and no time, and its errors have a shape of their own. This
//! reader refuses by the declared length before it reads a byte, stops at the bound when the length
//! was not declared, gives a slow sender a deadline, and names the line and column of a mistake.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest, web};
use bytes::BytesMut;
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use lectern_domain::ErrorKind;
use serde::de::DeserializeOwned;

use super::error::ApiError;
use super::state::AppState;

/// The JSON body of an ordinary request.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for JsonBody<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = web::Payload::from_request(&request, payload);
        Box::pin(async move {
            let limits = &AppState::of(&request)?.limits;
            let payload = payload.await.map_err(|error| unreadable(&error))?;
            read_json(&request, payload, limits.json_bytes, limits.body_timeout)
                .await
                .map(Self)
        })
    }
}

/// Reads a JSON body of at most `limit_bytes` that has arrived within `timeout`.
pub async fn read_json<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: web::Payload,
    limit_bytes: usize,
    timeout: Duration,
) -> Result<T, ApiError> {
    require_json(request)?;
    if declared_length(request).is_some_and(|length| length > limit_bytes as u64) {
        return Err(too_large(limit_bytes));
    }
    let bytes = tokio::time::timeout(timeout, read_bounded(payload, limit_bytes))
        .await
        .map_err(|_| {
            ApiError::with_status(
                StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                format!("the body did not arrive within {} seconds", timeout.as_secs()),
            )
        })??;
    serde_json::from_slice(&bytes).map_err(|error| {
        let code = if error.is_data() {
            "body_invalid"
        } else {
            "body_not_json"
        };
        ApiError::new(
            ErrorKind::Invalid,
            code,
            format!("the body can't be read: {error}"),
        )
        .hint("GET /api/openapi.json describes the body of every request")
    })
}

async fn read_bounded(mut payload: web::Payload, limit_bytes: usize) -> Result<BytesMut, ApiError> {
    let mut body = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|error| unreadable(&error))?;
        if body.len() + piece.len() > limit_bytes {
            return Err(too_large(limit_bytes));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// A form or a plain text is what a foreign page can send without asking; JSON is not.
fn require_json(request: &HttpRequest) -> Result<(), ApiError> {
    let stated = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let essence = stated.split(';').next().unwrap_or("").trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ApiError::with_status(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not_json",
        format!("the body's media type is {stated:?}, and only application/json is read"),
    ))
}

fn declared_length(request: &HttpRequest) -> Option<u64> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(limit_bytes: usize) -> ApiError {
    ApiError::new(
        ErrorKind::TooLarge,
        "body_too_large",
        format!("the body is larger than {limit_bytes} bytes"),
    )
}

fn unreadable(error: &dyn std::fmt::Display) -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        "body_unreadable",
        format!("the body broke off: {error}"),
    )
}
