//! What is evaluated: documents and the questions about them, from a folder in one of several layouts.
//!
//! | layout | known by | documents | expected |
//! |---|---|---|---|
//! | BEIR ([`beir`]) | `corpus.jsonl` | its lines | documents with grades |
//! | chunking evaluation ([`spans`]) | `questions_df.csv` | `corpora/*.md` | spans |
//! | ARAGOG ([`papers`]) | `eval_questions_relevant_doc.json` | `papers_for_questions/` | the paper |
//! | articles of SQuAD ([`articles`]) | `articles/`, and `--questions QA.jsonl` beside its paragraphs | `articles/` | the article, the paragraph's text |
//! | any folder of documents | `--questions FILE` ([`questions`](super::questions)) | its files | what the file says |
//!
//! Nothing is written: an outside set stays where and as it is.

mod articles;
mod beir;
mod papers;
mod spans;

use std::path::{Path, PathBuf};

use lectern_domain::{ErrorKind, PortError};

use super::connector::CorpusDocument;
use super::questions::{self, Question};

/// Documents and questions about them.
#[derive(Clone, Debug)]
pub struct EvalSet {
    /// What is searched.
    pub corpus: Corpus,
    /// What is asked.
    pub questions: Vec<Question>,
}

/// Where the documents come from.
#[derive(Clone, Debug)]
pub enum Corpus {
    /// Lines of a file.
    Documents(Vec<CorpusDocument>),
    /// The files of a folder.
    Files(PathBuf),
}

impl EvalSet {
    /// Reads `folder` in the layout that it has, or its files as documents with the questions of a file.
    ///
    /// Fails with `eval_file_missing`, `eval_line_invalid` or `eval_nothing_judged`, naming what is wrong, and with
    /// `eval_questions_missing` for a folder of documents without questions.
    pub fn read(folder: &Path, questions: Option<&Path>) -> Result<Self, PortError> {
        let has = |name: &str| folder.join(name).exists();
        match questions {
            Some(questions) if has(articles::FOLDER) && articles::are_about_paragraphs(questions) => {
                articles::read(folder, questions)
            }
            Some(questions) => Ok(Self {
                corpus: Corpus::Files(folder.to_owned()),
                questions: questions::read(questions)?,
            }),
            None if has(papers::QUESTIONS) => papers::read(folder),
            None if has(spans::QUESTIONS) => spans::read(folder),
            None if has(articles::FOLDER) => Err(PortError::new(
                ErrorKind::Invalid,
                "eval_questions_missing",
                format!(
                    "{} has articles and no questions about them; give them with --questions FILE",
                    folder.display()
                ),
            )),
            None => beir::read(folder),
        }
    }
}

fn nothing_judged(folder: &Path) -> PortError {
    PortError::new(
        ErrorKind::Invalid,
        "eval_nothing_judged",
        format!(
            "{} has no documents, or no query that is judged",
            folder.display()
        ),
    )
}
