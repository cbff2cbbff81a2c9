//! HTML as a sequence of tags and words, read once from its beginning to its end.
//!
//! Cut as browsers do it (the tokenizer of the HTML standard), as far as words and links depend on it. For what is read in the server, from
//! whoever wrote it: it takes time by the length of the HTML, and no memory. html5ever's tokenizer holds each attribute of a tag against all before
//! it, and so is busy for minutes with a tag of a million of them.

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
pub enum Token<'a> {
    /// With references to characters.
    Words(&'a str),
    /// A tag that opens an element.
    Start(Tag<'a>),
    /// The name of the element that ends.
    End(&'a str),
}

/// The beginning of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// As it is written.
    pub name: &'a str,
    /// What is between the name and the end of the tag, with it.
    attributes: &'a str,
}

impl<'a> Tag<'a> {
    /// One without attributes.
    pub fn named(name: &'a str) -> Self {
        Self { name, attributes: "" }
    }

    /// The value of the first attribute of that name, with references to characters. Empty where it has none.
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        let mut attributes = Attributes::of(self.attributes);
        let found = attributes.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }
}

/// Reads tokens. Comments and the like are passed over.
#[derive(Debug)]
pub struct Tokens<'a> {
    rest: &'a str,
    /// The element whose content is passed over.
    raw: Option<&'a str>,
}

impl<'a> Tokens<'a> {
    /// From the beginning.
    pub fn new(html: &'a str) -> Self {
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

/// Whether a name is one of those, in whatever case.
pub fn is_one_of(name: &str, names: &[&str]) -> bool {
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
    let name_end = until(html, name_at, is_end_of_name);
    let mut attributes = Attributes::of(&html[name_end..]);
    attributes.by_ref().for_each(drop);
    let end = name_end + attributes.end?;
    let tag = Tag {
        name: &html[name_at..name_end],
        attributes: &html[name_end..end],
    };
    Some((tag, end))
}

/// The place of the first such byte from there on, or the end.
fn until(html: &str, from: usize, is_end: impl Fn(u8) -> bool) -> usize {
    let rest = html.as_bytes().get(from..).unwrap_or_default();
    let length = rest.iter().position(|byte| is_end(*byte));
    from.min(html.len()) + length.unwrap_or(rest.len())
}

/// The names and values of a tag, up to its end.
#[derive(Debug)]
struct Attributes<'a> {
    html: &'a str,
    place: usize,
    /// Behind the tag, once that has been reached.
    end: Option<usize>,
}

impl<'a> Attributes<'a> {
    fn of(html: &'a str) -> Self {
        Self {
            html,
            place: 0,
            end: None,
        }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (html, bytes) = (self.html, self.html.as_bytes());
        let start = until(html, self.place, |byte| !is_space(byte) && byte != b'/');
        if *bytes.get(start)? == b'>' {
            self.end = Some(start + 1);
            return None;
        }
        // An equals sign at its beginning belongs to a name.
        let name_end = until(html, start + 1, |byte| is_end_of_name(byte) || byte == b'=');
        let name = &html[start..name_end];
        self.place = until(html, name_end, |byte| !is_space(byte));
        if bytes.get(self.place) != Some(&b'=') {
            return Some((name, ""));
        }
        let from = until(html, self.place + 1, |byte| !is_space(byte));
        let value = match *bytes.get(from)? {
            quote @ (b'"' | b'\'') => {
                let end = until(html, from + 1, |byte| byte == quote);
                self.place = end + 1;
                html.get(from + 1..end)?
            }
            _ => {
                self.place = until(html, from, |byte| is_space(byte) || byte == b'>');
                &html[from..self.place]
            }
        };
        Some((name, value))
    }
}

/// Adds a text with the characters in the place of the references to them.
pub fn add_decoded(text: &str, decoded: &mut String) {
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
    use proptest::prelude::*;

    fn shown(html: &str) -> String {
        let mut shown = String::new();
        for token in Tokens::new(html) {
            match token {
                Token::Words(words) => add_decoded(words, &mut shown),
                Token::Start(tag) => {
                    let values =
                        ["alt", "class", "id", "style"].map(|name| tag.attribute(name).unwrap_or_default());
                    let written = format!("{},{}", tag.name, values.join(","));
                    shown.push_str(&format!("[{}]", written.trim_end_matches(',')));
                }
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

    proptest! {
        #[test]
        fn any_text_is_cut_to_its_end_and_nothing_is_invented(html in "[<>/a-cé=\"'! &;-]{0,300}") {
            let mut bytes = 0;
            for token in Tokens::new(&html) {
                bytes += match token {
                    Token::Words(words) => words.len(),
                    Token::End(name) => name.len(),
                    Token::Start(tag) => tag.name.len() + tag.attribute("a").unwrap_or_default().len(),
                };
            }
            prop_assert!(bytes <= html.len());
        }
    }
}
