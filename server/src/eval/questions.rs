//! Saved questions: what is asked, and what a search should find for it.
//!
//! ```text
//! {"question": "How long is parental leave?", "documents": ["hr/leave.md"], "texts": ["twenty weeks"]}
//! {"id": "q2", "question": "...", "documents": [{"uri": "https://wiki/a", "grade": 2}, {"uri": "https://wiki/b"}]}
//! {"question": "...", "spans": [{"document": "a.md", "start": 120, "end": 180}]}
//! ```
//!
//! One JSON object in a line. A document is named by its address, by the end of its address from a `/` on
//! (`hr/leave.md`), or by its id. Expected are documents with a grade (1 where it isn't said; 0 or less is not
//! relevant), texts that the passages should hold, and spans, in bytes of a document's extracted text as the span of
//! a passage counts them. A question needs at least one of the three.

use std::collections::HashSet;
use std::path::Path;

use lectern_domain::{ErrorKind, Passage, PortError};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::lines::{bad_line, read_json_lines};
use super::measures::ranking::Judgements;

/// A question, and what a search should find for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// Unique among the questions. It tells questions of one text apart when runs are compared.
    pub id: String,
    /// What is asked.
    pub text: String,
    /// Grades by the names of documents. Empty where no document was named.
    pub documents: Judgements,
    /// Texts that should be found.
    pub texts: Vec<String>,
    /// Stretches of documents that should be found.
    pub spans: Vec<ExpectedSpan>,
}

/// A stretch of a document that should be found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedSpan {
    /// The document's name.
    pub document: String,
    /// Where it begins, in bytes of the extracted text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: Option<String>,
    question: String,
    #[serde(default)]
    documents: Vec<ExpectedDocument>,
    #[serde(default)]
    texts: Vec<String>,
    #[serde(default)]
    spans: Vec<ExpectedSpan>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ExpectedDocument {
    Name(String),
    Graded(GradedDocument),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GradedDocument {
    uri: String,
    #[serde(default = "relevant")]
    grade: i32,
}

fn relevant() -> i32 {
    1
}

/// Reads a file of saved questions. A question without an id is called by the number of its line.
///
/// Fails with `NotFound` `eval_file_missing` or `Invalid` `eval_line_invalid`, naming the file and the line.
pub fn read(path: &Path) -> Result<Vec<Question>, PortError> {
    let mut ids = HashSet::new();
    let mut questions = Vec::new();
    for (number, line) in read_json_lines::<Line>(path)? {
        let question = question(line, number).map_err(|what| bad_line(path, number, &what))?;
        if !ids.insert(question.id.clone()) {
            let what = format!("has the id {:?}, which an earlier line has", question.id);
            return Err(bad_line(path, number, &what));
        }
        questions.push(question);
    }
    if questions.is_empty() {
        return Err(PortError::new(
            ErrorKind::Invalid,
            "eval_nothing_judged",
            format!("{} has no questions", path.display()),
        ));
    }
    Ok(questions)
}

fn question(line: Line, number: usize) -> Result<Question, String> {
    if line.question.trim().is_empty() {
        return Err("has an empty question".to_owned());
    }
    if line.documents.is_empty() && line.texts.is_empty() && line.spans.is_empty() {
        return Err("expects nothing: it needs documents, texts or spans".to_owned());
    }
    if let Some(span) = line.spans.iter().find(|span| span.start >= span.end) {
        return Err(format!("has an empty span, {} to {}", span.start, span.end));
    }
    let graded = line.documents.into_iter().map(|document| match document {
        ExpectedDocument::Name(name) => (name, relevant()),
        ExpectedDocument::Graded(document) => (document.uri, document.grade),
    });
    Ok(Question {
        id: line.id.unwrap_or_else(|| number.to_string()),
        text: line.question,
        documents: graded.collect(),
        texts: line.texts,
        spans: line.spans,
    })
}

/// Whether `name` means the document of `passage`.
pub fn is_named(name: &str, passage: &Passage) -> bool {
    if name == passage.uri || name == passage.document.to_string() {
        return true;
    }
    let ends_with = |address: &str| {
        let before = address.strip_suffix(name.trim_start_matches('/'));
        before.is_some_and(|before| before.ends_with('/'))
    };
    ends_with(&passage.uri) || ends_with(&percent_decode_str(&passage.uri).decode_utf8_lossy())
}

impl Question {
    /// The ranking of documents that `passages` make, one passage for each document: each by the name that the
    /// question has for it, or by its address. Where a name means several documents, the first one of them counts.
    pub fn ranking(&self, passages: &[Passage]) -> Vec<String> {
        let mut named: HashSet<&str> = HashSet::new();
        let mut ranking = Vec::with_capacity(passages.len());
        for passage in passages {
            let name = self.documents.keys().filter(|name| is_named(name, passage)).min();
            match name {
                Some(name) if named.insert(name) => ranking.push(name.clone()),
                _ => ranking.push(format!("other {}", passage.uri)),
            }
        }
        ranking
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::passage;
    use super::*;

    fn read_text(text: &str) -> Result<Vec<Question>, PortError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("questions.jsonl");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn what_is_expected_is_read_with_its_defaults() {
        let read = read_text(
            "{\"question\": \"How long?\", \"documents\": [\"hr/leave.md\", {\"uri\": \"u\", \"grade\": 3}]}\n\n\
             {\"id\": \"b\", \"question\": \"When?\", \"texts\": [\"in May\"]}\n",
        )
        .unwrap();
        assert_eq!(read[0].id, "1");
        assert_eq!(
            read[0].documents,
            Judgements::from([("hr/leave.md".into(), 1), ("u".into(), 3)])
        );
        assert_eq!(
            (read[1].id.as_str(), &read[1].texts),
            ("b", &vec!["in May".to_owned()])
        );
    }

    #[test]
    fn a_line_that_cant_be_used_is_named() {
        for (text, what) in [
            ("{\"question\": \"x\"}\n", "expects nothing"),
            ("{\"question\": \" \", \"texts\": [\"y\"]}\n", "empty question"),
            (
                "{\"question\": \"x\", \"document\": [\"y\"]}\n",
                "expected JSON object",
            ),
            (
                "{\"question\": \"x\", \"spans\": [{\"document\": \"d\", \"start\": 2, \"end\": 2}]}\n",
                "empty span",
            ),
            (
                "{\"id\": \"a\", \"question\": \"x\", \"texts\": [\"y\"]}\n{\"id\": \"a\", \"question\": \"x\", \"texts\": [\"y\"]}\n",
                "line 2",
            ),
        ] {
            let error = read_text(text).unwrap_err();
            assert_eq!(error.code, "eval_line_invalid", "{text}");
            assert!(error.message.contains(what), "{}", error.message);
        }
        assert_eq!(read_text("").unwrap_err().code, "eval_nothing_judged");
    }

    #[test]
    fn a_document_is_named_by_its_address_or_the_end_of_it() {
        let there = passage("file:///srv/hand%20book/hr/leave.md", 0..1, "x");
        for name in [
            "file:///srv/hand%20book/hr/leave.md",
            "hr/leave.md",
            "leave.md",
            "hand book/hr/leave.md",
        ] {
            assert!(is_named(name, &there), "{name}");
        }
        for name in ["eave.md", "hr", "leave", "other.md"] {
            assert!(!is_named(name, &there), "{name}");
        }
    }

    #[test]
    fn a_name_of_two_documents_counts_once() {
        let question = Question {
            documents: Judgements::from([("leave.md".into(), 1)]),
            ..Question::default()
        };
        let passages = ["file:///a/leave.md", "file:///b/leave.md"].map(|uri| passage(uri, 0..1, "x"));
        assert_eq!(
            question.ranking(&passages),
            ["leave.md", "other file:///b/leave.md"]
        );
    }
}
