//! Which chunks of a segment have one of several values.
//!
//! The engine finds a range of values by going through the whole column, fast but every time. Of an attribute of which
//! every document has its own value (a path, a title) the wanted ones are scattered, so that many ranges would be many
//! times the column: then each value is read once and looked up among the wanted ones instead.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use tantivy::columnar::{Column, ColumnValues as _, StrColumn};

use super::members::Members;

/// To look every value up costs about as much as to look for so many ranges.
const FEW_RANGES: usize = 4;
/// Values that are read at a time.
const BLOCK: usize = 512;

/// Adds the chunks with one of the keys.
pub(super) fn add_keys(members: &mut Members, column: &Column<i64>, mut keys: Vec<i64>) {
    keys.sort_unstable();
    keys.dedup();
    if keys.len() <= FEW_RANGES {
        keys.iter()
            .for_each(|key| add_range(members, column, *key..=*key));
        return;
    }
    add_in_one_pass(members, column, |key| keys.binary_search(&key).is_ok());
}

/// Adds the chunks with one of the texts, by the texts' numbers in the column.
pub(super) fn add_texts(members: &mut Members, column: &StrColumn, mut ordinals: Vec<u64>) {
    ordinals.sort_unstable();
    ordinals.dedup();
    let ranges = ranges(&ordinals);
    if ranges.len() <= FEW_RANGES {
        ranges
            .into_iter()
            .for_each(|range| add_range(members, column.ords(), range));
        return;
    }
    let mut is_wanted = vec![false; column.num_terms()];
    for ordinal in ordinals {
        if let Some(is_wanted) = is_wanted.get_mut(ordinal as usize) {
            *is_wanted = true;
        }
    }
    add_in_one_pass(members, column.ords(), |ordinal| {
        is_wanted.get(ordinal as usize).copied().unwrap_or_default()
    });
}

/// Ascending numbers with their neighbours: what begins alike stands together.
fn ranges(ordinals: &[u64]) -> Vec<RangeInclusive<u64>> {
    let neighbours = ordinals.chunk_by(|one, next| one + 1 == *next);
    neighbours
        .filter_map(|some| Some(*some.first()?..=*some.last()?))
        .collect()
}

/// Adds the chunks with a value in the range.
pub(super) fn add_range<T: PartialOrd + Copy + Debug + Send + Sync + 'static>(
    members: &mut Members,
    column: &Column<T>,
    range: RangeInclusive<T>,
) {
    let (start, end) = range.into_inner();
    let (least, greatest) = (column.min_value(), column.max_value());
    if start > greatest || end < least {
        return;
    }
    let range = if start < least { least } else { start }..=if end > greatest { greatest } else { end };
    let mut found = Vec::new();
    column.get_docids_for_value_range(range, 0..column.num_docs(), &mut found);
    found.into_iter().for_each(|number| members.insert(number));
}

/// Adds the chunks with a wanted value, reading each value once.
fn add_in_one_pass<T: PartialOrd + Copy + Debug + Send + Sync + 'static>(
    members: &mut Members,
    column: &Column<T>,
    is_wanted: impl Fn(T) -> bool,
) {
    let rows = column.values.num_vals();
    let mut block = [column.min_value(); BLOCK];
    let mut found: Vec<u32> = Vec::new();
    for first in (0..rows).step_by(BLOCK) {
        let length = BLOCK.min((rows - first) as usize);
        let Some(values) = block.get_mut(..length) else {
            break;
        };
        column.values.get_range(u64::from(first), values);
        let wanted = (first..).zip(values).filter(|(_, value)| is_wanted(**value));
        found.extend(wanted.map(|(row, _)| row));
    }
    // A chunk may have no value, or several: from the places of the values to the chunks.
    column.index.select_batch_in_place(0, &mut found);
    found.into_iter().for_each(|number| members.insert(number));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use tantivy::columnar::{ColumnarReader, ColumnarWriter, DynamicColumn};

    use super::*;

    /// A column of what is recorded, and `None` where nothing is.
    fn column(chunks: &[Vec<u8>], record: impl Fn(&mut ColumnarWriter, u32, u8)) -> Option<DynamicColumn> {
        let mut writer = ColumnarWriter::default();
        for (number, values) in (0..).zip(chunks) {
            values
                .iter()
                .for_each(|value| record(&mut writer, number, *value));
        }
        let mut bytes = Vec::new();
        writer.serialize(chunks.len() as u32, None, &mut bytes).unwrap();
        let reader = ColumnarReader::open(bytes).unwrap();
        let columns = reader.read_columns("value").unwrap();
        columns.first().map(|column| column.open().unwrap())
    }

    fn having(chunks: &[Vec<u8>], wanted: &BTreeSet<u8>) -> Members {
        let mut members = Members::none(chunks.len() as u32);
        for (number, values) in (0..).zip(chunks) {
            if values.iter().any(|value| wanted.contains(value)) {
                members.insert(number);
            }
        }
        members
    }

    /// Chunks with one value each, with one or none, and with any number of them, over more than one block.
    fn chunks() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let of = |values: RangeInclusive<usize>| {
            let values = proptest::collection::vec(0_u8..30, values);
            proptest::collection::vec(values, 0..2 * BLOCK)
        };
        prop_oneof![of(1..=1), of(0..=1), of(0..=3)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn texts_are_the_same_in_ranges_and_in_one_pass(
            chunks in chunks(),
            wanted in proptest::collection::btree_set(0_u8..30, 0..30),
        ) {
            let record = |writer: &mut ColumnarWriter, number, value: u8| {
                writer.record_str(number, "value", &format!("{value:02}"));
            };
            let expected = having(&chunks, &wanted);
            let Some(DynamicColumn::Str(column)) = column(&chunks, record) else {
                prop_assert!(chunks.iter().all(Vec::is_empty));
                return Ok(());
            };
            let ordinals: Vec<u64> = wanted
                .iter()
                .filter_map(|value| column.dictionary().term_ord(format!("{value:02}")).unwrap())
                .collect();
            let none = || Members::none(chunks.len() as u32);
            let (mut in_ranges, mut in_one_pass, mut added) = (none(), none(), none());
            for range in ranges(&ordinals) {
                add_range(&mut in_ranges, column.ords(), range);
            }
            add_in_one_pass(&mut in_one_pass, column.ords(), |ordinal| ordinals.contains(&ordinal));
            add_texts(&mut added, &column, ordinals.iter().rev().copied().collect());
            prop_assert_eq!(&in_ranges, &expected);
            prop_assert_eq!(&in_one_pass, &expected);
            prop_assert_eq!(&added, &expected);
        }

        #[test]
        fn keys_are_the_same_in_ranges_and_in_one_pass(
            chunks in chunks(),
            wanted in proptest::collection::btree_set(0_u8..30, 0..30),
        ) {
            let key = |value: u8| (i64::from(value) - 15) * 1_000_000_007;
            let record = |writer: &mut ColumnarWriter, number, value| {
                writer.record_numerical(number, "value", key(value));
            };
            let expected = having(&chunks, &wanted);
            let Some(DynamicColumn::I64(column)) = column(&chunks, record) else {
                prop_assert!(chunks.iter().all(Vec::is_empty));
                return Ok(());
            };
            let keys: Vec<i64> = wanted.iter().map(|value| key(*value)).collect();
            let none = || Members::none(chunks.len() as u32);
            let (mut in_ranges, mut in_one_pass, mut added) = (none(), none(), none());
            for key in &keys {
                add_range(&mut in_ranges, &column, *key..=*key);
            }
            add_in_one_pass(&mut in_one_pass, &column, |key| keys.contains(&key));
            add_keys(&mut added, &column, keys.iter().chain(&keys).copied().collect());
            prop_assert_eq!(&in_ranges, &expected);
            prop_assert_eq!(&in_one_pass, &expected);
            prop_assert_eq!(&added, &expected);
        }
    }
}
