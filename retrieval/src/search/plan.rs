//! What a request means in a knowledge base: its text read into clauses, its filters put together, and the settings of
//! the knowledge base where the request doesn't say otherwise.

use std::collections::BTreeSet;

use lectern_domain::ports::{DocumentSet, SortKey};
use lectern_domain::{Filter, ReadScope, Tuning, WordQuery};

use super::curated::Curated;
use crate::error::Error;
use crate::query_language::{self, ParsedQuery};
use crate::request::{SearchMode, SearchRequest};

/// The most names of attributes that are looked for.
const MOST_NAMES: usize = 64;
/// The order of a request that names nothing to look for and no order: the documents as their sources call them.
const BROWSING_ORDER: &str = lectern_domain::attribute::names::PATH;

/// What is asked of the indexes, and what of the hits.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) mode: SearchMode,
    pub(super) words: WordQuery,
    /// What is embedded: the text without its operators and without what must not be there.
    pub(super) text_to_embed: String,
    pub(super) filter: Option<Filter>,
    pub(super) tuning: Tuning,
    sort: Vec<SortKey>,
    is_browsing: bool,
}

impl Plan {
    /// Reads a request. `attributes` are those that the text may name ([`names_in`]): of documents that the reader may
    /// read, so that nobody learns by a name what others have.
    pub(super) fn of(
        request: &SearchRequest,
        curated: &Curated,
        attributes: &[String],
    ) -> Result<Self, Error> {
        request.check()?;
        let is_attribute = |name: &str| attributes.iter().any(|attribute| attribute == name);
        let parsed = match request.operators {
            true => query_language::read(&request.text, is_attribute),
            false => ParsedQuery {
                words: WordQuery::plain(&request.text),
                filter: None,
            },
        };
        let text_to_embed = parsed.words.wanted_text();
        // A question of exclusions alone has nothing to compare by.
        let is_browsing = text_to_embed.trim().is_empty();
        let mut words = curated.synonyms().expand(parsed.words);
        let tuning = request.tuning.as_ref().unwrap_or(curated.tuning()).clone();
        words.weights = tuning.fields;
        words.tolerates_typos = request.typos;
        let mut sort = request.sort.clone();
        if is_browsing && sort.is_empty() {
            sort.push(SortKey {
                attribute: BROWSING_ORDER.to_owned(),
                descending: false,
            });
        }
        Ok(Self {
            mode: request.mode,
            words,
            text_to_embed,
            filter: both(parsed.filter, request.filter.clone()),
            tuning,
            sort,
            is_browsing,
        })
    }

    /// The attributes that results are put in order by, the first before all others; `None` where how well they match
    /// decides.
    pub(super) fn order(&self) -> Option<&[SortKey]> {
        (!self.sort.is_empty()).then_some(self.sort.as_slice())
    }

    /// The documents that are meant.
    pub(super) fn documents<'a>(&'a self, scope: &'a ReadScope) -> DocumentSet<'a> {
        let has_words = !self.is_browsing || self.words.restricts();
        DocumentSet {
            query: has_words.then_some(&self.words),
            filter: self.filter.as_ref(),
            scope,
        }
    }
}

/// What may be names of attributes in a text: the words before a colon, each once.
pub(super) fn names_in(text: &str) -> Vec<String> {
    let before_colons = text.split(':').rev().skip(1);
    let words = before_colons.filter_map(|piece| piece.split_whitespace().next_back());
    let names = words.map(|word| word.trim_start_matches(['+', '-', '"']).to_owned());
    names
        .collect::<BTreeSet<String>>()
        .into_iter()
        .take(MOST_NAMES)
        .collect()
}

fn both(one: Option<Filter>, other: Option<Filter>) -> Option<Filter> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Filter::And(vec![one, other])),
        (one, other) => one.or(other),
    }
}
