//! What is kept of documents beside the ledger: the extracted text of every version, and the originals of
//! pushed documents (those of a source can be fetched again).
//!
//! Both are files named by the BLAKE3 hash of their content, `texts/ab/abcd...`: equal texts are stored once, a
//! file never changes, and a damaged one gives itself away. See [`ContentFiles`] for how they are written.

mod content_files;

use std::path::Path;
use std::sync::Arc;

use lectern_domain::{ContentHash, TextSpan};

use crate::error::{Error, Result};

pub(crate) use content_files::{Condemned, ContentFiles, Pin};

/// The stored texts and originals of a data folder.
#[derive(Debug)]
pub struct TextStore {
    texts: Arc<ContentFiles>,
    originals: Arc<ContentFiles>,
}

impl TextStore {
    /// Opens `texts/` and `originals/` in the data folder, and makes them where they are missing. Clears
    /// away half-written files, so nobody else may have the folder open.
    pub fn open(data: &Path) -> Result<Self> {
        Ok(Self {
            texts: Arc::new(ContentFiles::open(data.join("texts"))?),
            originals: Arc::new(ContentFiles::open(data.join("originals"))?),
        })
    }

    pub(crate) fn texts(&self) -> &Arc<ContentFiles> {
        &self.texts
    }

    pub(crate) fn originals(&self) -> &Arc<ContentFiles> {
        &self.originals
    }

    /// Stores a text durably. It stays while the pin lives; after that, while the ledger refers to it.
    pub(crate) async fn put_text(&self, text: Arc<str>) -> Result<Pin> {
        let files = Arc::clone(&self.texts);
        blocking(move || files.put(text.as_bytes())).await
    }

    /// Stores an original durably, likewise.
    pub(crate) async fn put_original(&self, bytes: Arc<[u8]>) -> Result<Pin> {
        let files = Arc::clone(&self.originals);
        blocking(move || files.put(&bytes)).await
    }

    /// The whole text, with its hash checked.
    pub(crate) async fn text(&self, hash: ContentHash) -> Result<String> {
        let files = Arc::clone(&self.texts);
        let bytes = blocking(move || files.read(hash)).await?;
        String::from_utf8(bytes).map_err(|_| Error::ContentDamaged {
            hash,
            problem: "is not UTF-8",
        })
    }

    /// The whole original, with its hash checked.
    pub(crate) async fn original(&self, hash: ContentHash) -> Result<Vec<u8>> {
        let files = Arc::clone(&self.originals);
        blocking(move || files.read(hash)).await
    }

    /// Pieces of texts, in the order of the requests. The hash of a piece is checked, not that of the
    /// text, so no more is read than is asked for.
    pub(crate) async fn pieces(&self, requests: Vec<PieceRequest>) -> Result<Vec<String>> {
        let files = Arc::clone(&self.texts);
        blocking(move || requests.iter().map(|request| piece(&files, request)).collect()).await
    }
}

/// A piece of a stored text that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PieceRequest {
    /// The text.
    pub(crate) text: ContentHash,
    /// Where the piece lies in it.
    pub(crate) span: TextSpan,
    /// The hash that the piece must have.
    pub(crate) hash: ContentHash,
}

fn piece(files: &ContentFiles, request: &PieceRequest) -> Result<String> {
    let damaged = || Error::ContentDamaged {
        hash: request.text,
        problem: "has a piece that is not what was stored",
    };
    let bytes = files.read_span(request.text, request.span)?;
    if ContentHash::of(&bytes) != request.hash {
        return Err(damaged());
    }
    String::from_utf8(bytes).map_err(|_| damaged())
}

/// Runs file work on a thread that may wait.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(Error::StageLost { stage: "file" }),
    }
}
