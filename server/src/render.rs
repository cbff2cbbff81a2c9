//! Text that others wrote, as HTML that a browser may show.
//!
//! Documents and answers are both untrusted. They are read as Markdown (or as plain text), HTML in
//! them becomes visible text ([`events`]), passages or citations are marked ([`passage`],
//! [`citations`]), and what comes out is cleaned once more against a short list of elements
//! ([`sanitise`]). No image is ever loaded. An answer has no links but its citations, so that no
//! document can make a model send a reader elsewhere.

pub mod events;
pub mod citations;
pub mod passage;
mod sanitise;

pub use citations::answer_html;
pub use passage::passage_html;
