//! `lectern preview`: shows what a job would make of one document. Writes nothing.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use lectern_connectors::SourceConfig;
use lectern_connectors::files::{FilesConfig, FilesConnector};
use lectern_domain::ports::{Connector, SourceItem};
use lectern_domain::{Acl, AttributeValue, DefaultAccess, ErrorKind, PortError};
use lectern_ingest::enrich::{Effect, RuleTrace};
use lectern_ingest::{KnowledgeBase, Preview, PreviewRequest, Source, SourceSettings};

use super::context::Context;
use super::exit::Exit;
use super::output;
use crate::compose::Lectern;
use crate::rules_file::read_rules;

/// How much of a block is shown in its line, in characters.
const BLOCK_CHARACTERS: usize = 60;

/// Shows what ingestion would make of one document, and writes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
The document is read, its source's rules are applied, and its text is cut, as a job would do it: what is printed
is the attributes, what each rule did, the blocks of the text and the chunks that would be found. The source
is the one that has the file among its folders; its rules count, unless others are given to be tried.

Examples:
  lectern preview --kb papers ~/papers/hyde.pdf
  lectern preview --kb papers --enrichment rules.toml ~/papers/hyde.pdf
  lectern preview --kb papers ~/papers/hyde.pdf --json | jq .chunks[0]")]
pub struct PreviewArguments {
    /// The knowledge base, by name or id
    #[arg(long, value_name = "NAME")]
    kb: String,
    /// The source whose rules count, where several have the file
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Try the rules in this file instead of the source's
    #[arg(long, value_name = "FILE")]
    enrichment: Option<PathBuf>,
    /// The document
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

/// Prints the preview.
pub async fn run(context: &Context, arguments: PreviewArguments) -> Result<Exit> {
    let rules = arguments.enrichment.as_deref().map(read_rules).transpose()?;
    let path = file_at(&arguments.path)?;
    let lectern = context.open().await?;
    let knowledge_base = lectern.ledger.knowledge_base(&arguments.kb).await?;
    let mut origin = match &arguments.source {
        Some(name) => {
            let source = lectern.ledger.source(knowledge_base.id, name).await?;
            Origin::of(&source, &path).ok_or_else(|| {
                PortError::new(
                    ErrorKind::NotFound,
                    "path_not_in_source",
                    format!("the source {name:?} doesn't have {}", path.display()),
                )
            })?
        }
        None => find_origin(&lectern, &knowledge_base, &path).await?,
    };
    if let Some(rules) = rules {
        origin.settings.enrichment = rules;
    }
    lectern.prepare_ingestion(&knowledge_base.embedding_model).await?;
    let fetched = origin.connector.fetch(&origin.item).await?;
    let request = PreviewRequest {
        source: origin.name,
        settings: origin.settings,
        default_access: origin.default_access,
        item: origin.item,
        fetched,
    };
    let preview = lectern.ingestion.preview(&knowledge_base, request).await?;
    if context.json {
        output::json(&preview)?;
    } else {
        show(&preview)?;
    }
    Ok(match preview.left_out {
        Some(left_out) if left_out.status == lectern_domain::DocumentStatus::Failed => Exit::DocumentsFailed,
        _ => Exit::Done,
    })
}

/// The file without links, or why there is none.
fn file_at(path: &Path) -> Result<PathBuf> {
    let resolved = path.canonicalize().map_err(|error| {
        PortError::new(
            ErrorKind::NotFound,
            "path_not_found",
            format!("there is no file {}: {error}", path.display()),
        )
    })?;
    if !resolved.is_file() {
        let message = format!("{} is no file; a preview shows one document", path.display());
        return Err(PortError::new(ErrorKind::Invalid, "not_a_file", message).into());
    }
    Ok(resolved)
}

/// The source that a document would come from.
struct Origin {
    name: String,
    settings: SourceSettings,
    default_access: DefaultAccess,
    connector: FilesConnector,
    item: SourceItem,
}

impl Origin {
    /// Nothing where the source doesn't have the file.
    fn of(source: &Source, path: &Path) -> Option<Self> {
        let SourceConfig::Files(config) = SourceConfig::from_json(source.config.clone()).ok()? else {
            return None;
        };
        let connector = FilesConnector::new(config).ok()?;
        Some(Self {
            item: connector.item_of(path)?,
            connector,
            name: source.name.clone(),
            settings: source.settings.clone(),
            default_access: source.default_access.clone(),
        })
    }
}

/// The first source that has the file, or one made for it with the defaults.
async fn find_origin(lectern: &Lectern, knowledge_base: &KnowledgeBase, path: &Path) -> Result<Origin> {
    let sources = lectern.ledger.sources(knowledge_base.id).await?;
    if let Some(origin) = sources.iter().find_map(|source| Origin::of(source, path)) {
        return Ok(origin);
    }
    let config = FilesConfig {
        max_file_bytes: lectern.config.ingestion.max_file_bytes(),
        ..FilesConfig::new(vec![path.to_owned()])
    };
    let connector = FilesConnector::new(config)?;
    let item = connector.item_of(path).context("the file went away")?;
    Ok(Origin {
        name: path.display().to_string(),
        settings: lectern.config.ingestion.source_settings(),
        default_access: DefaultAccess(Acl::everyone()),
        connector,
        item,
    })
}

fn show(preview: &Preview) -> Result<()> {
    match &preview.left_out {
        None => output::line(format!("{} would be taken in.", preview.key))?,
        Some(left_out) => output::line(format!(
            "{} would be left out ({}): {} ({})",
            preview.key,
            left_out.status.as_str(),
            left_out.reason,
            left_out.code
        ))?,
    }
    let readers: Vec<String> = preview.acl.allow.iter().map(ToString::to_string).collect();
    output::line(format!(
        "\nReaders: {}",
        if readers.is_empty() {
            "nobody".to_owned()
        } else {
            readers.join(", ")
        }
    ))?;
    section(
        "Attributes",
        preview
            .attributes
            .iter()
            .map(|(name, value)| format!("{name} = {}", shown(value))),
    )?;
    section("Rules", preview.rules.iter().flat_map(told))?;
    section("Warnings", preview.warnings.iter().cloned())?;
    section(
        "Attachments, documents of their own",
        preview
            .attachments
            .iter()
            .map(|attachment| format!("{} ({})", attachment.name, output::bytes(attachment.size_bytes))),
    )?;
    show_text(preview)
}

fn show_text(preview: &Preview) -> Result<()> {
    let blocks = preview.blocks.iter().map(|block| {
        let kind = match &block.kind {
            lectern_domain::BlockKind::Heading { level, .. } => format!("heading {level}"),
            kind => format!("{kind:?}").to_lowercase(),
        };
        let page = block.page.map(|page| format!(" page {page}")).unwrap_or_default();
        let text = block.span.of(&preview.text).unwrap_or_default();
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text: String = text.chars().take(BLOCK_CHARACTERS).collect();
        format!("{}..{}{page} {kind}: {text}", block.span.start, block.span.end)
    });
    section(&format!("Blocks of {} bytes of text", preview.text.len()), blocks)?;
    if preview.chunks.is_empty() {
        return Ok(());
    }
    output::line(format!(
        "\nChunks ({}, {})",
        preview.chunks.len(),
        preview.chunking.name()
    ))?;
    for chunk in &preview.chunks {
        let page = chunk
            .page
            .map(|page| format!(", page {page}"))
            .unwrap_or_default();
        output::line(format!(
            "\n[{}] {}..{}{page}, {} tokens  {}",
            chunk.ordinal,
            chunk.span.start,
            chunk.span.end,
            chunk.token_count,
            chunk.heading_path.join(" > ")
        ))?;
        if let Some(header) = &chunk.table_header {
            output::line(header)?;
        }
        output::line(&chunk.text)?;
    }
    Ok(())
}

/// A heading and its lines; nothing where there are none.
fn section(heading: &str, lines: impl Iterator<Item = String>) -> Result<()> {
    let mut is_first = true;
    for line in lines {
        if std::mem::take(&mut is_first) {
            output::line(format!("\n{heading}"))?;
        }
        output::line(format!("  {line}"))?;
    }
    Ok(())
}

fn shown(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Text(text) => format!("{text:?}"),
        AttributeValue::TextList(texts) => format!("{texts:?}"),
        AttributeValue::Number(number) => number.to_string(),
        AttributeValue::Date(date) => date.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
    }
}

/// What a rule did, in lines.
fn told(trace: &RuleTrace) -> Vec<String> {
    if let Some(failed) = &trace.failed {
        let found = failed
            .found
            .as_ref()
            .map_or_else(String::new, |found| format!(", it is {}", shown(found)));
        return vec![format!(
            "{}: not applied, {} {} doesn't hold{found}",
            trace.rule, failed.attribute, failed.operator
        )];
    }
    trace
        .effects
        .iter()
        .map(|effect| format!("{}: {}", trace.rule, done(effect)))
        .collect()
}

fn done(effect: &Effect) -> String {
    match effect {
        Effect::Set {
            attribute,
            before,
            after,
        } => match before {
            Some(before) => format!("set {attribute} from {} to {}", shown(before), shown(after)),
            None => format!("set {attribute} to {}", shown(after)),
        },
        Effect::Deleted { attribute, before } => format!("deleted {attribute}, which was {}", shown(before)),
        Effect::Nothing {
            tried,
            attribute,
            reason,
        } => format!(
            "{tried} {} did nothing: {reason}",
            attribute.as_deref().unwrap_or_default()
        ),
        Effect::Redacted {
            pattern,
            in_text,
            in_title,
            in_attributes,
        } => format!(
            "redacted {pattern}: {in_text} in the text, {in_title} in the title, {in_attributes} in attributes"
        ),
        Effect::Dropped => "dropped the document".to_owned(),
    }
}
