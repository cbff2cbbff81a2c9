//! The place of a secret: what a configuration has of it, and all of it that is ever stored or shown.
//!
//! Whoever writes the secret itself where its place should be is told so without a word of it: what is wrong with a
//! configuration is shown, logged, and answered over HTTP.

use std::fmt;
use std::path::PathBuf;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

const EXPECTED: &str =
    "the place of a secret, {\"variable\": \"NAME\"} or {\"file\": \"/path\"}, and never the secret itself";
const NO_NAME: &str =
    "the name of an environment variable has letters, digits and `_`, and is no secret itself";
/// A longer name without `_` may be a key that was written in the wrong place.
const LONGEST_WORD: usize = 16;

/// The place of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// The name of an environment variable of the server.
    Variable(String),
    /// A file of the server's machine, absolute. It is read again when it changes.
    File(PathBuf),
}

/// There is no secret in its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Missing {
    /// Where it was looked for.
    pub place: String,
    /// What was found instead.
    pub problem: String,
}

impl Secret {
    /// The secret, without white space around it. Waits for the disk.
    pub fn read(&self) -> Result<String, Missing> {
        let missing = |place: &str, problem: String| Missing {
            place: place.to_owned(),
            problem,
        };
        let (place, text) = match self {
            Self::Variable(name) => {
                let place = shown(name);
                let text = std::env::var(name).map_err(|_| missing(&place, "it is not set".to_owned()))?;
                (place, text)
            }
            // The server runs in another folder than whoever made the source.
            Self::File(path) if path.is_relative() => {
                return Err(missing("a file", "its path doesn't begin with `/`".to_owned()));
            }
            Self::File(path) => {
                let place = format!("the file {path:?}");
                let text =
                    std::fs::read_to_string(path).map_err(|error| missing(&place, error.to_string()))?;
                (place, text)
            }
        };
        match text.trim() {
            "" => Err(missing(&place, "it is empty".to_owned())),
            text => Ok(text.to_owned()),
        }
    }
}

/// The variable by its name, unless that looks like a key.
fn shown(name: &str) -> String {
    match name.len() > LONGEST_WORD && !name.contains('_') {
        true => "the variable".to_owned(),
        false => format!("the variable {name}"),
    }
}

fn is_name(name: &str) -> bool {
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    begins
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_')
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Place)
    }
}

struct Place;

impl<'de> Visitor<'de> for Place {
    type Value = Secret;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Secret, A::Error> {
        let expected = || A::Error::custom(format!("expected {EXPECTED}"));
        let kind: String = map.next_key()?.ok_or_else(expected)?;
        let place: String = map.next_value().map_err(|_| expected())?;
        let secret = match kind.as_str() {
            "variable" if is_name(&place) => Secret::Variable(place),
            "variable" => return Err(A::Error::custom(NO_NAME)),
            "file" => Secret::File(place.into()),
            _ => return Err(expected()),
        };
        match map.next_key::<String>() {
            Ok(None) => Ok(secret),
            _ => Err(expected()),
        }
    }

    // What serde says of a value by itself repeats it.

    fn visit_str<E: serde::de::Error>(self, _text: &str) -> Result<Secret, E> {
        Err(E::custom(format!("expected {EXPECTED}")))
    }

    fn visit_i64<E: serde::de::Error>(self, _number: i64) -> Result<Secret, E> {
        self.visit_str("")
    }

    fn visit_u64<E: serde::de::Error>(self, _number: u64) -> Result<Secret, E> {
        self.visit_str("")
    }

    fn visit_f64<E: serde::de::Error>(self, _number: f64) -> Result<Secret, E> {
        self.visit_str("")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parse(json: Value) -> Result<Secret, serde_json::Error> {
        serde_json::from_value(json)
    }

    #[test]
    fn a_place_reads_back_and_a_secret_in_its_place_is_not_repeated() {
        for place in [json!({"variable": "READER_KEY"}), json!({"file": "/etc/key"})] {
            let secret = parse(place.clone()).unwrap();
            assert_eq!(serde_json::to_value(&secret).unwrap(), place);
        }
        for wrong in [
            json!("hunter2/4711"),
            json!(4711),
            json!(-4711),
            json!(4711.5),
            json!(["hunter2"]),
            json!({"value": "hunter2"}),
            json!({"variable": "hunter2/4711"}),
            json!({"variable": "4711hunter2"}),
            json!({"variable": 4711}),
            json!({"variable": "A", "file": "/hunter2"}),
            json!({}),
        ] {
            let told = parse(wrong.clone()).unwrap_err().to_string();
            assert!(
                !told.contains("hunter2") && !told.contains("4711"),
                "{wrong}: {told}"
            );
        }
    }

    #[test]
    fn a_secret_is_read_from_its_place_each_time_and_never_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, " hunter2\n").unwrap();
        let secret = Secret::File(file.clone());
        assert_eq!(secret.read().unwrap(), "hunter2");
        std::fs::write(&file, "hunter3").unwrap();
        assert_eq!(secret.read().unwrap(), "hunter3");
        std::fs::write(&file, " \n").unwrap();
        assert_eq!(secret.read().unwrap_err().problem, "it is empty");
        assert!(!format!("{secret:?}").contains("hunter"));

        let told = |secret: Secret| secret.read().unwrap_err().to_string();
        assert!(told(Secret::File("/no/such/file".into())).starts_with("the file \"/no/such/file\": "));
        assert_eq!(
            told(Secret::File("hunter2".into())),
            "a file: its path doesn't begin with `/`"
        );
        assert_eq!(
            told(Secret::Variable("LECTERN_NO_SUCH_VARIABLE".into())),
            "the variable LECTERN_NO_SUCH_VARIABLE: it is not set"
        );
        assert_eq!(
            told(Secret::Variable("wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY".into())),
            "the variable: it is not set"
        );
    }
}
