//! Whether a chunk passes what a query demands: all words and phrases that must be there, and none that must not.
//!
//! The index of words does the same ([`super::clauses`]); this is for a chunk that another index found.

use lectern_domain::{LedgerChunk, Occurrence, WordClause, WordField, WordQuery};

use super::language::{self, Language};
use super::tokenizer::tokens_of;
use super::wording::{Wording, wordings};

/// The texts of a chunk, cut into words.
struct Texts {
    language: Language,
    title: Vec<Vec<String>>,
    headings: Vec<Vec<String>>,
    body: Vec<Vec<String>>,
}

/// Whether a chunk may be given for the query. Costs nothing where the query demands nothing.
pub fn admits(query: &WordQuery, chunk: &LedgerChunk) -> bool {
    if !query.restricts() {
        return true;
    }
    let language = language::of_document(&chunk.metadata.attributes);
    let words = |text: &str| -> Vec<String> {
        let tokens = tokens_of(text, language);
        tokens.into_iter().map(|token| token.text).collect()
    };
    let header = chunk.table_header.iter().map(|header| words(&header.text));
    let texts = Texts {
        language,
        title: vec![words(&chunk.title)],
        headings: chunk.heading_path.iter().map(|heading| words(heading)).collect(),
        body: header.chain([words(&chunk.text)]).collect(),
    };
    query.clauses.iter().all(|clause| match clause.occurrence {
        Occurrence::Should => true,
        Occurrence::Must => texts.have(clause).unwrap_or(true),
        Occurrence::MustNot => !texts.have(clause).unwrap_or(false),
    })
}

impl Texts {
    /// Whether what the clause asks for is there. `None` where it asks for nothing.
    fn have(&self, clause: &WordClause) -> Option<bool> {
        let wordings = wordings(clause, self.language);
        if wordings.is_empty() {
            return None;
        }
        let texts: Vec<&Vec<String>> = match clause.field {
            WordField::Any => self
                .title
                .iter()
                .chain(&self.headings)
                .chain(&self.body)
                .collect(),
            WordField::Title => self.title.iter().collect(),
            WordField::Heading => self.headings.iter().collect(),
            WordField::Text => self.body.iter().collect(),
        };
        Some(wordings.iter().any(|wording| is_in(wording, &texts)))
    }
}

fn is_in(wording: &Wording, texts: &[&Vec<String>]) -> bool {
    if wording.is_phrase {
        return texts.iter().any(|text| {
            text.windows(wording.words.len())
                .any(|some| some == wording.words)
        });
    }
    wording
        .words
        .iter()
        .all(|word| texts.iter().any(|text| text.contains(word)))
}
