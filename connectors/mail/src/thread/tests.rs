use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// A message in few words: its id, what it names before it, the day, the subject.
#[derive(Clone, Debug)]
struct Mail {
    id: u8,
    references: Vec<Hash>,
    day: Option<i64>,
    subject: u64,
    is_answer: bool,
}

fn hash(number: u8) -> Hash {
    [number; 16]
}

fn mail(id: u8, references: &[u8], day: i64, subject: u64, is_answer: bool) -> Mail {
    Mail {
        id,
        references: references.iter().map(|id| hash(*id)).collect(),
        day: Some(day),
        subject,
        is_answer,
    }
}

/// The threads, as their root and the ids in them.
fn threaded(mails: &[Mail]) -> Vec<(u8, Vec<u8>)> {
    let found = run(mails);
    let ids = |thread: &Thread| {
        thread
            .members
            .iter()
            .map(|place| mails[*place as usize].id)
            .collect()
    };
    found
        .threads
        .iter()
        .map(|thread| (thread.root[0], ids(thread)))
        .collect()
}

fn run(mails: &[Mail]) -> Threads {
    let nodes: Vec<Node<'_>> = mails
        .iter()
        .map(|mail| Node {
            identity: hash(mail.id),
            id: hash(mail.id),
            references: &mail.references,
            date: mail.day.map(|day| day * 86_400),
            subject: mail.subject,
            is_answer: mail.is_answer,
        })
        .collect();
    threads(&nodes, 14 * 86_400)
}

#[test]
fn what_hangs_together_is_a_thread() {
    for (mails, expected) in [
        (vec![], vec![]),
        // Two that have nothing in common.
        (
            vec![mail(1, &[], 1, 7, false), mail(2, &[], 2, 7, false)],
            vec![(1, vec![1]), (2, vec![2])],
        ),
        // An answer that was written by a clock that is slow, and one to a message that isn't there.
        (
            vec![
                mail(3, &[1, 2], 3, 0, true),
                mail(1, &[], 4, 0, false),
                mail(4, &[9], 5, 0, true),
            ],
            vec![(1, vec![3, 1]), (9, vec![4])],
        ),
        // Two answers to one that isn't there.
        (
            vec![mail(2, &[1], 2, 0, true), mail(3, &[1], 3, 0, true)],
            vec![(1, vec![2, 3])],
        ),
        // Lost fields: near, far, and no answer.
        (
            vec![
                mail(1, &[], 1, 7, false),
                mail(2, &[], 5, 7, true),
                mail(3, &[], 18, 7, true),
                mail(4, &[], 60, 7, true),
                mail(5, &[], 61, 7, false),
            ],
            vec![(1, vec![1, 2, 3]), (4, vec![4]), (5, vec![5])],
        ),
        // Each names the other.
        (
            vec![mail(1, &[2], 1, 0, true), mail(2, &[1], 2, 0, true)],
            vec![(2, vec![1, 2])],
        ),
    ] {
        assert_eq!(threaded(&mails), expected, "{mails:?}");
    }
}

#[test]
fn a_parent_is_told_where_it_is_there() {
    let found = run(&[
        mail(1, &[], 1, 7, false),
        mail(2, &[1], 2, 0, true),
        mail(3, &[1, 9], 3, 0, true),
        mail(4, &[], 4, 7, true),
    ]);
    assert_eq!(found.parents, [None, Some(0), None, Some(0)]);
}

#[test]
fn a_late_parent_changes_no_name() {
    let mut mails = vec![mail(3, &[1, 2], 3, 0, true), mail(4, &[1, 2, 3], 4, 0, true)];
    assert_eq!(threaded(&mails), [(1, vec![3, 4])]);
    mails.push(mail(2, &[1], 2, 0, true));
    mails.push(mail(1, &[], 1, 0, false));
    assert_eq!(threaded(&mails), [(1, vec![1, 2, 3, 4])]);
}

prop_compose! {
    fn some_mail()(
        references in prop::collection::vec(0_u8..40, 0..4),
        day in prop::option::of(0_i64..60),
        subject in 0_u64..4,
        is_answer: bool,
    ) -> Mail {
        Mail { id: 0, references: references.into_iter().map(hash).collect(), day, subject, is_answer }
    }
}

proptest! {
    #[test]
    fn the_order_of_the_messages_changes_nothing(
        (mails, shuffled) in prop::collection::vec(some_mail(), 0..30).prop_map(|mut mails| {
            for (id, mail) in mails.iter_mut().enumerate() {
                mail.id = u8::try_from(id).unwrap();
                mail.references.retain(|reference| *reference != hash(mail.id));
            }
            mails
        }).prop_flat_map(|mails| (Just(mails.clone()), Just(mails).prop_shuffle()))
    ) {
        let (one, other) = (threaded(&mails), threaded(&shuffled));
        prop_assert_eq!(&one, &other);
        let all: Vec<u8> = one.iter().flat_map(|(_, ids)| ids.clone()).collect();
        let each: BTreeSet<u8> = all.iter().copied().collect();
        prop_assert_eq!((all.len(), each.len()), (mails.len(), mails.len()));
        let parents = |mails: &[Mail]| -> BTreeSet<(u8, Option<u8>)> {
            let parents = run(mails).parents.into_iter();
            let id = |place: u32| mails[place as usize].id;
            mails.iter().zip(parents).map(|(mail, parent)| (mail.id, parent.map(id))).collect()
        };
        prop_assert_eq!(parents(&mails), parents(&shuffled));
    }
}
