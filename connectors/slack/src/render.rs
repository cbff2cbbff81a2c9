//! How a message reads: a line with who and when, then what was said, in Markdown.
//!
//! What was said is the text; then what of the blocks isn't in it (programs write in blocks and repeat a part of it as
//! the text); then attachments as quotations, and the names of files, with what the export has of their text.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::blocks;
use crate::clean::{scrub, some_text};
use crate::directory::Directory;
use crate::message::{Scene, Shown, author, files, reactions};
use crate::moment::Moment;
use crate::mrkdwn::{Names, code_block, escape, first_line, to_markdown};

/// The longest summary, in characters.
const LONGEST_SUMMARY: usize = 80;

/// The most of a file's own text that is shown with the message, in characters.
const LONGEST_PREVIEW: usize = 4_000;

/// Collects who is mentioned.
struct Mentions<'a> {
    directory: &'a Directory,
    /// Where it is read.
    conversation: &'a str,
    people: BTreeSet<String>,
}

impl Names for Mentions<'_> {
    fn user(&mut self, id: &str) -> Option<String> {
        let name = self.directory.known_user(id)?;
        self.people.insert(name.to_owned());
        Some(name.to_owned())
    }

    fn channel(&mut self, id: &str) -> Option<String> {
        let name = self.directory.channel_seen_from(id, self.conversation)?;
        Some(name.to_owned())
    }
}

/// The message as a document shows it; nothing where there is nothing to show.
pub(crate) fn message(
    value: &Value,
    at: Moment,
    is_reply: bool,
    edited: Option<Moment>,
    scene: Scene<'_>,
) -> Option<Shown> {
    let mut mentions = Mentions {
        directory: scene.directory,
        conversation: &scene.conversation.id,
        people: BTreeSet::new(),
    };
    let said = blocks::said(value);
    let attached = blocks::attachments(value);
    let files = files(value);
    if said.is_empty() && attached.is_empty() && files.is_empty() {
        return None;
    }
    let mut parts: Vec<String> = said.iter().map(|text| to_markdown(text, &mut mentions)).collect();
    for attachment in &attached {
        let lines = to_markdown(attachment, &mut mentions);
        let quoted: Vec<String> = lines.lines().map(|line| format!("> {line}")).collect();
        parts.push(quoted.join("\n"));
    }
    parts.extend(
        files
            .iter()
            .map(|file| format!("Attached: {}", escape(&file.name))),
    );
    parts.extend(previews(value));
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() {
        return None;
    }
    let summary = said
        .iter()
        .chain(&attached)
        .find_map(|text| first_line(text, &mut mentions))
        .or_else(|| Some(files.first()?.name.clone()))
        .unwrap_or_default();
    let author = author(value, scene.directory);
    let head = head(value, &author, at, is_reply, edited);
    let block = format!("{head}\n{}", parts.join("\n\n"));
    Some(Shown {
        block: scrub(&block).into_owned(),
        summary: shortened(&scrub(&one_line(&summary)), LONGEST_SUMMARY),
        author: scrub(&author).into_owned(),
        mentioned: mentions.people.into_iter().collect(),
        reactions: reactions(value),
        files,
        changed: edited.unwrap_or(at).max(at).0,
    })
}

/// Who, how and when.
fn head(value: &Value, author: &str, at: Moment, is_reply: bool, edited: Option<Moment>) -> String {
    let is_broadcast = value["subtype"] == "thread_broadcast" || value["subtype"] == "reply_broadcast";
    let how = match (is_reply, is_broadcast) {
        (true, true) => " in reply, also to the channel",
        (true, false) => " in reply",
        (false, _) => "",
    };
    let edited = if edited.is_some() { ", edited" } else { "" };
    let when = at.time().format("%Y-%m-%d %H:%M");
    format!("**{}**{how}, {when} UTC{edited}:", escape(author.trim()))
}

/// What the export has of the text of files: the beginning of a snippet, a mail that was forwarded.
fn previews(value: &Value) -> Vec<String> {
    let files = value["files"].as_array().into_iter().flatten();
    files
        .filter_map(|file| some_text(file, "plain_text").or_else(|| some_text(file, "preview")))
        .map(|text| code_block(&shortened(&text, LONGEST_PREVIEW)))
        .collect()
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// The text, cut where it is longer.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

#[cfg(test)]
mod tests;
