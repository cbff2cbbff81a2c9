//! What the YAML before a Markdown text says of it. Only its usual form is read, a value or a list of values for each
//! name, since no more than that is asked of it.

use crate::extract::office::properties::{Properties, date, keywords};
use crate::extract::read::title_line;

/// Reads the properties of a document.
pub(super) fn read(yaml: &str) -> Properties {
    let mut properties = Properties::default();
    let mut lines = yaml.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((name, value)) = line
            .split_once(':')
            .filter(|(name, _)| !name.starts_with([' ', '-', '#']))
        else {
            continue;
        };
        let mut values = list(value);
        while let Some(item) = lines.peek().and_then(|line| line.trim_start().strip_prefix("- ")) {
            values.extend(list(item));
            lines.next();
        }
        let first = || title_line(&values.join(", "));
        match name.trim().to_lowercase().as_str() {
            "title" => properties.title = title_line(&unquoted(value)),
            "author" | "authors" => properties.author = first(),
            "subject" => properties.subject = title_line(&unquoted(value)),
            "keywords" | "tags" => properties
                .keywords
                .extend(values.iter().flat_map(|value| keywords(value))),
            "lang" | "language" => properties.language = first(),
            "date" | "created" | "published" => properties.created = date(&unquoted(value)),
            "modified" | "lastmod" | "updated" => properties.modified = date(&unquoted(value)),
            _ => {}
        }
    }
    properties
}

/// The values of `[a, "b"]`, or the one that is there.
fn list(value: &str) -> Vec<String> {
    let value = value.trim();
    let inner = value.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let parts: Vec<&str> = inner.map_or_else(|| vec![value], |inner| inner.split(',').collect());
    parts
        .into_iter()
        .map(unquoted)
        .filter(|part| !part.is_empty())
        .collect()
}

fn unquoted(value: &str) -> String {
    let value = value.trim();
    let bare = ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    bare.unwrap_or(value).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_lists_are_read() {
        let properties = read(
            "title: \"A: title\"\nauthor:\n  - Ann\n  - Bob\ndate: 2026-01-05\ntags: [one, 'two']\nlang: en\n# title: no\nother: x\n",
        );
        assert_eq!(properties.title.as_deref(), Some("A: title"));
        let attributes = serde_json::to_string(&properties.into_attributes()).unwrap();
        insta::assert_snapshot!(attributes, @r#"{"author":"Ann, Bob","created":"2026-01-05T00:00:00Z","keywords":["one","two"],"language":"en"}"#);
    }
}
