//! A line as characters, and what stands between signs: `<...>`, and code between backticks.

use super::{Names, escape};
use crate::clean::address;
use crate::directory::PRIVATE_CHANNEL;

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A character, free of entities.
    Char(char),
    /// Markdown that stays as it is.
    Made(String),
}

impl Piece {
    /// The character; another one for what is made, which is neither a letter nor a space.
    pub(super) fn sign(&self) -> char {
        match self {
            Self::Char(character) => *character,
            Self::Made(_) => '\u{fffc}',
        }
    }
}

/// Slack writes these three signs, and no others, as entities.
const ENTITIES: [(&str, char); 3] = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')];

pub(super) fn pieces(line: &str, names: &mut dyn Names) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        if let Some((piece, after)) = code(rest).or_else(|| reference(rest, names)) {
            pieces.push(piece);
            rest = after;
        } else if let Some((sign, after)) = entity(rest) {
            pieces.push(Piece::Char(sign));
            rest = after;
        } else {
            pieces.push(Piece::Char(first));
            rest = &rest[first.len_utf8()..];
        }
    }
    pieces
}

/// The text with names and addresses in the place of references, and no markup at all.
pub(super) fn plain(text: &str, names: &mut dyn Names) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some((inner, after)) = between(rest) {
            plain.push_str(&Reference::read(inner, names).text);
            rest = after;
        } else if let Some((sign, after)) = entity(rest) {
            plain.push(sign);
            rest = after;
        } else {
            plain.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    plain
}

fn entity(text: &str) -> Option<(char, &str)> {
    if !text.starts_with('&') {
        return None;
    }
    ENTITIES
        .iter()
        .find_map(|(entity, sign)| Some((*sign, text.strip_prefix(entity)?)))
}

fn code(text: &str) -> Option<(Piece, &str)> {
    let (code, after) = text.strip_prefix('`')?.split_once('`')?;
    if code.trim().is_empty() {
        return None;
    }
    let nobody: &mut dyn Names = &mut Nobody;
    Some((Piece::Made(format!("`{}`", plain(code, nobody))), after))
}

/// Nobody is mentioned in code.
struct Nobody;

impl Names for Nobody {
    fn user(&mut self, _: &str) -> Option<String> {
        None
    }

    fn channel(&mut self, _: &str) -> Option<String> {
        None
    }
}

/// What stands between `<` and the `>` that ends it.
fn between(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('<')?;
    let end = inner.find(['<', '>', '\n'])?;
    let is_closed = inner[end..].starts_with('>') && end > 0;
    is_closed.then(|| (&inner[..end], &inner[end + 1..]))
}

fn reference<'a>(text: &'a str, names: &mut dyn Names) -> Option<(Piece, &'a str)> {
    let (inner, after) = between(text)?;
    let reference = Reference::read(inner, names);
    Some((Piece::Made(reference.markdown()), after))
}

/// What a reference stands for.
struct Reference {
    /// To be read by people.
    text: String,
    url: Option<String>,
}

impl Reference {
    fn read(inner: &str, names: &mut dyn Names) -> Self {
        let (target, label) = match inner.split_once('|') {
            Some((target, label)) => (
                target,
                Some(decoded(label)).filter(|label| !label.trim().is_empty()),
            ),
            None => (inner, None),
        };
        let text = |text: String| Self { text, url: None };
        if let Some(id) = target.strip_prefix('@') {
            let name = names.user(id).or(label).unwrap_or_else(|| decoded(id));
            return text(format!("@{}", name.trim_start_matches('@')));
        }
        if let Some(id) = target.strip_prefix('#') {
            let name = names
                .channel(id)
                .or(label)
                .unwrap_or_else(|| PRIVATE_CHANNEL.to_owned());
            return text(format!("#{}", name.trim_start_matches('#')));
        }
        if let Some(command) = target.strip_prefix('!') {
            return text(special(command, label));
        }
        Self::link(&decoded(target), label)
    }

    fn link(target: &str, label: Option<String>) -> Self {
        let url = web_address(&address(target));
        let bare = target.strip_prefix("mailto:").unwrap_or(target);
        let text = match (label, &url) {
            (Some(label), _) => label,
            // What opens a file for whoever holds it isn't shown either.
            (None, Some(url)) => url.strip_prefix("mailto:").unwrap_or(url).to_owned(),
            (None, None) => address(bare),
        };
        Self { text, url }
    }

    fn markdown(&self) -> String {
        match &self.url {
            None => escape(&self.text),
            Some(url) if *url == self.text => format!("<{url}>"),
            Some(url) if url.strip_prefix("mailto:") == Some(self.text.as_str()) => escape(&self.text),
            Some(url) => {
                let label = escape(&self.text)
                    .replace("\\]", "]")
                    .replace('[', "\\[")
                    .replace(']', "\\]");
                format!("[{label}]({url})")
            }
        }
    }
}

/// `<!here>`, `<!subteam^S1|@team>`, `<!date^...|yesterday>`.
fn special(command: &str, label: Option<String>) -> String {
    match (command.split('^').next().unwrap_or_default(), label) {
        (name @ ("here" | "channel" | "everyone"), _) => format!("@{name}"),
        ("subteam", None) => format!("@{}", decoded(command.split('^').nth(1).unwrap_or("group"))),
        (_, Some(label)) => label,
        (name, None) => decoded(name),
    }
}

fn decoded(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (sign, after) = entity(rest).unwrap_or((first, &rest[first.len_utf8()..]));
        decoded.push(sign);
        rest = after;
    }
    decoded
}

/// The address, where a person may follow it, with all signs encoded that mean something to Markdown.
fn web_address(url: &str) -> Option<String> {
    let scheme = url.split(':').next()?.to_ascii_lowercase();
    if !["http", "https", "mailto"].contains(&scheme.as_str()) || url.len() == scheme.len() {
        return None;
    }
    let mut encoded = String::with_capacity(url.len());
    for character in url.chars() {
        if character.is_whitespace() || character.is_control() || "<>()\\`\"".contains(character) {
            let mut buffer = [0; 4];
            for byte in character.encode_utf8(&mut buffer).bytes() {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        } else {
            encoded.push(character);
        }
    }
    Some(encoded)
}
