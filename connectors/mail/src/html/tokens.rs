//! HTML as a sequence of tags and words, read once from its beginning to its end.
//!
//! Cut as browsers do it (the tokenizer of the HTML standard), as far as words depend on it. Other tokenizers hold each attribute of a tag
//! against all before it, and so are busy for minutes with a tag of a million of them; here a tag has four that matter, and the others are passed over.

use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::html::add_html_token;

/// Elements whose content is no HTML. What is in them isn't read.
const RAW: [&str; 9] = [
    "script",
    "style",
    "title",
    "textarea",
    "xmp",
    "iframe",
    "noembed",
    "noframes",
    "plaintext",
];
/// The longest name of a character is `&CounterClockwiseContourIntegral;`.
const LONGEST_REFERENCE: usize = 34;

/// What HTML consists of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// With references to characters.
    Words(&'a str),
    Start(Tag<'a>),
    /// The name of the element that ends.
    End(&'a str),
}

/// The beginning of an element. Values have references to characters.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    pub(super) alt: &'a str,
    pub(super) class: &'a str,
    pub(super) id: &'a str,
    pub(super) style: &'a str,
}

/// Reads tokens. Comments and the like are passed over.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    rest: &'a str,
    /// The element whose content is passed over.
    raw: Option<&'a str>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self {
            rest: html,
            raw: None,
        }
    }

    /// Goes on behind the first such text, or to the end.
    fn skip_behind(&mut self, text: &str) {
        let end = self.rest.find(text).map(|place| place + text.len());
        self.rest = &self.rest[end.unwrap_or(self.rest.len())..];
    }

    /// The tag that begins here, if it has an end.
    fn tag(&mut self, name_at: usize) -> Option<Tag<'a>> {
        let tag = tag(self.rest, name_at);
        self.rest = tag.as_ref().map_or("", |(_, end)| &self.rest[*end..]);
        tag.map(|(tag, _)| tag)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if let Some(name) = self.raw.take() {
                self.rest = &self.rest[raw_end(self.rest, name)..];
            }
            let bytes = self.rest.as_bytes();
            match bytes {
                [] => return None,
                [b'<', b'!', b'-', b'-', ..] => {
                    // The dashes of the beginning may be those of the end.
                    self.rest = &self.rest[2..];
                    self.skip_behind("-->");
                }
                [b'<', b'/', first, ..] if first.is_ascii_alphabetic() => {
                    return self.tag(2).map(|tag| Token::End(tag.name));
                }
                [b'<', b'!' | b'?' | b'/', ..] => self.skip_behind(">"),
                [b'<', first, ..] if first.is_ascii_alphabetic() => {
                    let tag = self.tag(1)?;
                    self.raw = Some(tag.name).filter(|name| is_one_of(name, &RAW));
                    return Some(Token::Start(tag));
                }
                _ => {
                    // A sign that begins no tag is a word.
                    let first = self.rest.chars().next().map_or(0, char::len_utf8);
                    let next = self.rest[first..].find('<');
                    let end = next.map_or(self.rest.len(), |next| first + next);
                    let (words, rest) = self.rest.split_at(end);
                    self.rest = rest;
                    return Some(Token::Words(words));
                }
            }
        }
    }
}

pub(super) fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Where the content of an element ends that is no HTML.
fn raw_end(html: &str, name: &str) -> usize {
    let mut from = 0;
    while let Some(place) = html[from..].find("</") {
        let behind = &html.as_bytes()[from + place + 2..];
        let is_named = behind
            .get(..name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
        if is_named && behind.get(name.len()).is_none_or(|byte| is_end_of_name(*byte)) {
            return from + place;
        }
        from += place + 2;
    }
    html.len()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

fn is_end_of_name(byte: u8) -> bool {
    is_space(byte) || matches!(byte, b'/' | b'>')
}

/// The tag whose name begins at that place, and where it ends. Nothing where it doesn't end.
fn tag(html: &str, name_at: usize) -> Option<(Tag<'_>, usize)> {
    let bytes = html.as_bytes();
    let until = |from: usize, is_end: &dyn Fn(u8) -> bool| {
        let rest = bytes.get(from..).unwrap_or_default();
        let length = rest.iter().position(|byte| is_end(*byte));
        from.min(bytes.len()) + length.unwrap_or(rest.len())
    };
    let mut place = until(name_at, &is_end_of_name);
    let mut tag = Tag {
        name: &html[name_at..place],
        ..Tag::default()
    };
    loop {
        let start = until(place, &|byte| !is_space(byte) && byte != b'/');
        if *bytes.get(start)? == b'>' {
            return Some((tag, start + 1));
        }
        // An equals sign at its beginning belongs to a name.
        let name_end = until(start + 1, &|byte| is_end_of_name(byte) || byte == b'=');
        let name = &html[start..name_end];
        place = until(name_end, &|byte| !is_space(byte));
        if bytes.get(place) != Some(&b'=') {
            continue;
        }
        let from = until(place + 1, &|byte| !is_space(byte));
        let value = match *bytes.get(from)? {
            quote @ (b'"' | b'\'') => {
                let end = until(from + 1, &|byte| byte == quote);
                place = end + 1;
                html.get(from + 1..end)?
            }
            _ => {
                place = until(from, &|byte| is_space(byte) || byte == b'>');
                &html[from..place]
            }
        };
        let known = match name.to_ascii_lowercase().as_str() {
            "alt" => &mut tag.alt,
            "class" => &mut tag.class,
            "id" => &mut tag.id,
            "style" => &mut tag.style,
            _ => continue,
        };
        if known.is_empty() {
            *known = value;
        }
    }
}

/// Adds a text with the characters in the place of the references to them.
pub(super) fn add_decoded(text: &str, decoded: &mut String) {
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        decoded.push_str(before);
        let length = behind
            .bytes()
            .take(LONGEST_REFERENCE)
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'#')
            .count();
        if length == 0 || behind.as_bytes().get(length) != Some(&b';') {
            decoded.push('&');
            rest = behind;
            continue;
        }
        match in_windows_1252(&behind[..length]) {
            Some(character) => decoded.push_str(&character),
            None => add_html_token(decoded, format!("&{};", &behind[..length]).as_bytes(), false),
        }
        rest = &behind[length + 1..];
    }
    decoded.push_str(rest);
}

/// `&#146;` is an apostrophe to all who write it, though its number is another character's.
fn in_windows_1252(reference: &str) -> Option<String> {
    let number = reference.strip_prefix('#')?;
    let number = match number.strip_prefix(['x', 'X']) {
        Some(number) => u8::from_str_radix(number, 16).ok()?,
        None => number.parse::<u8>().ok()?,
    };
    let decode = charset_decoder(b"windows-1252")?;
    (0x80..=0x9f).contains(&number).then(|| decode(&[number]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(html: &str) -> String {
        let mut shown = String::new();
        for token in Tokens::new(html) {
            match token {
                Token::Words(words) => add_decoded(words, &mut shown),
                Token::Start(tag) => shown.push_str(&format!(
                    "[{}]",
                    [tag.name, tag.alt, tag.class, tag.id, tag.style]
                        .join(",")
                        .trim_end_matches(',')
                )),
                Token::End(name) => shown.push_str(&format!("[/{name}]")),
            }
        }
        shown
    }

    #[test]
    fn html_is_cut_as_browsers_cut_it() {
        for (html, expected) in [
            ("", ""),
            ("a<b>c</b>d", "a[b]c[/b]d"),
            ("1 < 2 <3 é<é>", "1 < 2 <3 é<é>"),
            ("<p class=a id='b' style=\"c\" class=d x y = z/>e", "[p,,a,b,c]e"),
            ("<img src=\"a>b\" alt='1 > 0'>", "[img,1 > 0]"),
            ("<IMG ALT=map/>", "[IMG,map/]"),
            ("<a =b=c / d=>e</a f=g>", "[a]e[/a]"),
            (
                "a<!-- <b> -- > -->c<!-->d<!--->e<!doctype html>f<?x?>g</>h</1>i",
                "acdefghi",
            ),
            ("a<!--[if mso]><p><![endif]-->b<![if !mso]>c<![endif]>", "abc"),
            ("<script>a<b</scripts>c</SCRIPT >d", "[script][/SCRIPT]d"),
            ("<style>a", "[style]"),
            ("a<b", "a"),
            ("a<b c", "a"),
            ("a<b c='", "a"),
            ("a<b c='d", "a"),
            ("a<!-- b", "a"),
            ("a<", "a<"),
            (
                "&lt;p&gt; &amp;&nbsp;&eacute;&#233;&#xE9;&#146;",
                "<p> &\u{a0}ééé’",
            ),
            (
                "&nothing; & &; &#; &#xfffffff; &é;",
                "&nothing; & &; &#; \u{fffd} &é;",
            ),
        ] {
            assert_eq!(shown(html), expected, "{html}");
        }
    }
}
