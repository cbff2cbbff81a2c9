//! Text whose lines were cut where they are too long and are to be put together again (`format=flowed`, RFC 3676).

/// What stands before a signature.
const SIGNATURE: &str = "-- ";

/// The text with its paragraphs on one line each. What is quoted has `> ` before it, once for each level.
pub(crate) fn unflow(text: &str, deletes_space: bool) -> String {
    let mut flowed = String::with_capacity(text.len());
    let mut last: Option<(usize, String)> = None;
    let mut is_open = false;
    for line in text.lines() {
        let line = line.trim_end_matches('\r');
        let depth = line.bytes().take_while(|byte| *byte == b'>').count();
        let words = &line[depth..];
        let words = words.strip_prefix(' ').unwrap_or(words);
        let is_signature = words == SIGNATURE;
        match last
            .as_mut()
            .filter(|last| is_open && last.0 == depth && !is_signature)
        {
            Some(last) => last.1.push_str(words),
            None => {
                write(&mut flowed, last.take());
                last = Some((depth, words.to_owned()));
            }
        }
        is_open = words.ends_with(' ') && !is_signature;
        if is_open
            && deletes_space
            && let Some(last) = &mut last
        {
            last.1.pop();
        }
    }
    write(&mut flowed, last);
    flowed
}

/// Writes a paragraph, with what says how deep it is quoted.
fn write(flowed: &mut String, paragraph: Option<(usize, String)>) {
    let Some((depth, words)) = paragraph else {
        return;
    };
    if depth > 0 {
        flowed.push_str(&">".repeat(depth));
        flowed.push(' ');
    }
    flowed.push_str(if words == SIGNATURE {
        &words
    } else {
        words.trim_end()
    });
    flowed.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_put_together_and_quotes_kept_apart() {
        for (text, deletes_space, expected) in [
            ("one \ntwo\nthree\n", false, "one two\nthree\n"),
            ("東 \n京\n", true, "東京\n"),
            ("> a \n> b\n>> c \nd\n", false, "> a b\n>> c\nd\n"),
            ("text \n-- \nAda\n", false, "text\n-- \nAda\n"),
            (" From here\n >no quote\n", false, "From here\n>no quote\n"),
            ("", false, ""),
        ] {
            assert_eq!(unflow(text, deletes_space), expected, "{text:?}");
        }
    }
}
