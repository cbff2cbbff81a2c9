//! The words of a text that say what it is about, in a form in which they can be compared.
//!
//! Meant for the few sentences of one answer: a handful of English endings is folded, the commonest
//! function words are dropped, and a script without spaces is taken letter by letter. The indexes have
//! their own, better analysis; this one only has to agree with itself.

use std::collections::BTreeSet;

const FUNCTION_WORDS: &[&str] = &[
    "a", "about", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by",
    "can", "could", "did", "do", "does", "for", "from", "had", "has", "have", "how", "i", "if", "in", "into",
    "is", "it", "its", "may", "me", "my", "no", "not", "of", "on", "or", "our", "shall", "should", "so",
    "than", "that", "the", "their", "them", "then", "there", "they", "this", "those", "to", "us", "was",
    "we", "were", "what", "when", "where", "which", "who", "whom", "why", "will", "with", "would", "you",
    "your",
];
const ENDINGS: &[&str] = &["ing", "ies", "ed", "es", "ly", "s", "e", "y"];
const SHORTEST_STEM: usize = 3;

/// The distinct terms of `text`.
pub fn terms(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for word in text.split(|character: char| !character.is_alphanumeric()) {
        if word.chars().any(is_without_spaces) {
            found.extend(word.chars().map(String::from));
            continue;
        }
        let word = word.to_lowercase();
        if !word.is_empty() && FUNCTION_WORDS.binary_search(&word.as_str()).is_err() {
            found.insert(stem(&word).to_owned());
        }
    }
    found
}

fn stem(word: &str) -> &str {
    if word.bytes().any(|byte| byte.is_ascii_digit()) {
        return word;
    }
    for ending in ENDINGS {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.len() >= SHORTEST_STEM
        {
            return stem;
        }
    }
    word
}

/// Whether a letter belongs to a script that is written without spaces between words.
fn is_without_spaces(character: char) -> bool {
    matches!(u32::from(character), 0x0E00..=0x0EFF | 0x3040..=0x30FF | 0x3400..=0x9FFF | 0x20000..=0x3FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_words_are_in_order_for_the_search() {
        assert!(FUNCTION_WORDS.is_sorted());
    }

    #[test]
    fn forms_of_a_word_are_one_term() {
        assert_eq!(terms("leave, Leaves; leaving"), terms("leave"));
        assert_eq!(terms("policy policies"), terms("policy"));
        assert_ne!(terms("2024"), terms("2025"));
        assert!(terms("what is the").is_empty());
        assert_eq!(terms("休暇").len(), 2);
    }
}
