//! The routes of the API, one noun a file, under `/api/v1`.
//!
//! A route is written with its description (`utoipa::path`), and both are registered by one call, so that
//! no route can be without one.

pub mod knowledge_bases;
pub mod documents;
pub mod passages;
pub mod sources;
pub mod ingestions;
pub mod search;
pub mod search_settings;
pub mod answers;
pub mod feedback;
pub mod analytics;

use actix_web::HttpRequest;
use actix_web::dev::HttpServiceFactory;
use lectern_ingest::KnowledgeBase;
use utoipa_actix_web::OpenApiFactory;

use super::error::ApiError;
use super::state::AppState;

/// Where the API lies.
pub const PREFIX: &str = "/api/v1";

/// All routes of the API.
pub fn all() -> impl HttpServiceFactory + OpenApiFactory {
    utoipa_actix_web::scope(PREFIX)
        .service(knowledge_bases::list)
        .service(knowledge_bases::create)
        .service(knowledge_bases::show)
        .service(knowledge_bases::delete)
        .service(documents::list)
        .service(documents::push)
        .service(documents::show)
        .service(documents::delete)
        .service(passages::show_text)
        .service(passages::show_passage)
        .service(sources::list)
        .service(sources::create)
        .service(sources::show)
        .service(sources::set)
        .service(sources::delete)
        .service(sources::sync)
        .service(ingestions::list)
        .service(ingestions::start)
        .service(ingestions::show)
        .service(ingestions::stop)
        .service(ingestions::events)
        .service(search::search)
        .service(search::suggest)
        .service(search_settings::show)
        .service(search_settings::set)
        .service(answers::answer)
        .service(feedback::give)
        .service(analytics::report)
        .service(analytics::erase_user)
}

/// The knowledge base that a path names, by its name or its id.
async fn knowledge_base(state: &AppState, name: &str) -> Result<KnowledgeBase, ApiError> {
    Ok(state.lectern.ledger.knowledge_base(name).await?)
}

/// The address of something that was just made, for `Location`.
fn below(request: &HttpRequest, id: &impl std::fmt::Display) -> String {
    format!("{}/{id}", request.path().trim_end_matches('/'))
}
