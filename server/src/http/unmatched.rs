//! Requests that no route wants: unknown paths, wrong methods, paths and queries that can't be read.

use actix_web::dev::ResourceDef;
use actix_web::error::{PathError, QueryPayloadError};
use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse, web};
use lectern_domain::ErrorKind;
use utoipa::openapi::path::PathItem;

use super::error::ApiError;

/// Which methods each path knows, taken from the description that is made of the routes.
#[derive(Debug)]
pub struct KnownPaths(Vec<(ResourceDef, String)>);

impl KnownPaths {
    /// The paths of `document`.
    pub fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let paths = document.paths.paths.iter();
        Self(
            paths
                .map(|(path, item)| (ResourceDef::new(path.as_str()), methods(item).join(", ")))
                .collect(),
        )
    }

    fn methods_of(&self, path: &str) -> Option<&str> {
        let known = self.0.iter().find(|(pattern, _)| pattern.is_match(path))?;
        Some(&known.1)
    }
}

fn methods(item: &PathItem) -> Vec<&'static str> {
    let all = [
        ("GET", &item.get),
        ("HEAD", &item.head),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    all.iter()
        .filter(|(_, operation)| operation.is_some())
        .map(|(name, _)| *name)
        .collect()
}

/// The service of last resort.
pub async fn answer(request: HttpRequest, known: web::Data<KnownPaths>) -> Result<HttpResponse, ApiError> {
    let Some(methods) = known.methods_of(request.path()) else {
        return Err(no_such_route(request.path()));
    };
    Err(ApiError::with_status(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("{} doesn't take {}", request.path(), request.method()),
    )
    .hint(format!("it takes {methods}"))
    .allowing(methods))
}

/// There is nothing at `path`.
pub fn no_such_route(path: &str) -> ApiError {
    ApiError::new(
        ErrorKind::NotFound,
        "route_not_found",
        format!("there is nothing at {path:?}"),
    )
    .hint("GET /api/openapi.json lists what there is")
}

/// A path whose parts can't be read, such as an id that is no UUID.
pub fn bad_path(error: PathError, request: &HttpRequest) -> Error {
    ApiError::new(
        ErrorKind::Invalid,
        "path_invalid",
        format!("the path {:?} can't be read: {error}", request.path()),
    )
    .into()
}

/// A query that can't be read, such as a limit that is no number.
pub fn bad_query(error: QueryPayloadError, _: &HttpRequest) -> Error {
    ApiError::new(
        ErrorKind::Invalid,
        "query_invalid",
        format!("the query can't be read: {error}"),
    )
    .hint("GET /api/openapi.json describes the parameters")
    .into()
}
