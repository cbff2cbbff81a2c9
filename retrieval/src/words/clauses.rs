//! From a [`WordQuery`] to a query of the engine.
//!
//! Words that only add to the score are put together in one flat list of terms, which the engine goes through fastest.
//! Each stands in every field that its clause names, and in the stems of every language that the index holds. What
//! must be there, and what must not, is asked for in each language apart, so that it means the same as for a single
//! chunk ([`super::admits`]).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use lectern_domain::{FieldWeights, Occurrence, WordClause, WordField, WordQuery};
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, PhraseQuery, Query,
    TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use super::corrections::Speller;
use super::engine::Engine;
use super::language::{self, Language};
use super::schema::FIELDS;
use super::tokenizer::tokens_of;
use super::wording::{Wording, wordings};
use crate::acl_filter::ReaderNames;

/// The most words of a question that are looked for: the rarest ones. It keeps a pasted page from
/// becoming the costliest query there is.
const MOST_WORDS: usize = 64;
/// The most clauses that are more than words.
const MOST_CLAUSES: usize = 64;

/// How much a word counts that stands for one that nobody wrote.
const WEIGHT_OF_CORRECTED: f32 = 0.4;

/// A part of a query, and whether it must match.
type Part = (Occur, Box<dyn Query>);

/// How much a word counts by where it stands, where nothing else is set.
///
/// nDCG@10 on Cranfield by the weight of title and headings: 0 0.371, 0.5 0.391, 1 0.385, 2 0.359; all
/// in one field 0.384. On xquad-en 0.5 gives 0.967 and 1 0.966 (`tests/ranking.rs` says how to measure).
const BUILT_IN: FieldWeights = FieldWeights {
    title: 0.5,
    headings: 0.5,
    text: 1.0,
};

/// Where a word of a clause may stand.
pub(super) fn fields(field: WordField) -> &'static [WordField] {
    match field {
        WordField::Any => &[WordField::Title, WordField::Heading, WordField::Text],
        WordField::Title => &[WordField::Title],
        WordField::Heading => &[WordField::Heading],
        WordField::Text => &[WordField::Text],
    }
}

/// The same, with how much it counts there. A word that is asked for in one place counts whole.
fn weighted_fields(field: WordField, weights: FieldWeights) -> impl Iterator<Item = (WordField, f32)> {
    fields(field).iter().map(move |place| {
        let weight = match (field, place) {
            (WordField::Any, WordField::Title) => weights.title,
            (WordField::Any, WordField::Heading) => weights.headings,
            (WordField::Any, WordField::Text) => weights.text,
            _ => 1.0,
        };
        (*place, weight)
    })
}

/// A word, in one field.
pub(super) fn term(field: WordField, word: &str) -> Term {
    let field: Field = match field {
        WordField::Title => FIELDS.title,
        WordField::Heading => FIELDS.headings,
        WordField::Any | WordField::Text => FIELDS.body,
    };
    Term::from_field_text(field, word)
}

/// The languages whose stems the index holds, in the order of their codes.
pub(super) fn languages(searcher: &Searcher) -> tantivy::Result<Vec<Language>> {
    let mut codes = BTreeSet::new();
    for segment in searcher.segment_readers() {
        let index = segment.inverted_index(FIELDS.language)?;
        let mut terms = index.terms().stream()?;
        while terms.advance() {
            codes.insert(String::from_utf8_lossy(terms.key()).into_owned());
        }
    }
    Ok(codes.iter().filter_map(|code| language::of_code(code)).collect())
}

/// The stems of the words of a text in each of the languages: for each word, those that differ. A language that cuts
/// words in another way adds its own.
pub(super) fn stems(text: &str, languages: &[Language]) -> Vec<Vec<String>> {
    let mut words: Vec<Vec<String>> = Vec::new();
    let mut cut_otherwise: Vec<String> = Vec::new();
    for language in languages {
        let tokens = tokens_of(text, *language).into_iter().map(|token| token.text);
        if *language == Language::Japanese {
            cut_otherwise.extend(tokens);
            continue;
        }
        let tokens: Vec<String> = tokens.collect();
        words.resize_with(words.len().max(tokens.len()), Vec::new);
        for (stems, stem) in words.iter_mut().zip(tokens) {
            if !stems.contains(&stem) {
                stems.push(stem);
            }
        }
    }
    let known: HashSet<String> = words.iter().flatten().cloned().collect();
    let others = cut_otherwise.into_iter().filter(|word| !known.contains(word));
    words.extend(others.map(|word| vec![word]));
    words
}

/// The query, or `None` where it finds nothing. Without any clause it finds everything, for whoever narrows it by
/// attributes alone. `engine` is the one of the searcher.
pub(super) fn query(
    words: &WordQuery,
    engine: &Engine,
    searcher: &Searcher,
    readers: &ReaderNames,
) -> tantivy::Result<Option<Box<dyn Query>>> {
    if words.clauses.is_empty() {
        return Ok(Some(everything()));
    }
    let languages = languages(searcher)?;
    let speller = match words.tolerates_typos {
        true => Some(engine.speller(searcher, readers)?),
        false => None,
    };
    let weights = words.weights.unwrap_or(BUILT_IN);
    let mut loose = LooseWords::default();
    let mut parts: Vec<Part> = Vec::new();
    for clause in &words.clauses {
        let is_loose = clause.occurrence == Occurrence::Should;
        if is_loose && !clause.is_phrase && clause.synonyms.is_empty() {
            loose.add(clause, &languages);
            continue;
        }
        // What is demanded is never left out.
        if parts.len() >= MOST_CLAUSES && is_loose {
            continue;
        }
        let part = match clause.occurrence {
            Occurrence::Should => either(clause, &languages, weights).map(|query| (Occur::Should, query)),
            Occurrence::Must => demanded(clause, &languages, weights).map(|query| (Occur::Must, query)),
            Occurrence::MustNot => demanded(clause, &languages, weights).map(|query| (Occur::MustNot, query)),
        };
        parts.extend(part);
    }
    let asks = |wanted| parts.iter().any(|(occur, _)| *occur == wanted);
    let only_excludes =
        asks(Occur::MustNot) && !asks(Occur::Must) && !asks(Occur::Should) && loose.is_empty();
    parts.extend(loose.into_parts(searcher, speller.as_ref(), weights)?);
    if only_excludes {
        parts.push((Occur::Must, everything()));
    }
    let finds = parts.iter().any(|(occur, _)| *occur != Occur::MustNot);
    Ok(finds.then(|| -> Box<dyn Query> { Box::new(BooleanQuery::new(parts)) }))
}

fn everything() -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(Box::new(AllQuery), 0.0))
}

/// Words of which each adds to the score, and how often they were asked for.
#[derive(Default)]
struct LooseWords {
    counts: BTreeMap<(usize, Vec<String>), (WordField, u32)>,
}

impl LooseWords {
    fn add(&mut self, clause: &WordClause, languages: &[Language]) {
        for stems in stems(&clause.text, languages) {
            let place = fields(clause.field).len() * 4 + clause.field as usize;
            self.counts.entry((place, stems)).or_insert((clause.field, 0)).1 += 1;
        }
    }

    fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The terms that the index has, of the rarest words.
    fn into_parts(
        self,
        searcher: &Searcher,
        speller: Option<&Speller<'_>>,
        weights: FieldWeights,
    ) -> tantivy::Result<Vec<Part>> {
        let mut by_word: Vec<(u64, Vec<Part>)> = Vec::with_capacity(self.counts.len());
        for ((_, stems), (field, count)) in self.counts {
            let (stems, share) = match speller {
                Some(speller) if !speller.is_any_known(&stems)? => {
                    (speller.in_place_of(&stems)?, WEIGHT_OF_CORRECTED)
                }
                _ => (stems, 1.0),
            };
            let (mut most_documents, mut terms) = (0, Vec::new());
            for (field, weight) in weighted_fields(field, weights) {
                for stem in &stems {
                    let term = term(field, stem);
                    let documents = searcher.doc_freq(&term)?;
                    if documents > 0 {
                        most_documents = most_documents.max(documents);
                        terms.push((Occur::Should, weighted(term, weight * share * count as f32)));
                    }
                }
            }
            if !terms.is_empty() {
                by_word.push((most_documents, terms));
            }
        }
        by_word.sort_by_key(|(documents, _)| *documents);
        by_word.truncate(MOST_WORDS);
        Ok(by_word.into_iter().flat_map(|(_, terms)| terms).collect())
    }
}

/// Adds to the score where one of the wordings is there; the best of them counts.
fn either(clause: &WordClause, languages: &[Language], weights: FieldWeights) -> Option<Box<dyn Query>> {
    let mut any: Vec<Box<dyn Query>> = Vec::new();
    for language in languages {
        for wording in wordings(clause, *language) {
            let occur = if wording.is_phrase {
                Occur::Must
            } else {
                Occur::Should
            };
            any.push(said(&wording, clause.field, occur, weights));
        }
    }
    best_of(any)
}

/// One of the wordings must be there, in the language of the document.
fn demanded(clause: &WordClause, languages: &[Language], weights: FieldWeights) -> Option<Box<dyn Query>> {
    let mut any: Vec<Box<dyn Query>> = Vec::new();
    for language in languages {
        let wordings = wordings(clause, *language).into_iter();
        let ways = wordings.map(|wording| said(&wording, clause.field, Occur::Must, weights));
        let Some(way) = best_of(ways.collect()) else {
            continue;
        };
        if languages.len() == 1 {
            return Some(way);
        }
        let code = Term::from_field_text(FIELDS.language, language::code_of(*language));
        let of_language = ConstScoreQuery::new(Box::new(TermQuery::new(code, IndexRecordOption::Basic)), 0.0);
        any.push(Box::new(BooleanQuery::new(vec![
            (Occur::Must, Box::new(of_language)),
            (Occur::Must, way),
        ])));
    }
    best_of(any)
}

/// A wording in the fields where it may stand: a phrase within one of them, words in any.
fn said(wording: &Wording, field: WordField, each_word: Occur, weights: FieldWeights) -> Box<dyn Query> {
    if wording.is_phrase {
        let phrases = weighted_fields(field, weights).map(|(field, weight)| -> Part {
            let terms = wording.words.iter().map(|word| term(field, word));
            let phrase = PhraseQuery::new(terms.collect());
            (Occur::Should, Box::new(BoostQuery::new(Box::new(phrase), weight)))
        });
        return Box::new(BooleanQuery::new(phrases.collect()));
    }
    let words = wording.words.iter().map(|word| -> Part {
        let terms = weighted_fields(field, weights)
            .map(|(field, weight)| (Occur::Should, weighted(term(field, word), weight)));
        (each_word, Box::new(BooleanQuery::new(terms.collect())))
    });
    Box::new(BooleanQuery::new(words.collect()))
}

fn best_of(mut any: Vec<Box<dyn Query>>) -> Option<Box<dyn Query>> {
    match any.len() {
        0 | 1 => any.pop(),
        _ => Some(Box::new(DisjunctionMaxQuery::new(any))),
    }
}

fn weighted(term: Term, weight: f32) -> Box<dyn Query> {
    Box::new(BoostQuery::new(
        Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)),
        weight,
    ))
}
