//! Lists that were found, kept for their next pages.
//!
//! A page that is computed anew would repeat some passages and lose others when documents change in between, and the
//! merged list of a deeper search has another order. So the list of the first page is kept for a while, as ids, and
//! every page is taken from it; each is checked against the ledger when it is shown, as the first one was. A cursor is
//! of use only to whoever may read what the first reader might, and to the same knowledge base.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lectern_domain::{ChunkId, DocumentId, KnowledgeBaseId, Principal, ReadScope};
use uuid::Uuid;

use super::explained::Explained;
use crate::error::Error;
use crate::fuse::FusedChunk;
use crate::request::SearchRequest;

/// How much all lists take together; the oldest goes first. Most searches leave a list of a few hundred places, which is
/// some 10 KiB.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// How long a list is kept.
const KEPT_FOR: Duration = Duration::from_mins(15);
/// What filters and the like take in memory for a byte of their JSON, at most: they may have many values of a letter each.
const BYTES_PER_BYTE_OF_JSON: usize = 16;
/// What the note takes that a place was shown.
const BYTES_PER_PLACE_SHOWN: usize = 2 * size_of::<(usize, DocumentId)>();

/// The list of a search, for the pages after its first one.
#[derive(Debug)]
pub(super) struct KeptList {
    pub(super) base: KnowledgeBaseId,
    pub(super) request: SearchRequest,
    /// All that was found, in its final order.
    pub(super) found: Vec<FusedChunk>,
    /// All that the indexes found, where further passages of documents are taken from it.
    pub(super) merged: Vec<FusedChunk>,
    /// How each came to its place, where that was asked.
    pub(super) explained: Arc<Explained>,
    /// The cosine of the last chunk that the index of vectors found, where it found any.
    pub(super) last_cosine: Option<f32>,
    /// Who may ask for further pages: whoever may read the same as who asked for the first one.
    pub(super) readers: Vec<Principal>,
    /// The documents of the places that were shown, where only so many of one document are.
    pub(super) shown: Option<Mutex<BTreeMap<usize, DocumentId>>>,
}

impl KeptList {
    /// How many of each document were shown before a place.
    pub(super) fn shown_before(&self, after: usize) -> HashMap<DocumentId, usize> {
        let mut shown = HashMap::new();
        let Some(places) = &self.shown else { return shown };
        let places = places.lock().unwrap_or_else(PoisonError::into_inner);
        for document in places.range(..after).map(|(_, document)| *document) {
            *shown.entry(document).or_insert(0) += 1;
        }
        shown
    }

    fn note_shown(&self, shown: &[(ChunkId, DocumentId)]) {
        let Some(places) = &self.shown else { return };
        let mut places = places.lock().unwrap_or_else(PoisonError::into_inner);
        for (chunk, document) in shown {
            if let Some(place) = self.found.iter().position(|found| found.chunk == *chunk) {
                places.insert(place, *document);
            }
        }
    }

    /// What it takes, and will take once all of it was shown.
    fn bytes(&self) -> usize {
        let places = (self.found.capacity() + self.merged.capacity()) * size_of::<FusedChunk>();
        let shown = match self.shown {
            Some(_) => self.found.len() * BYTES_PER_PLACE_SHOWN,
            None => 0,
        };
        let asked = &self.request;
        let json = serde_json::to_vec(&(&asked.filter, &asked.facets, &asked.sort, &asked.tuning));
        let json = json.map_or(0, |json| json.len() * BYTES_PER_BYTE_OF_JSON);
        let name = |principal: &Principal| match principal {
            Principal::Everyone => 0,
            Principal::User(name) | Principal::Group(name) => name.capacity(),
        };
        let names: usize = self.readers.iter().map(name).sum();
        let readers = self.readers.capacity() * size_of::<Principal>() + names;
        let own = size_of::<Self>() + size_of::<Kept>();
        own + places + shown + readers + asked.text.capacity() + json + self.explained.bytes()
    }
}

/// The lists by the ids of their queries.
#[derive(Debug)]
pub(super) struct KeptLists {
    lists: Mutex<Lists>,
    most_bytes: usize,
}

#[derive(Debug, Default)]
struct Lists {
    by_query: HashMap<Uuid, Kept>,
    oldest_first: VecDeque<Uuid>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    list: Arc<KeptList>,
    bytes: usize,
    kept_at: Instant,
}

impl Kept {
    fn is_old(&self) -> bool {
        self.kept_at.elapsed() > KEPT_FOR
    }
}

impl Lists {
    fn add(&mut self, query: Uuid, kept: Kept) {
        self.bytes += kept.bytes;
        self.by_query.insert(query, kept);
        self.oldest_first.push_back(query);
    }

    /// Lets go of what is old, and of the oldest until the others don't take more than that.
    fn make_room(&mut self, most_bytes: usize) {
        while let Some(oldest) = self.oldest_first.front().copied() {
            let is_old = self.by_query.get(&oldest).is_none_or(Kept::is_old);
            if self.bytes <= most_bytes && !is_old {
                return;
            }
            self.oldest_first.pop_front();
            if let Some(kept) = self.by_query.remove(&oldest) {
                self.bytes -= kept.bytes;
            }
        }
    }
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

impl Default for KeptLists {
    fn default() -> Self {
        Self::within(MOST_BYTES)
    }
}

impl KeptLists {
    fn within(most_bytes: usize) -> Self {
        Self {
            lists: Mutex::default(),
            most_bytes,
        }
    }

    /// Keeps a list under the id of its query.
    pub(super) fn keep(&self, query: Uuid, list: KeptList) {
        let kept = Kept {
            bytes: list.bytes(),
            list: Arc::new(list),
            kept_at: Instant::now(),
        };
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.add(query, kept);
        lists.make_room(self.most_bytes);
    }

    /// Notes what was shown of a list: chunks and their documents.
    pub(super) fn note_shown(&self, query: Uuid, shown: &[(ChunkId, DocumentId)]) {
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let list = lists.by_query.get(&query).map(|kept| Arc::clone(&kept.list));
        drop(lists);
        if let Some(list) = list {
            list.note_shown(shown);
        }
    }

    /// The list of a query, for the reader who asked it.
    pub(super) fn find(
        &self,
        query: Uuid,
        scope: &ReadScope,
        base: KnowledgeBaseId,
    ) -> Result<Arc<KeptList>, Error> {
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lists.by_query.get(&query).ok_or(Error::CursorExpired)?;
        let is_theirs = kept.list.base == base && kept.list.readers.iter().eq(scope.principals());
        match is_theirs && !kept.is_old() {
            true => Ok(Arc::clone(&kept.list)),
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

    /// A list of so many places, of ada's.
    fn list(base: KnowledgeBaseId, places: u128) -> KeptList {
        let place = |number| FusedChunk::of_its_own(ChunkId(Uuid::from_u128(number)));
        KeptList {
            base,
            request: SearchRequest::new("x"),
            found: (0..places).map(place).collect(),
            merged: Vec::new(),
            explained: Arc::default(),
            last_cosine: None,
            readers: reader("ada").principals().cloned().collect(),
            shown: None,
        }
    }

    #[test]
    fn a_list_is_for_its_reader_and_its_knowledge_base() {
        let (lists, base, query) = (
            KeptLists::default(),
            KnowledgeBaseId::generate(),
            Uuid::from_u128(1),
        );
        lists.keep(query, list(base, 0));
        assert!(lists.find(query, &reader("ada"), base).is_ok());
        for (scope, base) in [(reader("bo"), base), (reader("ada"), KnowledgeBaseId::generate())] {
            assert_eq!(
                lists.find(query, &scope, base).unwrap_err().code(),
                "cursor_expired"
            );
        }
    }

    #[test]
    fn thousands_of_ordinary_lists_are_kept() {
        let (lists, base) = (KeptLists::default(), KnowledgeBaseId::generate());
        for number in 0..4_000 {
            lists.keep(Uuid::from_u128(number), list(base, 400));
        }
        assert!(lists.find(Uuid::from_u128(0), &reader("ada"), base).is_ok());
    }

    #[test]
    fn the_oldest_make_room_for_what_would_take_too_much() {
        let base = KnowledgeBaseId::generate();
        let of_one = list(base, 100).bytes();
        let lists = KeptLists::within(10 * of_one);
        let are_kept = |numbers: std::ops::Range<u128>| {
            let mut numbers = numbers.map(Uuid::from_u128);
            numbers.all(|query| lists.find(query, &reader("ada"), base).is_ok())
        };
        (0..10).for_each(|number| lists.keep(Uuid::from_u128(number), list(base, 100)));
        assert!(are_kept(0..10));
        // As much as a few of the others.
        lists.keep(Uuid::from_u128(10), list(base, 300));
        assert!(are_kept(4..11));
        assert!(!are_kept(0..1));
        let taken = lists.lists.lock().unwrap().bytes;
        assert!(taken <= 10 * of_one, "{taken}");
        // What is too large by itself isn't kept, and what was let go of isn't counted.
        lists.keep(Uuid::from_u128(11), list(base, 100_000));
        assert!(!are_kept(11..12));
        assert_eq!(lists.lists.lock().unwrap().bytes, 0);
    }

    #[test]
    fn everything_that_a_list_holds_is_counted() {
        let base = KnowledgeBaseId::generate();
        let plain = list(base, 100).bytes();
        let mut asked = list(base, 100);
        asked.request.text = "x".repeat(10_000);
        let mut filtered = list(base, 100);
        filtered.request.filter = Some(
            serde_json::from_str(r#"{"in":{"attribute":"cook","values":["a","b","c","d","e","f"]}}"#)
                .unwrap(),
        );
        let mut with_merged = list(base, 100);
        with_merged.merged = with_merged.found.clone();
        let mut of_many_groups = list(base, 100);
        of_many_groups.readers = vec![Principal::Group("g".repeat(50)); 200];
        let mut noting = list(base, 100);
        noting.shown = Some(Mutex::default());
        for (larger, least) in [
            (asked, 9_999),
            (filtered, 500),
            (with_merged, 2_000),
            (of_many_groups, 10_000),
            (noting, 2_400),
        ] {
            assert!(larger.bytes() >= plain + least, "{larger:?}");
        }
    }

    #[test]
    fn a_list_that_is_read_is_not_copied() {
        let (lists, base, query) = (
            KeptLists::default(),
            KnowledgeBaseId::generate(),
            Uuid::from_u128(1),
        );
        lists.keep(query, list(base, 1_000));
        let first = lists.find(query, &reader("ada"), base).unwrap();
        let second = lists.find(query, &reader("ada"), base).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn what_was_shown_of_a_document_is_counted_up_to_a_place() {
        let (lists, base, query) = (
            KeptLists::default(),
            KnowledgeBaseId::generate(),
            Uuid::from_u128(1),
        );
        let noting = KeptList {
            shown: Some(Mutex::default()),
            ..list(base, 10)
        };
        lists.keep(query, noting);
        let (one, other) = (DocumentId(Uuid::from_u128(1)), DocumentId(Uuid::from_u128(2)));
        let chunk = |number| ChunkId(Uuid::from_u128(number));
        lists.note_shown(query, &[(chunk(0), one), (chunk(3), other)]);
        lists.note_shown(query, &[(chunk(5), one), (chunk(99), one)]);
        let list = lists.find(query, &reader("ada"), base).unwrap();
        assert_eq!(list.shown_before(5), HashMap::from([(one, 1), (other, 1)]));
        assert_eq!(list.shown_before(10), HashMap::from([(one, 2), (other, 1)]));
    }
}
