//! Delimited text: which character stands between the fields, and whether a text without a name is a table at all.

/// The characters that part fields, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// So many records are looked at.
const SAMPLE_RECORDS: usize = 100;

/// So much text is looked at.
const SAMPLE_BYTES: usize = 64 * 1024;

/// A text whose name doesn't say so is a table with at least so many records.
const FEWEST_RECORDS: usize = 4;

/// The name of a column has at most so many characters.
const LONGEST_NAME: usize = 60;

/// The character that parts the fields of a table: the one that gives most records the same number of fields, and more
/// than one. A table with one column gets the comma.
pub(super) fn delimiter(text: &str) -> u8 {
    DELIMITERS
        .into_iter()
        .map(|delimiter| (delimiter, Shape::of(text, delimiter)))
        .filter(|(_, shape)| shape.columns > 1)
        .max_by(|(_, left), (_, right)| {
            // The first of equals is the likelier one, and `max_by` gives the last.
            let by_share = left.regular_share().total_cmp(&right.regular_share());
            by_share
                .then(left.columns.cmp(&right.columns))
                .then(std::cmp::Ordering::Greater)
        })
        .map_or(b',', |(delimiter, _)| delimiter)
}

/// The delimiter of a text that is a table beyond doubt: every record has as many fields as the first, whose fields
/// are names. Prose has commas, but not the same number of them in each line.
pub(super) fn is_table(text: &str) -> Option<u8> {
    DELIMITERS.into_iter().find(|delimiter| {
        let shape = Shape::of(text, *delimiter);
        let fewest_columns = if *delimiter == b',' { 3 } else { 2 };
        shape.records >= FEWEST_RECORDS
            && shape.regular == shape.records
            && shape.columns >= fewest_columns
            && shape.has_names
    })
}

/// What a text looks like, cut by one delimiter.
#[derive(Default)]
struct Shape {
    /// Records that were looked at.
    records: usize,
    /// Fields of most records.
    columns: usize,
    /// Records with as many fields as that.
    regular: usize,
    /// Whether the first record has nothing but short and different words.
    has_names: bool,
}

impl Shape {
    fn of(text: &str, delimiter: u8) -> Self {
        let sample = &text[..text.floor_char_boundary(SAMPLE_BYTES)];
        let is_cut = sample.len() < text.len();
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(sample.as_bytes());
        let mut records: Vec<csv::StringRecord> = reader
            .records()
            .take(SAMPLE_RECORDS)
            .map_while(Result::ok)
            .collect();
        if is_cut && records.len() > 1 && records.len() < SAMPLE_RECORDS {
            records.pop();
        }
        let widths: Vec<usize> = records.iter().map(csv::StringRecord::len).collect();
        let count = |width: usize| widths.iter().filter(|other| **other == width).count();
        let columns = widths
            .iter()
            .copied()
            .max_by_key(|width| (count(*width), *width))
            .unwrap_or(0);
        Self {
            records: records.len(),
            columns,
            regular: count(columns),
            has_names: records.first().is_some_and(are_names),
        }
    }

    fn regular_share(&self) -> f64 {
        self.regular as f64 / self.records.max(1) as f64
    }
}

fn are_names(record: &csv::StringRecord) -> bool {
    let mut names: Vec<&str> = record.iter().map(str::trim).collect();
    let are_short = names
        .iter()
        .all(|name| !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.ends_with('.'));
    let are_words = names.iter().all(|name| name.parse::<f64>().is_err());
    names.sort_unstable();
    are_short && are_words && names.windows(2).all(|pair| pair[0] != pair[1])
}
