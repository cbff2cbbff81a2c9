//! Where a conversation is cut into documents.
//!
//! A thread is a document: the message that began it and all its replies, whenever they came. What isn't in a thread
//! is cut into exchanges: runs of messages without a pause between them, and a run again where it gets too long. A
//! message that began a thread bridges a pause and counts for the length like any other, so that a late first reply to
//! it moves nothing but itself.
//!
//! A document is named by the time of its first message, or of the one that began its thread. Runs are cut from their
//! beginning on, so a message that comes at the end of a conversation changes the last document of it, or makes a new
//! one, and no other.
//!
//! Where the file of a day can't be read, there is a hole: a run beside it may be a part of one that goes on in there,
//! and a thread that began before may lack what was said in there, unless it has all the replies that Slack counts. Such documents are withheld, so that half of one never takes the
//! place of the whole.

use std::collections::BTreeMap;

use crate::moment::Moment;

/// The bounds of an exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) pause_microseconds: u64,
    pub(crate) max_messages: usize,
    pub(crate) max_bytes: u64,
}

/// What cutting needs to know of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) at: Moment,
    /// The message that it answers, where that is another one.
    pub(crate) answers: Option<Moment>,
    /// How many replies Slack counts.
    pub(crate) replies: u32,
    pub(crate) bytes: u32,
}

/// A stretch of time of which nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    pub(crate) start: Moment,
    pub(crate) end: Moment,
}

/// A document: which messages it has, by their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) key: Moment,
    pub(crate) is_thread: bool,
    /// Whether it has fewer replies than Slack counts.
    pub(crate) is_short: bool,
    pub(crate) is_withheld: bool,
    /// In the order of time.
    pub(crate) lines: Vec<usize>,
}

/// Cuts the messages of a conversation, which are sorted by time. `left_out` has the replies of each thread that are in
/// no document. The documents come in the order of their keys.
pub(crate) fn cut(
    lines: &[Line],
    rules: Rules,
    holes: &[Hole],
    left_out: &BTreeMap<Moment, u32>,
) -> Vec<Piece> {
    let mut threads: BTreeMap<Moment, Vec<usize>> = BTreeMap::new();
    for (place, line) in lines.iter().enumerate() {
        match line.answers {
            Some(root) => threads.entry(root).or_default().push(place),
            None if line.replies > 0 => {
                threads.entry(line.at).or_default();
            }
            None => {}
        }
    }
    let mut roots: BTreeMap<Moment, usize> = BTreeMap::new();
    let mut pieces = Vec::new();
    let mut run: Vec<usize> = Vec::new();
    for (place, line) in lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.answers.is_none())
    {
        if threads.contains_key(&line.at) {
            roots.insert(line.at, place);
        }
        let is_pause = |last: &usize| line.at.since(lines[*last].at) > rules.pause_microseconds;
        if run.last().is_some_and(is_pause) {
            close(lines, &run, rules, holes, &threads, &mut pieces);
            run.clear();
        }
        run.push(place);
    }
    close(lines, &run, rules, holes, &threads, &mut pieces);
    for (key, replies) in threads {
        let root = roots.get(&key).copied();
        let stated = root.map_or(0, |root| lines[root].replies as usize);
        let found = replies.len() + left_out.get(&key).copied().unwrap_or_default() as usize;
        let is_short = found < stated;
        pieces.push(Piece {
            key,
            is_thread: true,
            is_short,
            // Where Slack's count isn't known, nobody knows what is missing.
            is_withheld: (is_short || stated == 0) && holes.iter().any(|hole| key <= hole.end),
            lines: root.into_iter().chain(replies).collect(),
        });
    }
    pieces.sort_by_key(|piece| piece.key);
    pieces
}

/// Cuts a run into exchanges of the messages in it that began no thread.
fn close(
    lines: &[Line],
    run: &[usize],
    rules: Rules,
    holes: &[Hole],
    threads: &BTreeMap<Moment, Vec<usize>>,
    pieces: &mut Vec<Piece>,
) {
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return;
    };
    let (first, last) = (lines[*first].at.0, lines[*last].at.0);
    let is_withheld = holes.iter().any(|hole| {
        last.saturating_add(rules.pause_microseconds) >= hole.start.0
            && first.saturating_sub(rules.pause_microseconds) <= hole.end.0
    });
    let mut open: Vec<usize> = Vec::new();
    let (mut messages, mut bytes) = (0, 0);
    let mut end = |open: &mut Vec<usize>| {
        if let Some(first) = open.first() {
            pieces.push(Piece {
                key: lines[*first].at,
                is_thread: false,
                is_short: false,
                is_withheld,
                lines: std::mem::take(open),
            });
        }
    };
    for place in run {
        let size = u64::from(lines[*place].bytes);
        if messages >= rules.max_messages || (messages > 0 && bytes + size > rules.max_bytes) {
            end(&mut open);
            (messages, bytes) = (0, 0);
        }
        messages += 1;
        bytes += size;
        if !threads.contains_key(&lines[*place].at) {
            open.push(*place);
        }
    }
    end(&mut open);
}

#[cfg(test)]
mod tests;
