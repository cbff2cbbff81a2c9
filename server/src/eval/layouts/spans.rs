//! The chunking evaluation of Smith and Troynikov 2024: long documents, and questions with the spans that answer
//! them.
//!
//! The set counts in characters, passages in bytes.

use std::path::Path;

use lectern_domain::PortError;

use super::{Corpus, EvalSet, nothing_judged};
use crate::bench::chunking::questions::Corpora;
use crate::eval::measures::ranking::Judgements;
use crate::eval::questions::{ExpectedSpan, Question};

/// The file of the questions.
pub const QUESTIONS: &str = "questions_df.csv";

/// Reads the questions; the corpora stay where they are.
pub fn read(folder: &Path) -> Result<EvalSet, PortError> {
    let corpora = Corpora::read(folder)?;
    let mut questions = Vec::with_capacity(corpora.questions.len());
    for (index, asked) in corpora.questions.iter().enumerate() {
        let document = format!("{}.md", asked.corpus);
        let Some(corpus) = corpora.by_name.get(&asked.corpus) else {
            continue;
        };
        let byte_of = |character: usize| {
            let found = corpus.text.char_indices().nth(character);
            found.map_or(corpus.text.len(), |(byte, _)| byte)
        };
        let spans = asked.answers.iter().map(|answer| ExpectedSpan {
            document: document.clone(),
            start: byte_of(answer.start),
            end: byte_of(answer.end),
        });
        questions.push(Question {
            id: (index + 1).to_string(),
            text: asked.text.clone(),
            spans: spans.collect(),
            documents: Judgements::from([(document, 1)]),
            ..Question::default()
        });
    }
    if questions.is_empty() {
        return Err(nothing_judged(folder));
    }
    Ok(EvalSet {
        corpus: Corpus::Files(folder.join("corpora")),
        questions,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn characters_become_bytes() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("corpora")).unwrap();
        fs::write(folder.path().join("corpora/a.md"), "Grüße. It is due in May.").unwrap();
        let row = r#"When?,"[{""content"": ""in May"", ""start_index"": 17, ""end_index"": 23}]",a"#;
        fs::write(
            folder.path().join(QUESTIONS),
            format!("question,references,corpus_id\n{row}\n"),
        )
        .unwrap();
        let set = read(folder.path()).unwrap();
        assert_eq!(
            set.questions[0].spans,
            [ExpectedSpan {
                document: "a.md".into(),
                start: 19,
                end: 25
            }]
        );
    }
}
