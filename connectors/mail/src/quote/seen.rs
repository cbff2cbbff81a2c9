//! What a quote is held against: the texts that stand in the mailbox already.
//!
//! A text is known by the hashes of eight letters or digits in a row, of which those are kept whose hash says so, about one of four. So a quote
//! is found again when its lines are wrapped, marked or laid out otherwise.

use std::collections::HashSet;

/// Letters and digits in a row.
const ROW: usize = 8;
/// One of so many rows is kept.
const ONE_OF: u64 = 4;
/// A quote is known when this part of its rows is.
const SHARE: f64 = 0.5;
/// So many rows are kept; quotes of what comes after that are kept too.
const MOST_ROWS: usize = 1 << 20;

/// The texts.
#[derive(Debug, Default)]
pub(crate) struct Seen(HashSet<u64>);

impl Seen {
    /// Notes a text.
    pub(crate) fn add(&mut self, text: &str) {
        let room = MOST_ROWS.saturating_sub(self.0.len());
        self.0.extend(rows(std::iter::once(text)).into_iter().take(room));
    }

    /// Whether these quoted lines were seen. What is too short to tell counts as seen.
    pub(super) fn has(&self, lines: &[&str]) -> bool {
        let marked = lines.iter().filter(|line| line.starts_with('>')).copied();
        let marked = rows(marked);
        // Without marks, what says whose it is stands among the lines.
        let rows = if marked.is_empty() {
            rows(lines.iter().copied())
        } else {
            marked
        };
        let known = rows.iter().filter(|row| self.0.contains(row)).count();
        #[allow(clippy::cast_precision_loss, reason = "no text has 2^53 rows")]
        let share = known as f64 / rows.len().max(1) as f64;
        rows.is_empty() || share >= SHARE
    }
}

/// The hashes of the rows of a text.
fn rows<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<u64> {
    let letters = lines
        .flat_map(str::chars)
        .filter(|character| character.is_alphanumeric());
    let mut row = [0_u64; ROW];
    let mut found = Vec::new();
    for (place, letter) in letters.flat_map(char::to_lowercase).enumerate() {
        row.rotate_left(1);
        row[ROW - 1] = u64::from(u32::from(letter));
        if place + 1 < ROW {
            continue;
        }
        // FNV-1a over the letters, and a last mix for the choice.
        let hash = row.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, letter| {
            (hash ^ letter).wrapping_mul(0x0100_0000_01b3)
        });
        let hash = hash ^ (hash >> 29);
        if hash % ONE_OF == 0 {
            found.push(hash);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_known_however_it_is_laid_out_and_another_text_is_not() {
        let mut seen = Seen::default();
        seen.add(
            "The keys of the lighthouse hang behind the barometer,\nas Theodora told us when we asked her.",
        );
        for (quote, expected) in [
            (
                "> The keys of the lighthouse hang\n> behind the barometer, as Theodora told\n> us when we asked her.",
                true,
            ),
            (
                "On Monday somebody wrote:\n> the **keys** of the lighthouse hang behind the barometer",
                true,
            ),
            (
                "> error 17: no such device in the engine room, see the log of the night watch",
                false,
            ),
            (
                "The keys of the lighthouse hang behind the barometer, as Theodora told us",
                true,
            ),
            ("> Ok.", true),
        ] {
            assert_eq!(seen.has(&quote.lines().collect::<Vec<_>>()), expected, "{quote}");
        }
    }
}
