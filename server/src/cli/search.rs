//! `lectern search`: finds passages.

use anyhow::Result;
use clap::Args;
use lectern_domain::Passage;
use lectern_retrieval::{SearchMode, SearchRequest, SearchResponse};
use serde_json::json;

use super::context::Context;
use super::exit::Exit;
use super::output;
use super::snippet::snippet;
use crate::auth::Caller;

/// Characters of a passage that are shown in the table.
const SNIPPET_CHARACTERS: usize = 240;

/// Finds passages in a knowledge base.
#[derive(Debug, Args)]
#[command(after_help = "\
`hybrid` asks both indexes, `vector` finds what means the same, `lexical` what has the same words.
With --json every passage comes whole, with its score, its place in the document and its address.

Examples:
  lectern search --kb papers \"late chunking\"
  lectern search --kb papers --mode lexical --top 3 ColBERT
  lectern search --kb papers \"late chunking\" --json | jq -r .passages[].uri")]
pub struct SearchArguments {
    /// The knowledge base, by name or id
    #[arg(long, value_name = "NAME")]
    kb: String,
    /// Which index is asked: hybrid, vector or lexical
    #[arg(long, default_value = "hybrid")]
    mode: SearchMode,
    /// The most passages
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// What is looked for
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
}

/// Searches, prints what was found.
pub async fn run(context: &Context, arguments: SearchArguments) -> Result<Exit> {
    let lectern = context.open().await?;
    let knowledge_base = lectern.ledger.knowledge_base(&arguments.kb).await?;
    let request = SearchRequest {
        mode: arguments.mode,
        limit: arguments.top,
        ..SearchRequest::new(arguments.text.join(" "))
    };
    let scope = Caller::at_the_terminal().read_scope();
    let response = lectern
        .searcher
        .search(&scope, knowledge_base.id, &request)
        .await?;
    if context.json {
        output::json(&json!({
            "knowledge_base": knowledge_base.name,
            "mode": response.mode,
            "relevant": response.relevant,
            "took_ms": response.timings.total_ms,
            "embedded": response.embedded,
            "passages": response.passages,
        }))?;
    } else if response.passages.is_empty() {
        output::note(format!("Nothing was found in {}.", knowledge_base.name));
    } else {
        output::line(table_of(&response, &request.text))?;
        if !response.relevant {
            output::note("None of these seems to be about what you asked.");
        }
    }
    if !context.json && !response.embedded.is_whole() {
        output::note(format!(
            "{} of {} documents are searchable by meaning yet; the others are found by their words.",
            response.embedded.documents, response.embedded.of
        ));
    }
    Ok(Exit::Done)
}

fn table_of(response: &SearchResponse, question: &str) -> String {
    let mut table = output::table(&["", "score", "document", "passage"]);
    for (index, passage) in response.passages.iter().enumerate() {
        table.add_row([
            (index + 1).to_string(),
            format!("{:.2}", passage.score.value()),
            format!("{}\n{}", place(passage), passage.uri),
            snippet(&passage.readable(), question, SNIPPET_CHARACTERS),
        ]);
    }
    output::align_right(&mut table, &[0, 1]);
    table.to_string()
}

/// Where a passage stands, for a person: `Travel > Expenses, page 2`.
pub fn place(passage: &Passage) -> String {
    let mut path: Vec<&str> = Vec::new();
    for part in std::iter::once(&passage.title).chain(&passage.heading_path) {
        if path.last() != Some(&part.as_str()) {
            path.push(part);
        }
    }
    let mut place = path.join(" > ");
    if let Some(page) = passage.page {
        place.push_str(&format!(", page {page}"));
    }
    place
}

#[cfg(test)]
mod tests {
    use lectern_domain::{ChunkId, Confidence, DocumentId, EmbeddedShare, Score, TextSpan, Version};
    use lectern_retrieval::SearchTimings;

    use super::*;

    fn passage(title: &str, headings: &[&str], page: Option<u32>, text: &str) -> Passage {
        let nil: DocumentId = "00000000-0000-0000-0000-000000000000".parse().unwrap();
        Passage {
            chunk: ChunkId::derive(nil, Version::FIRST, 0),
            document: nil,
            version: Version::FIRST,
            title: title.into(),
            uri: format!("file:///handbook/{title}"),
            heading_path: headings.iter().map(|heading| (*heading).to_owned()).collect(),
            page,
            span: TextSpan {
                start: 0,
                end: text.len(),
            },
            text: text.into(),
            table_header: None,
            parent: None,
            score: Score::clamped(0.875),
            confidence: Confidence::High,
        }
    }

    #[test]
    fn the_table_shows_where_and_what() {
        let response = SearchResponse {
            passages: vec![
                passage(
                    "Travel",
                    &["Travel", "Expenses"],
                    Some(2),
                    "Receipts are due\nwithin 30 days.",
                ),
                passage("Leave", &[], None, "Twenty weeks."),
            ],
            mode: SearchMode::Hybrid,
            relevant: true,
            embedded: EmbeddedShare { documents: 2, of: 2 },
            timings: SearchTimings::default(),
        };
        let table = table_of(&response, "receipts");
        for shown in [
            "Travel > Expenses, page 2",
            "file:///handbook/Travel",
            "Receipts are due within 30 days.",
            "0.88",
            "Twenty weeks.",
        ] {
            assert!(table.contains(shown), "{shown:?} is missing in\n{table}");
        }
        assert!(
            table.find("Travel").unwrap() < table.find("Leave").unwrap(),
            "not in order:\n{table}"
        );
    }
}
