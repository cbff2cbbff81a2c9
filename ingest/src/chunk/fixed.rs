//! Pieces of one size, whatever the structure; each begins with the end of the one before it.
//!
//! A piece ends where a sentence does, if a sentence ends in reach. What two neighbours share is whole sentences
//! where one fits, and words otherwise. A document without blocks that are text gives no chunk.

use lectern_domain::{Extracted, TextSpan};

use super::ChunkDraft;
use super::flow::{Sentence, sentences};
use super::pack::small;
use super::sizer::Sizer;

/// The chunks of a document; neighbours share at most `overlap_tokens`.
pub(super) fn split(extracted: &Extracted, sizer: &Sizer<'_>, overlap_tokens: usize) -> Vec<ChunkDraft> {
    let budget = sizer.budget(&[]);
    // Half of a chunk is always new, and a sentence fits that half, however long the headings are.
    let sentences = sentences(extracted, sizer, (budget / 4).max(1));
    let mut drafts: Vec<ChunkDraft> = Vec::new();
    let mut next = 0;
    while let Some(first) = sentences.get(next) {
        let (before, rest) = sentences.split_at(next);
        let overlap = drafts
            .last()
            .and_then(|last| overlap(last.span, before, overlap_tokens, sizer))
            .and_then(|(start, begun_in)| fill(start, begun_in, rest, sizer));
        let Some((draft, taken)) = overlap.or_else(|| fill(first.atom.span.start, first, rest, sizer)) else {
            next += 1;
            continue;
        };
        drafts.push(draft);
        next += taken;
    }
    drafts
}

/// The chunk from `start`, which lies in the sentence `begun_in`, over as many of the sentences as fit, and how
/// many those are. `None` where not one fits; a sentence that the chunk begins with always does.
fn fill(
    start: usize,
    begun_in: &Sentence,
    sentences: &[Sentence],
    sizer: &Sizer<'_>,
) -> Option<(ChunkDraft, usize)> {
    let heading_path = sizer.fitting_path(&begun_in.heading_path);
    let table_header = begun_in.atom.header.map(|header| header.span);
    let (budget, limit) = (sizer.budget(&heading_path), sizer.limit(&heading_path));
    let first_new = sentences.first()?.atom.span.start;
    let shared = sizer.count(sizer.slice(TextSpan {
        start,
        end: first_new,
    }));
    let mut size = shared + begun_in.atom.header.map_or(0, |header| header.tokens);
    let fitting = sentences.iter().take_while(|sentence| {
        size += sentence.atom.tokens;
        size <= budget && sentence.atom.span.end - start <= Sizer::max_bytes(budget)
    });
    // A chunk that begins with a sentence has that sentence, even if it were too large.
    let mut taken = fitting.count().max(usize::from(start == first_new));
    while let Some(last) = taken.checked_sub(1).and_then(|index| sentences.get(index)) {
        let span = TextSpan {
            start,
            end: last.atom.span.end,
        };
        let tokens = sizer.chunk_tokens(&heading_path, table_header, span);
        // Sums of sentences tell nearly, not exactly, how many tokens they have together.
        if tokens <= limit || taken == 1 && start == first_new {
            let draft = ChunkDraft {
                span,
                page: begun_in.atom.page,
                heading_path,
                table_header,
                parent: None,
                token_count: small(tokens),
            };
            return Some((draft, taken));
        }
        taken -= 1;
    }
    None
}

/// Where the piece after `last` begins, so that both share up to `most` tokens, and in which sentence that is.
/// `None` where they share nothing.
fn overlap<'a>(
    last: TextSpan,
    sentences: &'a [Sentence],
    most: usize,
    sizer: &Sizer<'_>,
) -> Option<(usize, &'a Sentence)> {
    let mut size = 0;
    let mut start = None;
    for sentence in sentences.iter().rev() {
        size += sentence.atom.tokens;
        if size > most || sentence.atom.span.start <= last.start {
            break;
        }
        start = Some((sentence.atom.span.start, sentence));
    }
    start.or_else(|| words_of_last(last, sentences.last()?, most, sizer))
}

/// The last words of a sentence, up to `most` tokens.
fn words_of_last<'a>(
    last: TextSpan,
    sentence: &'a Sentence,
    most: usize,
    sizer: &Sizer<'_>,
) -> Option<(usize, &'a Sentence)> {
    let span = TextSpan {
        start: sentence.atom.span.start.max(last.start + 1),
        end: sentence.atom.span.end,
    };
    let text = span.of(sizer.text)?;
    let mut start = None;
    let mut size = 0;
    for (at, _) in text.rmatch_indices(char::is_whitespace) {
        let word = text.get(at..start.unwrap_or(text.len()))?;
        size += sizer.count(word.trim());
        if size > most {
            break;
        }
        start = Some(at);
    }
    let at = start?;
    let word = text.get(at..)?;
    let blank = word.len() - word.trim_start().len();
    (blank < word.len()).then_some((span.start + at + blank, sentence))
}
