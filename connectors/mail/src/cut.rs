//! Where a thread is cut into documents.
//!
//! A thread is a document; a long one is several, cut from its beginning on, so that what comes at its end changes the last document of it,
//! or makes a new one, and no other. Where a document is for participants only, the messages of a thread that name the same people are
//! cut so, and those that name others on their own.

use std::collections::BTreeMap;

use crate::entry::Hash;
use crate::thread::Thread;

/// The bounds of a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) max_messages: usize,
    pub(crate) max_bytes: u64,
    /// Whether messages that name other people are other documents.
    pub(crate) is_by_audience: bool,
}

/// What cutting needs to know of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) bytes: u32,
    pub(crate) audience: Hash,
}

/// What names a document of messages. They are sorted by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PieceKey {
    pub(crate) root: Hash,
    /// Where messages that name other people are other documents.
    pub(crate) audience: Option<Hash>,
    /// From 1 on.
    pub(crate) number: u32,
}

/// A document: which messages it has, by their places, as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) key: PieceKey,
    pub(crate) members: Box<[u32]>,
}

/// Cuts a thread.
pub(crate) fn cut(thread: &Thread, rules: Rules, line: impl Fn(u32) -> Line, pieces: &mut Vec<Piece>) {
    if !rules.is_by_audience {
        return cut_run(thread.root, None, &thread.members, rules, &line, pieces);
    }
    let mut runs: BTreeMap<Hash, Vec<u32>> = BTreeMap::new();
    for member in &thread.members {
        runs.entry(line(*member).audience).or_default().push(*member);
    }
    for (audience, members) in runs {
        cut_run(thread.root, Some(audience), &members, rules, &line, pieces);
    }
}

fn cut_run(
    root: Hash,
    audience: Option<Hash>,
    members: &[u32],
    rules: Rules,
    line: &impl Fn(u32) -> Line,
    pieces: &mut Vec<Piece>,
) {
    let mut number = 0;
    let mut open: Vec<u32> = Vec::new();
    let mut bytes = 0_u64;
    let mut end = |open: &mut Vec<u32>| {
        number += 1;
        let key = PieceKey {
            root,
            audience,
            number,
        };
        let members = std::mem::take(open).into_boxed_slice();
        pieces.push(Piece { key, members });
    };
    for member in members {
        let size = u64::from(line(*member).bytes);
        if !open.is_empty() && (open.len() >= rules.max_messages || bytes + size > rules.max_bytes) {
            end(&mut open);
            bytes = 0;
        }
        bytes += size;
        open.push(*member);
    }
    if !open.is_empty() {
        end(&mut open);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(sizes: &[u32], audiences: &[u8], is_by_audience: bool) -> Vec<(u8, u32, Vec<u32>)> {
        let rules = Rules {
            max_messages: 3,
            max_bytes: 100,
            is_by_audience,
        };
        let line = |place: u32| Line {
            bytes: sizes[place as usize],
            audience: [audiences[place as usize]; 16],
        };
        let members = (0..u32::try_from(sizes.len()).unwrap()).collect();
        let mut pieces = Vec::new();
        cut(
            &Thread {
                root: [9; 16],
                members,
            },
            rules,
            line,
            &mut pieces,
        );
        let shown = |piece: &Piece| {
            let audience = piece.key.audience.map_or(0, |audience| audience[0]);
            (audience, piece.key.number, piece.members.to_vec())
        };
        pieces.iter().map(shown).collect()
    }

    #[test]
    fn a_long_thread_is_cut_from_its_beginning_on() {
        for (sizes, expected) in [
            (vec![10], vec![(0, 1, vec![0])]),
            (vec![10, 10, 10], vec![(0, 1, vec![0, 1, 2])]),
            (vec![10; 4], vec![(0, 1, vec![0, 1, 2]), (0, 2, vec![3])]),
            (
                vec![90, 20, 500, 1],
                vec![(0, 1, vec![0]), (0, 2, vec![1]), (0, 3, vec![2]), (0, 4, vec![3])],
            ),
        ] {
            assert_eq!(
                pieces(&sizes, &vec![1; sizes.len()], false),
                expected,
                "{sizes:?}"
            );
        }
    }

    #[test]
    fn what_went_past_somebody_is_a_document_of_its_own() {
        let expected = vec![(1, 1, vec![0, 1, 4]), (1, 2, vec![5]), (2, 1, vec![2, 3])];
        assert_eq!(pieces(&[1; 6], &[1, 1, 2, 2, 1, 1], true), expected);
    }
}
