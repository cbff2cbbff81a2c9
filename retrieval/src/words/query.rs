//! From a question to a query: its words, each looked for in each field, and nothing else. A question
//! is never parsed for operators, so no question is a wrong one.

use std::collections::BTreeMap;

use tantivy::query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use super::schema::FIELDS;
use super::tokenizer::words_of;

/// The most words of a question that are looked for: the rarest ones. It keeps a pasted page from
/// becoming the costliest query there is.
const MOST_WORDS: usize = 64;

/// How much a word counts that stands in the title, in a heading, in the text.
///
/// nDCG@10 on Cranfield by the weight of title and headings: 0 0.371, 0.5 0.391, 1 0.385, 2 0.359; all
/// in one field 0.384. On xquad-en 0.5 gives 0.967 and 1 0.966 (`tests/ranking.rs` says how to measure).
fn weights() -> [(Field, f32); 3] {
    [(FIELDS.title, 0.5), (FIELDS.headings, 0.5), (FIELDS.body, 1.0)]
}

/// A part of a query, and whether it must match.
type Clause = (Occur, Box<dyn Query>);

/// The query for a question, or `None` where the index has none of its words.
pub(super) fn question(text: &str, searcher: &Searcher) -> tantivy::Result<Option<Box<dyn Query>>> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for word in words_of(text) {
        *counts.entry(word).or_default() += 1;
    }
    let mut clauses: Vec<(u64, Vec<Clause>)> = Vec::with_capacity(counts.len());
    for (word, count) in counts {
        let (mut most_documents, mut in_fields) = (0, Vec::new());
        for (field, weight) in weights() {
            let term = Term::from_field_text(field, &word);
            let documents = searcher.doc_freq(&term)?;
            if documents > 0 {
                most_documents = most_documents.max(documents);
                in_fields.push((Occur::Should, weighted(term, weight * count as f32)));
            }
        }
        if !in_fields.is_empty() {
            clauses.push((most_documents, in_fields));
        }
    }
    clauses.sort_by_key(|(documents, _)| *documents);
    clauses.truncate(MOST_WORDS);
    let clauses: Vec<_> = clauses.into_iter().flat_map(|(_, in_fields)| in_fields).collect();
    if clauses.is_empty() {
        return Ok(None);
    }
    Ok(Some(Box::new(BooleanQuery::new(clauses))))
}

fn weighted(term: Term, weight: f32) -> Box<dyn Query> {
    Box::new(BoostQuery::new(
        Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)),
        weight,
    ))
}
