//! From a file to its text, in a child process.
//!
//! The way of a file: [`ExtractorPool`] hands it to a child process (this binary again, `lectern
//! extract-worker`), which recognises the format from the content, decodes or parses it, and sends back the
//! text with its blocks. One stage is one file: [`pool`] -> [`child`] -> [`frame`] -> [`worker`] -> [`detect`] ->
//! [`read`] -> [`decode`] -> the reader of the format, of which most write what they find through [`compose`].
//! [`decode`] -> [`text`], [`markdown`], [`html`], [`office`] or [`pdf`].
//!
//! Parsers run apart because a hostile file can do more than make them fail: it can make them abort (a stack
//! overflow, memory that isn't there), loop for ever, or take all memory, and nothing inside a process
//! stops that. So the child has limits of its own (see [`limits`]) and a time-out from outside, and whatever a file does
//! to it costs one document: the error has a code, the pool starts another child, the next document works.
//! The parent trusts nothing that a child sends: sizes are bounded before they are read and every span is
//! checked.
//!
//! What is deliberately absent: a file that a child writes, a network connection, and an environment: the
//! child starts with an empty one, so a secret of the server isn't in it.

pub mod error;
mod frame;
mod limits;
mod pool;
mod child;
mod worker;
mod detect;
mod decode;
mod read;
mod compose;
mod text;
mod delimited;
mod json;
mod xml;
mod program;
mod subtitles;
mod asciidoc;
mod rtf;
mod markdown;
mod html;
mod mail;
mod mailbox;
mod office;
pub mod pdf;

pub use error::ExtractError;
pub use pool::{ExtractorPool, ExtractorSettings};
pub use read::read;
pub use worker::run_worker;
