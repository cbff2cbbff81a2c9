//! The chat page: three static files, part of the binary.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, EntityTag, Header, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::Embed;

use super::error::ApiError;
use super::unmatched;

/// Scripts and styles come from this server alone, and none stands in the page itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Embed)]
#[folder = "page/"]
struct PageFiles;

/// Registers `/` and a path for each file of the page.
pub fn register(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(index))
        .route("/", web::head().to(index));
    for name in PageFiles::iter() {
        let path = format!("/{name}");
        config
            .route(&path, web::get().to(named))
            .route(&path, web::head().to(named));
    }
}

async fn index(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    serve_file(&request, "index.html")
}

async fn named(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    serve_file(&request, request.path().trim_start_matches('/'))
}

fn serve_file(request: &HttpRequest, name: &str) -> Result<HttpResponse, ApiError> {
    let Some(file) = PageFiles::get(name) else {
        return Err(unmatched::no_such_route(request.path()));
    };
    let digest: String = file.metadata.sha256_hash()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tag = EntityTag::new_strong(digest);
    let mut response = if is_known(request, &tag) {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, tag.to_string()))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY));
    if is_known(request, &tag) {
        return Ok(response.finish());
    }
    Ok(response
        .content_type(media_type(name))
        .body(file.data.into_owned()))
}

fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => request.headers().contains_key("if-none-match"),
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        _ => "application/octet-stream",
    }
}
