//! The description of the API, made from the code of its routes, and a page to try it on.

use actix_web::http::header::{CONTENT_SECURITY_POLICY, HeaderValue, LOCATION};
use actix_web::middleware::DefaultHeaders;
use actix_web::{HttpResponse, web};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::error::{ErrorBody, ErrorDetail};
use super::search_schema::{
    AttributeNameSchema, AttributeSchema, ComparisonSchema, OneOfSchema, RangeSchema, TextPartSchema,
};

/// Swagger UI sets styles on elements and shows its icons as data URLs; it gets that and no more.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lectern",
        description = "Knowledge bases, their documents, search and cited answers. Every failure has one shape: `{\"error\": {\"code\", \"message\", \"hint\"}}`."
    ),
    tags(
        (name = "knowledge bases", description = "Sets of documents, each with its own indexes."),
        (name = "documents", description = "Pushing, reading and removing documents."),
        (name = "sources", description = "Folders of the server's machine that are kept in step."),
        (name = "ingestions", description = "Jobs: each is one sync of a source, queued, at work or in the history."),
        (name = "search", description = "Passages that match a text."),
        (name = "answers", description = "Answers to a question, with their sources."),
        (name = "analytics", description = "What was asked, found and opened, by day; and erasing it."),
        (name = "operation", description = "Health, readiness and figures.")
    ),
    // A filter holds filters, so what else it holds isn't found through it.
    components(schemas(
        ErrorBody,
        ErrorDetail,
        AttributeSchema,
        ComparisonSchema,
        OneOfSchema,
        RangeSchema,
        TextPartSchema,
        AttributeNameSchema
    )),
    modifiers(&TokenScheme)
)]
struct Description;

struct TokenScheme;

impl Modify for TokenScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The server's token, where one is set."))
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// The description without its paths; the application adds those of its routes.
pub fn document() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// Registers `/api/openapi.json` and the page under `/api/docs/`.
pub fn register(config: &mut web::ServiceConfig, document: &utoipa::openapi::OpenApi) {
    let described = web::Data::new(document.clone());
    let docs = SwaggerUi::new("/{_:.*}").config(Config::from("/api/openapi.json").validator_url("none"));
    config
        .service(
            web::resource("/api/openapi.json")
                .app_data(described)
                .route(web::get().to(serve_document)),
        )
        .route("/api/docs", web::get().to(to_docs))
        .service(
            web::scope("/api/docs")
                .wrap(DefaultHeaders::new().add((CONTENT_SECURITY_POLICY, DOCS_POLICY)))
                .service(docs),
        );
}

async fn serve_document(document: web::Data<utoipa::openapi::OpenApi>) -> HttpResponse {
    HttpResponse::Ok().json(document.get_ref())
}

async fn to_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/api/docs/"))
        .finish()
}
