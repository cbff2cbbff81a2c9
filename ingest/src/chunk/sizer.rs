//! How many tokens a chunk has room for, under its title and headings.

use lectern_domain::TextSpan;
use lectern_domain::chunk::text_to_embed;
use lectern_domain::ports::TokenCounter;

use super::ChunkSettings;

/// A chunk may have this many bytes for each token it may have. A tokenizer takes a run of some thousand
/// bytes without a space for one unknown word; without this bound such a run would be one endless chunk.
const MAX_BYTES_PER_TOKEN: usize = 32;

/// The text of a document and the measure for it.
pub(super) struct Sizer<'a> {
    pub(super) text: &'a str,
    title: &'a str,
    counter: &'a dyn TokenCounter,
    pub(super) settings: ChunkSettings,
}

impl<'a> Sizer<'a> {
    pub(super) fn new(
        text: &'a str,
        title: &'a str,
        counter: &'a dyn TokenCounter,
        settings: ChunkSettings,
    ) -> Self {
        Self {
            text,
            title,
            counter,
            settings,
        }
    }

    /// The text of a span, empty where the span doesn't fit the document.
    pub(super) fn slice(&self, span: TextSpan) -> &'a str {
        span.of(self.text).unwrap_or_default()
    }

    /// Tokens of a text alone.
    pub(super) fn count(&self, text: &str) -> usize {
        self.counter.count(text)
    }

    /// Tokens of what the embedder reads of a chunk, special ones counted.
    pub(super) fn chunk_tokens(&self, heading_path: &[String], span: TextSpan) -> usize {
        self.count(&text_to_embed(self.title, heading_path, self.slice(span))) + self.settings.special_tokens
    }

    /// The headings that a chunk keeps: where title and headings take more than half of a chunk, the highest
    /// headings go first.
    pub(super) fn fitting_path(&self, heading_path: &[String]) -> Vec<String> {
        let mut path = heading_path;
        while !path.is_empty() && self.prefix_tokens(path) > self.settings.max_tokens / 2 {
            path = &path[1..];
        }
        path.to_vec()
    }

    /// The tokens that are left for text under `heading_path`. At least a quarter of a chunk, whatever the
    /// length of the title.
    pub(super) fn budget(&self, heading_path: &[String]) -> usize {
        let taken = self.prefix_tokens(heading_path) + self.settings.special_tokens;
        let floor = (self.settings.max_tokens / 4).max(1);
        self.settings.max_tokens.saturating_sub(taken).max(floor)
    }

    /// The most tokens that a chunk under `heading_path` may have: [`ChunkSettings::max_tokens`], unless the title
    /// leaves less than a quarter of that for the text.
    pub(super) fn limit(&self, heading_path: &[String]) -> usize {
        self.prefix_tokens(heading_path) + self.settings.special_tokens + self.budget(heading_path)
    }

    /// The most bytes that a piece of `budget` tokens may have.
    pub(super) fn max_bytes(budget: usize) -> usize {
        budget.saturating_mul(MAX_BYTES_PER_TOKEN)
    }

    fn prefix_tokens(&self, heading_path: &[String]) -> usize {
        self.count(&text_to_embed(self.title, heading_path, ""))
    }
}
