//! What differs between the trees of two commits, among the files that are asked about and nowhere else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use crate::files::{File, MOST_DEPTH, TREE_BYTES};
use crate::object::{Entry, EntryKind, Id, Kind, entries};
use crate::store::Store;

/// What the trees that are kept may take.
const MOST_KEPT_BYTES: usize = 32 << 20;
/// A walk that has compared more bytes of trees ends.
const MOST_COMPARED_BYTES: u64 = 64 << 30;

/// Files that are another in the second tree, and whether they are there at all.
pub(super) type Changed = BTreeMap<u32, bool>;

/// Trees, some of which are kept.
pub(super) struct Trees<'a> {
    store: &'a Store,
    files: &'a [File],
    kept: HashMap<Id, Arc<Vec<u8>>>,
    kept_bytes: usize,
    compared_bytes: u64,
}

impl<'a> Trees<'a> {
    pub(super) fn new(store: &'a Store, files: &'a [File]) -> Self {
        Self {
            store,
            files,
            kept: HashMap::new(),
            kept_bytes: 0,
            compared_bytes: 0,
        }
    }

    /// Whether enough was compared.
    pub(super) fn is_spent(&self) -> bool {
        self.compared_bytes > MOST_COMPARED_BYTES
    }

    /// Which of `wanted` are not the same in the tree `after` and in the tree `before`. Nothing where a tree can't be read.
    pub(super) fn changed(&mut self, after: Id, before: Id, wanted: &BTreeSet<u32>) -> Option<Changed> {
        let mut changed = Changed::new();
        let all = 0..u32::try_from(self.files.len()).ok()?;
        self.folder(after, before, &mut Vec::new(), all, wanted, &mut changed)?;
        Some(changed)
    }

    /// Compares two trees whose files at the tip are `range`.
    fn folder(
        &mut self,
        after: Id,
        before: Id,
        path: &mut Vec<u8>,
        range: Range<u32>,
        wanted: &BTreeSet<u32>,
        changed: &mut Changed,
    ) -> Option<()> {
        let depth = path.iter().filter(|byte| **byte == b'/').count();
        if after == before || wanted.range(range.clone()).next().is_none() {
            return Some(());
        }
        if depth > MOST_DEPTH {
            return None;
        }
        let (after, before) = (self.tree(after)?, self.tree(before)?);
        let mut older = entries(&before).filter_map(Result::ok).peekable();
        for entry in entries(&after) {
            let entry = entry.ok()?;
            while older.next_if(|old| old.order(&entry).is_lt()).is_some() {}
            let old = older.next_if(|old| old.order(&entry).is_eq());
            if old.is_some_and(|old| (old.id, old.mode) == (entry.id, entry.mode)) {
                continue;
            }
            let length = path.len();
            path.extend_from_slice(entry.name);
            let compared = self.entry(&entry, old, path, range.clone(), wanted, changed);
            path.truncate(length);
            compared?;
        }
        Some(())
    }

    /// Notes what an entry that isn't the same means.
    fn entry(
        &mut self,
        entry: &Entry<'_>,
        old: Option<Entry<'_>>,
        path: &mut Vec<u8>,
        range: Range<u32>,
        wanted: &BTreeSet<u32>,
        changed: &mut Changed,
    ) -> Option<()> {
        if entry.kind() != EntryKind::Folder {
            if let Some(file) = self.find(path, range).filter(|file| wanted.contains(file)) {
                changed.insert(file, old.is_some());
            }
            return Some(());
        }
        path.push(b'/');
        let below = self.below(path, range);
        match old {
            Some(old) => self.folder(entry.id, old.id, path, below, wanted, changed),
            None => {
                changed.extend(wanted.range(below).map(|file| (*file, false)));
                Some(())
            }
        }
    }

    /// The number of the file at `path`, among those of `range`.
    fn find(&self, path: &[u8], range: Range<u32>) -> Option<u32> {
        let files = self.files.get(range.start as usize..range.end as usize)?;
        let place = files
            .binary_search_by(|file| file.path.as_slice().cmp(path))
            .ok()?;
        u32::try_from(place).ok().map(|place| range.start + place)
    }

    /// The files of `range` whose paths begin with `folder`.
    fn below(&self, folder: &[u8], range: Range<u32>) -> Range<u32> {
        let files = self
            .files
            .get(range.start as usize..range.end as usize)
            .unwrap_or_default();
        let from = files.partition_point(|file| file.path.as_slice() < folder);
        let rest = files.get(from..).unwrap_or_default();
        let count = rest.partition_point(|file| file.path.starts_with(folder));
        let number = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        let start = range.start + number(from);
        start..start + number(count)
    }

    fn tree(&mut self, id: Id) -> Option<Arc<Vec<u8>>> {
        let kept = self.kept.get(&id).map(Arc::clone);
        let tree = match kept {
            Some(tree) => tree,
            None => {
                let tree = self.store.read(id, Kind::Tree, TREE_BYTES).ok()?;
                if self.kept_bytes + tree.len() > MOST_KEPT_BYTES {
                    self.kept.clear();
                    self.kept_bytes = 0;
                }
                self.kept_bytes += tree.len();
                self.kept.insert(id, Arc::clone(&tree));
                tree
            }
        };
        self.compared_bytes = self.compared_bytes.saturating_add(tree.len() as u64);
        Some(tree)
    }
}
