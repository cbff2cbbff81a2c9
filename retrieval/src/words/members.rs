//! A set of chunks of one segment, one bit for each.

use tantivy::SegmentReader;

/// Which chunks of a segment belong to it, by their numbers in the segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Members {
    bits: Box<[u64]>,
    size: u32,
}

impl Members {
    /// None of `size` chunks.
    pub(super) fn none(size: u32) -> Self {
        Self {
            bits: vec![0; size.div_ceil(64) as usize].into(),
            size,
        }
    }

    /// All of `size` chunks.
    pub(super) fn all(size: u32) -> Self {
        let mut all = Self::none(size);
        all.invert();
        all
    }

    /// Those that aren't deleted.
    pub(super) fn alive(segment: &SegmentReader) -> Self {
        let Some(alive) = segment.alive_bitset() else {
            return Self::all(segment.max_doc());
        };
        let mut members = Self::none(segment.max_doc());
        alive.iter_alive().for_each(|number| members.insert(number));
        members
    }

    /// Adds one. A number that the segment hasn't got is left out.
    pub(super) fn insert(&mut self, number: u32) {
        if let Some(bits) = self.bits.get_mut(number as usize / 64) {
            *bits |= 1 << (number % 64);
        }
    }

    pub(super) fn remove(&mut self, number: u32) {
        if let Some(bits) = self.bits.get_mut(number as usize / 64) {
            *bits &= !(1 << (number % 64));
        }
    }

    pub(super) fn contains(&self, number: u32) -> bool {
        let bits = self.bits.get(number as usize / 64);
        bits.is_some_and(|bits| bits >> (number % 64) & 1 == 1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bits.iter().all(|bits| *bits == 0)
    }

    pub(super) fn count(&self) -> u32 {
        self.bits.iter().map(|bits| bits.count_ones()).sum()
    }

    /// Leaves those that are in both.
    pub(super) fn intersect(&mut self, other: &Self) {
        for (bits, other) in self.bits.iter_mut().zip(&other.bits) {
            *bits &= other;
        }
    }

    /// Leaves those that aren't in the other.
    pub(super) fn subtract(&mut self, other: &Self) {
        for (bits, other) in self.bits.iter_mut().zip(&other.bits) {
            *bits &= !other;
        }
    }

    /// Adds those of the other.
    pub(super) fn unite(&mut self, other: &Self) {
        for (bits, other) in self.bits.iter_mut().zip(&other.bits) {
            *bits |= other;
        }
    }

    /// Makes it those that aren't in it.
    pub(super) fn invert(&mut self) {
        self.bits.iter_mut().for_each(|bits| *bits = !*bits);
        if let Some(last) = self.bits.last_mut()
            && !self.size.is_multiple_of(64)
        {
            *last &= (1 << (self.size % 64)) - 1;
        }
    }

    /// Their numbers, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..).zip(&self.bits).flat_map(|(at, bits)| {
            let mut left = *bits;
            std::iter::from_fn(move || {
                let lowest = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(at * 64 + lowest)
            })
        })
    }

    /// What it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.bits)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn of(numbers: &BTreeSet<u32>) -> Members {
        let mut members = Members::none(150);
        numbers.iter().for_each(|number| members.insert(*number));
        members
    }

    proptest! {
        #[test]
        fn it_is_a_set(
            one in proptest::collection::btree_set(0_u32..150, 0..60),
            other in proptest::collection::btree_set(0_u32..150, 0..60),
        ) {
            let numbers = |members: &Members| members.iter().collect::<BTreeSet<u32>>();
            prop_assert_eq!(&numbers(&of(&one)), &one);
            prop_assert_eq!(of(&one).count() as usize, one.len());
            prop_assert_eq!(of(&one).is_empty(), one.is_empty());
            let mut both = of(&one);
            both.intersect(&of(&other));
            prop_assert_eq!(numbers(&both), one.intersection(&other).copied().collect());
            let mut rest = of(&one);
            rest.subtract(&of(&other));
            prop_assert_eq!(numbers(&rest), one.difference(&other).copied().collect());
            let mut either = of(&one);
            either.unite(&of(&other));
            prop_assert_eq!(numbers(&either), one.union(&other).copied().collect());
            let mut outside = of(&one);
            outside.invert();
            prop_assert_eq!(numbers(&outside), (0..150).filter(|number| !one.contains(number)).collect());
            prop_assert!((0..200).all(|number| of(&one).contains(number) == one.contains(&number)));
        }
    }
}
