//! What writes answers. All are [`lectern_domain::ports::Generator`]s, so the rest can't tell them apart.
//!
//! [`mistral`] runs a language model in this process and is what people use; its tokens are counted
//! by [`gguf_tokens`], beside the engine. [`extractive`] quotes the sources and needs no model.
//! [`scripted`] says what a test tells it.

pub mod gguf_tokens;
pub mod mistral;
pub mod extractive;
pub mod scripted;

pub use extractive::ExtractiveGenerator;
pub use mistral::{MistralGenerator, MistralSettings};
pub use scripted::ScriptedGenerator;
