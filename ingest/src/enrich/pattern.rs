//! Patterns of what is redacted: regular expressions, and the built-in ones, of which two are checked by their digits
//! because an expression alone takes every long number for a card.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use super::error::Problem;
use super::rules::BuiltInPattern;

/// The longest regular expression, in bytes.
const MAX_PATTERN_BYTES: usize = 1_000;
/// The most that a compiled regular expression may take, in bytes.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// Letters and digits of any script, as in internationalised addresses (RFC 6531).
const EMAIL: &str = r"[\p{L}\p{N}._%+'-]+@(?:[\p{L}\p{N}-]+\.)+\p{L}{2,}";

/// Providers' keys by their documented beginnings, JSON web tokens (RFC 7519), private keys (RFC 7468), and
/// assignments to what is called a key or a token.
const KEY: &str = r#"(?x)
      \b(?:AKIA|ASIA)[A-Z0-9]{16}\b
    | \bgh[pousr]_[A-Za-z0-9]{36,255}\b
    | \bgithub_pat_[A-Za-z0-9_]{22,255}\b
    | \bglpat-[A-Za-z0-9_-]{20,255}
    | \bsk-[A-Za-z0-9_-]{20,255}
    | \bxox[abeoprs]-[A-Za-z0-9-]{10,255}
    | \bAIza[A-Za-z0-9_-]{35}
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
    | -----BEGIN\ [A-Z\ ]*PRIVATE\ KEY-----(?s:.*?)(?:-----END\ [A-Z\ ]*PRIVATE\ KEY-----|\z)
    | (?i:\b(?:api|secret|access|private|auth|client)[_\ -]?(?:secret|access)?[_\ -]?(?:key|token|secret)\b
        ["']?\ *[:=]\ *["']?[A-Za-z0-9+/_.=-]{16,})"#;

/// Digits in groups, separated by one character each.
const DIGIT_GROUPS: &str = r"[0-9]+(?:[\s.\x{2010}\x{2011}-][0-9]+)*";

/// A country, two check digits, 11 to 30 letters and digits (ISO 13616), in groups or not.
const IBAN: &str = r"(?i)\b[A-Z]{2}[0-9]{2}(?:[\s-]?[A-Z0-9]){11,30}";

/// What is looked for. Looking costs time linear in the text.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    Expression(Regex),
    Card(Regex),
    Iban(Regex),
}

impl Pattern {
    /// The built-in pattern of that kind.
    pub(super) fn built_in(kind: BuiltInPattern) -> Result<Self, Problem> {
        static EXPRESSIONS: LazyLock<[Result<Regex, regex::Error>; 4]> =
            LazyLock::new(|| [EMAIL, KEY, DIGIT_GROUPS, IBAN].map(Regex::new));
        let number = match kind {
            BuiltInPattern::Email => 0,
            BuiltInPattern::Key => 1,
            BuiltInPattern::Card => 2,
            BuiltInPattern::Iban => 3,
        };
        let regex = match &EXPRESSIONS[number] {
            Ok(regex) => regex.clone(),
            Err(error) => return Err(malformed(kind.as_str(), error)),
        };
        Ok(match kind {
            BuiltInPattern::Email | BuiltInPattern::Key => Self::Expression(regex),
            BuiltInPattern::Card => Self::Card(regex),
            BuiltInPattern::Iban => Self::Iban(regex),
        })
    }

    /// Where the pattern is found: in order, without overlap.
    pub(super) fn find_all(&self, text: &str) -> Vec<Range<usize>> {
        match self {
            Self::Expression(regex) => regex.find_iter(text).map(|found| found.range()).collect(),
            Self::Card(groups) => groups
                .find_iter(text)
                .flat_map(|run| cards(text, run.range()))
                .collect(),
            Self::Iban(candidate) => ibans(candidate, text),
        }
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Expression(regex) => regex.is_match(text),
            _ => !self.find_all(text).is_empty(),
        }
    }
}

/// A regular expression of a rule, with bounds on its size.
pub(super) fn expression(pattern: &str) -> Result<Regex, Problem> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(Problem::Pattern {
            pattern: shortened(pattern),
            reason: format!("it has {} bytes; the limit is {MAX_PATTERN_BYTES}", pattern.len()),
        });
    }
    RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED_BYTES)
        .build()
        .map_err(|error| malformed(pattern, &error))
}

fn malformed(pattern: &str, error: &regex::Error) -> Problem {
    let reason = match error {
        regex::Error::CompiledTooBig(limit) => {
            format!("it would take more than {limit} bytes; repeat less of it")
        }
        // The parser draws the place in several lines; the last one says what is wrong.
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    };
    Problem::Pattern {
        pattern: shortened(pattern),
        reason,
    }
}

fn shortened(pattern: &str) -> String {
    pattern.chars().take(80).collect()
}

/// The card numbers in a run of digit groups, the longest from each group on.
fn cards(text: &str, run: Range<usize>) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (offset, character) in text[run.clone()].char_indices() {
        let at = run.start + offset;
        match groups.last_mut() {
            Some(group) if character.is_ascii_digit() && group.end == at => group.end += 1,
            _ if character.is_ascii_digit() => groups.push(at..at + 1),
            _ => {}
        }
    }
    let mut found = Vec::new();
    let mut first = 0;
    while first < groups.len() {
        // Five groups of four hold the longest number there is.
        let longest = (first..groups.len().min(first + 5))
            .rev()
            .find(|&last| is_card(text, &groups[first..=last]));
        match longest {
            Some(last) => {
                found.push(groups[first].start..groups[last].end);
                first = last + 1;
            }
            None => first += 1,
        }
    }
    found
}

/// Whether the groups are written as cards are, begin as an issuer's numbers do and have the right check digit.
fn is_card(text: &str, groups: &[Range<usize>]) -> bool {
    let lengths: Vec<usize> = groups.iter().map(Range::len).collect();
    let is_written_so = match lengths.as_slice() {
        [13..=19] | [4, 6, 4 | 5] => true,
        [fours @ .., last] => {
            fours.len() >= 3 && fours.iter().all(|length| *length == 4) && (1..=4).contains(last)
        }
        [] => false,
    };
    if !is_written_so {
        return false;
    }
    let digits: Vec<u32> = groups
        .iter()
        .flat_map(|group| text[group.clone()].chars())
        .filter_map(|character| character.to_digit(10))
        .collect();
    let issuer = digits.iter().take(4).fold(0, |number, digit| number * 10 + digit);
    let is_issued = matches!(
        issuer,
        2200..=2204 | 2221..=2720 | 3000..=3059 | 3400..=3499 | 3528..=3589 | 3600..=3999 | 4000..=6999
    );
    is_issued && (13..=19).contains(&digits.len()) && has_check_digit(&digits)
}

/// The Luhn check (ISO/IEC 7812-1, annex B).
fn has_check_digit(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => *digit,
            _ if *digit > 4 => digit * 2 - 9,
            _ => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The account numbers in a text, the longest from each place on.
fn ibans(candidate: &Regex, text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(run) = candidate.find_at(text, from) {
        let valid = ends(text, run.range()).into_iter().rev().find(|&end| {
            let number = run.start()..end;
            is_iban(&text[number])
        });
        // Where it was none, another may begin within it.
        from = match valid {
            Some(end) => end,
            None => run.start() + 1,
        };
        found.extend(valid.map(|end| run.start()..end));
    }
    found
}

/// The places of a candidate at which a number can end: after a letter or digit that none follows.
fn ends(text: &str, run: Range<usize>) -> Vec<usize> {
    text[run.clone()]
        .char_indices()
        .map(|(offset, character)| (run.start + offset + character.len_utf8(), character))
        .filter(|(end, character)| {
            let next = text[*end..].chars().next();
            character.is_ascii_alphanumeric() && !next.is_some_and(|next| next.is_ascii_alphanumeric())
        })
        .map(|(end, _)| end)
        .collect()
}

/// The check of ISO 7064, MOD 97-10, over the number with its first four characters at the end.
fn is_iban(text: &str) -> bool {
    let characters: Vec<char> = text.chars().filter(char::is_ascii_alphanumeric).collect();
    if !(15..=34).contains(&characters.len()) {
        return false;
    }
    let (head, tail) = characters.split_at(4);
    let remainder =
        tail.iter()
            .chain(head)
            .fold(0_u32, |remainder, character| match character.to_digit(36) {
                Some(digit @ 0..=9) => (remainder * 10 + digit) % 97,
                Some(letter) => (remainder * 100 + letter) % 97,
                None => remainder,
            });
    remainder == 1
}
