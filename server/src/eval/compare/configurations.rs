//! In what the configurations of two runs differ.

use std::collections::BTreeSet;

use serde_json::Value;

/// The names of what differs, with a dot between the names of a setting and of what holds it. What one of the two runs
/// doesn't tell at all, an older version's for example, is among them and marked.
pub fn differences(before: &Value, after: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    collect("", before, after, &mut differences);
    differences
}

fn collect(name: &str, before: &Value, after: &Value, differences: &mut Vec<String>) {
    let (Value::Object(was), Value::Object(is)) = (before, after) else {
        if before != after {
            differences.push(name.to_owned());
        }
        return;
    };
    let keys: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    for key in keys {
        let name = if name.is_empty() {
            key.clone()
        } else {
            format!("{name}.{key}")
        };
        match (was.get(key), is.get(key)) {
            (Some(was), Some(is)) => collect(&name, was, is, differences),
            _ => differences.push(format!("{name} (in one run alone)")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_is_named_and_nothing_else() {
        let before = json!({
            "lectern": "1", "sources": [{ "kind": "files" }], "retrieval": { "reranker": null, "fusion": "ranks" },
        });
        assert_eq!(differences(&before, &before), [""; 0]);
        let after = json!({
            "lectern": "1", "sources": [{ "kind": "web" }], "retrieval": { "reranker": "late", "fusion": "ranks" },
            "search_settings": { "synonyms": "" },
        });
        assert_eq!(
            differences(&before, &after),
            [
                "retrieval.reranker",
                "search_settings (in one run alone)",
                "sources"
            ]
        );
    }
}
