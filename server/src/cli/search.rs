//! `lectern search`: finds passages.

mod conditions;
mod show;

use anyhow::Result;
use clap::Args;
use lectern_domain::Filter;
use lectern_domain::ports::{FacetRequest, SortKey};
use lectern_retrieval::{SearchMode, SearchRequest};
use serde_json::json;

use super::context::Context;
use super::exit::Exit;
use super::output;
use crate::auth::Caller;
pub use show::place;

/// Values of an attribute that are counted.
const FACET_VALUES: usize = 10;

/// Finds passages in a knowledge base.
#[derive(Debug, Args)]
#[command(after_help = "\
`hybrid` asks both indexes, `vector` finds what means the same, `lexical` what has the same words.
With --json every passage comes whole, with its score, its place in the document and its address.

In the text, \"a phrase\", +word, -word, title:word and attribute:value narrow the search. Whatever is
typed is a question: what can't be read as an operator is a word.

--where narrows it by what is known of documents, and may be given several times:
  author=Ada  author!=Ada  pages>10  modified>=2026-01-01  path^=handbook/ (begins)  title*=leave (has)
  author? (has one). Every document has title, uri, path, source, type, size and, mostly, modified.

Examples:
  lectern search --kb papers \"late chunking\"
  lectern search --kb papers --mode lexical --top 3 ColBERT
  lectern search --kb papers --where 'modified>=2026-01-01' --facet author --facet type \"late chunking\"
  lectern search --kb papers --where type=application/pdf --sort modified:desc
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
    /// The most passages of one document
    #[arg(long, value_name = "N")]
    per_document: Option<usize>,
    /// Only documents for which this holds (see below)
    #[arg(long = "where", value_name = "CONDITION", value_parser = conditions::condition)]
    conditions: Vec<Filter>,
    /// Count the values of an attribute, in documents
    #[arg(long = "facet", value_name = "ATTRIBUTE")]
    facets: Vec<String>,
    /// Put the results in the order of an attribute: NAME or NAME:desc
    #[arg(long, value_name = "ATTRIBUTE", value_parser = sort_key)]
    sort: Vec<SortKey>,
    /// Say how each passage came to its place, and where the time went
    #[arg(long)]
    explain: bool,
    /// What is looked for; may be left out where there is --where, --facet or --sort
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
}

fn sort_key(text: &str) -> Result<SortKey, String> {
    let (attribute, descending) = match text.rsplit_once(':') {
        Some((name, "desc")) => (name, true),
        Some((name, "asc")) => (name, false),
        _ => (text, false),
    };
    match attribute.is_empty() {
        true => Err("an attribute is missing (for example modified:desc)".to_owned()),
        false => Ok(SortKey {
            attribute: attribute.to_owned(),
            descending,
        }),
    }
}

impl SearchArguments {
    fn request(&self) -> SearchRequest {
        let facets = self.facets.iter().map(|attribute| FacetRequest {
            attribute: attribute.clone(),
            limit: FACET_VALUES,
        });
        SearchRequest {
            mode: self.mode,
            limit: self.top,
            per_document: self.per_document,
            operators: true,
            filter: match self.conditions.as_slice() {
                [] => None,
                conditions => Some(Filter::And(conditions.to_vec())),
            },
            facets: facets.collect(),
            sort: self.sort.clone(),
            answer: true,
            spelling: true,
            explain: self.explain,
            ..SearchRequest::new(self.text.join(" "))
        }
    }
}

/// Searches, prints what was found.
pub async fn run(context: &Context, arguments: SearchArguments) -> Result<Exit> {
    let lectern = context.open().await?;
    let knowledge_base = lectern.ledger.knowledge_base(&arguments.kb).await?;
    let request = arguments.request();
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
            "featured": response.featured,
            "passages": response.passages,
            "answer": response.answer,
            "facets": response.facets,
            "spelling": response.spelling,
            "timings": request.explain.then_some(response.timings),
        }))?;
    } else {
        show::response(&response, &request, &knowledge_base.name)?;
    }
    Ok(Exit::Done)
}
