//! Synonyms of a knowledge base: words and phrases that mean the same there.
//!
//! They are written in the format that Solr and Elasticsearch read, a rule a line:
//!
//! ```text
//! # whoever asks for one of these finds the others
//! pto, paid time off, annual leave
//! # whoever asks for this also finds that, and not the other way round
//! gdpr => data protection, privacy law
//! ```
//!
//! A comma, a backslash or `=` within a word has a backslash before it. A question is matched by stems, the longest
//! synonym first, so `annual leaves` counts as `annual leave`.

use std::collections::HashMap;

use lectern_domain::ports::Correction;
use lectern_domain::{Occurrence, WordClause, WordQuery};

use crate::words::{words_of, words_with_places};

/// The most rules of a knowledge base.
pub const MOST_RULES: usize = 10_000;
/// The most words or phrases of a rule.
pub const MOST_OF_A_RULE: usize = 50;
/// The longest word or phrase, in bytes.
pub const LONGEST: usize = 200;

/// A rule that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the synonyms {what}")]
pub struct SynonymsError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: SynonymsFault,
}

/// What can be wrong with a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SynonymsFault {
    /// One rule too many.
    TooManyRules,
    /// Too many words in it.
    TooManyWords,
    /// A word that is too long.
    TooLong,
    /// Nothing between two commas, or nothing that is a word.
    NoWord,
    /// One word alone means nothing else.
    Alone,
    /// More than one arrow.
    TwoArrows,
}

impl std::fmt::Display for SynonymsFault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooManyRules => write!(formatter, "is one rule too many; there may be {MOST_RULES}"),
            Self::TooManyWords => write!(formatter, "has more than {MOST_OF_A_RULE} words or phrases"),
            Self::TooLong => write!(formatter, "has a word or phrase of more than {LONGEST} bytes"),
            Self::NoWord => write!(formatter, "has a place without a word"),
            Self::Alone => write!(
                formatter,
                "has one word alone, which needs another one after a comma or `=>`"
            ),
            Self::TwoArrows => write!(formatter, "has more than one `=>`"),
        }
    }
}

/// The synonyms of a knowledge base.
#[derive(Clone, Debug, Default)]
pub struct Synonyms {
    /// By the stems of a word or phrase: what else is looked for.
    others: HashMap<Vec<String>, Vec<String>>,
    /// The most stems of a key.
    longest: usize,
    rules: usize,
}

impl Synonyms {
    /// Reads rules.
    ///
    /// # Errors
    /// The first line that can't be read, and why.
    pub fn parse(text: &str) -> Result<Self, SynonymsError> {
        let mut synonyms = Self::default();
        for (line, rule) in (1..).zip(text.lines()) {
            let rule = rule.trim();
            if rule.is_empty() || rule.starts_with('#') {
                continue;
            }
            synonyms.add(rule).map_err(|what| SynonymsError { line, what })?;
        }
        Ok(synonyms)
    }

    /// What was meant by misspelled words, as if it meant the same.
    pub(crate) fn of_corrections(corrections: &[Correction]) -> Self {
        let mut synonyms = Self::default();
        for correction in corrections {
            synonyms.say(&correction.word, [&correction.corrected]);
            synonyms.rules += 1;
        }
        synonyms
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules == 0
    }

    fn add(&mut self, rule: &str) -> Result<(), SynonymsFault> {
        if self.rules == MOST_RULES {
            return Err(SynonymsFault::TooManyRules);
        }
        let sides = sides(rule)?;
        let count: usize = sides.iter().map(Vec::len).sum();
        if count > MOST_OF_A_RULE {
            return Err(SynonymsFault::TooManyWords);
        }
        match sides.as_slice() {
            [same] if same.len() > 1 => {
                for (at, word) in same.iter().enumerate() {
                    let others = same.iter().enumerate().filter(|(other, _)| *other != at);
                    self.say(word, others.map(|(_, other)| other));
                }
            }
            [from, to] => from.iter().for_each(|word| self.say(word, to)),
            _ => return Err(SynonymsFault::Alone),
        }
        self.rules += 1;
        Ok(())
    }

    fn say<'a>(&mut self, word: &str, others: impl IntoIterator<Item = &'a String>) {
        let key = words_of(word);
        self.longest = self.longest.max(key.len());
        let known = self.others.entry(key.clone()).or_default();
        for other in others {
            if !known.contains(other) && words_of(other) != key {
                known.push(other.clone());
            }
        }
    }

    /// The query with the synonyms of what it asks for. What must not be there stays as it is.
    pub fn expand(&self, query: WordQuery) -> WordQuery {
        if self.others.is_empty() {
            return query;
        }
        let clauses = query
            .clauses
            .iter()
            .cloned()
            .flat_map(|clause| self.expanded(clause));
        WordQuery {
            clauses: clauses.collect(),
            ..query
        }
    }

    fn expanded(&self, clause: WordClause) -> Vec<WordClause> {
        match clause.occurrence {
            Occurrence::MustNot => vec![clause],
            Occurrence::Should if !clause.is_phrase => self.within(clause),
            _ => vec![self.of_all(clause)],
        }
    }

    /// The clause with the synonyms of all of its words together.
    fn of_all(&self, mut clause: WordClause) -> WordClause {
        let others = self.others.get(&words_of(&clause.text)).into_iter().flatten();
        for other in others {
            if !clause.synonyms.contains(other) {
                clause.synonyms.push(other.clone());
            }
        }
        clause
    }

    /// The clause cut at the synonyms in it.
    fn within(&self, clause: WordClause) -> Vec<WordClause> {
        let words = words_with_places(&clause.text);
        let stems: Vec<String> = words.iter().map(|(stem, _)| stem.clone()).collect();
        let (mut parts, mut rest_from, mut at) = (Vec::new(), 0, 0);
        let text = |from: usize, to: usize| clause.text.get(from..to).unwrap_or_default().trim().to_owned();
        while at < words.len() {
            let longest = self.longest.min(words.len() - at);
            let count = (1..=longest)
                .rev()
                .find(|count| self.others.contains_key(&stems[at..at + count]));
            let Some(count) = count else {
                at += 1;
                continue;
            };
            let (start, end) = (words[at].1.start, words[at + count - 1].1.end);
            parts.push((text(rest_from, start), false));
            parts.push((text(start, end), true));
            rest_from = end;
            at += count;
        }
        if parts.is_empty() {
            return vec![clause];
        }
        parts.push((text(rest_from, clause.text.len()), false));
        let parts = parts.into_iter().filter(|(text, _)| !text.is_empty());
        let clauses = parts.map(|(text, is_synonym)| {
            let part = WordClause {
                text,
                ..clause.clone()
            };
            if is_synonym { self.of_all(part) } else { part }
        });
        clauses.collect()
    }
}

/// What stands before and after the arrow; one side where there is none.
fn sides(rule: &str) -> Result<Vec<Vec<String>>, SynonymsFault> {
    let (mut sides, mut words, mut word) = (Vec::new(), Vec::new(), String::new());
    let mut characters = rule.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => word.extend(characters.next()),
            ',' => words.push(checked(&mut word)?),
            '=' if characters.peek() == Some(&'>') => {
                characters.next();
                words.push(checked(&mut word)?);
                sides.push(std::mem::take(&mut words));
            }
            other => word.push(other),
        }
    }
    words.push(checked(&mut word)?);
    sides.push(words);
    match sides.len() {
        1 | 2 => Ok(sides),
        _ => Err(SynonymsFault::TwoArrows),
    }
}

fn checked(word: &mut String) -> Result<String, SynonymsFault> {
    let taken = std::mem::take(word);
    let taken = taken.trim();
    if taken.len() > LONGEST {
        return Err(SynonymsFault::TooLong);
    }
    match words_of(taken).is_empty() {
        true => Err(SynonymsFault::NoWord),
        false => Ok(taken.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: &str = "# leave\npto, paid time off, annual leave\n\ngdpr => data protection, privacy law\n1\\,000, thousand\n";

    fn expanded(text: &str) -> Vec<(String, Vec<String>)> {
        let query = Synonyms::parse(RULES).unwrap().expand(WordQuery::plain(text));
        let clauses = query.clauses.into_iter();
        clauses.map(|clause| (clause.text, clause.synonyms)).collect()
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_question_is_cut_at_its_synonyms() {
        assert_eq!(
            expanded("How much annual leaves, and what of GDPR?"),
            [
                ("How much".to_owned(), vec![]),
                ("annual leaves".to_owned(), texts(&["pto", "paid time off"])),
                (", and what of".to_owned(), vec![]),
                ("GDPR".to_owned(), texts(&["data protection", "privacy law"])),
                ("?".to_owned(), vec![]),
            ]
        );
        assert_eq!(expanded("privacy law"), [("privacy law".to_owned(), vec![])]);
        assert_eq!(expanded("thousand"), [("thousand".to_owned(), texts(&["1,000"]))]);
        assert_eq!(expanded("annual report"), [("annual report".to_owned(), vec![])]);
    }

    #[test]
    fn what_must_not_be_there_is_taken_at_its_word() {
        let clause = |occurrence| WordClause {
            text: "pto".to_owned(),
            occurrence,
            ..WordClause::default()
        };
        let query = WordQuery {
            clauses: vec![clause(Occurrence::Must), clause(Occurrence::MustNot)],
            tolerates_typos: true,
            ..WordQuery::default()
        };
        let query = Synonyms::parse(RULES).unwrap().expand(query);
        assert_eq!(
            query.clauses[0].synonyms,
            texts(&["paid time off", "annual leave"])
        );
        assert!(query.clauses[1].synonyms.is_empty());
        assert!(query.tolerates_typos);
    }

    #[test]
    fn a_rule_that_cannot_be_read_is_named_by_its_line() {
        let long = format!("a, {}", "b".repeat(LONGEST + 1));
        let many = vec!["a"; MOST_OF_A_RULE + 1].join(",");
        let rules = "a, b\n".repeat(MOST_RULES + 1);
        for (text, line, what) in [
            ("a, b\nc\n", 2, SynonymsFault::Alone),
            ("a,,b", 1, SynonymsFault::NoWord),
            ("\n\na =>", 3, SynonymsFault::NoWord),
            ("a, !", 1, SynonymsFault::NoWord),
            ("a => b => c", 1, SynonymsFault::TwoArrows),
            (long.as_str(), 1, SynonymsFault::TooLong),
            (many.as_str(), 1, SynonymsFault::TooManyWords),
            (rules.as_str(), MOST_RULES + 1, SynonymsFault::TooManyRules),
        ] {
            assert_eq!(Synonyms::parse(text).unwrap_err(), SynonymsError { line, what });
        }
        assert_eq!(
            Synonyms::parse("a, b\nc").unwrap_err().to_string(),
            "line 2 of the synonyms has one word alone, which needs another one after a comma or `=>`"
        );
        assert!(Synonyms::parse("").unwrap().is_empty());
        assert_eq!(Synonyms::parse(RULES).unwrap().len(), 3);
    }

    proptest! {
        #[test]
        fn no_word_of_a_question_is_lost(text in "[a-z ,?]{0,20}(pto|annual leave|gdpr)?[a-z ,?]{0,20}") {
            let parts: Vec<String> = expanded(&text).into_iter().map(|(text, _)| text).collect();
            prop_assert_eq!(words_of(&parts.join(" ")), words_of(&text));
        }

        #[test]
        fn rules_are_read_or_refused(text in "[a-c,=>\\\\#\n ]{0,60}") {
            if let Ok(synonyms) = Synonyms::parse(&text) {
                synonyms.expand(WordQuery::plain("a b c"));
            }
        }
    }
}
