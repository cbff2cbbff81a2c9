//! Lectern over HTTP: the API under `/api/v1`, its description, the page at `/`, health and metrics.
//!
//! A request meets, from the outside in: the log's span and a request id, the headers that every answer
//! carries ([`headers`]), the questions of [`guard`] (is it meant for this server, who sends it), then
//! a route ([`routes`], one noun a file). A route reads its body within bounds ([`body`], [`limits`]),
//! asks a stage through [`state::AppState`], and answers with JSON or a stream of events ([`sse`]). Whatever
//! fails, wherever, leaves in the one shape of [`error`].
//!
//! Work that outlives its request is done beside it: [`pushes`] indexes pushed documents and [`jobs`] syncs
//! sources, both on the process's own runtime, both bounded by the number of knowledge bases. [`schedules`] asks for the
//! syncs whose time has come, [`watching`] for those of folders in which something was saved.

pub mod limits;
pub mod state;
pub mod headers;
pub mod guard;
pub mod body;
pub mod routes;
pub mod pushes;
pub mod jobs;
pub mod schedules;
pub mod watching;
pub mod sse;
pub mod schema;
pub mod search_schema;
pub mod page;
pub mod health;
pub mod metrics;
pub mod openapi;
pub mod unmatched;
pub mod error;
mod serving;

#[cfg(test)]
mod tests;

pub use serving::{ServeSettings, serve};
