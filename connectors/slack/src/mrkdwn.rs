//! Slack's own markup as Markdown.
//!
//! A text is split into code and prose; prose goes line by line: a line becomes [`pieces`] (characters, and what stands
//! between `<` and `>`, made into names and links), and [`emphasis`] makes bold, italic and struck text of them and
//! escapes what Markdown would take for markup. Little is escaped, since people and the index of words read the text
//! as it stands.
//!
//! Nothing here is more than linear in the length of the text, and nothing but a link to the web or a mail address
//! becomes a link.

mod pieces;
mod emphasis;

use pieces::{Piece, pieces, plain};

/// Longer lines are cut before their markup is looked at, so that none costs much memory.
const LONGEST_LINE_BYTES: usize = 64 << 10;

const FENCE: &str = "```";

/// Who and what can be mentioned.
pub(crate) trait Names {
    /// The name of a user. The mention is noted.
    fn user(&mut self, id: &str) -> Option<String>;
    /// The name of a channel, as the reader may know it.
    fn channel(&mut self, id: &str) -> Option<String>;
}

/// The text as Markdown. It has no blank line at its end.
pub(crate) fn to_markdown(text: &str, names: &mut dyn Names) -> String {
    let mut markdown = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(FENCE) {
        let Some((code, after)) = after.split_once(FENCE) else {
            break;
        };
        prose(before, names, &mut markdown);
        fence(
            &plain(code.strip_prefix('\n').unwrap_or(code), names),
            &mut markdown,
        );
        rest = after;
    }
    prose(rest, names, &mut markdown);
    markdown.truncate(markdown.trim_end().len());
    markdown
}

/// One line of words without markup of its own, such as a name.
pub(crate) fn escape(text: &str) -> String {
    let pieces: Vec<Piece> = text
        .chars()
        .map(|character| match character.is_control() {
            true => Piece::Char(' '),
            false => Piece::Char(character),
        })
        .collect();
    let mut escaped = String::new();
    emphasis::write_plainly(&pieces, &mut escaped);
    escaped
}

/// The first line that has anything in it, without markup.
pub(crate) fn first_line(text: &str, names: &mut dyn Names) -> Option<String> {
    let plain = plain(text, names);
    let mut lines = plain
        .lines()
        .map(|line| line.trim_matches(|sign: char| sign.is_whitespace() || "`>•".contains(sign)));
    let line = lines.find(|line| !line.is_empty())?;
    let pieces: Vec<Piece> = line.chars().take(LONGEST_LINE_BYTES).map(Piece::Char).collect();
    let mut words = String::new();
    emphasis::write_words(&pieces, &mut words);
    Some(words)
}

/// A text that is shown as it is.
pub(crate) fn code_block(text: &str) -> String {
    let mut block = String::new();
    fence(text, &mut block);
    block.truncate(block.trim_end().len());
    block
}

/// A block of code, with a fence that is longer than any in it.
fn fence(code: &str, markdown: &mut String) {
    let mut longest = 0;
    let mut run = 0;
    for character in code.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest.max(2) + 1);
    if !markdown.is_empty() && !markdown.ends_with('\n') {
        markdown.push('\n');
    }
    markdown.push_str(&fence);
    markdown.push('\n');
    markdown.push_str(code.trim_end());
    markdown.push('\n');
    markdown.push_str(&fence);
    markdown.push('\n');
}

fn prose(text: &str, names: &mut dyn Names, markdown: &mut String) {
    let mut rest_is_quoted = false;
    let mut was_quoted = false;
    for (number, line) in text.split('\n').enumerate() {
        let line = line.trim();
        if number > 0 {
            markdown.push('\n');
        }
        let mut content = line;
        let mut is_quoted = rest_is_quoted;
        if let Some(quoted) = line.strip_prefix("&gt;&gt;&gt;") {
            (rest_is_quoted, is_quoted, content) = (true, true, quoted.trim_start());
        } else if let Some(quoted) = line.strip_prefix("&gt;") {
            (is_quoted, content) = (true, quoted.trim_start());
        }
        if was_quoted && !is_quoted && !content.is_empty() {
            // Else the line would continue the quotation.
            markdown.push('\n');
        }
        was_quoted = is_quoted;
        if is_quoted {
            markdown.push_str("> ");
        }
        write_line(content, names, markdown);
    }
}

fn write_line(line: &str, names: &mut dyn Names, markdown: &mut String) {
    let content = ["• ", "◦ ", "▪ ", "▪︎ "]
        .iter()
        .find_map(|bullet| line.strip_prefix(bullet));
    let mut rest = match content {
        Some(content) => {
            markdown.push_str("- ");
            content
        }
        None => line,
    };
    if is_rule(rest) {
        markdown.push('\\');
    }
    while !rest.is_empty() {
        let (part, after) = rest.split_at(rest.floor_char_boundary(LONGEST_LINE_BYTES));
        emphasis::write(&pieces(part, names), markdown);
        rest = after;
    }
}

/// Whether Markdown would take the line for a rule, the line under a heading, or that of a table.
fn is_rule(line: &str) -> bool {
    !line.is_empty()
        && line.starts_with(['-', '=', '|', ':', '+'])
        && line.chars().all(|sign| "-=|:+ ".contains(sign))
}

#[cfg(test)]
mod tests;
