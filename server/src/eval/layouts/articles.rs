//! Articles of Wikipedia in `articles/*.txt`, asked the questions of SQuAD (Rajpurkar et al. 2016) about their
//! paragraphs.
//!
//! The questions are in a file `{_id, question, paragraph, article}`, and beside it the paragraphs in a
//! `corpus.jsonl`. Expected are the article, and the paragraph's text within what is found.

use std::collections::HashMap;
use std::path::Path;

use lectern_domain::PortError;
use serde::Deserialize;

use super::{Corpus, EvalSet, beir, nothing_judged};
use crate::eval::lines::{bad_line, read_json_lines};
use crate::eval::measures::ranking::Judgements;
use crate::eval::questions::Question;

/// The folder of the articles.
pub const FOLDER: &str = "articles";

/// The file of the paragraphs, beside that of the questions.
const PARAGRAPHS: &str = "corpus.jsonl";

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "_id")]
    id: String,
    question: String,
    paragraph: String,
    article: String,
}

/// Whether a file of questions is of this kind.
pub fn are_about_paragraphs(questions: &Path) -> bool {
    let lines = || read_json_lines::<Line>(questions).is_ok_and(|lines| !lines.is_empty());
    questions.with_file_name(PARAGRAPHS).is_file() && lines()
}

/// Reads the questions; the articles stay where they are.
pub fn read(folder: &Path, questions: &Path) -> Result<EvalSet, PortError> {
    let paragraphs: HashMap<String, String> = beir::read_documents(&questions.with_file_name(PARAGRAPHS))?
        .into_iter()
        .map(|paragraph| (paragraph.id, paragraph.text))
        .collect();
    let question = |(number, line): (usize, Line)| {
        let text = paragraphs
            .get(&line.paragraph)
            .ok_or_else(|| bad_line(questions, number, "names a paragraph that isn't there"))?;
        Ok(Question {
            id: line.id,
            text: line.question,
            documents: Judgements::from([(line.article, 1)]),
            texts: vec![text.clone()],
            ..Question::default()
        })
    };
    let asked: Vec<Question> = read_json_lines(questions)?
        .into_iter()
        .map(question)
        .collect::<Result<_, PortError>>()?;
    if asked.is_empty() {
        return Err(nothing_judged(folder));
    }
    Ok(EvalSet {
        corpus: Corpus::Files(folder.join(FOLDER)),
        questions: asked,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_expects_its_article_and_the_text_of_its_paragraph() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("qa.jsonl");
        std::fs::write(
            folder.path().join(PARAGRAPHS),
            "{\"_id\": \"p1\", \"text\": \"It rose.\"}\n",
        )
        .unwrap();
        let line = "{\"_id\": \"q\", \"question\": \"Why?\", \"answers\": [\"rose\"], \"paragraph\": \"p1\", \"article\": \"A.txt\"}\n";
        std::fs::write(&path, line).unwrap();
        assert!(are_about_paragraphs(&path));
        let set = read(folder.path(), &path).unwrap();
        assert_eq!(
            set.questions[0].documents,
            Judgements::from([("A.txt".into(), 1)])
        );
        assert_eq!(set.questions[0].texts, ["It rose."]);

        std::fs::write(&path, line.replace("p1", "p2")).unwrap();
        assert_eq!(read(folder.path(), &path).unwrap_err().code, "eval_line_invalid");
    }
}
