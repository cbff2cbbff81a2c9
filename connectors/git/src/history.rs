//! When files last changed and since when they have been there, by a walk over the commits from the newest on.
//!
//! Each file that is asked about stands at a commit, at first at the tip, and goes from there to a parent that has it the same
//! ([`compare`]). Where no parent has, the commit changed it: the first such is its last change, and the walk goes on to the
//! first parent that has it at all. Where none has it, the commit brought it in. So the last change of a file is that of
//! `git log -1 -- PATH`, through merges too, and a renamed file is a new one. A file that was deleted and came back is as old
//! as its coming back.
//!
//! Files that stand at the same commit go together, so each commit is mostly looked at once. What can't be told (the history is
//! cut off as in a shallow clone, an object is missing, there are more commits than are looked at) stays open: a date is
//! missing, and never wrong. In memory are the files that are asked about, one line of commits, and some trees.

mod compare;

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::Error;
use crate::files::{COMMIT_BYTES, File};
use crate::object::{Commit, Id, Kind, MOST_PARENTS, Person};
use crate::store::Store;
use compare::Trees;

/// A commit, as far as files tell of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) commit: Id,
    pub(crate) author: Person,
    pub(crate) authored_at: Option<DateTime<Utc>>,
    pub(crate) committed_at: Option<DateTime<Utc>>,
}

/// What is known about a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    /// The commit that changed it last.
    pub(crate) last: Option<Arc<Change>>,
    /// The commit that brought it in.
    pub(crate) first: Option<Arc<Change>>,
}

/// What a walk is to find.
pub(crate) struct Question<'a> {
    pub(crate) tip: Id,
    /// The files of the tip.
    pub(crate) files: &'a [File],
    /// The numbers of those that are asked about.
    pub(crate) wanted: BTreeSet<u32>,
    /// What is at this commit as it is at the tip isn't followed any further.
    pub(crate) known: Option<Id>,
    /// Commits whose parents aren't there.
    pub(crate) shallow: &'a HashSet<Id>,
    pub(crate) max_commits: u32,
    /// Asked after each commit. The walk ends with [`Error::Stopped`] once it says so.
    pub(crate) is_stopped: &'a dyn Fn() -> bool,
}

/// What a walk has found.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// Of each file that was asked about, and isn't `unchanged`.
    pub(crate) traces: BTreeMap<u32, Trace>,
    /// Those that are as they were at the commit that is known.
    pub(crate) unchanged: BTreeSet<u32>,
    /// How many commits were looked at.
    pub(crate) commits: u32,
}

/// Walks. Fails only where it is stopped.
pub(crate) fn trace(store: &Store, question: Question<'_>) -> Result<Answer, Error> {
    let mut walk = Walk {
        store,
        trees: Trees::new(store, question.files),
        pending: HashMap::new(),
        queue: BinaryHeap::new(),
        answer: Answer::default(),
    };
    let wanted = question.wanted.clone();
    walk.answer.traces = wanted.iter().map(|file| (*file, Trace::default())).collect();
    if let Some(commit) = walk.commit(question.tip) {
        walk.send(question.tip, &commit, wanted);
    }
    while let Some((_, id)) = walk.queue.pop() {
        let Some((commit, files)) = walk.pending.remove(&id) else {
            continue;
        };
        if (question.is_stopped)() {
            return Err(Error::Stopped);
        }
        if walk.answer.commits >= question.max_commits || walk.trees.is_spent() {
            break;
        }
        walk.answer.commits += 1;
        walk.step(&question, id, &commit, files);
    }
    Ok(walk.answer)
}

struct Walk<'a> {
    store: &'a Store,
    trees: Trees<'a>,
    /// The files that stand at a commit.
    pending: HashMap<Id, (Arc<Commit>, BTreeSet<u32>)>,
    /// Those commits, the newest first. An entry whose commit isn't pending any more is passed over.
    queue: BinaryHeap<(Option<DateTime<Utc>>, Id)>,
    answer: Answer,
}

impl Walk<'_> {
    /// Sees what a commit changed of the files that stand at it, and sends them on.
    fn step(&mut self, question: &Question<'_>, id: Id, commit: &Arc<Commit>, mut files: BTreeSet<u32>) {
        if question.known == Some(id) {
            files = self.without_unchanged(files);
        }
        let is_cut = question.shallow.contains(&id) || commit.parents.len() > MOST_PARENTS;
        if files.is_empty() || is_cut {
            return;
        }
        // The first parent that has a file at all, of those that no parent so far has the same.
        let mut owners: BTreeMap<u32, Option<(Id, Arc<Commit>)>> = BTreeMap::new();
        for (place, parent_id) in commit.parents.iter().enumerate() {
            let Some(parent) = self.commit(*parent_id) else {
                return;
            };
            let Some(changed) = self.trees.changed(commit.tree, parent.tree, &files) else {
                return;
            };
            for (file, is_there) in &changed {
                files.remove(file);
                let owner = owners.entry(*file).or_default();
                if *is_there && owner.is_none() {
                    *owner = Some((*parent_id, Arc::clone(&parent)));
                }
            }
            if place > 0 {
                files.iter().for_each(|file| drop(owners.remove(file)));
            }
            let same = std::mem::replace(&mut files, changed.into_keys().collect());
            self.send(*parent_id, &parent, same);
            if files.is_empty() {
                return;
            }
        }
        self.note(id, commit, &files, owners);
    }

    /// Notes that a commit changed these files, or brought them in.
    fn note(
        &mut self,
        id: Id,
        commit: &Commit,
        files: &BTreeSet<u32>,
        owners: BTreeMap<u32, Option<(Id, Arc<Commit>)>>,
    ) {
        let change = Arc::new(Change {
            commit: id,
            author: commit.author.clone(),
            authored_at: commit.authored_at,
            committed_at: commit.committed_at,
        });
        for file in files {
            let trace = self.answer.traces.entry(*file).or_default();
            trace.last.get_or_insert_with(|| Arc::clone(&change));
            if owners.get(file).is_none_or(Option::is_none) {
                trace.first = Some(Arc::clone(&change));
            }
        }
        for (file, owner) in owners {
            if let Some((parent_id, parent)) = owner {
                self.send(parent_id, &parent, BTreeSet::from([file]));
            }
        }
    }

    /// Has files stand at a commit.
    fn send(&mut self, id: Id, commit: &Arc<Commit>, files: BTreeSet<u32>) {
        if files.is_empty() {
            return;
        }
        match self.pending.get_mut(&id) {
            Some((_, there)) if there.len() < files.len() => {
                let fewer = std::mem::replace(there, files);
                there.extend(fewer);
            }
            Some((_, there)) => there.extend(files),
            None => {
                self.queue.push((commit.committed_at, id));
                self.pending.insert(id, (Arc::clone(commit), files));
            }
        }
    }

    /// Takes out the files that nothing has changed since this commit.
    fn without_unchanged(&mut self, files: BTreeSet<u32>) -> BTreeSet<u32> {
        let traces = &mut self.answer.traces;
        let is_changed = |file: &u32| traces.get(file).is_some_and(|trace| trace.last.is_some());
        let (changed, unchanged): (BTreeSet<u32>, BTreeSet<u32>) = files.into_iter().partition(is_changed);
        for file in &unchanged {
            traces.remove(file);
        }
        self.answer.unchanged.extend(unchanged);
        changed
    }

    /// A commit; nothing where it can't be read.
    fn commit(&self, id: Id) -> Option<Arc<Commit>> {
        if let Some((commit, _)) = self.pending.get(&id) {
            return Some(Arc::clone(commit));
        }
        let bytes = self.store.read(id, Kind::Commit, COMMIT_BYTES);
        let bytes =
            bytes.inspect_err(|error| tracing::debug!(%error, "the history of a repository ends early"));
        Commit::parse(&bytes.ok()?).map(Arc::new)
    }
}
