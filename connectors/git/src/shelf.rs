//! What is kept between a listing and the fetches after it: the files of the tip and what is known of their history.
//!
//! It is used for as long as the reference leads to the same commit, which is looked at each time: so a fetch gives what is
//! committed now. Where new commits have come meanwhile, they alone are walked.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex};

use lectern_connector_files::Filter;

use crate::config::GitConfig;
use crate::error::Error;
use crate::files::Files;
use crate::history::{Answer, Question, Trace, trace};
use crate::object::Id;
use crate::reference::{Tip, resolve};
use crate::repository::Repository;
use crate::store::{Store, locked};

/// The largest list of commits whose parents aren't there.
const SHALLOW_BYTES: u64 = 64 << 20;

/// The files of one commit.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) tip: Tip,
    pub(crate) files: Files,
    traces: Mutex<BTreeMap<u32, Trace>>,
}

/// A repository, open.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) config: GitConfig,
    pub(crate) repository: Repository,
    pub(crate) store: Store,
    filter: Filter,
    kept: Mutex<Option<Arc<Snapshot>>>,
}

impl Shelf {
    /// Waits for the disk.
    pub(crate) fn open(config: GitConfig) -> Result<Self, Error> {
        config.check()?;
        let repository = Repository::open(&config.repository)?;
        let filter = Filter::of_patterns(&repository.root, &config.include, &config.exclude, config.hidden)?;
        Ok(Self {
            store: Store::new(repository.folder.clone()),
            config,
            repository,
            filter,
            kept: Mutex::default(),
        })
    }

    /// What the reference leads to now.
    pub(crate) fn tip(&self) -> Result<Tip, Error> {
        // Without it there would be no commit, and that would be a repository without files.
        if !self.repository.is_there() {
            return Err(Error::Lost {
                path: self.repository.folder.clone(),
            });
        }
        resolve(&self.repository, &self.store, &self.config.reference)
    }

    /// The files of a commit.
    pub(crate) fn files_of(&self, commit: Id) -> Result<Files, Error> {
        Files::of_commit(&self.store, commit, &self.filter, self.repository.root.clone())
    }

    /// The files that the reference leads to now; a folder that was lost is looked for again.
    pub(crate) fn snapshot_for_listing(&self, is_stopped: &dyn Fn() -> bool) -> Result<Arc<Snapshot>, Error> {
        let mut kept = locked(&self.kept);
        *kept = kept.take().filter(|kept| !kept.files.has_lost_folders());
        drop(kept);
        self.snapshot(is_stopped)
    }

    /// The files that the reference leads to now.
    pub(crate) fn snapshot(&self, is_stopped: &dyn Fn() -> bool) -> Result<Arc<Snapshot>, Error> {
        let mut kept = locked(&self.kept);
        let tip = self.tip()?;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.tip == tip) {
            return Ok(Arc::clone(kept));
        }
        let files = tip.commit.map(|commit| self.files_of(commit)).transpose()?;
        let new = Arc::new(Snapshot {
            tip,
            files: files.unwrap_or_default(),
            traces: Mutex::default(),
        });
        if let Some(older) = kept.as_deref() {
            self.carry_over(older, &new, is_stopped)?;
        }
        *kept = Some(Arc::clone(&new));
        Ok(new)
    }

    /// What is known of the files of an older commit, for those that are the same since.
    fn carry_over(
        &self,
        older: &Snapshot,
        new: &Snapshot,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<(), Error> {
        let before = locked(&older.traces);
        let Some(known) = older.tip.commit.filter(|_| !before.is_empty()) else {
            return Ok(());
        };
        let answer = self.walk(new, new.files.numbers(), Some(known), is_stopped)?;
        let mut traces = locked(&new.traces);
        traces.extend(answer.traces);
        for number in answer.unchanged {
            let file = new.files.files.get(number as usize);
            let same = file.and_then(|file| before.get(&older.files.find(&file.path)?));
            traces.extend(same.map(|trace| (number, trace.clone())));
        }
        Ok(())
    }

    /// What is known of all files of a snapshot. Says how many commits were looked at for it.
    pub(crate) fn trace_all(&self, snapshot: &Snapshot, is_stopped: &dyn Fn() -> bool) -> Result<u32, Error> {
        // One at a time: what is asked for together is mostly the same.
        let mut traces = locked(&snapshot.traces);
        let mut wanted = snapshot.files.numbers();
        wanted.retain(|number| !traces.contains_key(number));
        let answer = self.walk(snapshot, wanted, None, is_stopped)?;
        traces.extend(answer.traces);
        Ok(answer.commits)
    }

    /// The files that differ in any way from what they were at the commit `known`, and how many commits were looked at.
    pub(crate) fn trace_since(
        &self,
        snapshot: &Snapshot,
        known: Option<Id>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<(BTreeSet<u32>, u32), Error> {
        let answer = self.walk(snapshot, snapshot.files.numbers(), known, is_stopped)?;
        let differing = answer.traces.keys().copied().collect();
        locked(&snapshot.traces).extend(answer.traces);
        Ok((differing, answer.commits))
    }

    /// What is known of a file.
    pub(crate) fn trace(&self, snapshot: &Snapshot, number: u32) -> Result<Trace, Error> {
        let known = locked(&snapshot.traces).get(&number).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        // More will be asked for, and all of them take no longer than one.
        self.trace_all(snapshot, &|| false)?;
        let traces = locked(&snapshot.traces);
        Ok(traces.get(&number).cloned().unwrap_or_default())
    }

    fn walk(
        &self,
        snapshot: &Snapshot,
        wanted: BTreeSet<u32>,
        known: Option<Id>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Answer, Error> {
        let Some(tip) = snapshot.tip.commit.filter(|_| !wanted.is_empty()) else {
            return Ok(Answer::default());
        };
        let shallow = self.shallow()?;
        let question = Question {
            tip,
            files: &snapshot.files.files,
            wanted,
            known,
            shallow: &shallow,
            max_commits: self.config.max_commits,
            is_stopped,
        };
        trace(&self.store, question)
    }

    /// The commits of a shallow clone whose parents aren't there.
    fn shallow(&self) -> Result<HashSet<Id>, Error> {
        let text = self.repository.file(&["shallow".into()], SHALLOW_BYTES);
        let text = text.map_err(Error::Unreadable)?.unwrap_or_default();
        let lines = text.split(|byte| *byte == b'\n');
        Ok(lines.filter_map(|line| Id::from_hex(line.trim_ascii())).collect())
    }
}
