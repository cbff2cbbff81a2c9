//! Files with rules: TOML, or JSON where the name ends so.

use std::path::Path;

use figment::providers::{Format, Toml};
use lectern_domain::{ErrorKind, PortError};
use lectern_ingest::enrich::Enrichment;

/// The largest file of rules.
const MAX_BYTES: u64 = 1 << 20;

/// Reads rules and checks that they can be applied.
///
/// Fails with `enrichment_invalid` and says what is wrong with which rule of which file.
pub fn read_rules(file: &Path) -> Result<Enrichment, PortError> {
    let unusable = |reason: String| {
        PortError::new(
            ErrorKind::Invalid,
            "enrichment_invalid",
            format!("can't use the rules in {}: {reason}", file.display()),
        )
    };
    let metadata = std::fs::metadata(file).map_err(|error| unusable(error.to_string()))?;
    if metadata.len() > MAX_BYTES {
        return Err(unusable(format!("it is larger than {MAX_BYTES} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    let rules: Enrichment = if is_json {
        serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?
    } else {
        Toml::from_str(&text).map_err(|error| unusable(error.to_string()))?
    };
    rules.check().map_err(|error| unusable(error.to_string()))?;
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Enrichment, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        read_rules(&file).map_err(|error| error.to_string())
    }

    #[test]
    fn toml_and_json_say_the_same() {
        let toml = read(
            "rules.toml",
            r#"
            [[rules]]
            name = "year"
            when = [{ attribute = "created", after = "2020-01-01", exists = true }]
            actions = [
                { derive = { attribute = "year", from = "path", pattern = '/(\d{4})/', as = "number" } },
                { set = { attribute = "pages", value = 3 } },
                "drop",
            ]
            "#,
        );
        let json = read(
            "rules.json",
            r#"{"rules": [{
                "name": "year",
                "when": [{"attribute": "created", "after": "2020-01-01", "exists": true}],
                "actions": [
                    {"derive": {"attribute": "year", "from": "path", "pattern": "/(\\d{4})/", "as": "number"}},
                    {"set": {"attribute": "pages", "value": 3}},
                    "drop"
                ]
            }]}"#,
        );
        assert_eq!(toml.unwrap(), json.unwrap());
    }

    #[test]
    fn an_error_names_the_file_and_what_is_wrong() {
        for (text, told) in [
            ("[[rules]]\nname = \"a\"\n", "missing field `actions`"),
            (
                "[[rules]]\nname = \"a\"\nactions = [\"dropp\"]\n",
                "unknown variant `dropp`",
            ),
            ("[[rules]\n", "rules.toml"),
            ("rule = 1\n", "unknown field `rule`"),
            (
                "[[rules]]\nname = \"a\"\nactions = [{ redact = { pattern = '(' } }]\n",
                "the rule \"a\" has the regular expression \"(\": unclosed group",
            ),
        ] {
            let error = read("rules.toml", text).unwrap_err();
            assert!(error.contains(told) && error.contains("rules.toml"), "{error}");
        }
        assert!(read_rules(Path::new("/no/such/rules.toml")).is_err());
    }

    #[test]
    fn the_examples_that_are_printed_can_be_used() {
        let pages = [
            include_str!("../../ingest/RULES.md"),
            include_str!("../../README.md"),
        ];
        let examples: Vec<&str> = pages
            .iter()
            .flat_map(|page| page.split("```toml\n").skip(1))
            .filter_map(|rest| rest.split("```").next())
            .filter(|example| example.contains("[[rules]]"))
            .collect();
        assert!(examples.len() >= 3);
        for example in examples {
            assert!(!read("rules.toml", example).unwrap().is_empty(), "{example}");
        }
    }
}
