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
    special_tokens: usize,
    /// The most that a chunk of this strategy may have, with title path and special tokens.
    max_tokens: usize,
    /// What has fewer tokens than this joins its neighbours.
    pub(super) min_tokens: usize,
}

impl<'a> Sizer<'a> {
    pub(super) fn new(
        text: &'a str,
        title: &'a str,
        counter: &'a dyn TokenCounter,
        settings: ChunkSettings,
        max_tokens: Option<u32>,
    ) -> Self {
        let asked = max_tokens.and_then(|tokens| usize::try_from(tokens).ok());
        let max_tokens = asked.map_or(settings.max_tokens, |tokens| tokens.min(settings.max_tokens));
        Self {
            text,
            title: title_to_embed(title, counter, settings),
            counter,
            special_tokens: settings.special_tokens,
            max_tokens,
            // In proportion, as a quarter of a chunk is.
            min_tokens: settings.min_tokens * max_tokens / settings.max_tokens.max(1),
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
    pub(super) fn chunk_tokens(
        &self,
        heading_path: &[String],
        table_header: Option<TextSpan>,
        span: TextSpan,
    ) -> usize {
        let header = table_header.map(|header| self.slice(header));
        let read = text_to_embed(self.title, heading_path, header, self.slice(span));
        self.count(&read) + self.special_tokens
    }

    /// The headings that a chunk keeps: where title and headings take more than half of a chunk, the highest
    /// headings go first.
    pub(super) fn fitting_path(&self, heading_path: &[String]) -> Vec<String> {
        let mut path = heading_path;
        while !path.is_empty() && self.prefix_tokens(path) > self.max_tokens / 2 {
            path = &path[1..];
        }
        path.to_vec()
    }

    /// The tokens that are left for text under `heading_path`, which is one that [`Self::fitting_path`] gave:
    /// half of a chunk or more. A title that takes more than that makes the chunk so much longer; it was cut to
    /// half of what the embedder reads, so what the embedder reads is never exceeded.
    pub(super) fn budget(&self, heading_path: &[String]) -> usize {
        let taken = self.prefix_tokens(heading_path) + self.special_tokens;
        let least = (self.max_tokens / 2).saturating_sub(self.special_tokens);
        self.max_tokens.saturating_sub(taken).max(least).max(1)
    }

    /// The most tokens that a chunk under `heading_path` may have in all.
    pub(super) fn limit(&self, heading_path: &[String]) -> usize {
        self.prefix_tokens(heading_path) + self.special_tokens + self.budget(heading_path)
    }

    /// The most bytes that a piece of `budget` tokens may have.
    pub(super) fn max_bytes(budget: usize) -> usize {
        budget.saturating_mul(MAX_BYTES_PER_TOKEN)
    }

    fn prefix_tokens(&self, heading_path: &[String]) -> usize {
        self.count(&text_to_embed(self.title, heading_path, None, ""))
    }
}

/// The beginning of a title that goes before each chunk's text: at most half of a chunk, cut after a word
/// where there is one. Chunker and embedder both take it from here, so a chunk is as long as it was counted.
/// Costs one token count of the title, and some more where it is too long.
pub(crate) fn title_to_embed<'a>(
    title: &'a str,
    counter: &dyn TokenCounter,
    settings: ChunkSettings,
) -> &'a str {
    let room = settings.max_tokens / 2;
    // A character has at most a handful of tokens, but many may share one: what is far too long isn't counted.
    let title = beginning(title, room.saturating_mul(MAX_BYTES_PER_TOKEN));
    if counter.count(title) <= room {
        return title;
    }
    let (mut fits, mut too_long) = (0, title.len());
    while too_long - fits > 1 {
        let middle = beginning(title, fits + (too_long - fits) / 2);
        // Where the middle lies within a character, its beginning may have been tried already.
        if middle.len() <= fits || counter.count(middle) > room {
            too_long = fits + (too_long - fits) / 2;
        } else {
            fits = middle.len();
        }
    }
    let longest = beginning(title, fits);
    match longest.rfind(char::is_whitespace) {
        Some(space) if space >= longest.len() / 2 => longest.get(..space).unwrap_or(longest).trim_end(),
        _ => longest,
    }
}

/// The longest beginning of a text with at most so many bytes.
fn beginning(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}
