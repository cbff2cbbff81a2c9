//! Phrases that begin with what was typed so far, cut from passages.
//!
//! ```text
//! typed "parental le" + "…, the parental leave policy of …" -> "parental leave", "parental leave policy"
//! ```
//!
//! A phrase goes on for up to four words beyond what was typed, as long as nothing but a space or a hyphen stands
//! between them, and doesn't end with a word that every text has. Those that many passages have come first. Words are
//! compared by their letters, without case and diacritics, and shown as most passages write them. Nothing here reads
//! an index: all of it is a function of the texts.

use std::collections::{HashMap, HashSet};

use unicode_segmentation::UnicodeSegmentation;

use crate::words::{StopWords, unaccented};

/// How many words a phrase goes on for.
const MOST_FURTHER_WORDS: usize = 4;
/// A single word is completed from so many characters on.
const SHORTEST_WORD: usize = 3;
/// The most that may have been typed, in characters and in words: more is no beginning of a phrase.
const LONGEST_TYPED: usize = 200;
const MOST_WORDS: usize = 12;
/// The longest phrase that is shown, in characters.
const LONGEST_PHRASE: usize = 120;
/// A phrase that so many passages have is one that people use. What one alone has is any piece of a sentence: over
/// articles of an encyclopaedia `univers` gave `Universe title` and `University Ankara`.
const LEAST_PASSAGES: usize = 2;
/// Where no passage says what another does, and these are all there are: how many pieces are given, and how many words
/// they go on for. Longer ones end anywhere (`United States government executed Tony`).
const MOST_OF_ONE_PASSAGE: usize = 3;
const FURTHER_OF_ONE_PASSAGE: usize = 2;

/// What was typed, as phrases are compared with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    words: Vec<String>,
    goes_on: bool,
}

impl Typed {
    /// Reads what was typed. `None` where phrases can't be told by it: it is too short, or too long.
    pub(crate) fn of(text: &str) -> Option<Self> {
        if text.chars().nth(LONGEST_TYPED).is_some() {
            return None;
        }
        let words: Vec<(usize, &str)> = text.unicode_word_indices().take(MOST_WORDS + 1).collect();
        let (at, last) = words.last()?;
        let is_short = words.len() == 1 && last.chars().count() < SHORTEST_WORD;
        (!is_short && words.len() <= MOST_WORDS).then(|| Self {
            words: words.iter().map(|(_, word)| letters(word)).collect(),
            goes_on: at + last.len() == text.len(),
        })
    }

    /// Whether the last word may go on: nothing was typed after it.
    pub(crate) fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// How many words a phrase has at least, if the words from here on begin like what was typed.
    fn least_words(&self, words: &[(usize, &str)]) -> Option<usize> {
        let (last, whole) = self.words.split_last()?;
        let (here, there) = words.get(..self.words.len())?.split_at(whole.len());
        let (_, there) = there.first()?;
        let are_alike = here.iter().zip(whole).all(|((_, word), wanted)| is(word, wanted));
        match are_alike {
            true if is(there, last) => Some(self.words.len() + 1),
            true if self.goes_on && begins(there, last) => Some(self.words.len()),
            _ => None,
        }
    }
}

/// How often a phrase was met.
#[derive(Debug, Default)]
struct Met {
    /// In how many passages.
    passages: usize,
    /// How many words it goes on for.
    further: usize,
    /// How often in each way of writing it.
    written: HashMap<String, usize>,
    /// The code of the language of the first of them.
    language: &'static str,
}

/// Phrases of passages, by the letters of their words.
#[derive(Debug)]
pub(crate) struct Phrases {
    typed: Typed,
    met: HashMap<String, Met>,
    /// Characters that words begin with, without case and diacritics: those of a whole word cost much more.
    firsts: HashMap<char, String>,
}

impl Phrases {
    /// None yet.
    pub(crate) fn of(typed: Typed) -> Self {
        Self {
            typed,
            met: HashMap::new(),
            firsts: HashMap::new(),
        }
    }

    /// Whether a word may be the first of what was typed, by its first character.
    fn may_begin(&mut self, word: &str) -> bool {
        let (Some(wanted), Some(first)) = (self.typed.words.first(), word.chars().next()) else {
            return false;
        };
        let first = self.firsts.entry(first);
        let first = first.or_insert_with_key(|first| letters(first.encode_utf8(&mut [0; 4])));
        wanted.starts_with(first.as_str()) || first.starts_with(wanted)
    }

    /// Adds those of a passage: of its headings and its text, in the language of that code.
    pub(crate) fn add<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>, language: &'static str) {
        let typed = self.typed.words.join(" ");
        let mut here: HashSet<String> = HashSet::new();
        for text in texts {
            let words: Vec<(usize, &str)> = text.unicode_word_indices().collect();
            for at in 0..words.len() {
                let words = words.get(at..).unwrap_or_default();
                if !words.first().is_some_and(|(_, word)| self.may_begin(word)) {
                    continue;
                }
                let Some(least) = self.typed.least_words(words) else {
                    continue;
                };
                for (further, phrase) in cut(text, words, least) {
                    let key = letters_of(phrase);
                    if key == typed {
                        continue;
                    }
                    let met = self.met.entry(key.clone()).or_insert_with(|| Met {
                        further,
                        language,
                        ..Met::default()
                    });
                    let written = phrase.split_whitespace().collect::<Vec<_>>().join(" ");
                    *met.written.entry(written).or_default() += 1;
                    met.passages += usize::from(here.insert(key));
                }
            }
        }
    }

    /// The best ones, best first: those that several passages have. Where there are none, a few of one passage each, if
    /// what was added `are_all` passages; of many others they would tell nothing.
    pub(crate) fn best(self, limit: usize, are_all: bool) -> Vec<String> {
        let (common, single): (Vec<_>, Vec<_>) = self
            .met
            .into_iter()
            .partition(|(_, met)| met.passages >= LEAST_PASSAGES);
        let mut best = ranked(common);
        if best.is_empty() && are_all {
            let (short, long): (Vec<_>, Vec<_>) = single
                .into_iter()
                .partition(|(_, met)| met.further <= FURTHER_OF_ONE_PASSAGE);
            best = ranked(short);
            if best.is_empty() {
                best = ranked(long);
            }
            best.truncate(MOST_OF_ONE_PASSAGE);
        }
        best.truncate(limit);
        best
    }
}

/// The phrases that end well, those of most passages first. One that only ever stands within a longer one is left out.
fn ranked(met: Vec<(String, Met)>) -> Vec<String> {
    let mut ends: HashMap<(String, &'static str), bool> = HashMap::new();
    let mut ends_well = |met: &Met| {
        // As it is written: accents tell stop words from others.
        let last = most_written(met).and_then(|written| written.unicode_words().next_back());
        let end = ends.entry((last.unwrap_or_default().to_owned(), met.language));
        *end.or_insert_with_key(|(word, language)| !StopWords::of(Some(language)).contain(word))
    };
    let met: Vec<(String, Met)> = met.into_iter().filter(|(_, met)| ends_well(met)).collect();
    let longest: HashMap<&str, usize> = parts_of_longer(&met);
    let mut ranked: Vec<(&String, &Met)> = met
        .iter()
        .map(|(key, met)| (key, met))
        .filter(|(key, met)| longest.get(key.as_str()) != Some(&met.passages))
        .collect();
    ranked.sort_by(|(one, one_met), (other, other_met)| {
        let by_passages = other_met.passages.cmp(&one_met.passages);
        by_passages.then(one.len().cmp(&other.len())).then(one.cmp(other))
    });
    let written = ranked.into_iter().filter_map(|(_, met)| most_written(met));
    written.map(str::to_owned).collect()
}

/// Of each phrase that a longer one begins with, how many passages have the most frequent of those.
fn parts_of_longer(met: &[(String, Met)]) -> HashMap<&str, usize> {
    let mut longest: HashMap<&str, usize> = HashMap::new();
    for (key, met) in met {
        for (end, _) in key.match_indices(' ') {
            let most = longest.entry(key.get(..end).unwrap_or_default()).or_default();
            *most = met.passages.max(*most);
        }
    }
    longest
}

/// As it is mostly written; in small letters where that is as frequent.
fn most_written(met: &Met) -> Option<&str> {
    let most = met
        .written
        .iter()
        .max_by_key(|(written, count)| (**count, *written));
    most.map(|(written, _)| written.as_str())
}

/// The phrases that begin at the first of the words, the shortest first, each with how many words it goes on for.
fn cut<'a>(text: &'a str, words: &[(usize, &'a str)], least: usize) -> Vec<(usize, &'a str)> {
    let Some((start, _)) = words.first() else {
        return Vec::new();
    };
    let pairs = words.windows(2).take(least + MOST_FURTHER_WORDS);
    let joined = pairs.take_while(|pair| are_joined(text, pair)).count() + 1;
    let phrase = |count: usize| {
        let (at, word) = words.get(count - 1)?;
        text.get(*start..at + without_possessive(word).len())
    };
    let counts = (1..=MOST_FURTHER_WORDS).map(|further| (further, least + further - 1));
    counts
        .filter(|(_, count)| *count > 1)
        .take_while(|(_, count)| *count <= joined)
        .filter_map(|(further, count)| Some((further, phrase(count)?)))
        .take_while(|(_, phrase)| phrase.chars().nth(LONGEST_PHRASE).is_none())
        .collect()
}

/// The last word of a phrase: `court` of `the court's`.
fn without_possessive(word: &str) -> &str {
    let bare = ["'s", "\u{2019}s", "'S", "\u{2019}S"]
        .iter()
        .find_map(|end| word.strip_suffix(end));
    bare.filter(|bare| !bare.is_empty()).unwrap_or(word)
}

/// Whether nothing stands between two words that ends a phrase.
fn are_joined(text: &str, pair: &[(usize, &str)]) -> bool {
    let [(at, word), (next, _)] = pair else {
        return false;
    };
    let between = text.get(at + word.len()..*next).unwrap_or_default();
    let is_space = between.chars().all(char::is_whitespace) && between.matches('\n').count() < 2;
    is_space
        || matches!(
            between,
            "-" | "\u{2010}" | "\u{2011}" | "/" | "'" | "\u{2019}" | "&" | " & "
        )
}

/// The letters of all words of a phrase, with single spaces.
pub(crate) fn letters_of(phrase: &str) -> String {
    phrase.unicode_words().map(letters).collect::<Vec<_>>().join(" ")
}

/// A word without case and diacritics.
fn letters(word: &str) -> String {
    match word.is_ascii() {
        true => word.to_ascii_lowercase(),
        false => unaccented(word),
    }
}

fn is(word: &str, letters: &str) -> bool {
    match word.is_ascii() {
        true => word.eq_ignore_ascii_case(letters),
        false => self::letters(word) == letters,
    }
}

fn begins(word: &str, letters: &str) -> bool {
    match word.is_ascii() {
        true => {
            let start = word.get(..letters.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(letters))
        }
        false => self::letters(word).starts_with(letters),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn best(typed: &str, texts: &[&str]) -> Vec<String> {
        let Some(typed) = Typed::of(typed) else {
            return Vec::new();
        };
        let mut phrases = Phrases::of(typed);
        for text in texts {
            phrases.add([*text], "en");
        }
        phrases.best(10, true)
    }

    const LEAVE: [&str; 4] = [
        "Parental leave policy: parental leave is paid.",
        "The parental leave policy of the company",
        "Ask for parental leave. Policy matters.",
        "parental consent",
    ];

    #[test]
    fn a_phrase_goes_on_where_passages_do() {
        assert_eq!(
            best("Parental", &LEAVE),
            ["parental leave", "parental leave policy"]
        );
        assert_eq!(best("the paren", &LEAVE), ["The parental leave"]);
        assert_eq!(best("parental leave ", &LEAVE), ["parental leave policy"]);
        assert_eq!(best("leave poli", &LEAVE), ["leave policy"]);
        assert_eq!(
            best("parental leave policy", &LEAVE),
            ["parental leave policy of the company"]
        );
        assert_eq!(best("maternal", &LEAVE), [""; 0]);
    }

    #[test]
    fn it_ends_without_a_possessive() {
        let texts = [
            "the Supreme Court's decision",
            "Supreme Court's decisions, supreme court",
        ];
        assert_eq!(best("supreme c", &texts), ["Supreme Court"]);
        assert_eq!(
            best("supreme court", &texts),
            ["Supreme Court's decision", "Supreme Court's decisions"]
        );
        let curly = ["The Supreme Court\u{2019}s."];
        assert_eq!(best("supreme", &curly), ["Supreme Court"]);
        assert_eq!(best("supreme court", &curly), [""; 0]);
    }

    #[test]
    fn what_one_passage_has_says_nothing_of_many() {
        let phrases = |are_all: bool, texts: &[&str]| {
            let mut phrases = Phrases::of(Typed::of("population").unwrap());
            texts.iter().for_each(|text| phrases.add([*text], "en"));
            phrases.best(10, are_all)
        };
        let one = ["population of cats", "Population density of large towns"];
        assert_eq!(phrases(true, &one), ["Population density", "population of cats"]);
        assert_eq!(phrases(false, &one), [""; 0]);
        assert_eq!(
            phrases(false, &[one[1], one[1]]),
            ["Population density of large towns"]
        );
    }

    #[test]
    fn a_word_that_ended_goes_on_no_more() {
        let texts = ["oil price and oily skin", "the oil price, oily skin"];
        assert_eq!(best("oil", &texts), ["oil price", "oily skin"]);
        assert_eq!(best("oil ", &texts), ["oil price"]);
    }

    #[test]
    fn it_ends_where_something_else_begins() {
        let texts = [
            "annual leave\n\npay day",
            "Annual leave\n\nPay day. Annual-leave (form) annual\nleave",
        ];
        assert_eq!(best("annual", &texts), ["annual leave"]);
        assert_eq!(best("leave f", &texts), [""; 0]);
    }

    #[test]
    fn it_is_written_as_mostly_and_compared_without_accents() {
        let texts = ["Café au Lait", "un café au lait", "CAFÉ AU LAIT et café au lait"];
        assert_eq!(best("cafe a", &texts), ["café au lait"]);
        assert_eq!(best("CAFÉ A", &texts), ["café au lait"]);
    }

    #[test]
    fn what_is_too_short_or_too_long_begins_no_phrase() {
        for typed in ["", " ", "ab", "é", "\"-+:", &"x".repeat(201), &"a ".repeat(13)] {
            assert_eq!(Typed::of(typed), None, "{typed:?}");
        }
        assert!(Typed::of("abc").is_some() && Typed::of("a b").is_some());
    }

    #[test]
    fn characters_of_chinese_are_words() {
        let texts = ["東京タワーです", "東京タワーへ"];
        assert_eq!(best("東京タ", &texts), ["東京タワー"]);
    }

    proptest! {
        #[test]
        fn what_is_given_begins_like_what_was_typed(
            typed in "[a-cé \u{4e00}-\u{4e03}]{0,8}",
            texts in proptest::collection::vec("[a-cA-Cé .,\n\u{4e00}-\u{4e03}-]{0,60}", 0..5),
        ) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let wanted = letters_of(&typed);
            for phrase in best(&typed, &texts) {
                prop_assert!(letters_of(&phrase).starts_with(&wanted), "{phrase:?}");
                prop_assert!(letters_of(&phrase) != wanted, "{phrase:?}");
                let is_there = |text: &&str| letters_of(text).contains(&letters_of(&phrase));
                prop_assert!(texts.iter().any(is_there), "{phrase:?}");
            }
        }

        #[test]
        fn whatever_is_typed_is_read(typed in any::<String>(), text in any::<String>()) {
            best(&typed, &[&text, &text]);
        }
    }
}
