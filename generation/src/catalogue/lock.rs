//! One pull of a model at a time, over all processes.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::catalogue::progress::PullProgress;
use crate::error::Error;

const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Holds the right to fetch a model until it is dropped. The system takes it back when a process dies.
#[derive(Debug)]
pub struct PullLock {
    _file: File,
}

impl PullLock {
    /// Waits until nobody else fetches what the lock file `path` stands for.
    ///
    /// # Errors
    /// [`Error::Io`] where the file can't be made or locked.
    pub async fn acquire(path: &Path, progress: &dyn PullProgress) -> Result<Self, Error> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(Error::io("opened", path))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(Error::io("locked", path)(source)),
            }
            if !told {
                progress.note("waiting: another process is fetching this model");
                told = true;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}
