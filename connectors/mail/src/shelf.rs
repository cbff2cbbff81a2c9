//! What is kept between a listing and the fetches after it: the index, for as long as nothing changes.
//!
//! A listing looks at every file. Before a fetch, the folders and the mbox files are asked whether anything changed, and each message is
//! held against its hash: it gives what is there now. What changed within the last two
//! seconds is read each time, since a second change would look like none.

use std::sync::{Arc, Mutex, PoisonError};

use crate::config::MailConfig;
use crate::error::Error;
use crate::index::{Index, Purpose, Reading};

/// What is kept.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) config: MailConfig,
    index: Mutex<Option<Arc<Index>>>,
}

impl Shelf {
    pub(crate) fn new(config: MailConfig) -> Self {
        Self {
            config,
            index: Mutex::default(),
        }
    }

    /// The index as it is now. Waits for the disk, as long as it is wanted.
    pub(crate) fn index(&self, purpose: Purpose, is_wanted: &dyn Fn() -> bool) -> Result<Arc<Index>, Error> {
        // One at a time: what is asked for together is the same.
        let mut kept = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let is_enough = |kept: &&Arc<Index>| purpose == Purpose::Fetch && kept.is_current();
        if let Some(kept) = kept.as_ref().filter(is_enough) {
            return Ok(Arc::clone(kept));
        }
        self.make(&mut kept, purpose, is_wanted)
    }

    /// An index other than `stale`, of which a message wasn't where it should be.
    pub(crate) fn another(&self, stale: &Arc<Index>) -> Result<Arc<Index>, Error> {
        let mut kept = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_ref() {
            Some(newer) if !Arc::ptr_eq(newer, stale) => Ok(Arc::clone(newer)),
            _ => self.make(&mut kept, Purpose::Listing, &|| true),
        }
    }

    fn make(
        &self,
        kept: &mut Option<Arc<Index>>,
        purpose: Purpose,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<Arc<Index>, Error> {
        let reading = Reading {
            config: &self.config,
            before: kept.as_deref(),
            purpose,
            is_wanted,
        };
        let new = Arc::new(Index::read(reading)?);
        *kept = Some(Arc::clone(&new));
        Ok(new)
    }
}
