//! What a search gives, as tables.

use anyhow::Result;
use lectern_domain::{AttributeValue, Passage};
use lectern_retrieval::{Answered, Hit, SearchRequest, SearchResponse};

use super::super::output;
use super::super::snippet::snippet;

/// Characters of a passage that are shown in the table.
const SNIPPET_CHARACTERS: usize = 240;

/// Prints all of it.
pub fn response(response: &SearchResponse, request: &SearchRequest, knowledge_base: &str) -> Result<()> {
    if let Some(spelling) = &response.spelling {
        output::note(format!("Did you mean: {}", spelling.text));
    }
    match &response.answer {
        Some(Answered::Frequent { question, text, .. }) => output::line(format!("{question}\n{text}\n"))?,
        Some(Answered::Passage { passage, text, .. }) => {
            output::line(format!(
                "\"{}\" [{}]\n",
                snippet(text, &request.text, SNIPPET_CHARACTERS),
                passage + 1
            ))?;
        }
        None => {}
    }
    if !response.featured.is_empty() {
        output::line(table_of(&response.featured, request))?;
    }
    if response.passages.is_empty() {
        output::note(format!("Nothing was found in {knowledge_base}."));
    } else {
        output::line(table_of(&response.passages, request))?;
        if !response.relevant && !request.is_browsing() {
            output::note("None of these seems to be about what you asked.");
        }
    }
    for facet in &response.facets {
        output::line(format!("\n{}", facet.attribute))?;
        let mut table = output::table(&["value", "documents"]);
        for value in &facet.values {
            table.add_row([shown(&value.value), value.documents.to_string()]);
        }
        output::align_right(&mut table, &[1]);
        output::line(table.to_string())?;
        if facet.other_values > 0 {
            output::note(format!("and {} other values", facet.other_values));
        }
    }
    if request.explain {
        output::line(explained(response))?;
    }
    if !response.embedded.is_whole() {
        output::note(format!(
            "{} of {} documents are searchable by meaning yet; the others are found by their words.",
            response.embedded.documents, response.embedded.of
        ));
    }
    Ok(())
}

fn shown(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::Number(number) => number.to_string(),
        AttributeValue::Date(date) => date.to_rfc3339(),
        AttributeValue::TextList(texts) => texts.join(", "),
    }
}

/// How each passage came to its place, and where the time went.
fn explained(response: &SearchResponse) -> String {
    let mut table = output::table(&[
        "", "words", "vectors", "fused", "tuning", "reranked", "cosine", "coverage",
    ]);
    let rank = |rank: Option<usize>| rank.map_or("-".to_owned(), |rank| rank.to_string());
    let share = |share: Option<f32>| share.map_or("-".to_owned(), |share| format!("{share:.3}"));
    for (index, hit) in response.passages.iter().enumerate() {
        let Some(explanation) = hit.explanation else {
            continue;
        };
        table.add_row([
            (index + 1).to_string(),
            rank(explanation.words_rank),
            rank(explanation.vectors_rank),
            share(Some(explanation.fused)),
            share(Some(explanation.tuning)),
            share(explanation.reranked),
            share(explanation.cosine),
            share(Some(explanation.coverage)),
        ]);
    }
    output::align_right(&mut table, &[0, 1, 2, 3, 4, 5, 6, 7]);
    let timings = &response.timings;
    format!(
        "{table}\nms: embed {:.1}, vectors {:.1}, words {:.1}, recheck {:.1}, order {:.1}, beside {:.1}, all {:.1}",
        timings.embed_ms,
        timings.vectors_ms,
        timings.words_ms,
        timings.recheck_ms,
        timings.rerank_ms,
        timings.beside_ms,
        timings.total_ms
    )
}

fn table_of(hits: &[Hit], request: &SearchRequest) -> String {
    let mut table = output::table(&["", "score", "document", "passage"]);
    for (index, hit) in hits.iter().enumerate() {
        let passage = &hit.passage;
        table.add_row([
            (index + 1).to_string(),
            format!("{:.2}", passage.score.value()),
            format!("{}\n{}", place(passage), passage.uri),
            snippet(&passage.readable(), &request.text, SNIPPET_CHARACTERS),
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
    use lectern_domain::{Attributes, ChunkId, Confidence, DocumentId, Score, TextSpan, Version};

    use super::*;

    fn hit(title: &str, headings: &[&str], page: Option<u32>, text: &str) -> Hit {
        let nil: DocumentId = "00000000-0000-0000-0000-000000000000".parse().unwrap();
        let passage = Passage {
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
        };
        Hit {
            passage,
            attributes: Attributes::new(),
            highlights: Vec::new(),
            title_highlights: Vec::new(),
            duplicates: Vec::new(),
            others: Vec::new(),
            context: Vec::new(),
            explanation: None,
        }
    }

    #[test]
    fn the_table_shows_where_and_what() {
        let hits = [
            hit(
                "Travel",
                &["Travel", "Expenses"],
                Some(2),
                "Receipts are due\nwithin 30 days.",
            ),
            hit("Leave", &[], None, "Twenty weeks."),
        ];
        let table = table_of(&hits, &SearchRequest::new("receipts"));
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
