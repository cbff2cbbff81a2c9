//! Reads the folder: the corpora, and the questions with the spans that answer them.

use std::fs;
use std::ops::Range;
use std::path::Path;

use lectern_domain::{ErrorKind, PortError};
use serde::Deserialize;

use super::CorporaByName;

/// A long document.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// Its file's name without `.md`.
    pub name: String,
    /// The file's text.
    pub text: String,
}

/// A question and what answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub text: String,
    /// The corpus that answers it.
    pub corpus: String,
    /// Where, in characters of that corpus.
    pub answers: Vec<Range<usize>>,
}

/// The corpora and the questions.
#[derive(Clone, Debug)]
pub struct Corpora {
    /// By name.
    pub by_name: CorporaByName,
    /// In the order of the file.
    pub questions: Vec<Question>,
}

#[derive(Deserialize)]
struct Row {
    question: String,
    references: String,
    corpus_id: String,
}

#[derive(Deserialize)]
struct Reference {
    content: String,
    start_index: usize,
    end_index: usize,
}

impl Corpora {
    /// Reads `corpora/*.md` and `questions_df.csv` in `folder`.
    ///
    /// Fails with `NotFound` `bench_file_missing` or `Invalid` `bench_row_invalid`, naming file and row. A span
    /// whose text isn't what stands there is such a row.
    pub fn read(folder: &Path) -> Result<Self, PortError> {
        let path = folder.join("questions_df.csv");
        let mut reader = csv::Reader::from_path(&path).map_err(|error| missing(&path, error))?;
        let mut read = Self {
            by_name: CorporaByName::new(),
            questions: Vec::new(),
        };
        for (index, row) in reader.deserialize::<Row>().enumerate() {
            let bad = |what: String| {
                let message = format!("row {} of {} {what}", index + 1, path.display());
                PortError::new(ErrorKind::Invalid, "bench_row_invalid", message)
            };
            let row = row.map_err(|error| bad("can't be read".to_owned()).caused_by(error))?;
            let references: Vec<Reference> = serde_json::from_str(&row.references)
                .map_err(|error| bad("has references that can't be read".to_owned()).caused_by(error))?;
            if !read.by_name.contains_key(&row.corpus_id) {
                let corpus = Corpus::read(folder, &row.corpus_id)?;
                read.by_name.insert(row.corpus_id.clone(), corpus);
            }
            let corpus = read.by_name.get(&row.corpus_id);
            let mut answers = Vec::with_capacity(references.len());
            for reference in references {
                let range = reference.start_index..reference.end_index;
                let there: Option<String> =
                    corpus.map(|corpus| corpus.text.chars().skip(range.start).take(range.len()).collect());
                if there.as_deref() != Some(reference.content.as_str()) {
                    return Err(bad(format!(
                        "names characters {range:?}, where its text doesn't stand"
                    )));
                }
                answers.push(range);
            }
            read.questions.push(Question {
                text: row.question,
                corpus: row.corpus_id,
                answers,
            });
        }
        Ok(read)
    }
}

impl Corpus {
    fn read(folder: &Path, name: &str) -> Result<Self, PortError> {
        let path = folder.join("corpora").join(format!("{name}.md"));
        let text = fs::read_to_string(&path).map_err(|error| missing(&path, error))?;
        Ok(Self {
            name: name.to_owned(),
            text,
        })
    }
}

fn missing(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> PortError {
    let message = format!("can't read {}", path.display());
    PortError::new(ErrorKind::NotFound, "bench_file_missing", message).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(row: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("corpora")).unwrap();
        fs::write(folder.path().join("corpora/a.md"), "Grüße. It is due in May.").unwrap();
        let questions = format!("question,references,corpus_id\n{row}\n");
        fs::write(folder.path().join("questions_df.csv"), questions).unwrap();
        folder
    }

    #[test]
    fn spans_count_characters() {
        let row = r#"When?,"[{""content"": ""in May"", ""start_index"": 17, ""end_index"": 23}]",a"#;
        let read = Corpora::read(folder(row).path()).unwrap();
        assert_eq!(read.questions[0].answers.len(), 1);
        assert_eq!(read.questions[0].answers[0], 17..23);
        assert_eq!(read.questions[0].corpus, "a");
    }

    #[test]
    fn a_span_that_holds_something_else_is_named() {
        let row = r#"When?,"[{""content"": ""in May"", ""start_index"": 19, ""end_index"": 25}]",a"#;
        let error = Corpora::read(folder(row).path()).unwrap_err();
        assert_eq!(error.code, "bench_row_invalid");
        assert!(error.message.starts_with("row 1 of"), "{error}");
        let error = Corpora::read(folder("When?,[],b").path()).unwrap_err();
        assert_eq!(error.code, "bench_file_missing");
    }
}
