//! ARAGOG (Eibich, Nagpal and Fred-Ojala 2024): papers in PDF, and questions of which each is about one of them.
//!
//! A question about a paper that isn't in the folder is left out.

use std::fs;
use std::path::Path;

use lectern_domain::{ErrorKind, PortError};
use serde::Deserialize;

use super::{Corpus, EvalSet, nothing_judged};
use crate::eval::lines::missing;
use crate::eval::measures::ranking::Judgements;
use crate::eval::questions::Question;

/// The file of the questions.
pub const QUESTIONS: &str = "eval_questions_relevant_doc.json";

const FOLDER: &str = "papers_for_questions";

/// Lists of the same length.
#[derive(Deserialize)]
struct Lists {
    questions: Vec<String>,
    filepaths: Vec<String>,
}

/// Reads the questions; the papers stay where they are.
pub fn read(folder: &Path) -> Result<EvalSet, PortError> {
    let path = folder.join(QUESTIONS);
    let text = fs::read_to_string(&path).map_err(|error| missing(&path, error))?;
    let lists: Lists = serde_json::from_str(&text).map_err(|error| {
        let message = format!("{} has no lists `questions` and `filepaths`", path.display());
        PortError::new(ErrorKind::Invalid, "eval_line_invalid", message).caused_by(error)
    })?;
    let papers = folder.join(FOLDER);
    let both = lists.questions.into_iter().zip(lists.filepaths).enumerate();
    let questions: Vec<Question> = both
        .filter(|(_, (_, paper))| papers.join(paper).is_file())
        .map(|(index, (text, paper))| Question {
            id: (index + 1).to_string(),
            text,
            documents: Judgements::from([(paper, 1)]),
            ..Question::default()
        })
        .collect();
    if questions.is_empty() {
        return Err(nothing_judged(folder));
    }
    Ok(EvalSet {
        corpus: Corpus::Files(papers),
        questions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_about_a_paper_that_isnt_there_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(FOLDER)).unwrap();
        fs::write(folder.path().join(FOLDER).join("a.pdf"), "").unwrap();
        let lists = "{\"questions\": [\"Why?\", \"How?\"], \"filepaths\": [\"gone.pdf\", \"a.pdf\"]}";
        fs::write(folder.path().join(QUESTIONS), lists).unwrap();
        let set = read(folder.path()).unwrap();
        assert_eq!(set.questions.len(), 1);
        assert_eq!(
            (set.questions[0].id.as_str(), set.questions[0].text.as_str()),
            ("2", "How?")
        );
    }
}
