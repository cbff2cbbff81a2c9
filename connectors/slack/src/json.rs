//! The arrays that the files of an export are, record by record.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{SeqAccess, Visitor};
use serde_json::Value;

use crate::export::Unreadable;

/// Hands over the records of an array, one in memory at a time. Whatever they are: a record that makes no sense costs
/// itself alone, a file that is no JSON is unreadable as a whole.
pub(crate) fn records(bytes: &[u8], give: impl FnMut(Value)) -> Result<(), Unreadable> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut json = serde_json::Deserializer::from_slice(bytes);
    json.deserialize_seq(Records(give))
        .and_then(|()| json.end())
        .map_err(|error| {
            // The error's own words may quote what stands there.
            let place = format!("(line {}, column {})", error.line(), error.column());
            match error.classify() {
                serde_json::error::Category::Eof => {
                    Unreadable::new("broken_json", format!("ends in the middle {place}"))
                }
                serde_json::error::Category::Data => {
                    Unreadable::new("broken_json", format!("isn't a list {place}"))
                }
                _ => Unreadable::new("broken_json", format!("is no JSON {place}")),
            }
        })
}

struct Records<F>(F);

impl<'de, F: FnMut(Value)> Visitor<'de> for Records<F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut sequence: A) -> Result<(), A::Error> {
        while let Some(record) = sequence.next_element::<Value>()? {
            (self.0)(record);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_is_told_by_its_place_alone() {
        let read = |text: &str| {
            let mut found = Vec::new();
            records(text.as_bytes(), |record| found.push(record)).map(|()| found)
        };
        assert_eq!(read("\u{feff}[1, {}]").unwrap().len(), 2);
        for (text, problem) in [
            (
                "[{}, {\"text\": \"xoxe-1",
                "ends in the middle (line 1, column 21)",
            ),
            ("\"xoxe-1\"", "isn't a list (line 1, column 8)"),
            ("[xoxe-1]", "is no JSON (line 1, column 2)"),
            ("[] []", "is no JSON (line 1, column 4)"),
            ("", "ends in the middle (line 1, column 0)"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(
                (error.code, error.problem.as_str()),
                ("broken_json", problem),
                "{text}"
            );
        }
    }
}
