//! Redaction: what matches a pattern is replaced everywhere where a document could show it, before it is chunked.
//!
//! The text changes its length, so the spans of its blocks move with it. A replacement can, with what stands around it,
//! match again; so it is done until nothing matches, and a document with which that doesn't end isn't taken in.

use std::ops::Range;

use lectern_domain::{AttributeValue, Attributes, Block, BlockKind, Extracted, TextSpan};

use super::pattern::Pattern;

/// How often a document is gone through before it is given up.
const MAX_ROUNDS: usize = 16;

/// A pattern and what stands in its place.
#[derive(Clone, Debug)]
pub(super) struct Redaction {
    pub(super) pattern: Pattern,
    pub(super) replacement: String,
}

/// How much was replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Replaced {
    pub(super) in_text: usize,
    pub(super) in_title: usize,
    pub(super) in_attributes: usize,
}

impl Replaced {
    fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// What is gone through.
pub(super) struct Exposed<'a> {
    pub(super) title: &'a mut String,
    pub(super) attributes: &'a mut Attributes,
    pub(super) extracted: &'a mut Extracted,
}

/// Applies all redactions until none of them matches. `None` where that has no end.
pub(super) fn apply_all(redactions: &[&Redaction], exposed: &mut Exposed<'_>) -> Option<Replaced> {
    let mut total = Replaced::default();
    for _ in 0..MAX_ROUNDS {
        let mut round = Replaced::default();
        for redaction in redactions {
            redaction.apply(exposed, &mut round);
        }
        if round.is_none() {
            return Some(total);
        }
        total.in_text += round.in_text;
        total.in_title += round.in_title;
        total.in_attributes += round.in_attributes;
    }
    None
}

impl Redaction {
    fn apply(&self, exposed: &mut Exposed<'_>, replaced: &mut Replaced) {
        replaced.in_text += self.in_extracted(exposed.extracted);
        replaced.in_title += self.in_place(exposed.title);
        replaced.in_attributes += self.in_attributes(exposed.attributes);
        // Not stored, but not to be met in a log either.
        for warning in &mut exposed.extracted.warnings {
            self.in_place(warning);
        }
    }

    /// Replaces in a text that has no structure. Gives the number of matches.
    fn in_place(&self, text: &mut String) -> usize {
        let matches = self.pattern.find_all(text);
        if !matches.is_empty() {
            *text = self.replaced(text, &matches).0;
        }
        matches.len()
    }

    fn in_attributes(&self, attributes: &mut Attributes) -> usize {
        let named_so: Vec<String> = attributes
            .keys()
            .filter(|name| self.pattern.is_in(name))
            .cloned()
            .collect();
        for name in &named_so {
            attributes.remove(name);
        }
        let mut count = named_so.len();
        for value in attributes.values_mut() {
            count += match value {
                AttributeValue::Text(text) => self.in_place(text),
                AttributeValue::TextList(texts) => texts.iter_mut().map(|text| self.in_place(text)).sum(),
                // A card's number that came as a number.
                AttributeValue::Number(_) | AttributeValue::Date(_) => self.in_written(value),
            };
        }
        count
    }

    fn in_written(&self, value: &mut AttributeValue) -> usize {
        let mut written = match &*value {
            AttributeValue::Number(number) => number.to_string(),
            AttributeValue::Date(date) => date.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
            _ => return 0,
        };
        let count = self.in_place(&mut written);
        if count > 0 {
            *value = AttributeValue::Text(written);
        }
        count
    }

    fn in_extracted(&self, extracted: &mut Extracted) -> usize {
        if let Some(title) = &mut extracted.title {
            self.in_place(title);
        }
        let mut count = 0;
        for block in &mut extracted.blocks {
            if let BlockKind::Heading { title, .. } = &mut block.kind {
                count += self.in_place(title);
            }
        }
        let matches = self.pattern.find_all(&extracted.text);
        if matches.is_empty() {
            // A heading whose markup kept the text from matching.
            return count;
        }
        let (text, edits) = self.replaced(&extracted.text, &matches);
        extracted.text = text;
        extracted.blocks = std::mem::take(&mut extracted.blocks)
            .into_iter()
            .filter_map(|block| moved(block, &edits))
            .collect();
        matches.len()
    }

    /// The text with every match replaced, and what became of each.
    fn replaced(&self, text: &str, matches: &[Range<usize>]) -> (String, Vec<Edit>) {
        let mut new = String::with_capacity(text.len());
        let mut edits = Vec::with_capacity(matches.len());
        let mut rest = 0;
        for found in matches {
            new.push_str(&text[rest..found.start]);
            new.push_str(&self.replacement);
            edits.push(Edit {
                old: found.clone(),
                new_end: new.len(),
            });
            rest = found.end;
        }
        new.push_str(&text[rest..]);
        (new, edits)
    }
}

/// A stretch of the old text, and where its replacement ends in the new one.
struct Edit {
    old: Range<usize>,
    new_end: usize,
}

/// The block where it lies now; none where nothing is left of it.
fn moved(block: Block, edits: &[Edit]) -> Option<Block> {
    let span = TextSpan {
        start: moved_to(block.span.start, edits),
        end: moved_to(block.span.end, edits),
    };
    (!span.is_empty()).then_some(Block { span, ..block })
}

/// Where a place of the old text lies in the new one. A place within a match goes to the end of its replacement, so
/// that the replacement stays with the block in which the match began.
fn moved_to(place: usize, edits: &[Edit]) -> usize {
    let begun = edits.partition_point(|edit| edit.old.start < place);
    match edits[..begun].last() {
        None => place,
        Some(edit) => edit.new_end + place.saturating_sub(edit.old.end),
    }
}
