//! The file with who may read what, read when a listing begins and again from time to time.
//!
//! A fetch never uses an older one than the listing before it: so a document's change tag, which has its readers in it, is
//! never ahead of the readers that it is stored with.

use std::sync::Arc;
use std::time::Duration;

use lectern_connector_sidecar::AccessFile;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::Error;
use crate::store::Store;

const MAX_BYTES: u64 = 8 << 20;
/// How old it may be when a document is fetched.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// Where the file is, and what it said last.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) bucket: String,
    pub(crate) name: String,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) kept: Mutex<Option<(Instant, Arc<AccessFile>)>>,
}

impl Access {
    /// What it says now.
    pub(crate) async fn read(&self) -> Result<Arc<AccessFile>, Error> {
        let mut kept = self.kept.lock().await;
        let asked_at = Instant::now();
        let unusable = |problem: String| Error::AccessFile {
            place: format!("{}/{}", self.bucket, self.name),
            problem,
        };
        let object = match self.store.object(&self.name, MAX_BYTES).await {
            Ok(object) => object,
            Err(Error::Gone { .. }) => return Err(unusable("is not there".to_owned())),
            Err(Error::TooLarge { limit_bytes, .. }) => {
                return Err(unusable(format!("is larger than {limit_bytes} bytes")));
            }
            Err(error) => return Err(error),
        };
        let file = Arc::new(AccessFile::parse(&object.bytes).map_err(unusable)?);
        *kept = Some((asked_at, Arc::clone(&file)));
        Ok(file)
    }

    /// What it said a minute ago at most.
    pub(crate) async fn recent(&self) -> Result<Arc<AccessFile>, Error> {
        if let Some((asked_at, file)) = &*self.kept.lock().await
            && asked_at.elapsed() < KEPT_FOR
        {
            return Ok(Arc::clone(file));
        }
        self.read().await
    }
}
