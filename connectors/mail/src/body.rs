//! The text of a message: its plain part, or the HTML as Markdown where that is missing or says nothing.

use crate::flow::unflow;
use crate::html::to_markdown;
use crate::mime::{Form, Mail, Part};
use crate::quote::{self, Seen};

/// The text of a message is cut after so many bytes.
const MOST_BYTES: usize = 2 << 20;
/// A plain part of less than this beside much more HTML only says that there is HTML.
const STUB_BYTES: usize = 200;

/// The text of a message.
#[derive(Debug)]
pub(crate) struct Body {
    /// With what it quotes.
    pub(crate) full: String,
    is_html: bool,
}

impl Body {
    pub(crate) fn of(mail: &Mail<'_>) -> Self {
        let (text, is_html) = words(mail);
        Self {
            full: bounded(text),
            is_html,
        }
    }

    /// The text as Markdown, freed of signatures, and of what it quotes of texts that can be read elsewhere.
    pub(crate) fn markdown(&self, elsewhere: Option<&Seen>) -> String {
        let text = quote::cut(&self.full, elsewhere);
        match self.is_html {
            true => text,
            false => escaped(&text),
        }
    }
}

/// The words, and whether they were HTML.
fn words(mail: &Mail<'_>) -> (String, bool) {
    let (mut plain, mut pages) = (String::new(), Vec::new());
    for part in mail.text() {
        match part.form {
            Form::Html => pages.push(part.text()),
            _ => add(&mut plain, &readable(part)),
        }
    }
    if pages.is_empty() && plain.trim().len() < STUB_BYTES {
        let html = mail.html().filter(|part| part.form == Form::Html);
        pages.extend(html.map(Part::text));
        let bytes: usize = pages.iter().map(String::len).sum();
        // Markup takes several times as much as the words.
        if bytes < 20 * STUB_BYTES && !plain.trim().is_empty() {
            pages.clear();
        }
        if !pages.is_empty() {
            let rich = markdown(String::new(), &pages);
            return match rich.trim().len() > 5 * plain.trim().len() {
                true => (rich, true),
                false => (plain, false),
            };
        }
    }
    match pages.is_empty() {
        true => (plain, false),
        // Some parts are HTML and others plain.
        false => (markdown(escaped(&plain), &pages), true),
    }
}

fn markdown(mut text: String, pages: &[String]) -> String {
    for page in pages {
        add(&mut text, &to_markdown(page, 2 * MOST_BYTES));
    }
    text
}

/// Adds a text, unless there is too much already.
fn add(text: &mut String, more: &str) {
    if text.len() > MOST_BYTES {
        return;
    }
    if !text.trim().is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(more);
}

fn readable(part: &Part<'_>) -> String {
    match part.is_flowed {
        true => unflow(&part.text(), part.deletes_space),
        false => part.text().replace('\r', ""),
    }
}

/// The text without characters that nobody sees, cut where it is too long.
fn bounded(mut text: String) -> String {
    text.retain(|character| !character.is_control() || "\n\t".contains(character));
    if text.len() > MOST_BYTES {
        text.truncate(text.floor_char_boundary(MOST_BYTES));
        text.push_str("\n\n(The message goes on.)");
    }
    text
}

/// Plain text as Markdown: what would begin a heading of the document doesn't, and a fence that isn't closed doesn't swallow what is behind it.
fn escaped(text: &str) -> String {
    let is_fence = |line: &str| line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
    let is_open = text.lines().filter(|line| is_fence(line)).count() % 2 == 1;
    let mut escaped = String::with_capacity(text.len());
    for line in text.lines() {
        let begins = line.trim_start();
        if begins.starts_with('#') || (is_open && is_fence(line)) {
            escaped.push_str(&line[..line.len() - begins.len()]);
            escaped.push('\\');
            escaped.push_str(begins);
        } else {
            escaped.push_str(line);
        }
        escaped.push('\n');
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        Body::of(&Mail::parse(text.as_bytes()).unwrap())
            .markdown(None)
            .trim()
            .to_owned()
    }

    #[test]
    fn plain_text_is_preferred_and_html_read_where_it_is_missing() {
        let both = |plain: &str, html: &str| {
            format!(
                "From: a@x\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n{plain}\n\
                 --b\nContent-Type: text/html\n\n{html}\n--b--\n"
            )
        };
        let page = format!("<p>{}</p>", "rich words ".repeat(600));
        for (message, expected) in [
            ("From: a@x\n\nplain\n".to_owned(), "plain"),
            ("From: a@x\nContent-Type: text/html\n\n<p>rich <b>words</b></p>\n".to_owned(), "rich **words**"),
            (both("plain", "<p>rich</p>"), "plain"),
            (both("", "<p>rich</p>"), "rich"),
            ("From: a@x\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nB=FCro\n".to_owned(), "Büro"),
            ("From: a@x\nContent-Type: text/plain; format=flowed\n\none \ntwo\n".to_owned(), "one two"),
            ("From: a@x\n\n# no heading\n".to_owned(), "\\# no heading"),
            ("From: a@x\n\n```\nopen\n".to_owned(), "\\```\nopen"),
            ("From: a@x\n\n```\nx\n```\n".to_owned(), "```\nx\n```"),
        ] {
            assert_eq!(of(&message), expected, "{message}");
        }
        assert!(
            of(&both("Your program shows no HTML.", &page)).starts_with("rich words"),
            "a stub"
        );
    }
}
