//! Answers that come in pieces: server-sent events (HTML Living Standard, section 9.2).
//!
//! A stream that has nothing to say writes `: keep-alive` from time to time. That tells a proxy to keep
//! the connection, and it is how a client that vanished without a word is noticed: the write
//! fails, the stream is dropped, and with it whatever it held.

use std::time::Duration;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use actix_web_lab::sse;
use futures::Stream;
use serde::Serialize;

use super::error::ApiError;

/// An event with a name and a JSON value.
pub fn event(name: &'static str, value: &impl Serialize) -> sse::Event {
    match sse::Data::new_json(value) {
        Ok(data) => data.event(name).into(),
        Err(error) => {
            tracing::error!(%error, event = name, "an event can't be written as JSON");
            sse::Data::new(r#"{"code":"internal","message":"an event can't be written"}"#)
                .event("error")
                .into()
        }
    }
}

/// The event that ends a stream before its time; its data is what `error` holds in a body.
pub fn error_event(error: &ApiError) -> sse::Event {
    event("error", &error.body().error)
}

/// The response that carries `events` and ends with them.
pub fn respond(
    request: &HttpRequest,
    events: impl Stream<Item = sse::Event> + 'static,
    keep_alive: Duration,
) -> HttpResponse {
    let mut response = sse::Sse::from_infallible_stream(events)
        .with_keep_alive(keep_alive)
        .respond_to(request);
    // nginx buffers what it passes on unless it is told not to.
    response.headers_mut().insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}
