//! Near-duplicates: of passages that say the same in the same words, the best one stands for all.
//!
//! A file that lies in three places, a page with and without its footer, a quoted mail: such passages fill the first
//! page and tell the reader nothing new. A passage is folded into a better one when they share [`RESEMBLANCE`] of
//! their shingles and have the same numbers; a contract that differs from another in its sum alone stays.
//! What is folded is kept by its place, so that a reader can unfold it.
//!
//! It only ever sees what the recheck let through, so nothing is folded into a passage that the reader may not read.

use std::collections::HashMap;

use crate::shingles::Shingles;

/// The share of shingles from which on two texts are nearly the same. A sentence more or less at the end of a chunk
/// of 200 words leaves 0.85; another chunk of the same document with a tenth of overlap has 0.1.
pub const RESEMBLANCE: f32 = 0.8;

/// A passage, and those that say nearly the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The place of the best one.
    pub first: usize,
    /// The places of the others, best first.
    pub folded: Vec<usize>,
}

/// Groups the texts of passages that come best first. The groups keep the order of their first ones, and every
/// place is in one of them. The cost grows with the words of all texts, not with the pairs of them.
pub fn fold<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Group> {
    let mut groups: Vec<(Shingles, Group)> = Vec::new();
    // Which groups have a shingle.
    let mut having: HashMap<u64, Vec<usize>> = HashMap::new();
    for (place, text) in texts.into_iter().enumerate() {
        let shingles = Shingles::of(text);
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for run in shingles.runs() {
            for group in having.get(&run).into_iter().flatten() {
                *shared.entry(*group).or_default() += 1;
            }
        }
        let resembling = shared
            .into_iter()
            .filter(|(group, shared)| is_nearly_the_same(&shingles, groups.get(*group), *shared))
            .map(|(group, _)| group)
            .min();
        if let Some((_, group)) = resembling.and_then(|group| groups.get_mut(group)) {
            group.folded.push(place);
            continue;
        }
        for run in shingles.runs() {
            having.entry(run).or_default().push(groups.len());
        }
        let alone = Group {
            first: place,
            folded: Vec::new(),
        };
        groups.push((shingles, alone));
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn is_nearly_the_same(one: &Shingles, other: Option<&(Shingles, Group)>, shared: usize) -> bool {
    let Some((other, _)) = other else { return false };
    let all = one.runs().len() + other.runs().len() - shared;
    shared as f32 >= RESEMBLANCE * all as f32 && one.has_the_numbers_of(other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEAVE: &str = "Parents take twenty weeks of leave after a birth, and the leave is paid in full by the company \
        for all of that time, whether it is taken at once or in several parts within the first two years.";

    fn group(first: usize, folded: &[usize]) -> Group {
        Group {
            first,
            folded: folded.to_vec(),
        }
    }

    #[test]
    fn the_same_text_is_folded_whatever_its_case_and_line_breaks() {
        let shouted = LEAVE.to_uppercase().replace(' ', "\n");
        let found = fold([LEAVE, "The quays of the harbour are closed on Sundays.", &shouted]);
        assert_eq!(found, [group(0, &[2]), group(1, &[])]);
    }

    #[test]
    fn a_few_other_words_at_the_end_dont_hide_a_copy_and_another_subject_does() {
        let copy = format!("{LEAVE} See below.");
        let other = LEAVE
            .replace("birth", "move")
            .replace("leave", "holiday")
            .replace("company", "state");
        assert_eq!(fold([LEAVE, &copy, &other]), [group(0, &[1]), group(2, &[])]);
    }

    #[test]
    fn another_number_is_another_statement() {
        let dear = format!("{LEAVE} The price is 120 crowns.");
        let cheap = format!("{LEAVE} The price is 90 crowns.");
        assert_eq!(fold([dear.as_str(), &cheap]), [group(0, &[]), group(1, &[])]);
    }

    #[test]
    fn texts_without_words_stay() {
        assert_eq!(fold(["", "..."]), [group(0, &[]), group(1, &[])]);
    }

    proptest! {
        #[test]
        fn every_passage_is_in_one_group_and_the_best_one_leads(
            numbers in prop::collection::vec(0_u8..4, 0..30),
        ) {
            let texts: Vec<String> = numbers
                .iter()
                .map(|number| format!("{} {LEAVE}", "many words more of its own kind ".repeat(usize::from(*number) * 4)))
                .collect();
            let groups = fold(texts.iter().map(String::as_str));
            let mut places: Vec<usize> = Vec::new();
            for group in &groups {
                prop_assert!(group.folded.iter().all(|place| *place > group.first));
                places.push(group.first);
                places.extend(&group.folded);
            }
            prop_assert!(groups.windows(2).all(|pair| pair[0].first < pair[1].first));
            places.sort_unstable();
            prop_assert_eq!(places, (0..numbers.len()).collect::<Vec<_>>());
            // The same text twice is never shown twice.
            let shown: Vec<&String> = groups.iter().filter_map(|group| texts.get(group.first)).collect();
            let mut once = shown.clone();
            once.sort();
            once.dedup();
            prop_assert_eq!(once.len(), shown.len());
        }
    }
}
