//! Previewing: what a job would make of one document, and nothing written.
//!
//! The document goes the way that a job's goes ([`crate::extract`], then [`crate::shape`]) up to the place where a job would
//! store its text.

use std::sync::Arc;

use lectern_domain::attribute::{AttributeValue, Attributes, names};
use lectern_domain::ports::{Fetched, RawFile, SourceItem};
use lectern_domain::{Acl, Block, DefaultAccess, DocumentStatus, ErrorKind, Extracted, TextSpan};
use serde::Serialize;

use crate::chunk::{ChunkDraft, Chunking};
use crate::enrich::{DocumentFacts, Enricher, RuleTrace};
use crate::error::Result;
use crate::ledger::KnowledgeBase;
use crate::pipeline::Ingestion;
use crate::run::Problem;
use crate::shape::{Shaping, Unshaped, shape, title};
use crate::source_settings::SourceSettings;

/// A document, and the source that it would come from.
#[derive(Clone, Debug)]
pub struct PreviewRequest {
    /// The name of the source.
    pub source: String,
    /// How the source has its documents cut and enriched.
    pub settings: SourceSettings,
    /// Who reads its documents that carry no permissions.
    pub default_access: DefaultAccess,
    /// The document, as the source lists it.
    pub item: SourceItem,
    /// Its content.
    pub fetched: Fetched,
}

/// What a job would make of a document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preview {
    /// What the source calls it.
    pub key: String,
    /// Why it would be left out; `None` where it would be taken in.
    pub left_out: Option<LeftOut>,
    /// Who could read it.
    pub acl: Acl,
    /// All attributes, the built-in ones too.
    pub attributes: Attributes,
    /// What each rule did.
    pub rules: Vec<RuleTrace>,
    /// What was noticed while it was read.
    pub warnings: Vec<String>,
    /// The text that would be stored.
    pub text: String,
    /// The structure of the text.
    pub blocks: Vec<Block>,
    /// How it was cut.
    pub chunking: Chunking,
    /// The pieces that would be found.
    pub chunks: Vec<PreviewChunk>,
    /// Files within the file, which would become documents of their own.
    pub attachments: Vec<PreviewAttachment>,
}

/// Why a document would be left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// `skipped` or `failed`.
    pub status: DocumentStatus,
    /// A stable code.
    pub code: String,
    /// A sentence.
    pub reason: String,
}

/// A chunk as it would be indexed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreviewChunk {
    /// From 0.
    pub ordinal: usize,
    /// Where it lies in the text.
    pub span: TextSpan,
    /// The page it begins on, from 1.
    pub page: Option<u32>,
    /// The headings above it.
    pub heading_path: Vec<String>,
    /// The header row of the table that it continues.
    pub table_header: Option<String>,
    /// The larger piece that a generator would read.
    pub parent: Option<TextSpan>,
    /// Tokens of what the embedder reads.
    pub token_count: u32,
    /// The piece itself.
    pub text: String,
}

/// A file within the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreviewAttachment {
    /// Its name.
    pub name: String,
    /// As the file states it.
    pub media_type: Option<String>,
    /// Its size.
    pub size_bytes: u64,
}

impl Ingestion {
    /// What a job would make of a document. Nothing is written, to the ledger, the indexes or the stored texts.
    ///
    /// Fails where the rules can't be applied, where the way of cutting needs an embedder that isn't there, and where
    /// no file can be read at all; a file that can't be read is a preview with [`Preview::left_out`].
    pub async fn preview(&self, knowledge_base: &KnowledgeBase, request: PreviewRequest) -> Result<Preview> {
        let enricher = Arc::new(Enricher::new(&request.settings.enrichment)?);
        let mut preview = begun(&request);
        let file = RawFile {
            name: request.fetched.file_name.clone(),
            media_type: request.fetched.media_type.clone(),
            bytes: Arc::clone(&request.fetched.bytes),
        };
        let mut extracted = match self.parts.extractor.extract(&file).await {
            Ok(extracted) => extracted,
            Err(error) if matches!(error.kind, ErrorKind::NoSpace | ErrorKind::Unavailable) => {
                return Err(error.into());
            }
            Err(error) => {
                preview.left_out = Some(Problem::from(&error).into());
                return Ok(preview);
            }
        };
        preview.attachments = attachments(&mut extracted);
        let embedder = self.embedder_of(knowledge_base)?;
        let shaping = Shaping {
            parts: &self.parts,
            embedder: &*embedder,
            enricher: &enricher,
            chunking: request.settings.chunking,
        };
        let facts = facts(&request);
        let document = Unshaped {
            title: title(&request.fetched, &extracted),
            attributes: source_attributes(&request),
            facts: facts.clone(),
            extracted,
        };
        let shaped = match shape(&shaping, document).await? {
            Ok(shaped) => shaped,
            Err(problem) => {
                preview.left_out = Some(problem.into());
                return Ok(preview);
            }
        };
        let enriched = shaped.enriched;
        preview.left_out = shaped.problem.map(LeftOut::from);
        preview.attributes = built_in(&facts, &enriched.title, &enriched.extracted.media_type);
        for (name, value) in enriched.attributes {
            // What the source or the file says of its change counts more than the listing's time.
            match name == names::MODIFIED {
                true => drop(preview.attributes.insert(name, value)),
                false => drop(preview.attributes.entry(name).or_insert(value)),
            }
        }
        preview.rules = enriched.trace;
        preview.chunks = chunks(&shaped.chunks, &enriched.extracted.text);
        preview.warnings = enriched.extracted.warnings;
        preview.blocks = enriched.extracted.blocks;
        preview.text = enriched.extracted.text;
        Ok(preview)
    }
}

/// A preview of which no more is known than the request.
fn begun(request: &PreviewRequest) -> Preview {
    let acl = request.fetched.acl.as_ref().unwrap_or(&request.default_access.0);
    Preview {
        key: request.item.key.clone(),
        left_out: None,
        acl: acl.clone(),
        attributes: Attributes::new(),
        rules: Vec::new(),
        warnings: Vec::new(),
        text: String::new(),
        blocks: Vec::new(),
        chunking: request.settings.chunking,
        chunks: Vec::new(),
        attachments: Vec::new(),
    }
}

fn facts(request: &PreviewRequest) -> DocumentFacts {
    let stated = match request.fetched.attributes.get(names::URI) {
        Some(AttributeValue::Text(uri)) => uri,
        _ => &request.item.uri,
    };
    DocumentFacts {
        path: request.item.key.clone(),
        uri: stated.clone(),
        source: request.source.clone(),
        size_bytes: request.fetched.bytes.len() as u64,
        modified_at: request.item.modified_at,
    }
}

fn source_attributes(request: &PreviewRequest) -> Attributes {
    let mut attributes = request.fetched.attributes.clone();
    attributes.remove(names::URI);
    attributes
}

/// The attributes that every document has.
fn built_in(facts: &DocumentFacts, title: &str, media_type: &str) -> Attributes {
    let text = |value: &str| AttributeValue::Text(value.to_owned());
    let mut attributes = Attributes::from([
        (names::TITLE.to_owned(), text(title)),
        (names::URI.to_owned(), text(&facts.uri)),
        (names::PATH.to_owned(), text(&facts.path)),
        (names::SOURCE.to_owned(), text(&facts.source)),
        (names::TYPE.to_owned(), text(media_type)),
        // A size has far fewer digits than a double holds.
        (
            names::SIZE.to_owned(),
            AttributeValue::Number(facts.size_bytes as f64),
        ),
    ]);
    if let Some(modified) = facts.modified_at {
        attributes.insert(names::MODIFIED.to_owned(), AttributeValue::Date(modified));
    }
    attributes
}

fn attachments(extracted: &mut Extracted) -> Vec<PreviewAttachment> {
    std::mem::take(&mut extracted.attachments)
        .into_iter()
        .map(|attachment| PreviewAttachment {
            size_bytes: attachment.bytes.len() as u64,
            name: attachment.name,
            media_type: attachment.media_type,
        })
        .collect()
}

fn chunks(drafts: &[ChunkDraft], text: &str) -> Vec<PreviewChunk> {
    let piece = |span: TextSpan| span.of(text).unwrap_or_default().to_owned();
    let chunk = |(ordinal, draft): (usize, &ChunkDraft)| PreviewChunk {
        ordinal,
        span: draft.span,
        page: draft.page,
        heading_path: draft.heading_path.clone(),
        table_header: draft.table_header.map(piece),
        parent: draft.parent,
        token_count: draft.token_count,
        text: piece(draft.span),
    };
    drafts.iter().enumerate().map(chunk).collect()
}

impl From<Problem> for LeftOut {
    fn from(problem: Problem) -> Self {
        Self {
            status: problem.status,
            code: problem.code.to_owned(),
            reason: problem.reason,
        }
    }
}
