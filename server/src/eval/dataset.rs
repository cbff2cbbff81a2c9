//! Reads a folder in the layout of BEIR: `corpus.jsonl`, `queries.jsonl`, `qrels.tsv`.
//!
//! A broken line is an error with its file and number. A judgement about a query that isn't there is
//! left out; a query without judgements isn't asked.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use lectern_domain::{ErrorKind, PortError};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::metrics::Judgements;

/// A document of the corpus.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CorpusDocument {
    /// What the judgements call it.
    #[serde(rename = "_id")]
    pub id: String,
    /// May be empty.
    #[serde(default)]
    pub title: String,
    /// May be empty.
    pub text: String,
}

/// A question, with what was judged for it.
#[derive(Clone, Debug)]
pub struct JudgedQuery {
    /// What the judgements call it.
    pub id: String,
    /// The question.
    pub text: String,
    /// Grades by document.
    pub judgements: Judgements,
}

/// A corpus with judged queries.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Every document, in the order of the file.
    pub documents: Vec<CorpusDocument>,
    /// Every query that has a judgement, in the order of the file.
    pub queries: Vec<JudgedQuery>,
}

#[derive(Deserialize)]
struct QueryLine {
    #[serde(rename = "_id")]
    id: String,
    text: String,
}

impl Dataset {
    /// Reads the three files of `folder`.
    ///
    /// Fails with `NotFound` `eval_file_missing` or `Invalid` `eval_line_invalid`, naming the file
    /// and the line, or `eval_nothing_judged`.
    pub fn read(folder: &Path) -> Result<Self, PortError> {
        let documents: Vec<CorpusDocument> = read_json_lines(&folder.join("corpus.jsonl"))?;
        let lines: Vec<QueryLine> = read_json_lines(&folder.join("queries.jsonl"))?;
        let mut judgements = read_judgements(&judgements_file(folder))?;
        let queries: Vec<JudgedQuery> = lines
            .into_iter()
            .filter_map(|line| {
                let judgements = judgements.remove(&line.id)?;
                Some(JudgedQuery {
                    id: line.id,
                    text: line.text,
                    judgements,
                })
            })
            .collect();
        if queries.is_empty() || documents.is_empty() {
            return Err(PortError::new(
                ErrorKind::Invalid,
                "eval_nothing_judged",
                format!(
                    "{} has no documents, or no query that is judged",
                    folder.display()
                ),
            ));
        }
        Ok(Self { documents, queries })
    }
}

/// `qrels.tsv`, or `qrels/test.tsv` as BEIR's own archives have it.
fn judgements_file(folder: &Path) -> PathBuf {
    let plain = folder.join("qrels.tsv");
    let nested = folder.join("qrels").join("test.tsv");
    if !plain.is_file() && nested.is_file() {
        nested
    } else {
        plain
    }
}

fn read_json_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, PortError> {
    let mut values = Vec::new();
    for_each_line(path, |number, line| {
        if !line.trim().is_empty() {
            let value = serde_json::from_str(line).map_err(|error| {
                bad_line(path, number, "is not the expected JSON object").caused_by(error)
            })?;
            values.push(value);
        }
        Ok(())
    })?;
    Ok(values)
}

fn read_judgements(path: &Path) -> Result<HashMap<String, Judgements>, PortError> {
    let mut judgements: HashMap<String, Judgements> = HashMap::new();
    for_each_line(path, |number, line| {
        if number == 1 || line.trim().is_empty() {
            return Ok(());
        }
        let mut fields = line.split('\t').map(str::trim);
        let (Some(query), Some(document), Some(grade)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(bad_line(
                path,
                number,
                "has fewer than three columns (query, document, grade)",
            ));
        };
        let grade: i32 = grade.parse().map_err(|error| {
            bad_line(path, number, "has a grade that is no whole number").caused_by(error)
        })?;
        judgements
            .entry(query.to_owned())
            .or_default()
            .insert(document.to_owned(), grade);
        Ok(())
    })?;
    Ok(judgements)
}

fn for_each_line(
    path: &Path,
    mut visit: impl FnMut(usize, &str) -> Result<(), PortError>,
) -> Result<(), PortError> {
    let missing = |error: std::io::Error| {
        PortError::new(
            ErrorKind::NotFound,
            "eval_file_missing",
            format!("can't read {}", path.display()),
        )
        .caused_by(error)
    };
    let reader = BufReader::new(File::open(path).map_err(missing)?);
    for (index, line) in reader.lines().enumerate() {
        let line =
            line.map_err(|error| bad_line(path, index + 1, "can't be read as UTF-8").caused_by(error))?;
        visit(index + 1, &line)?;
    }
    Ok(())
}

fn bad_line(path: &Path, number: usize, what: &str) -> PortError {
    PortError::new(
        ErrorKind::Invalid,
        "eval_line_invalid",
        format!("line {number} of {} {what}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(corpus: &str, queries: &str, judgements: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("corpus.jsonl", corpus),
            ("queries.jsonl", queries),
            ("qrels.tsv", judgements),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    const CORPUS: &str =
        "{\"_id\":\"d1\",\"title\":\"T\",\"text\":\"x\",\"metadata\":{}}\n{\"_id\":\"d2\",\"text\":\"\"}\n";
    const QUERIES: &str = "{\"_id\":\"q1\",\"text\":\"one\"}\n{\"_id\":\"q2\",\"text\":\"two\"}\n";

    #[test]
    fn judged_queries_are_kept_with_their_grades() {
        let folder = folder(
            CORPUS,
            QUERIES,
            "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq9\td1\t1\n",
        );
        let dataset = Dataset::read(folder.path()).unwrap();
        assert_eq!(dataset.documents.len(), 2);
        assert_eq!(dataset.queries.len(), 1);
        assert_eq!(
            dataset.queries[0].judgements,
            HashMap::from([("d1".into(), 2), ("d2".into(), 0)])
        );
    }

    #[test]
    fn a_broken_line_is_named() {
        let broken = folder(
            "{\"_id\":\"d1\",\"text\":\"x\"}\n{oops\n",
            QUERIES,
            "h\nq1\td1\t1\n",
        );
        let error = Dataset::read(broken.path()).unwrap_err();
        assert_eq!(error.code, "eval_line_invalid");
        assert!(
            error.message.contains("line 2 of") && error.message.contains("corpus.jsonl"),
            "{error}"
        );

        let broken = folder(CORPUS, QUERIES, "h\nq1\td1\tgood\n");
        let error = Dataset::read(broken.path()).unwrap_err();
        assert!(
            error.message.contains("line 2 of") && error.message.contains("qrels.tsv"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let empty = tempfile::tempdir().unwrap();
        let error = Dataset::read(empty.path()).unwrap_err();
        assert_eq!(
            (error.kind, error.code),
            (ErrorKind::NotFound, "eval_file_missing")
        );
        assert!(error.message.contains("corpus.jsonl"));
    }
}
