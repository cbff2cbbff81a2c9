//! The layout of BEIR: `corpus.jsonl`, `queries.jsonl`, `qrels.tsv`.
//!
//! A judgement about a query that isn't there is left out; a query without judgements isn't asked.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use lectern_domain::PortError;
use serde::Deserialize;

use super::{Corpus, EvalSet, nothing_judged};
use crate::eval::connector::{CorpusDocument, uri_of};
use crate::eval::lines::{bad_line, for_each_line, read_json_lines};
use crate::eval::measures::ranking::Judgements;
use crate::eval::questions::Question;

#[derive(Deserialize)]
struct QueryLine {
    #[serde(rename = "_id")]
    id: String,
    text: String,
}

/// Reads the three files of `folder`.
///
/// Fails with `NotFound` `eval_file_missing` or `Invalid` `eval_line_invalid`, naming the file
/// and the line, or `eval_nothing_judged`.
pub fn read(folder: &Path) -> Result<EvalSet, PortError> {
    let documents = read_documents(&folder.join("corpus.jsonl"))?;
    let lines = read_json_lines::<QueryLine>(&folder.join("queries.jsonl"))?;
    let mut judgements = read_judgements(&judgements_file(folder))?;
    let questions: Vec<Question> = lines
        .into_iter()
        .filter_map(|(_, line)| {
            let documents = judgements.remove(&line.id)?;
            Some(Question {
                id: line.id,
                text: line.text,
                documents,
                ..Question::default()
            })
        })
        .collect();
    if questions.is_empty() || documents.is_empty() {
        return Err(nothing_judged(folder));
    }
    Ok(EvalSet {
        corpus: Corpus::Documents(documents),
        questions,
    })
}

/// The documents of a `corpus.jsonl`, in its order.
pub fn read_documents(path: &Path) -> Result<Vec<CorpusDocument>, PortError> {
    let lines = read_json_lines::<CorpusDocument>(path)?;
    Ok(lines.into_iter().map(|(_, document)| document).collect())
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
            .insert(uri_of(document), grade);
        Ok(())
    })?;
    Ok(judgements)
}

#[cfg(test)]
mod tests {
    use lectern_domain::ErrorKind;

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
        let set = read(folder.path()).unwrap();
        assert!(matches!(&set.corpus, Corpus::Documents(documents) if documents.len() == 2));
        assert_eq!(set.questions.len(), 1);
        assert_eq!(
            set.questions[0].documents,
            HashMap::from([("corpus:d1".into(), 2), ("corpus:d2".into(), 0)])
        );
    }

    #[test]
    fn a_broken_line_is_named() {
        let broken = folder(
            "{\"_id\":\"d1\",\"text\":\"x\"}\n{oops\n",
            QUERIES,
            "h\nq1\td1\t1\n",
        );
        let error = read(broken.path()).unwrap_err();
        assert_eq!(error.code, "eval_line_invalid");
        assert!(
            error.message.contains("line 2 of") && error.message.contains("corpus.jsonl"),
            "{error}"
        );

        let broken = folder(CORPUS, QUERIES, "h\nq1\td1\tgood\n");
        let error = read(broken.path()).unwrap_err();
        assert!(
            error.message.contains("line 2 of") && error.message.contains("qrels.tsv"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let empty = tempfile::tempdir().unwrap();
        let error = read(empty.path()).unwrap_err();
        assert_eq!(
            (error.kind, error.code),
            (ErrorKind::NotFound, "eval_file_missing")
        );
        assert!(error.message.contains("corpus.jsonl"));
    }
}
