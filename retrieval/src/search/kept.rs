//! Lists that were found, kept for their next pages.
//!
//! A page that is computed anew would repeat some passages and lose others when documents change in between, and the
//! merged list of a deeper search has another order. So the list of the first page is kept for a while, as ids, and
//! every page is taken from it; each is checked against the ledger when it is shown, as the first one was. A cursor is
//! of use only to whoever may read what the first reader might, and to the same knowledge base.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lectern_domain::{ChunkId, DocumentId, KnowledgeBaseId, Principal, ReadScope};
use uuid::Uuid;

use crate::error::Error;
use crate::fuse::FusedChunk;
use crate::request::SearchRequest;

/// How many lists are kept; the oldest goes first.
const MOST_LISTS: usize = 500;
/// How long a list is kept.
const KEPT_FOR: Duration = Duration::from_mins(15);

/// What is left of a search after a page.
#[derive(Clone, Debug)]
pub(super) struct KeptList {
    pub(super) base: KnowledgeBaseId,
    pub(super) request: SearchRequest,
    /// All that was found, in its final order.
    pub(super) found: Vec<FusedChunk>,
    /// All that the indexes found, where further passages of documents are taken from it.
    pub(super) merged: Vec<FusedChunk>,
    /// The documents of the places that were shown, where only so many of one document are.
    shown: BTreeMap<usize, DocumentId>,
    readers: Vec<Principal>,
    kept_at: Instant,
}

impl KeptList {
    /// How many of each document were shown before a place.
    pub(super) fn shown_before(&self, after: usize) -> HashMap<DocumentId, usize> {
        let mut shown = HashMap::new();
        for document in self.shown.range(..after).map(|(_, document)| *document) {
            *shown.entry(document).or_insert(0) += 1;
        }
        shown
    }
}

/// The lists by the ids of their queries.
#[derive(Debug, Default)]
pub(super) struct KeptLists(Mutex<Lists>);

#[derive(Debug, Default)]
struct Lists {
    by_query: HashMap<Uuid, KeptList>,
    oldest_first: VecDeque<Uuid>,
}

/// Where a page begins: in the list of a query, after so many of its chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) query: Uuid,
    pub(super) after: usize,
}

impl Place {
    pub(super) fn to_cursor(self) -> String {
        format!("{}.{}", self.query.simple(), self.after)
    }

    pub(super) fn from_cursor(cursor: &str) -> Result<Self, Error> {
        let (query, after) = cursor.split_once('.').ok_or(Error::CursorInvalid)?;
        Ok(Self {
            query: Uuid::try_parse(query).map_err(|_| Error::CursorInvalid)?,
            after: after.parse().map_err(|_| Error::CursorInvalid)?,
        })
    }
}

impl KeptLists {
    /// Keeps a list under the id of its query.
    pub(super) fn keep(
        &self,
        query: Uuid,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        request: &SearchRequest,
        found: Vec<FusedChunk>,
        merged: Vec<FusedChunk>,
    ) {
        let kept = KeptList {
            base,
            request: request.clone(),
            found,
            merged,
            shown: BTreeMap::new(),
            readers: scope.principals().cloned().collect(),
            kept_at: Instant::now(),
        };
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.by_query.insert(query, kept);
        lists.oldest_first.push_back(query);
        while let Some(oldest) = lists.oldest_first.front().copied() {
            let is_old = |kept: &KeptList| kept.kept_at.elapsed() > KEPT_FOR;
            if lists.oldest_first.len() <= MOST_LISTS && !lists.by_query.get(&oldest).is_none_or(is_old) {
                break;
            }
            lists.oldest_first.pop_front();
            lists.by_query.remove(&oldest);
        }
    }

    /// Notes what was shown of a list: chunks and their documents.
    pub(super) fn note_shown(&self, query: Uuid, shown: &[(ChunkId, DocumentId)]) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = lists.by_query.get_mut(&query) else {
            return;
        };
        for (chunk, document) in shown {
            if let Some(place) = kept.found.iter().position(|found| found.chunk == *chunk) {
                kept.shown.insert(place, *document);
            }
        }
    }

    /// The list of a query, for the reader who asked it.
    pub(super) fn find(
        &self,
        query: Uuid,
        scope: &ReadScope,
        base: KnowledgeBaseId,
    ) -> Result<KeptList, Error> {
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lists.by_query.get(&query).ok_or(Error::CursorExpired)?;
        let is_theirs = kept.base == base && kept.readers.iter().eq(scope.principals());
        match is_theirs && kept.kept_at.elapsed() <= KEPT_FOR {
            true => Ok(kept.clone()),
            false => Err(Error::CursorExpired),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a test asks as several readers")]
    fn reader(name: &str) -> ReadScope {
        ReadScope::granted_by_authentication([Principal::User(name.into())])
    }

    #[test]
    fn a_cursor_reads_back_and_nothing_else_is_one() {
        let place = Place {
            query: Uuid::from_u128(7),
            after: 40,
        };
        assert_eq!(Place::from_cursor(&place.to_cursor()).unwrap(), place);
        for other in [
            "",
            ".",
            "7.40",
            "40",
            "00000000000000000000000000000007.-1",
            "x.1",
        ] {
            assert_eq!(
                Place::from_cursor(other).unwrap_err().code(),
                "cursor_invalid",
                "{other:?}"
            );
        }
    }

    #[test]
    fn a_list_is_for_its_reader_and_its_knowledge_base() {
        let (lists, base, query) = (
            KeptLists::default(),
            KnowledgeBaseId::generate(),
            Uuid::from_u128(1),
        );
        lists.keep(
            query,
            &reader("ada"),
            base,
            &SearchRequest::new("x"),
            Vec::new(),
            Vec::new(),
        );
        assert!(lists.find(query, &reader("ada"), base).is_ok());
        for (scope, base) in [(reader("bo"), base), (reader("ada"), KnowledgeBaseId::generate())] {
            assert_eq!(
                lists.find(query, &scope, base).unwrap_err().code(),
                "cursor_expired"
            );
        }
    }

    #[test]
    fn the_oldest_list_goes_first() {
        let (lists, base) = (KeptLists::default(), KnowledgeBaseId::generate());
        for number in 0..=MOST_LISTS as u128 {
            lists.keep(
                Uuid::from_u128(number),
                &reader("ada"),
                base,
                &SearchRequest::new("x"),
                Vec::new(),
                Vec::new(),
            );
        }
        assert!(lists.find(Uuid::from_u128(0), &reader("ada"), base).is_err());
        assert!(lists.find(Uuid::from_u128(1), &reader("ada"), base).is_ok());
    }
}
