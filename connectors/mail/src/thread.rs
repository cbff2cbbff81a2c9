//! Which messages belong together.
//!
//! As in THREAD=REFERENCES (RFC 5256), a message belongs to those that its References name, or else to the one that it answers, whether
//! these are there or not. A thread here is the set of all that hang together so, by the time of writing, and no tree: so
//! it is the same in whatever order messages are found, and a reply that comes before its parent is with it as soon as the
//! parent is there.
//!
//! An answer without these fields, as its subject says, is put to the last message of the same subject before it, if that is near.
//!
//! A thread is named by the id that comes first in it: the head of the References of its earliest message. That is mostly the message that
//! began it, also where that one isn't there.

use std::collections::HashMap;

use crate::entry::{Entry, Hash};

/// What is known of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    /// What tells it from all others.
    pub(crate) identity: Hash,
    pub(crate) id: Hash,
    pub(crate) references: &'a [Hash],
    pub(crate) date: Option<i64>,
    pub(crate) subject: u64,
    pub(crate) is_answer: bool,
}

impl<'a> Node<'a> {
    pub(crate) fn new(identity: Hash, entry: &'a Entry) -> Self {
        Self {
            identity,
            id: entry.id,
            references: &entry.references,
            date: entry.date,
            subject: entry.subject,
            is_answer: entry.is_answer,
        }
    }

    /// Sorts messages as they were written.
    fn order(&self) -> (i64, Hash) {
        (self.date.unwrap_or(i64::MIN), self.identity)
    }
}

/// A thread: its messages by their places, as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thread {
    pub(crate) root: Hash,
    pub(crate) members: Vec<u32>,
}

/// All threads, by their roots, and for each message the place of the one that it answers, where that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Threads {
    pub(crate) threads: Vec<Thread>,
    pub(crate) parents: Vec<Option<u32>>,
}

/// Sets that are put together (union and find).
struct Sets(Vec<u32>);

impl Sets {
    fn find(&mut self, mut one: u32) -> u32 {
        while self.0[one as usize] != one {
            let above = self.0[one as usize];
            self.0[one as usize] = self.0[above as usize];
            one = self.0[one as usize];
        }
        one
    }

    fn unite(&mut self, left: u32, right: u32) {
        let (left, right) = (self.find(left), self.find(right));
        self.0[left.max(right) as usize] = left.min(right);
    }
}

/// The ids that are known, by number.
#[derive(Default)]
struct Ids {
    numbers: HashMap<Hash, u32>,
    /// The first message of that id, as they were written.
    there: Vec<Option<u32>>,
    /// Whether a message names another one before it.
    is_led: Vec<bool>,
}

impl Ids {
    fn number(&mut self, id: Hash) -> u32 {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(id).or_insert(next);
        if number == next {
            self.there.push(None);
            self.is_led.push(false);
        }
        number
    }
}

/// Puts messages together. Answers that have lost their fields may be so many seconds behind.
pub(crate) fn threads(nodes: &[Node<'_>], window_seconds: i64) -> Threads {
    let mut ids = Ids::default();
    for (place, node) in nodes.iter().enumerate() {
        let chain = node.references.iter().chain([&node.id]);
        for (step, id) in chain.enumerate() {
            let number = ids.number(*id) as usize;
            ids.is_led[number] |= step > 0;
        }
        let own = ids.number(node.id) as usize;
        let is_first = |known: u32| node.order() < nodes[known as usize].order();
        if ids.there[own].is_none_or(is_first) {
            ids.there[own] = u32::try_from(place).ok();
        }
    }
    let mut sets = Sets((0..u32::try_from(ids.numbers.len()).unwrap_or(u32::MAX)).collect());
    let mut parents = vec![None; nodes.len()];
    for (place, node) in nodes.iter().enumerate() {
        let own = ids.number(node.id);
        for reference in node.references {
            sets.unite(own, ids.number(*reference));
        }
        if let Some(parent) = node.references.last() {
            let parent = ids.number(*parent) as usize;
            parents[place] = ids.there[parent];
        }
    }
    join_by_subject(nodes, window_seconds, &mut ids, &mut sets, &mut parents);
    let mut members: HashMap<u32, Vec<u32>> = HashMap::new();
    for (place, node) in nodes.iter().enumerate() {
        let set = sets.find(ids.number(node.id));
        members
            .entry(set)
            .or_default()
            .push(u32::try_from(place).unwrap_or(u32::MAX));
    }
    let mut threads: Vec<Thread> = members
        .into_values()
        .map(|mut members| {
            members.sort_by_key(|place| nodes[*place as usize].order());
            Thread {
                root: root(nodes, &members, &mut ids),
                members,
            }
        })
        .collect();
    threads.sort_by_key(|thread| thread.root);
    Threads { threads, parents }
}

/// The id that names a thread: the first one that its earliest message knows of and that nothing leads to.
fn root(nodes: &[Node<'_>], members: &[u32], ids: &mut Ids) -> Hash {
    let head = |place: &u32| {
        let node = &nodes[*place as usize];
        node.references.first().copied().unwrap_or(node.id)
    };
    let mut heads = members.iter().map(head);
    let first = heads.clone().next().unwrap_or_default();
    heads
        .find(|id| {
            let number = ids.number(*id) as usize;
            !ids.is_led[number]
        })
        .unwrap_or(first)
}

/// Puts answers that have lost their fields to the last message of their subject.
fn join_by_subject(
    nodes: &[Node<'_>],
    window_seconds: i64,
    ids: &mut Ids,
    sets: &mut Sets,
    parents: &mut [Option<u32>],
) {
    let is_lost = |node: &Node<'_>| {
        node.references.is_empty() && node.is_answer && node.subject != 0 && node.date.is_some()
    };
    let mut subjects: HashMap<u64, Vec<u32>> = nodes
        .iter()
        .filter(|node| is_lost(node))
        .map(|node| (node.subject, Vec::new()))
        .collect();
    if window_seconds <= 0 {
        return;
    }
    for (place, node) in nodes.iter().enumerate().filter(|(_, node)| node.date.is_some()) {
        if let Some(same) = subjects.get_mut(&node.subject) {
            same.push(u32::try_from(place).unwrap_or(u32::MAX));
        }
    }
    for same in subjects.values_mut() {
        same.sort_by_key(|place| nodes[*place as usize].order());
        for pair in same.windows(2) {
            let [before, place] = [nodes[pair[0] as usize], nodes[pair[1] as usize]];
            let gap = place
                .date
                .zip(before.date)
                .map(|(now, then)| now.saturating_sub(then));
            if is_lost(&place) && gap.is_some_and(|gap| gap <= window_seconds) {
                let (own, other) = (ids.number(place.id), ids.number(before.id));
                sets.unite(own, other);
                parents[pair[1] as usize] = Some(pair[0]);
            }
        }
    }
}

#[cfg(test)]
mod tests;
