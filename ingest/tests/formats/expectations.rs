//! The strings that markitdown's tests ask of its output, asked of ours.
//!
//! They are compared as words in their order, since Lectern's Markdown differs in its marks: links lead nowhere,
//! emphasis is kept or not. What is no word of the document at all isn't asked ([`is_about_markup`]).

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Outcome;
use super::words::{words, words_to_find};

/// Strings that markitdown itself writes around a document, and one that a book's package says of it: neither is its
/// text.
const MARKITDOWN_WORDS: [&str; 5] = [
    "# Email Message",
    "## Content",
    "**Authors:** Test Author",
    "**Subject:**",
    "A test EPUB document",
];

/// Formats that markitdown reads and Lectern doesn't promise to.
const NOT_READ: [&str; 2] = ["msg", "zip"];

/// Complaints about strings that are missing, or there and shouldn't be.
pub fn check(folder: &Path, outcomes: &[Outcome]) -> Vec<String> {
    let file = folder.join("markitdown/expected_strings.json");
    let vectors: Vec<Value> = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let mut complaints = Vec::new();
    let (mut asked, mut left_out) = (0, 0);
    for vector in vectors {
        let name = vector["filename"].as_str().unwrap();
        let Some(outcome) = outcomes
            .iter()
            .find(|outcome| outcome.path == format!("markitdown/test_files/{name}"))
        else {
            continue;
        };
        // The other set asks for the bytes of pictures within the text.
        if vector["set"] != "GENERAL_TEST_VECTORS" || NOT_READ.contains(&outcome.format().as_str()) {
            continue;
        }
        let Ok(extracted) = &outcome.result else {
            complaints.push(format!("{name}: {:?}", outcome.result.as_ref().err()));
            continue;
        };
        let attributes = serde_json::to_string(&extracted.attributes).unwrap();
        let title = extracted.title.as_deref().unwrap_or_default();
        let there = format!(
            " {} ",
            words(&format!("{title} \n {} \n {attributes}", extracted.text)).join(" ")
        );
        for wanted in strings(&vector, "must_include") {
            if is_about_markup(wanted) {
                left_out += 1;
                continue;
            }
            asked += 1;
            if !there.contains(&format!(" {} ", words_to_find(wanted).join(" "))) {
                complaints.push(format!("{name} lacks {wanted:?}"));
            }
        }
        for unwanted in strings(&vector, "must_not_include") {
            asked += 1;
            if extracted.text.contains(unwanted) {
                complaints.push(format!("{name} has {unwanted:?}"));
            }
        }
    }
    println!(
        "\nmarkitdown's strings: {asked} asked, {left_out} left out as markup, {} not as expected",
        complaints.len()
    );
    complaints
}

/// Whether a string is about what markitdown writes and not about what the document says: the target of a link or
/// a picture, a fence, the rule below a table's header, its own headings.
fn is_about_markup(string: &str) -> bool {
    string.starts_with("data:")
        || string.starts_with("](")
        || words_to_find(string).is_empty()
        || MARKITDOWN_WORDS.iter().any(|own| string.starts_with(own))
}

fn strings<'a>(vector: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    vector[key]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}
