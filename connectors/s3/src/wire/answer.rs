//! What an answer means: the content, trouble that passes, or trouble that lasts.

use std::fmt;

use chrono::Utc;
use futures::StreamExt;
use lectern_connector_remote::retry_after;
use lectern_domain::error::chain;
use object_store::client::{HttpError, HttpResponse, HttpResponseBody};
use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;

use super::{json, xml};
use crate::error::Error;

/// As much of a refusal as is looked at for its code.
const MAX_REFUSAL_BYTES: usize = 64 << 10;

/// What was asked for, for people.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Listing { bucket: String },
    Object { key: String },
    Tags { key: String },
}

impl fmt::Display for Asked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listing { bucket } => write!(formatter, "listing the bucket {bucket:?}"),
            Self::Object { key } => write!(formatter, "reading the object {key:?}"),
            Self::Tags { key } => write!(formatter, "reading the tags of {key:?}"),
        }
    }
}

impl Asked {
    /// What it is when there is no such thing.
    pub(crate) fn gone(&self) -> Error {
        match self {
            Self::Listing { bucket } => Error::NoBucket {
                bucket: bucket.clone(),
            },
            Self::Object { key } | Self::Tags { key } => Error::Gone { key: key.clone() },
        }
    }

    /// What it is when the answer is too large.
    pub(crate) fn too_large(&self, limit_bytes: u64) -> Error {
        match self {
            Self::Listing { bucket } => Error::Listing {
                bucket: bucket.clone(),
                problem: format!("a page of it has more than {limit_bytes} bytes"),
            },
            Self::Object { key } | Self::Tags { key } => Error::TooLarge {
                key: key.clone(),
                limit_bytes,
            },
        }
    }
}

/// Why an attempt came to nothing.
pub(crate) type Trouble = lectern_connector_remote::Trouble<Error>;

/// A connection that failed or broke off. All requests are reads, so each may be sent again.
pub(crate) fn transport(error: HttpError) -> Trouble {
    Trouble::passing(chain(&error))
}

/// An answer of success, or what is wrong.
pub(crate) async fn judged(asked: &Asked, response: HttpResponse) -> Result<HttpResponse, Trouble> {
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(response);
    }
    let region = response.headers().get("x-amz-bucket-region");
    let region = region.and_then(|region| region.to_str().ok()).map(str::to_owned);
    let wait = response.headers().get(RETRY_AFTER);
    let wait = wait.and_then(|wait| retry_after(wait.to_str().ok()?, Utc::now()));
    // What was cut off may have said anything.
    let code = code_of(response.into_body()).await.map_err(transport)?;
    Err(match meaning(asked, status, code.as_deref(), region.as_deref()) {
        Trouble::Passing { problem, .. } => Trouble::Passing { problem, wait },
        lasting => lasting,
    })
}

/// The code in the body of a refusal. It is all of it that is ever told: the rest may repeat the request.
async fn code_of(body: HttpResponseBody) -> Result<Option<String>, HttpError> {
    let mut bytes = Vec::new();
    let mut stream = body.bytes_stream();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk?);
        if bytes.len() > MAX_REFUSAL_BYTES {
            return Ok(None);
        }
    }
    Ok(xml::error_code(&bytes).or_else(|| json::error_code(&bytes)))
}

fn meaning(asked: &Asked, status: StatusCode, code: Option<&str>, region: Option<&str>) -> Trouble {
    let mut answer = match code {
        Some(code) => format!("{} {code}", status.as_u16()),
        None => status.as_u16().to_string(),
    };
    let passes = matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
        || matches!(
            code,
            Some(
                "SlowDown"
                    | "RequestTimeout"
                    | "InternalError"
                    | "ServiceUnavailable"
                    | "ExpiredToken"
                    | "Throttling"
                    | "rateLimitExceeded"
                    | "userRateLimitExceeded"
                    | "backendError"
            )
        );
    if passes {
        return Trouble::passing(answer);
    }
    let what = asked.to_string();
    Trouble::Lasting(match (status.as_u16(), code) {
        (404, Some("NoSuchBucket" | "ContainerNotFound")) => match asked {
            Asked::Listing { bucket } => Error::NoBucket {
                bucket: bucket.clone(),
            },
            Asked::Object { key } | Asked::Tags { key } => Error::NoBucket {
                bucket: key.split('/').next().unwrap_or_default().to_owned(),
            },
        },
        // There is the object, and it has none.
        (404, Some("NoSuchTagSet")) => Error::Refused { what, answer },
        // How Azure answers whoever may not know what there is.
        (404, Some("ResourceNotFound")) | (409, Some("PublicAccessNotPermitted")) => {
            Error::Denied { what, answer }
        }
        // S3 says that an object is gone with a code; a page without one is somebody else's.
        (404, None) if !matches!(asked, Asked::Listing { .. }) => Error::Refused { what, answer },
        (404 | 410, _) => asked.gone(),
        (403, Some("InvalidObjectState")) => Error::Refused { what, answer },
        (401 | 403, _) => Error::Denied { what, answer },
        _ => {
            if let Some(region) =
                region.filter(|_| status.is_redirection() || code == Some("AuthorizationHeaderMalformed"))
            {
                answer.push_str(&format!("; the bucket is in the region {region:?}"));
            }
            Error::Refused { what, answer }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_what_is_gone_and_what_is_refused() {
        let object = Asked::Object {
            key: "b/a.md".to_owned(),
        };
        let listing = Asked::Listing {
            bucket: "b".to_owned(),
        };
        let of = |asked: &Asked, status: u16, code: Option<&str>| {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            match meaning(asked, status, code, Some("eu-west-1")) {
                Trouble::Passing { .. } => "passes",
                Trouble::Lasting(error) => error.code(),
            }
        };
        for (status, code, expected) in [
            (503, Some("SlowDown"), "passes"),
            (429, None, "passes"),
            (400, Some("RequestTimeout"), "passes"),
            (403, Some("AccessDenied"), "bucket_denied"),
            (403, Some("rateLimitExceeded"), "passes"),
            (403, Some("InvalidObjectState"), "bucket_refused"),
            (404, Some("NoSuchKey"), "object_gone"),
            (404, Some("NoSuchBucket"), "bucket_not_found"),
            (404, None, "bucket_refused"),
            (404, Some("BlobNotFound"), "object_gone"),
            (404, Some("ContainerNotFound"), "bucket_not_found"),
            (404, Some("ResourceNotFound"), "bucket_denied"),
            (409, Some("PublicAccessNotPermitted"), "bucket_denied"),
            (409, Some("BlobArchived"), "bucket_refused"),
            (301, Some("PermanentRedirect"), "bucket_refused"),
            (206, None, "bucket_refused"),
        ] {
            assert_eq!(of(&object, status, code), expected, "{status} {code:?}");
        }
        assert_eq!(of(&listing, 404, None), "bucket_not_found");
        let moved = meaning(&listing, StatusCode::MOVED_PERMANENTLY, None, Some("eu-west-1"));
        assert!(
            matches!(moved, Trouble::Lasting(error) if error.to_string().ends_with("in the region \"eu-west-1\""))
        );
    }
}
