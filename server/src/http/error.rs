//! What a caller is told when a request fails.
//!
//! Every failure, whoever notices it (a route, the router, the reader of a body, a stage below),
//! leaves as one JSON shape, `{"error": {"code", "message", "hint"}}`, and this file holds the one
//! table from [`ErrorKind`] to a status. A code is stable and made for programs, a message says
//! what was tried and on what, a hint says what to do. Causes stay in the log.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use lectern_domain::{ErrorKind, PortError, error::chain};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When a caller who met a full queue may come again, in seconds.
const RETRY_AFTER_OVERLOADED_S: u32 = 2;
/// When a caller who met something that isn't there yet may come again, in seconds.
const RETRY_AFTER_UNAVAILABLE_S: u32 = 10;

/// The one error shape.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong, for a program and for a person.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ErrorDetail {
    /// Stable and machine-readable.
    #[schema(example = "kb_not_found")]
    pub code: String,
    /// What was tried, and on what.
    pub message: String,
    /// What to do about it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A failed request.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: Option<String>,
    header: ExtraHeader,
}

/// What some statuses say in a header besides.
#[derive(Debug)]
enum ExtraHeader {
    None,
    RetryAfter(u32),
    Allow(String),
    Challenge,
}

impl ApiError {
    /// A failure of a kind that the stages know.
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self::with_status(status_of(kind), code, message).retry_after(retry_after_s(kind))
    }

    /// A failure that only HTTP knows (a wrong method, a media type).
    pub fn with_status(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            hint: hint_for(code).map(str::to_owned),
            header: ExtraHeader::None,
        }
    }

    /// The same failure, with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure, with the methods that the path knows (RFC 9110, section 15.5.6).
    #[must_use]
    pub fn allowing(mut self, methods: &str) -> Self {
        self.header = ExtraHeader::Allow(methods.to_owned());
        self
    }

    /// The same failure, with the challenge that a 401 carries (RFC 6750, section 3).
    #[must_use]
    pub fn challenging(mut self) -> Self {
        self.header = ExtraHeader::Challenge;
        self
    }

    fn retry_after(mut self, seconds: Option<u32>) -> Self {
        if let Some(seconds) = seconds {
            self.header = ExtraHeader::RetryAfter(seconds);
        }
        self
    }

    /// The stable code.
    #[cfg(test)]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The body that the caller reads, and the data of an `error` event.
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            error: ErrorDetail {
                code: self.code.to_owned(),
                message: self.message.clone(),
                hint: self.hint.clone(),
            },
        }
    }
}

/// The table: what a caller can do about an error decides the status.
fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Denied => StatusCode::FORBIDDEN,
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::Overloaded => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::NoSpace => StatusCode::INSUFFICIENT_STORAGE,
        ErrorKind::Corrupt | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn retry_after_s(kind: ErrorKind) -> Option<u32> {
    match kind {
        ErrorKind::Overloaded => Some(RETRY_AFTER_OVERLOADED_S),
        ErrorKind::Unavailable => Some(RETRY_AFTER_UNAVAILABLE_S),
        _ => None,
    }
}

/// What to do about the codes that people meet most.
fn hint_for(code: &str) -> Option<&'static str> {
    let hint = match code {
        "kb_not_found" => "GET /api/v1/knowledge-bases lists those that are there",
        "kb_exists" => "choose another name, or use the knowledge base that is there",
        "kb_name_invalid" => "a name has 1 to 64 of the characters a-z, 0-9, - and _",
        "document_not_found" => "GET .../documents lists the documents of a knowledge base",
        "source_not_found" => "GET .../sources lists the sources of a knowledge base",
        "source_exists" => "choose another name, or send `\"replace\": true`",
        "jobs_busy" => "wait until some of the jobs have ended; GET .../ingestions shows them",
        "job_not_found" => "GET .../ingestions lists the jobs of a knowledge base",
        "job_running" => "wait until the running job has ended; GET .../ingestions shows it",
        "question_empty" => "send the words of a question",
        "question_too_long" => "ask with at most 20,000 characters",
        "query_not_found" => {
            "send the query_id of results that you got; those that are too old or were erased are gone"
        }
        "analytics_disabled" => "whoever runs the server can set `enabled` and `keep_days` in [analytics]",
        "generator_busy" => "try again after the seconds in Retry-After",
        "model_missing" => "run `lectern models pull NAME`; `lectern models list` shows what is there",
        "token_needed" => "send `Authorization: Bearer TOKEN` with the server's token",
        "not_json" => "send the header `Content-Type: application/json`",
        _ => return None,
    };
    Some(hint)
}

impl From<PortError> for ApiError {
    /// Logs what is Lectern's own fault with all its causes; the caller's copy has none.
    fn from(error: PortError) -> Self {
        if matches!(
            error.kind,
            ErrorKind::Corrupt | ErrorKind::Internal | ErrorKind::NoSpace
        ) {
            tracing::error!(code = error.code, error = chain(&error), "a request failed");
        }
        Self::new(error.kind, error.code, error.message)
    }
}

impl From<lectern_ingest::Error> for ApiError {
    fn from(error: lectern_ingest::Error) -> Self {
        PortError::from(error).into()
    }
}

impl From<lectern_retrieval::Error> for ApiError {
    fn from(error: lectern_retrieval::Error) -> Self {
        PortError::from(error).into()
    }
}

impl From<lectern_generation::Error> for ApiError {
    fn from(error: lectern_generation::Error) -> Self {
        PortError::from(error).into()
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        match &self.header {
            ExtraHeader::None => {}
            ExtraHeader::RetryAfter(seconds) => {
                response.insert_header((RETRY_AFTER, *seconds));
            }
            ExtraHeader::Allow(methods) => {
                response.insert_header((ALLOW, methods.as_str()));
            }
            ExtraHeader::Challenge => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"lectern\""));
            }
        }
        response.json(self.body())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [ErrorKind; 10] = [
        ErrorKind::NotFound,
        ErrorKind::Denied,
        ErrorKind::Invalid,
        ErrorKind::Conflict,
        ErrorKind::TooLarge,
        ErrorKind::Overloaded,
        ErrorKind::Unavailable,
        ErrorKind::NoSpace,
        ErrorKind::Corrupt,
        ErrorKind::Internal,
    ];

    #[test]
    fn each_kind_has_its_status() {
        let table: Vec<String> = KINDS
            .iter()
            .map(|kind| {
                let response = ApiError::new(*kind, "a_code", "what was tried").error_response();
                let retry = response
                    .headers()
                    .get(RETRY_AFTER)
                    .map(|value| value.to_str().unwrap());
                format!("{kind:?} {} {}", response.status().as_u16(), retry.unwrap_or("-"))
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        NotFound 404 -
        Denied 403 -
        Invalid 400 -
        Conflict 409 -
        TooLarge 413 -
        Overloaded 429 2
        Unavailable 503 10
        NoSpace 507 -
        Corrupt 500 -
        Internal 500 -
        ");
    }

    #[test]
    fn a_cause_stays_out_of_the_body() {
        let error = PortError::new(ErrorKind::Internal, "ledger_failed", "reading a document failed")
            .caused_by("SELECT secret FROM table");
        let body = serde_json::to_value(ApiError::from(error).body()).unwrap();
        insta::assert_json_snapshot!(body, @r#"
        {
          "error": {
            "code": "ledger_failed",
            "message": "reading a document failed"
          }
        }
        "#);
    }

    #[test]
    fn a_known_code_says_what_to_do() {
        let body = ApiError::new(
            ErrorKind::NotFound,
            "kb_not_found",
            "there is no knowledge base \"x\"",
        )
        .body();
        insta::assert_json_snapshot!(body, @r#"
        {
          "error": {
            "code": "kb_not_found",
            "message": "there is no knowledge base \"x\"",
            "hint": "GET /api/v1/knowledge-bases lists those that are there"
          }
        }
        "#);
    }
}
