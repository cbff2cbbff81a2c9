//! Whether the text of a page is made of words. A PDF stores where glyphs stand, not words: an engine that
//! misreads the gaps gives "l e t t e r s" or "wordswithoutspaces", and one that lacks a font's
//! character map gives rubbish.

/// Fewer words than this say nothing about a page.
const FEWEST_WORDS: usize = 20;

/// What a text's words look like. Only words in Latin letters are counted: other scripts have words of one letter,
/// and no spaces.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// Words in Latin letters.
    pub words: usize,
    /// The part of those that has a single letter (`a` and `I` are words).
    pub single_letter_share: f64,
    /// Letters per word.
    pub mean_length: f64,
    /// The part of all characters that stands for one that could not be read.
    pub unreadable_share: f64,
}

impl Quality {
    /// Measures a text.
    pub fn of(text: &str) -> Self {
        let mut words = 0_usize;
        let mut letters = 0_usize;
        let mut singles = 0_usize;
        for word in text.split(|character: char| !character.is_alphabetic()) {
            if word.is_empty() || !word.chars().all(|character| character < '\u{250}') {
                continue;
            }
            let length = word.chars().count();
            words += 1;
            letters += length;
            singles += usize::from(length == 1 && !matches!(word, "a" | "A" | "I"));
        }
        let characters = text.chars().count().max(1);
        let is_unreadable = |character: &char| {
            *character == char::REPLACEMENT_CHARACTER || ('\u{e000}'..='\u{f8ff}').contains(character)
        };
        Self {
            words,
            single_letter_share: singles as f64 / words.max(1) as f64,
            mean_length: letters as f64 / words.max(1) as f64,
            unreadable_share: text.chars().filter(is_unreadable).count() as f64 / characters as f64,
        }
    }

    /// Whether it reads like text. Papers full of formulas reach a single-letter share of 0.3 on a page; words of more
    /// than 14 letters on average have lost their spaces.
    pub fn is_sane(&self) -> bool {
        let is_text = self.single_letter_share <= 0.5 && (2.0..=14.0).contains(&self.mean_length);
        (self.words < FEWEST_WORDS || is_text) && self.unreadable_share < 0.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENTENCE: &str =
        "The committee decides about leave within ten days, and I read a letter about it. ";

    #[test]
    fn words_are_sane_and_scattered_or_glued_letters_are_not() {
        let text = SENTENCE.repeat(5);
        assert!(Quality::of(&text).is_sane());
        let scattered: String = text.chars().flat_map(|character| [character, ' ']).collect();
        assert!(!Quality::of(&scattered).is_sane());
        let glued = "thecommitteedecidesaboutleave ".repeat(30);
        assert!(!Quality::of(&glued).is_sane());
        assert!(!Quality::of(&"\u{f041}\u{f042} ".repeat(30)).is_sane());
    }

    #[test]
    fn other_scripts_and_short_pages_are_sane() {
        assert!(Quality::of(&"委员会在十天内决定".repeat(30)).is_sane());
        assert!(Quality::of("x y z").is_sane());
        assert!(Quality::of("").is_sane());
    }
}
