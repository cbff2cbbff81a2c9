//! The few words of a passage that show why it was found.

use std::collections::HashSet;

/// Words that say nothing about what a question is about, shorter than this, are not looked for.
const SHORTEST_WORD: usize = 3;

/// At most `limit` characters of `text` on one line, around the stretch that has most of the
/// question's words, with an ellipsis where something was left out.
pub fn snippet(text: &str, question: &str, limit: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let wanted: HashSet<String> = question
        .split_whitespace()
        .map(bare)
        .filter(|word| word.len() >= SHORTEST_WORD)
        .collect();
    let (start, end) = best_window(&words, &wanted, limit);
    let mut line = words.get(start..end).unwrap_or_default().join(" ");
    if line.chars().count() > limit {
        line = line.chars().take(limit).collect();
    }
    let before = if start > 0 { "… " } else { "" };
    let after = if end < words.len() { " …" } else { "" };
    format!("{before}{line}{after}")
}

/// The window of words within `limit` characters with most different wanted words; the first of
/// equals.
fn best_window(words: &[&str], wanted: &HashSet<String>, limit: usize) -> (usize, usize) {
    let bare_words: Vec<String> = words.iter().map(|word| bare(word)).collect();
    let lengths: Vec<usize> = words.iter().map(|word| word.chars().count() + 1).collect();
    let mut best = (0, window_end(&lengths, 0, limit));
    let mut best_count = count_wanted(&bare_words[best.0..best.1], wanted);
    for start in 1..words.len() {
        let end = window_end(&lengths, start, limit);
        let count = count_wanted(&bare_words[start..end], wanted);
        if count > best_count {
            (best, best_count) = ((start, end), count);
        }
    }
    best
}

fn window_end(lengths: &[usize], start: usize, limit: usize) -> usize {
    let mut used = 0;
    let mut end = start;
    while let Some(length) = lengths.get(end) {
        used += length;
        if used > limit + 1 && end > start {
            break;
        }
        end += 1;
    }
    end
}

fn count_wanted(words: &[String], wanted: &HashSet<String>) -> usize {
    words
        .iter()
        .filter(|word| wanted.contains(*word))
        .collect::<HashSet<_>>()
        .len()
}

fn bare(word: &str) -> String {
    word.trim_matches(|character: char| !character.is_alphanumeric())
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_shown_whole_on_one_line() {
        assert_eq!(snippet("It is due\n\nin May.", "when", 100), "It is due in May.");
        assert_eq!(snippet("", "when", 100), "");
    }

    #[test]
    fn the_stretch_with_the_questions_words_is_shown() {
        let text = format!(
            "{} parental leave is twenty weeks {}",
            "filler ".repeat(50),
            "more ".repeat(50)
        );
        let shown = snippet(&text, "How long is parental leave?", 40);
        assert!(shown.contains("parental leave"), "{shown}");
        assert!(shown.starts_with('…') && shown.ends_with('…'), "{shown}");
        assert!(shown.chars().count() <= 44, "{shown}");
    }

    #[test]
    fn a_word_longer_than_the_limit_is_cut_between_characters() {
        assert_eq!(snippet(&"ü".repeat(20), "x", 5), "üüüüü");
    }
}
