//! `lectern demo`: everything at once, on a small company's handbook.
//!
//! Models, documents, one cited answer, a chat page. Every step looks first whether it was done, so a
//! second start does nothing anew and is up in seconds.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use lectern_connectors::SourceConfig;
use lectern_connectors::files::FilesConfig;
use lectern_domain::ports::{Connector, Embedder, Generator};
use lectern_domain::{Acl, DefaultAccess, ErrorKind};

use super::context::Context;
use super::exit::Exit;
use super::{ask, ingest, models, output, serve};
use crate::compose::{Lectern, Models};
use crate::demo::{DemoFolder, QUESTION};

/// The knowledge base that the demo makes.
const KNOWLEDGE_BASE: &str = "handbook";
/// Passages that are looked at for the demo's answer.
const PASSAGES: usize = 8;

/// Sets everything up on a small company's handbook: models, documents, an answer, the chat page.
#[derive(Debug, Args)]
#[command(after_help = "\
The first start fetches the models that are missing (about 1.2 GB, most of it the model that writes) and
takes the handbook in. Later starts fetch nothing and embed nothing.

Examples:
  lectern demo
  lectern demo --port 0          on a free port
  lectern demo --no-serve        end after the answer")]
pub struct DemoArguments {
    /// The port of the chat page; 0 takes a free one [default: 8080, or what is configured]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// End after the answer
    #[arg(long)]
    no_serve: bool,
}

/// Runs the demo.
pub async fn run(context: &Context, arguments: DemoArguments) -> Result<Exit> {
    let lectern = context.open().await?;
    // A taken port is better learnt before the models are fetched than after.
    let mut address = context.config.server.socket_address();
    address.set_port(arguments.port.unwrap_or(address.port()));
    if !arguments.no_serve {
        serve::require_free(address)?;
    }
    fetch_models(context, &lectern.models).await?;
    let demo = DemoFolder::new(lectern.folder.demo());
    std::fs::create_dir_all(lectern.folder.demo()).context("can't make the demo's folder")?;
    if demo.unpack()? {
        output::note(format!(
            "Unpacked the handbook into {}",
            demo.handbook().display()
        ));
    }
    let is_new = take_in(&lectern, &demo).await?;
    show_answer(&lectern, &demo, is_new).await?;
    if arguments.no_serve {
        return Ok(Exit::Done);
    }
    serve::until_stopped(lectern, context, address).await
}

async fn fetch_models(context: &Context, models: &Models) -> Result<()> {
    let needed = models.needed(&context.config)?;
    let fetched = models::pull_missing(models, &needed).await?;
    if !fetched.is_empty() {
        output::note(format!(
            "Fetched {} into {}",
            fetched.join(", "),
            models.store().dir().display()
        ));
    }
    Ok(())
}

/// Brings the knowledge base in step with the handbook. Says whether that changed anything.
async fn take_in(lectern: &Lectern, demo: &DemoFolder) -> Result<bool> {
    let knowledge_base = match lectern.ledger.knowledge_base(KNOWLEDGE_BASE).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let (model, dimensions) = (lectern.embedder.model(), lectern.embedder.dimensions());
            let description = "The staff handbook of a small company that doesn't exist";
            lectern
                .ledger
                .create_knowledge_base(KNOWLEDGE_BASE, description, model, dimensions)
                .await?
        }
        found => found?,
    };
    let config = SourceConfig::Files(FilesConfig::new(vec![demo.handbook()]));
    let connector: Arc<dyn Connector> = Arc::from(lectern_connectors::open(&config)?);
    let access = DefaultAccess(Acl::everyone());
    let source = lectern
        .ledger
        .ensure_source(
            knowledge_base.id,
            "demo",
            config.kind(),
            &config.to_json()?,
            &access,
        )
        .await?;
    let report = ingest::sync(lectern, &knowledge_base, &source, connector).await?;
    let counts = report.job.counts;
    let changed = counts.new + counts.modified + counts.deleted > 0;
    if changed || !report.problems.is_empty() {
        ingest::show(&report)?;
    } else {
        output::note(format!(
            "The handbook is taken in: {} documents, nothing changed.",
            counts.unchanged
        ));
    }
    ingest::require_complete(&report)?;
    Ok(changed)
}

/// Answers the demo's question, or shows the answer of the first start where nothing has changed since.
async fn show_answer(lectern: &Lectern, demo: &DemoFolder, is_new: bool) -> Result<()> {
    output::line(format!("\nQuestion: {QUESTION}\n"))?;
    if !is_new && let Some((text, citations)) = demo.kept_answer(lectern.generator.model()) {
        output::line(format!("{text}\n\n{citations}"))?;
        output::note("(Answered at the first start; handbook and model are the same.)");
        return Ok(());
    }
    let answer = ask::answer(lectern, KNOWLEDGE_BASE, QUESTION, PASSAGES, true).await?;
    demo.keep_answer(&answer, &ask::citation_list(&answer.citations))
}
