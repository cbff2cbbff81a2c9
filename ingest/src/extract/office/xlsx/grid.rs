//! Tables of the cells of a sheet: rows that follow each other are one table, in the columns that they use.

use std::collections::{BTreeMap, BTreeSet};

use calamine::Dimensions;

use super::super::table::{Cell, Table};
use super::super::writer::Writer;
use super::cells::Cells;

/// A table may have this many places for each one that says something, and this many in any case; a sparser one is
/// written line by line.
const PLACES_PER_CELL: usize = 20;
const PLACES_IN_ANY_CASE: usize = 100_000;

/// A region of more columns is one table: beside each other stand two or three.
const MAX_COLUMNS_APART: usize = 200;

/// The work that is put into merged cells, in places looked at: files that merge everything with everything get no more.
const MAX_MERGED_PLACES: usize = 4_000_000;

/// Writes the tables of a sheet.
pub(super) fn write(cells: Cells, merged: &[Dimensions], writer: &mut Writer) {
    let mut region: Cells = BTreeMap::new();
    for (row, columns) in cells {
        let goes_on = region.last_key_value().is_none_or(|(last, _)| *last + 1 == row);
        if !goes_on {
            write_apart(std::mem::take(&mut region), merged, writer);
        }
        region.insert(row, columns);
    }
    write_apart(region, merged, writer);
}

/// Writes what stands between two empty rows: one table, or two beside each other.
fn write_apart(region: Cells, merged: &[Dimensions], writer: &mut Writer) {
    let Some(from) = second_table(&region, merged) else {
        return write_region(&region, merged, writer);
    };
    let (mut left, mut right) = (Cells::new(), Cells::new());
    for (row, mut texts) in region {
        let after = texts.split_off(&from);
        for (side, texts) in [(&mut left, texts), (&mut right, after)] {
            if !texts.is_empty() {
                side.insert(row, texts);
            }
        }
    }
    write(left, merged, writer);
    write(right, merged, writer);
}

/// The column in which a second table begins beside the first one: after a column that is empty, and that no merged
/// cell reaches over, where both are tables by themselves and begin or end in different rows. A column of notes beside a
/// table is a part of it.
fn second_table(region: &Cells, merged: &[Dimensions]) -> Option<u32> {
    let columns: BTreeSet<u32> = region.values().flat_map(BTreeMap::keys).copied().collect();
    if columns.len() > MAX_COLUMNS_APART {
        return None;
    }
    let columns: Vec<u32> = columns.into_iter().collect();
    let place = (2..columns.len().saturating_sub(1)).find(|place| {
        let (before, from) = (columns[place - 1], columns[*place]);
        let is_bridged = |merge: &Dimensions| {
            merge.start.1 < from && merge.end.1 > before && region.contains_key(&merge.start.0)
        };
        if before + 1 == from || merged.iter().any(is_bridged) {
            return false;
        }
        let left = extent(region, |row| row.range(..from).next().is_some());
        let right = extent(region, |row| row.range(from..).next().is_some());
        let has_rows = |extent: Option<(u32, u32)>| extent.is_some_and(|(first, last)| first < last);
        left != right && has_rows(left) && has_rows(right)
    });
    place.map(|place| columns[place])
}

/// The first and the last row of which something holds.
fn extent(region: &Cells, holds: impl Fn(&BTreeMap<u32, String>) -> bool) -> Option<(u32, u32)> {
    let mut rows = region
        .iter()
        .filter(|(_, texts)| holds(texts))
        .map(|(row, _)| *row);
    let first = rows.next()?;
    Some((first, rows.next_back().unwrap_or(first)))
}

fn write_region(region: &Cells, merged: &[Dimensions], writer: &mut Writer) {
    let columns: BTreeSet<u32> = region.values().flat_map(BTreeMap::keys).copied().collect();
    let used: usize = region.values().map(BTreeMap::len).sum();
    let places = region.len().saturating_mul(columns.len());
    if places > PLACES_IN_ANY_CASE && places > used.saturating_mul(PLACES_PER_CELL) {
        for row in region.values() {
            let texts: Vec<&str> = row.values().map(String::as_str).collect();
            writer.paragraph(&texts.join(" "));
        }
        return;
    }
    let columns: Vec<u32> = columns.into_iter().collect();
    writer.table(&table(region, &columns, merged));
}

fn table(region: &Cells, columns: &[u32], merged: &[Dimensions]) -> Table {
    let spans = spans(region, columns, merged);
    let rows = region
        .iter()
        .map(|(row, texts)| {
            columns
                .iter()
                .filter_map(|column| {
                    let text = texts.get(column).map_or("", String::as_str);
                    match spans.get(&(*row, *column)) {
                        Some(Span::Covered) => None,
                        Some(Span::Owner(columns, rows)) => Some(Cell::spanning(text, *columns, *rows)),
                        None => Some(Cell::new(text)),
                    }
                })
                .collect()
        })
        .collect();
    Table { rows }
}

#[derive(Clone, Copy, Debug)]
enum Span {
    /// Columns and rows, as many as the region uses.
    Owner(usize, usize),
    Covered,
}

/// The merged cells of a region that begin in it.
fn spans(region: &Cells, columns: &[u32], merged: &[Dimensions]) -> BTreeMap<(u32, u32), Span> {
    let mut spans = BTreeMap::new();
    let mut looked_at = 0_usize;
    for merge in merged {
        let (first_row, first_column) = merge.start;
        if !region.contains_key(&first_row) || merge.end.0 < first_row || merge.end.1 < first_column {
            continue;
        }
        let rows: Vec<u32> = region
            .range(first_row..=merge.end.0)
            .map(|(row, _)| *row)
            .collect();
        let from = columns.partition_point(|column| *column < first_column);
        let to = columns.partition_point(|column| *column <= merge.end.1);
        let covered = &columns[from..to];
        looked_at = looked_at.saturating_add(rows.len() * covered.len());
        if looked_at > MAX_MERGED_PLACES || covered.first() != Some(&first_column) {
            continue;
        }
        for row in &rows {
            for column in covered {
                spans.insert((*row, *column), Span::Covered);
            }
        }
        spans.insert(merge.start, Span::Owner(covered.len(), rows.len()));
    }
    spans
}
