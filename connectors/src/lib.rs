#![doc = include_str!("../README.md")]

mod config;
pub mod conformance;
mod error;

pub use config::{SourceConfig, open};
pub use error::Error;
