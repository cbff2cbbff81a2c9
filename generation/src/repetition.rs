//! Noticing that a model has begun to go round in circles.

/// A shorter piece may well come twice.
const SHORTEST_PIECE_BYTES: usize = 12;
const TIMES: usize = 3;
/// Only the end of the text is looked at, so a look costs the same however long the text is.
const WINDOW_BYTES: usize = 1_200;

/// Whether `text` ends in the same piece three times in a row.
pub fn goes_in_circles(text: &str) -> bool {
    let bytes = text.as_bytes();
    let tail = &bytes[bytes.len().saturating_sub(WINDOW_BYTES)..];
    (SHORTEST_PIECE_BYTES..=tail.len() / TIMES).any(|length| {
        let last = &tail[tail.len() - length..];
        (2..=TIMES).all(|time| &tail[tail.len() - time * length..tail.len() - (time - 1) * length] == last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_times_the_same_is_a_circle_and_twice_is_not() {
        assert!(goes_in_circles(
            "Yes. The leave is 20 weeks. The leave is 20 weeks. The leave is 20 weeks."
        ));
        assert!(!goes_in_circles("The leave is 20 weeks. The leave is 20 weeks."));
        assert!(!goes_in_circles("no no no no"));
        assert!(goes_in_circles(&"no ".repeat(20)));
    }
}
