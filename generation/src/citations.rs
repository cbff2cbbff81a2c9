//! The guard at the exit: a citation of something that wasn't handed over never reaches the reader.
//!
//! A model writes its citations as `[1]`, `[1, 2]`, `[1][3]` or `[2-4]`, and an engine cuts its text
//! anywhere. From an opening bracket on, the guard holds back what may still become a citation, decides
//! when it sees the closing one, and lets through each allowed number in brackets of its own. What it
//! takes out leaves no trace but a space. Everything else passes unchanged and at once.

use std::collections::BTreeSet;

/// No citation is longer than this; what goes on longer loses its brackets.
const MAX_HELD_BYTES: usize = 64;

/// Reads the text of an answer piece by piece and lets through what may be seen.
#[derive(Debug)]
pub struct CitationGuard {
    allowed: BTreeSet<u32>,
    cited: BTreeSet<u32>,
    held: String,
    took_out: bool,
}

impl CitationGuard {
    /// A guard that lets the numbers of `allowed` through.
    pub fn new(allowed: impl IntoIterator<Item = u32>) -> Self {
        Self {
            allowed: allowed.into_iter().collect(),
            cited: BTreeSet::new(),
            held: String::new(),
            took_out: false,
        }
    }

    /// The numbers that were let through so far.
    pub fn cited(&self) -> &BTreeSet<u32> {
        &self.cited
    }

    /// Takes the next piece of text and returns what can be shown now.
    pub fn push(&mut self, piece: &str) -> String {
        let mut shown = String::with_capacity(piece.len());
        for character in piece.chars() {
            self.step(character, &mut shown);
        }
        shown
    }

    /// Returns what was held back. The text has ended.
    pub fn finish(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        // A bracket that never closed is a citation that was cut off, or nothing.
        if held.contains('[') {
            return held.split('[').next().unwrap_or_default().trim_end().to_owned();
        }
        if self.took_out { String::new() } else { held }
    }

    fn step(&mut self, character: char, shown: &mut String) {
        // Some models write their citations in the brackets of Chinese typography.
        let character = match character {
            '【' => '[',
            '】' => ']',
            other => other,
        };
        if self.took_out && !self.held.contains('[') && self.close_the_gap(character, shown) {
            return;
        }
        match character {
            '[' => self.held.push('['),
            ']' if self.held.contains('[') => self.resolve(shown),
            _ if self.held.contains('[') && is_inside_citation(character) => self.held.push(character),
            _ if self.held.contains('[') => self.release(character, shown),
            character if character.is_whitespace() => self.held.push(character),
            _ => {
                shown.push_str(&self.held);
                self.held.clear();
                shown.push(character);
            }
        }
        if self.held.len() > MAX_HELD_BYTES {
            shown.push_str(&self.held.replace('[', ""));
            self.held.clear();
        }
    }

    /// Behind something that was taken out, only one of two spaces stays, and none before a full stop.
    /// Returns whether `character` is dealt with.
    fn close_the_gap(&mut self, character: char, shown: &mut String) -> bool {
        if self.held.is_empty() {
            self.took_out = false;
            return false;
        }
        if character == '[' {
            return false;
        }
        self.took_out = false;
        if character.is_whitespace() {
            self.held = character.to_string();
            return true;
        }
        if matches!(character, '.' | ',' | ';' | ':' | '!' | '?' | ')') {
            self.held.clear();
            shown.push(character);
            return true;
        }
        false
    }

    /// The innermost open bracket has closed.
    fn resolve(&mut self, shown: &mut String) {
        let Some(open) = self.held.rfind('[') else {
            return;
        };
        let inner = self.held.split_off(open + 1);
        self.held.truncate(open);
        let Some(numbers) = numbers_in(&inner) else {
            // Brackets around nothing that counts are part of the text.
            shown.push_str(&self.held.replace('[', ""));
            self.held.clear();
            shown.push('[');
            shown.push_str(&inner);
            shown.push(']');
            return;
        };
        let kept: Vec<u32> = self
            .allowed
            .iter()
            .copied()
            .filter(|number| numbers.covers(*number))
            .collect();
        if kept.is_empty() {
            self.took_out = true;
            return;
        }
        // An outer bracket that is still open can't become a citation around this one.
        shown.push_str(&self.held.replace('[', ""));
        self.held.clear();
        for number in kept {
            self.cited.insert(number);
            shown.push_str(&format!("[{number}]"));
        }
    }

    /// What was held turns out to be no citation.
    fn release(&mut self, character: char, shown: &mut String) {
        shown.push_str(&self.held);
        self.held.clear();
        shown.push(character);
    }
}

fn is_inside_citation(character: char) -> bool {
    character.is_ascii_digit() || matches!(character, ',' | ';' | ' ' | '-' | '–' | '^')
}

/// The numbers of one bracket: single ones and ranges, ends included.
struct Numbers(Vec<(u64, u64)>);

impl Numbers {
    fn covers(&self, number: u32) -> bool {
        self.0
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&u64::from(number)))
    }
}

/// Reads the inside of a bracket; `None` where there is no number in it.
fn numbers_in(inner: &str) -> Option<Numbers> {
    let mut ranges = Vec::new();
    for item in inner.split([',', ';', ' ']).filter(|item| !item.is_empty()) {
        let ends: Vec<u64> = item
            .split(['-', '–', '^'])
            .filter(|text| !text.is_empty())
            // A number too long to be one is none of ours.
            .map(|text| text.parse().unwrap_or(u64::MAX))
            .collect();
        if let (Some(low), Some(high)) = (ends.first(), ends.last()) {
            ranges.push((*low, *high));
        }
    }
    (!ranges.is_empty()).then_some(Numbers(ranges))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn guarded(pieces: &[&str], allowed: &[u32]) -> (String, Vec<u32>) {
        let mut guard = CitationGuard::new(allowed.iter().copied());
        let mut shown: String = pieces.iter().map(|piece| guard.push(piece)).collect();
        shown.push_str(&guard.finish());
        (shown, guard.cited().iter().copied().collect())
    }

    #[test]
    fn allowed_numbers_pass_in_brackets_of_their_own() {
        assert_eq!(
            guarded(&["It is so [1]."], &[1, 2]),
            ("It is so [1].".to_owned(), vec![1])
        );
        assert_eq!(
            guarded(&["So [1, 2] it", " is[", "3", "]"], &[1, 2, 3]),
            ("So [1][2] it is[3]".to_owned(), vec![1, 2, 3])
        );
        assert_eq!(guarded(&["a [1][3]"], &[1, 3]).0, "a [1][3]");
        assert_eq!(guarded(&["a [1-3]"], &[2, 3]).0, "a [2][3]");
        assert_eq!(guarded(&["a 【1】"], &[1]).0, "a [1]");
    }

    #[test]
    fn other_numbers_leave_no_trace() {
        assert_eq!(
            guarded(&["It is so [7]."], &[1]),
            ("It is so.".to_owned(), vec![])
        );
        assert_eq!(guarded(&["One [1", "2] two"], &[1, 2]).0, "One two");
        assert_eq!(guarded(&["One [1][9] two"], &[1]).0, "One [1] two");
        assert_eq!(guarded(&["[9] Two"], &[1]).0, " Two");
        assert_eq!(guarded(&["cut off [1"], &[1]).0, "cut off");
        assert_eq!(guarded(&["[[9]5] x"], &[1]).0, " x");
    }

    #[test]
    fn text_that_is_no_citation_passes_unchanged() {
        for text in [
            "a[i] and [see below]",
            "f(x)[0x]",
            "[ ] open box",
            "1. one\n2. two\n\n- three",
            "[link](x)",
        ] {
            assert_eq!(guarded(&[text], &[1]).0, text);
        }
    }

    /// Finds citations in a finished text in another way than the guard does.
    fn citations_of(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (index, _) in text.match_indices('[') {
            let inner: String = text[index + 1..]
                .chars()
                .take_while(|c| *c != ']' && *c != '[')
                .collect();
            let closed = text[index + 1 + inner.len()..].starts_with(']');
            let plain = inner.chars().all(|c| c.is_ascii_digit() || ",; -–^".contains(c));
            if closed && plain {
                found.extend(
                    inner
                        .split(|c: char| !c.is_ascii_digit())
                        .filter(|n| !n.is_empty())
                        .map(str::to_owned),
                );
            }
        }
        found
    }

    proptest! {
        #[test]
        fn no_number_outside_comes_through_whatever_the_cuts(
            pieces in prop::collection::vec("[\\[\\]0-9, ;a\\-–^.\n]{0,5}", 0..40),
        ) {
            let mut guard = CitationGuard::new([1, 3, 12]);
            let mut shown: String = pieces.iter().map(|piece| guard.push(piece)).collect();
            shown.push_str(&guard.finish());
            for number in citations_of(&shown) {
                prop_assert!(["1", "3", "12"].contains(&number.as_str()), "{number} in {shown:?} of {pieces:?}");
            }
        }

        #[test]
        fn the_cuts_make_no_difference(text in "[\\[\\]0-9, ab.\n]{0,60}", cut in 0_usize..60) {
            let cut = cut.min(text.len());
            prop_assert_eq!(guarded(&[&text], &[1, 2]), guarded(&[&text[..cut], &text[cut..]], &[1, 2]));
        }
    }
}
