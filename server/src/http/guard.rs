//! Whether a request is looked at, and whose it is.
//!
//! The rules are in [`crate::auth::rules`]; this file reads the facts from a request and keeps the
//! [`Caller`] with it. Health is open to all, since it tells nothing; the page and the API's
//! description are the same for everybody, so they need no caller; all else does.

use std::future::{Ready, ready};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, CONNECTION, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, ResponseError};
use lectern_domain::ErrorKind;

use crate::auth::{AccessRules, Caller, Refusal, RequestFacts};

use super::error::ApiError;
use super::state::AppState;

/// Headers by which a proxy says for whom it speaks.
const FORWARDING: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/// Middleware: turns away what isn't meant for this server or comes from nobody it knows.
pub async fn admit<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match judge(&request) {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        Err(error) => {
            let mut response = error.error_response();
            // The body was not read; what follows on the connection would be taken for a request.
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
            Ok(request.into_response(response))
        }
    }
}

fn judge(request: &ServiceRequest) -> Result<Option<Caller>, ApiError> {
    let path = request.path();
    if matches!(path, "/healthz" | "/readyz") {
        return Ok(None);
    }
    let state = AppState::of(request.request())?;
    let needs_caller = path.starts_with("/api/v1/") || path == "/metrics";
    if needs_caller && state.is_shutting_down() {
        return Err(ApiError::new(
            ErrorKind::Unavailable,
            "shutting_down",
            "the server is shutting down",
        ));
    }
    let host = request.connection_info().host().to_owned();
    check(&state.rules, request, &host, needs_caller)
}

fn check(
    rules: &AccessRules,
    request: &ServiceRequest,
    host: &str,
    needs_caller: bool,
) -> Result<Option<Caller>, ApiError> {
    let headers = request.headers();
    let facts = RequestFacts {
        host: Some(text(headers, &HeaderName::from_static("host")).unwrap_or(host)),
        origin: headers.get(ORIGIN).map(|value| value.to_str().unwrap_or("null")),
        authorization: text(headers, &AUTHORIZATION),
        peer: request.peer_addr().map(|address| address.ip()),
        forwarded: FORWARDING.iter().any(|name| headers.contains_key(*name)),
        guarded_method: !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS),
    };
    rules.check_target(&facts).map_err(refused)?;
    if !needs_caller {
        return Ok(None);
    }
    rules.identify(&facts).map(Some).map_err(refused)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn refused(refusal: Refusal) -> ApiError {
    if refusal.asks_for_token() {
        return ApiError::with_status(StatusCode::UNAUTHORIZED, refusal.code(), refusal.to_string())
            .challenging();
    }
    ApiError::new(ErrorKind::Denied, refusal.code(), refusal.to_string())
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(|| refused(Refusal::TokenNeeded)))
    }
}
