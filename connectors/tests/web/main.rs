//! The web connector, against sites of the test's own: the contract of connectors, and what a site may do to a crawl.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

#[allow(dead_code, reason = "the promises use the rest")]
mod site;
mod listing;
mod contract;
mod scope;
mod rules;
mod documents;
mod secrets;
mod trouble;
mod again;
