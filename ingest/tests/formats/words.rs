//! Words and the share of them that is found.

use std::collections::HashMap;

/// The words of a text: runs of letters and digits, in lower case.
pub fn words(text: &str) -> Vec<String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// The words of a ground truth that a reader of the document sees: without comments (`<!-- image -->`), where links lead,
/// and the entities that stand for `&` and brackets.
pub fn words_to_find(markdown: &str) -> Vec<String> {
    let mut visible = without(markdown, "<!--", "-->", "");
    visible = without(&visible, "](", ")", "] ");
    for entity in ["&amp;", "&lt;", "&gt;", "&quot;", "&nbsp;"] {
        visible = visible.replace(entity, " ");
    }
    words(&visible)
}

/// The words of `wanted` that `text` lacks, each as often as it lacks it.
pub fn missing(wanted: &[String], text: &str) -> Vec<String> {
    let mut there: HashMap<String, usize> = HashMap::new();
    for word in words(text) {
        *there.entry(word).or_default() += 1;
    }
    wanted
        .iter()
        .filter(|word| match there.get_mut(*word) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        })
        .cloned()
        .collect()
}

fn without(text: &str, begin: &str, end: &str, instead: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(begin) {
        kept.push_str(before);
        let Some((_, after)) = after.split_once(end) else {
            rest = "";
            break;
        };
        kept.push_str(instead);
        rest = after;
    }
    kept.push_str(rest);
    kept
}
