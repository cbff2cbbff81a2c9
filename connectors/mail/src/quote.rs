//! What a message quotes, cut out of its text.
//!
//! The text is taken apart into what its author wrote and what is quoted: lines that begin with `>` (quotes of HTML are such lines too), with the line
//! before them that says whose they are; and everything behind a line such as `-----Original Message-----`, behind the header fields that Outlook puts there, or behind a
//! full line of the kind `On ..., Ada <ada@example.com> wrote:` where no `>` follows.
//!
//! | What is quoted | The quoted message is in the mailbox | It isn't |
//! |---|---|---|
//! | at the end, nothing of the author's behind it | cut | kept: it is the only copy |
//! | once, at the beginning, the answer behind it | cut | kept |
//! | between the author's own words | kept: it says what is answered | kept |
//! | what was passed on (`Forwarded message`) | kept | kept |
//!
//! A quoted message is in the mailbox when the message that is answered is, and at least half of the words that are quoted stand in it or
//! in another one before it: words that somebody marked like a quote, and that come from elsewhere, stay.
//!
//! Signatures behind `-- ` and the footers of mailing lists are cut either way. Where nothing would be left, everything is kept.

mod marks;
mod seen;

pub(crate) use seen::Seen;

use marks::{attribution, begins_original, is_forward, is_header_block, is_list_footer};

/// A part of a text: the lines from `start` on, before `end`.
#[derive(Clone, Copy, Debug)]
struct Part {
    start: usize,
    end: usize,
    is_quote: bool,
}

/// The text without its signature, and without what it quotes of the texts that can be read elsewhere.
pub(crate) fn cut(text: &str, elsewhere: Option<&Seen>) -> String {
    let lines: Vec<&str> = text.lines().collect();
    // What was passed on, to the end.
    let end = lines
        .iter()
        .position(|line| is_forward(line))
        .unwrap_or(lines.len());
    let parts = unsigned(parts(&lines[..end]), &lines);
    let goes = |place: usize| {
        let part = parts[place];
        let is_elsewhere = || elsewhere.is_some_and(|seen| seen.has(&lines[part.start..part.end]));
        part.is_quote && is_cut(&parts, place, end < lines.len()) && is_elsewhere()
    };
    let left = |is_left: &dyn Fn(usize) -> bool| {
        let mut kept: Vec<&str> = Vec::new();
        for (_, part) in parts.iter().enumerate().filter(|(place, _)| is_left(*place)) {
            kept.extend(&lines[part.start..part.end]);
            // What was quoted is parted from what is behind it.
            kept.push("");
        }
        kept.extend(&lines[end..]);
        joined(&kept)
    };
    let attempts = [left(&|place| !goes(place)), left(&|_| true), joined(&lines)];
    let found = attempts.into_iter().find(|text| !text.is_empty());
    found.unwrap_or_default()
}

/// The parts without the signature: at the end of what the author wrote, with nothing but quotes behind it.
fn unsigned(mut parts: Vec<Part>, lines: &[&str]) -> Vec<Part> {
    if let Some(last) = parts.iter_mut().rev().find(|part| !part.is_quote) {
        last.end = last.start + signature(&lines[last.start..last.end]);
    }
    let has_words = |part: &Part| {
        lines[part.start..part.end]
            .iter()
            .any(|line| !line.trim().is_empty())
    };
    parts.retain(has_words);
    parts
}

/// Whether a quote goes, when it can be read elsewhere.
fn is_cut(parts: &[Part], place: usize, is_followed: bool) -> bool {
    let has_own = |parts: &[Part]| parts.iter().any(|part| !part.is_quote);
    let is_answered = |place: usize| is_followed || has_own(&parts[place + 1..]);
    let answered = (0..parts.len()).filter(|place| parts[*place].is_quote && is_answered(*place));
    !is_answered(place) || (!has_own(&parts[..place]) && answered.count() == 1)
}

/// Takes a text apart. Empty lines belong to what is before them, and parts with nothing else in them are left to it.
fn parts(lines: &[&str]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut place = 0;
    while place < lines.len() {
        let (length, is_quote) = step(lines, place);
        let end = (place + length).min(lines.len());
        let is_empty = lines[place..end].iter().all(|line| line.trim().is_empty());
        match parts.last_mut() {
            Some(last) if last.is_quote == is_quote || is_empty => last.end = end,
            _ if is_empty => {}
            _ => parts.push(Part {
                start: place,
                end,
                is_quote,
            }),
        }
        place = end;
    }
    parts
}

/// How many lines from here on are of one kind, and whether they are quoted.
fn step(lines: &[&str], place: usize) -> (usize, bool) {
    let rest = &lines[place..];
    let line = rest[0];
    if line.starts_with('>') {
        return (1, true);
    }
    if begins_original(line) || is_header_block(rest) {
        return (rest.len(), true);
    }
    if line.starts_with("____")
        && rest
            .get(1..)
            .is_some_and(|behind| is_header_block(not_empty(behind)))
    {
        return (rest.len(), true);
    }
    if let Some(found) = attribution(rest) {
        let behind = not_empty(&rest[found.lines..]);
        if behind.first().is_some_and(|line| line.starts_with('>')) {
            return (rest.len() - behind.len(), true);
        }
        if found.is_full {
            return (rest.len(), true);
        }
    }
    (1, false)
}

/// Where the signature begins, or the end.
fn signature(lines: &[&str]) -> usize {
    // Programs that take spaces away leave two dashes: then what is behind must be short.
    const MOST_LINES: usize = 12;
    let is_dashes = |place: &usize| {
        let line = lines[*place].trim_start_matches('\\');
        line == "-- " || (line.trim_end() == "--" && lines.len() - place <= MOST_LINES)
    };
    let signed = (0..lines.len()).find(is_dashes).unwrap_or(lines.len());
    let footer = (0..lines.len())
        .find(|place| is_list_footer(&lines[*place..]))
        .unwrap_or(lines.len());
    signed.min(footer)
}

/// The lines as a text, without empty ones at both ends and with no more than one between others.
fn joined(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut is_after_empty = true;
    for line in lines {
        let is_empty = line.trim().is_empty();
        if is_empty && is_after_empty {
            continue;
        }
        is_after_empty = is_empty;
        if !is_empty {
            text.push_str(line.trim_end());
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
}

/// The lines without the empty ones at their beginning.
fn not_empty<'a, 'b>(lines: &'a [&'b str]) -> &'a [&'b str] {
    let first = lines.iter().position(|line| !line.trim().is_empty());
    &lines[first.unwrap_or(lines.len())..]
}

#[cfg(test)]
mod tests;
