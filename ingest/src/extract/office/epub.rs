//! EPUB (2 and 3): the chapters in the order of the spine, as HTML.
//!
//! The way of a book: `rbook` reads the package (what the book says of itself, its spine, its table of contents); each
//! chapter is converted to Markdown, whole, because a chapter has no menus; one that has no heading of its own gets the name that
//! the table of contents has for it.

use std::collections::HashMap;
use std::io::Cursor;

use htmd::{Element, HtmlToMarkdown, element_handler::Handlers};
use lectern_domain::{BlockKind, Extracted};
use rbook::Epub;

use super::super::read::title_line;
use super::super::{ExtractError, decode, html, markdown};
use super::marks;
use super::package::{MAX_PART_BYTES, Package};
use super::properties::{Properties, date, keywords};
use super::writer::Writer;

/// What holds no text of a chapter. The list of contents is that of the book, which the headings are already.
const SKIPPED: [&str; 9] = [
    "head", "script", "style", "template", "nav", "svg", "audio", "video", "iframe",
];

/// Elements that have no end tag in HTML.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];

/// The level of a chapter that is named by the table of contents alone.
const CHAPTER_LEVEL: u8 = 1;

/// Reads an EPUB.
pub(super) fn read(
    package: &mut Package<'_>,
    bytes: &[u8],
    writer: &mut Writer,
) -> Result<Properties, ExtractError> {
    let encryption = package.text("META-INF/encryption.xml")?.unwrap_or_default();
    // Fonts are often obfuscated, which hides no words.
    if encryption.contains("xmlenc#aes") || package.has("META-INF/rights.xml") {
        return Err(ExtractError::Encrypted);
    }
    // `rbook` inflates by itself.
    package.verify(|name| {
        ["xml", ".opf", ".ncx", "htm", "html", ".rels"]
            .iter()
            .any(|end| name.ends_with(end))
    })?;
    let book = Epub::options()
        .strict(false)
        .read(Cursor::new(bytes.to_vec()))
        .map_err(|error| ExtractError::ArchiveDamaged(format!("the book: {error}")))?;
    let names = names(&book);
    for entry in book.spine().iter() {
        let Some(chapter) = entry.manifest_entry() else {
            continue;
        };
        let path = chapter.href().path().as_str().to_owned();
        match chapter.read_bytes() {
            Ok(bytes) if bytes.len() as u64 <= MAX_PART_BYTES => {
                let chapter = self::chapter(&decode::decode_any(&bytes))?;
                write(chapter, names.get(&path).map(String::as_str), writer);
            }
            Ok(_) => writer.warn(format!("the chapter {path} is too large")),
            Err(error) => writer.warn(format!("the chapter {path} could not be read: {error}")),
        }
    }
    Ok(properties(&book))
}

/// What the table of contents calls a chapter, by its file.
fn names(book: &Epub) -> HashMap<String, String> {
    let mut names = HashMap::new();
    let Some(contents) = book.toc().contents() else {
        return names;
    };
    for entry in contents.flatten() {
        if let (Some(href), Some(name)) = (entry.href(), title_line(entry.label())) {
            names.entry(href.path().as_str().to_owned()).or_insert(name);
        }
    }
    names
}

fn properties(book: &Epub) -> Properties {
    let metadata = book.metadata();
    let authors: Vec<&str> = metadata.creators().map(|author| author.value()).collect();
    Properties {
        title: metadata.title().and_then(|title| title_line(title.value())),
        author: title_line(&authors.join(", ")),
        subject: None,
        keywords: metadata.tags().flat_map(|tag| keywords(tag.value())).collect(),
        language: metadata
            .language()
            .and_then(|language| title_line(language.value())),
        created: metadata.published_entry().and_then(|entry| date(entry.value())),
        modified: metadata.modified_entry().and_then(|entry| date(entry.value())),
    }
}

fn write(chapter: Extracted, name: Option<&str>, writer: &mut Writer) {
    let has_heading = chapter
        .blocks
        .iter()
        .any(|block| matches!(block.kind, BlockKind::Heading { .. }));
    if let Some(name) = name.filter(|_| !has_heading && !chapter.blocks.is_empty()) {
        writer.heading(CHAPTER_LEVEL, name);
    }
    writer.append(chapter);
}

/// A chapter as Markdown with its blocks.
fn chapter(xhtml: &str) -> Result<Extracted, ExtractError> {
    html::check_depth(xhtml)?;
    let html = with_end_tags(xhtml);
    let markdown = HtmlToMarkdown::builder()
        .skip_tags(SKIPPED.to_vec())
        .add_handler(vec!["a"], |handlers: &dyn Handlers, element: Element| {
            let words = handlers.walk_children(element.node);
            let address = element.attrs.iter().find(|it| &*it.name.local == "href");
            let address = address.map_or("", |address| &*address.value);
            Some(marks::link(&words.content, address).into())
        })
        .add_handler(vec!["img"], |_: &dyn Handlers, element: Element| {
            let description = element
                .attrs
                .iter()
                .find(|attribute| &*attribute.name.local == "alt");
            Some(description.map_or("", |attribute| &*attribute.value).into())
        })
        .build()
        .convert(&html)
        .map_err(|error| ExtractError::ParserFailed(error.to_string()))?;
    Ok(markdown::read(markdown))
}

/// Writes `<title/>` as `<title></title>`: for HTML the former never ends, and all that follows is a title.
fn with_end_tags(xhtml: &str) -> String {
    let mut html = String::with_capacity(xhtml.len());
    let mut rest = xhtml;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        html.push_str(before);
        let Some(end) = tag.find('>') else {
            rest = tag;
            break;
        };
        let (tag, after) = tag.split_at(end + 1);
        rest = after;
        let name: String = tag[1..]
            .chars()
            .take_while(|character| character.is_ascii_alphanumeric() || matches!(character, ':' | '-'))
            .collect();
        match tag.strip_suffix("/>") {
            Some(open) if !name.is_empty() && !VOID.contains(&name.to_ascii_lowercase().as_str()) => {
                html.push_str(&format!("{open}></{name}>"));
            }
            _ => html.push_str(tag),
        }
    }
    html.push_str(rest);
    html
}

#[cfg(test)]
mod tests {
    use super::super::samples::{archive, blocks, extract};
    use super::*;

    #[test]
    fn an_element_without_content_does_not_swallow_what_follows() {
        let xhtml = "<html><head><title/><script src='x'/></head><body><h1>One</h1><p>a<br/>b <a id='x'/>c</p>\
                     <aside>a note</aside></body></html>";
        let chapter = chapter(xhtml).unwrap();
        for words in ["# One", "b c", "a note"] {
            assert!(
                chapter.text.contains(words),
                "{words} is missing in {}",
                chapter.text
            );
        }
    }

    fn book(chapter: &str, more: &[(&str, String)]) -> Vec<u8> {
        let container = "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container' version='1.0'><rootfiles><rootfile full-path='b/c.opf' media-type='application/oebps-package+xml'/></rootfiles></container>";
        let package = "<package xmlns='http://www.idpf.org/2007/opf' xmlns:dc='http://purl.org/dc/elements/1.1/' version='2.0' unique-identifier='i'>\
            <metadata><dc:identifier id='i'>1</dc:identifier><dc:title>A book</dc:title><dc:creator>A. B.</dc:creator><dc:language>en</dc:language><dc:date>2024-03-01</dc:date><dc:subject>Leave</dc:subject></metadata>\
            <manifest><item id='n' href='toc.ncx' media-type='application/x-dtbncx+xml'/><item id='1' href='one.xhtml' media-type='application/xhtml+xml'/><item id='2' href='two.xhtml' media-type='application/xhtml+xml'/></manifest>\
            <spine toc='n'><itemref idref='2'/><itemref idref='1'/></spine></package>";
        let contents = "<ncx xmlns='http://www.daisy.org/z3986/2005/ncx/' version='2005-1'><navMap><navPoint id='x' playOrder='1'><navLabel><text>Chapter two</text></navLabel><content src='two.xhtml'/></navPoint></navMap></ncx>";
        let mut parts = vec![
            ("mimetype", "application/epub+zip".to_owned()),
            ("META-INF/container.xml", container.to_owned()),
            ("b/c.opf", package.to_owned()),
            ("b/toc.ncx", contents.to_owned()),
            ("b/one.xhtml", chapter.to_owned()),
            (
                "b/two.xhtml",
                "<html><body><p>second words</p></body></html>".to_owned(),
            ),
        ];
        parts.extend(more.iter().cloned());
        archive(&parts)
    }

    #[test]
    fn chapters_come_in_the_order_of_the_spine_and_have_names() {
        let chapter = "<html><head><title/></head><body><h2>One</h2><p>See <a href='https://a.example/x'>there</a> and <a href='two.xhtml'>here</a>.</p>\
                       <table><tr><th>a</th></tr><tr><td>1</td></tr></table></body></html>";
        let extracted = extract(&book(chapter, &[])).unwrap();
        insta::assert_snapshot!(blocks(&extracted), @r"
        - # Chapter two
        - second words
        - ## One
        - See [there](https://a.example/x) and here.
        - | a |
        | - |
        | 1 |
        ");
        assert_eq!(extracted.title.as_deref(), Some("A book"));
        assert_eq!(extracted.media_type, "application/epub+zip");
        assert_eq!(extracted.attributes.len(), 4, "{:?}", extracted.attributes);
    }

    #[test]
    fn a_protected_book_is_told() {
        let rights = ("META-INF/rights.xml", "<rights/>".to_owned());
        assert_eq!(
            extract(&book("", &[rights])).unwrap_err(),
            ExtractError::Encrypted
        );
    }
}
