//! Pushing: documents that a program hands over instead of a source that is synced.
//!
//! [`Ingestion::push`] returns when the document can't be lost any more: its original is stored and its row
//! committed, both fsynced. [`Ingestion::process_pending`] then takes it through the pipeline, until it can be found
//! by words; its vectors follow ([`Ingestion::embed_until_stopped`], [`Ingestion::embed_pending`]). Whoever waits
//! for one or the other asks for the document. A crash in between loses nothing: the row waits.

use std::sync::Arc;

use lectern_domain::{
    Acl, Attributes, DefaultAccess, Document, DocumentId, JobCounts, KnowledgeBaseId, SourceId,
};
use serde::Serialize;

use crate::cancel::Cancellation;
use crate::error::{Error, Result};
use crate::fetch::Feed;
use crate::ledger::{KnowledgeBase, NewPush, ReleasedFiles, Source};
use crate::pipeline::{Ended, Ingestion, drive};
use crate::progress::Progress;
use crate::report::DocumentProblem;
use crate::run::Run;
use crate::source_settings::SourceSettings;
use crate::{collect, recover, sync};

/// The source that pushed documents belong to.
const SOURCE: &str = "pushed";

const MAX_KEY_BYTES: usize = 1_024;
const MAX_TEXT_BYTES: usize = 4_096;

/// A document as it is handed over.
#[derive(Clone, Debug)]
pub struct PushedDocument {
    /// What the caller calls it: pushed again under the same key, it is the same document. 1 to 1,024
    /// bytes.
    pub key: String,
    /// Its title; the document's own, or its file name, where there is none.
    pub title: Option<String>,
    /// Where a person finds the original; the key, where there is none.
    pub uri: Option<String>,
    /// The media type, as a hint.
    pub media_type: Option<String>,
    /// The file's name, as a hint for the format.
    pub file_name: Option<String>,
    /// The file, whole.
    pub bytes: Arc<[u8]>,
    /// Who may read it; [`crate::IngestSettings::pushed_access`], where nobody is named.
    pub acl: Option<Acl>,
    /// What else is known about it.
    pub attributes: Attributes,
}

/// The confirmation that a document was accepted and can't be lost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DocumentReceipt {
    /// As it is now: pending, and the version before, if there is one, can be found.
    pub document: Document,
}

/// What became of pushed documents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PushReport {
    /// In documents.
    pub counts: JobCounts,
    /// The first documents that were skipped or failed.
    pub problems: Vec<DocumentProblem>,
}

impl Ingestion {
    /// Accepts a document. Durable when it returns; visible after [`Ingestion::process_pending`].
    pub async fn push(
        &self,
        knowledge_base: &KnowledgeBase,
        document: PushedDocument,
    ) -> Result<DocumentReceipt> {
        check(&document)?;
        let source = self.pushed_source(knowledge_base.id).await?;
        let file_name = document.file_name.unwrap_or_else(|| {
            let name = document.key.rsplit('/').next();
            name.unwrap_or(&document.key).to_owned()
        });
        let size_bytes = document.bytes.len() as u64;
        let original = self.parts.texts.put_original(document.bytes).await?;
        let push = NewPush {
            knowledge_base: knowledge_base.id,
            source: source.id,
            original: original.hash(),
            size_bytes,
            title: document.title,
            uri: document.uri.unwrap_or_else(|| document.key.clone()),
            key: document.key,
            media_type: document.media_type,
            file_name,
            effective_acl: document.acl.clone().unwrap_or(source.default_access.0),
            acl: document.acl,
            attributes: document.attributes,
        };
        let (id, replaced) = self.parts.ledger.accept_push(&push).await?;
        drop(original);
        let released = ReleasedFiles {
            texts: Vec::new(),
            originals: replaced.into_iter().collect(),
        };
        collect::remove_released(&self.parts, &released).await?;
        self.settle_narrowed(knowledge_base.id).await?;
        let document = self.parts.ledger.document(knowledge_base.id, id).await?;
        Ok(DocumentReceipt { document })
    }

    /// The id that a document pushed under `key` has.
    pub fn pushed_document_id(knowledge_base: KnowledgeBaseId, key: &str) -> DocumentId {
        DocumentId::derive(SourceId::derive(knowledge_base, SOURCE), key)
    }

    /// Takes all waiting pushes through the pipeline, after waiting for its turn to write: when it returns, they can be
    /// found by words. Where a disk, an
    /// index or the embedder fails, the rest goes on waiting, and so do readers that an index has yet to hear of.
    pub async fn process_pending(&self, knowledge_base: &KnowledgeBase) -> Result<PushReport> {
        let ledger = &self.parts.ledger;
        let nothing_waits = ledger.pending_after(knowledge_base.id, 0, 1).await?.is_empty()
            && ledger.owed_access(knowledge_base.id, 1).await?.is_empty();
        if nothing_waits {
            return Ok(PushReport::default());
        }
        let embedder = self.embedder_of(knowledge_base)?;
        let _lock = self.locks.lock(knowledge_base.id).await;
        let cancel = Cancellation::new();
        self.locks.note_running(knowledge_base.id, &cancel);
        ledger.knowledge_base(&knowledge_base.id.to_string()).await?;
        recover::put_in_order(&self.parts, knowledge_base.id).await?;
        let source = self.pushed_source(knowledge_base.id).await?;
        let source_id = source.id;
        let run = Arc::new(Run::new(
            &self.parts,
            source,
            embedder,
            None,
            None,
            Progress::new(),
            cancel,
        )?);
        let ended = drive(&run, &Feed::Pushes).await;
        let notes = run.write_notes().await;
        let settled = sync::settle(&self.parts, knowledge_base.id).await;
        let ended = ended?;
        notes?;
        settled?;
        if let Ended::ListingBroken(error) = ended {
            return Err(Error::Port(error));
        }
        if matches!(ended, Ended::Complete) {
            ledger.close_attachments(source_id).await?;
        }
        sync::optimize(&run).await;
        let tally = run.account_so_far();
        Ok(PushReport {
            counts: tally.counts,
            problems: tally.problems,
        })
    }

    /// A push that names fewer readers has changed the ledger; the indexes follow at once, or with the run that
    /// has the right to write now.
    async fn settle_narrowed(&self, knowledge_base: KnowledgeBaseId) -> Result<()> {
        if self.parts.ledger.owed_access(knowledge_base, 1).await?.is_empty() {
            return Ok(());
        }
        if let Some(_lock) = self.locks.try_lock(knowledge_base) {
            collect::settle_access(&self.parts, knowledge_base).await?;
        }
        Ok(())
    }

    async fn pushed_source(&self, knowledge_base: KnowledgeBaseId) -> Result<Source> {
        let access: &DefaultAccess = &self.parts.settings.pushed_access;
        let config = serde_json::Value::Null;
        let ledger = &self.parts.ledger;
        let known = ledger.sources(knowledge_base).await?;
        let source = match known.into_iter().find(|source| source.name == SOURCE) {
            Some(source) if source.default_access == *access => source,
            _ => {
                ledger
                    .ensure_source(knowledge_base, SOURCE, sync::PUSHED, &config, access)
                    .await?
            }
        };
        let chunking = self.parts.settings.pushed_chunking;
        if source.settings.chunking == chunking {
            return Ok(source);
        }
        let settings = SourceSettings {
            chunking,
            ..source.settings
        };
        ledger.set_source_settings(source.id, &settings).await
    }
}

fn check(document: &PushedDocument) -> Result<()> {
    let too_long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > MAX_TEXT_BYTES);
    let problem = if document.key.is_empty() || document.key.len() > MAX_KEY_BYTES {
        "its key must have 1 to 1,024 bytes"
    } else if document.key.chars().any(char::is_control) {
        "its key has a control character"
    } else if too_long(&document.title) || too_long(&document.uri) || too_long(&document.file_name) {
        "its title, uri and file name may have 4,096 bytes each"
    } else {
        return Ok(());
    };
    Err(Error::BadPush { problem })
}
