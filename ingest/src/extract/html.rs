//! HTML: the main content as Markdown, which is then the text of the document.
//!
//! Readability (through `dom_smoothie`) finds the article on a page and leaves navigation and footers out. It was
//! made for news: on a page of tables, questions and answers or reference entries it takes one part and drops
//! the rest. So the whole body, without the parts that HTML itself marks as navigation, is converted too, and
//! where the article is less than [`ARTICLE_SHARE`] of that, the body is taken: for a knowledge base a lost
//! paragraph is worse than a menu too many.

use dom_smoothie::Readability;
use htmd::{Element, HtmlToMarkdown, element_handler::Handlers};
use lectern_domain::{AttributeValue, Attributes, Extracted};

use super::ExtractError;
use super::markdown::outline;
use super::read::title_line;

/// The part of the body's text that an article must have.
const ARTICLE_SHARE: f64 = 0.4;

/// What holds no text of the document.
const SKIPPED: [&str; 16] = [
    "head", "script", "style", "template", "noscript", "nav", "footer", "aside", "form", "button", "select",
    "iframe", "svg", "canvas", "audio", "video",
];

/// A page with more open elements than this is refused: parsing takes time that grows with the square of the depth.
const MAX_DEPTH: usize = 4_000;

/// Elements whose end tag may be missing (HTML, 13.1.2.4) or that have none.
const WITHOUT_END: [&str; 32] = [
    "area", "base", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta",
    "optgroup", "option", "p", "param", "rp", "rt", "source", "tbody", "td", "tfoot", "th", "thead", "tr",
    "track", "wbr", "html", "head", "body",
];

/// Reads HTML. Spans are those of the Markdown that comes out.
pub(super) fn read(html: &str) -> Result<Extracted, ExtractError> {
    check_depth(html)?;
    let article = Readability::new(html, None, None)
        .ok()
        .and_then(|mut page| page.parse().ok());
    let body = to_markdown(html)?;
    let from_article = match &article {
        Some(article) => to_markdown(&article.content)?,
        None => String::new(),
    };
    let is_whole = letters(&from_article) as f64 >= ARTICLE_SHARE * letters(&body) as f64;
    let text = if is_whole && !from_article.trim().is_empty() {
        from_article
    } else {
        body
    };
    if text.trim().is_empty() {
        return Err(ExtractError::NoText);
    }
    let outline = outline(&text);
    let stated = article.as_ref().and_then(|article| title_line(&article.title));
    let mut attributes = Attributes::new();
    if let Some(author) = article
        .and_then(|article| article.byline)
        .as_deref()
        .and_then(title_line)
    {
        attributes.insert("author".to_owned(), AttributeValue::Text(author));
    }
    Ok(Extracted {
        title: stated.or_else(|| title_element(html)).or(outline.title),
        media_type: "text/html".to_owned(),
        blocks: outline.blocks,
        text,
        attributes,
        ..Extracted::default()
    })
}

/// Markdown of a page. A link becomes its words and an image its description: where they lead costs tokens and
/// says nothing to a reader of the passage.
fn to_markdown(html: &str) -> Result<String, ExtractError> {
    HtmlToMarkdown::builder()
        .skip_tags(SKIPPED.to_vec())
        .add_handler(vec!["a"], |handlers: &dyn Handlers, element: Element| {
            Some(handlers.walk_children(element.node))
        })
        .add_handler(vec!["img"], |_: &dyn Handlers, element: Element| {
            let description = element
                .attrs
                .iter()
                .find(|attribute| &*attribute.name.local == "alt");
            Some(description.map_or("", |attribute| &*attribute.value).into())
        })
        .build()
        .convert(html)
        .map_err(|error| ExtractError::ParserFailed(error.to_string()))
}

/// Refuses a page with more elements in each other than [`MAX_DEPTH`].
pub(super) fn check_depth(html: &str) -> Result<(), ExtractError> {
    if depth(html) > MAX_DEPTH {
        return Err(ExtractError::TooDeep(MAX_DEPTH));
    }
    Ok(())
}

/// How many elements are open at the same time, at most, if every element that needs an end tag has one.
fn depth(html: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0_usize);
    for tag in html.split('<').skip(1) {
        let is_end = tag.starts_with('/');
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(|character| character.is_ascii_alphanumeric() || *character == '!')
            .map(|character| character.to_ascii_lowercase())
            .collect();
        if name.is_empty() || name.starts_with('!') || WITHOUT_END.contains(&name.as_str()) {
            continue;
        }
        open = if is_end { open.saturating_sub(1) } else { open + 1 };
        deepest = deepest.max(open);
    }
    deepest
}

fn letters(text: &str) -> usize {
    text.chars()
        .filter(|character| character.is_alphanumeric())
        .count()
}

/// The words of `<title>`, for a page on which no article was found.
fn title_element(html: &str) -> Option<String> {
    // ASCII case folding keeps every offset.
    let folded = html.to_ascii_lowercase();
    let tag = folded.find("<title")?;
    let start = tag + folded[tag..].find('>')? + 1;
    let end = start + folded[start..].find("</title")?;
    title_line(&to_markdown(&html[start..end]).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_article_is_kept_and_the_frame_is_dropped() {
        let paragraph =
            "The committee meets on the first Monday of each month, and decides about leave. ".repeat(6);
        let html = format!(
            "<html><head><title>Leave policy</title><script>let x = '<p>no</p>';</script></head><body>\
             <nav><a href='/'>Home</a></nav><article><h1>Leave policy</h1><p>{paragraph}</p>\
             <h2>Parents</h2><p>{paragraph}</p><table><tr><th>Who</th><th>Weeks</th></tr>\
             <tr><td>Parents</td><td>20</td></tr></table><p><a href='https://example.org/x'>The form</a> \
             <img src='data:image/png;base64,AAAA' alt='A form'></p></article>\
             <footer>Imprint</footer></body></html>"
        );
        let extracted = read(&html).unwrap();
        assert_eq!(extracted.title.as_deref(), Some("Leave policy"));
        for present in [
            "## Parents",
            "first Monday",
            "| Parents | 20",
            "The form",
            "A form",
        ] {
            assert!(
                extracted.text.contains(present),
                "{present} is missing in {}",
                extracted.text
            );
        }
        for absent in ["Home", "Imprint", "let x", "base64", "example.org"] {
            assert!(
                !extracted.text.contains(absent),
                "{absent} is in {}",
                extracted.text
            );
        }
        assert!(
            extracted
                .blocks
                .iter()
                .any(|block| block.kind == lectern_domain::BlockKind::Table)
        );
    }

    #[test]
    fn a_page_without_an_article_is_read_whole() {
        let html = "<title>Opening hours &amp; contact</title><ul><li>Monday 9 to 5</li><li>Tuesday 9 to 6</li></ul>";
        let extracted = read(html).unwrap();
        assert_eq!(extracted.title.as_deref(), Some("Opening hours & contact"));
        assert!(extracted.text.contains("Tuesday 9 to 6"));
        assert_eq!(
            read("<html><body><script>1</script></body></html>")
                .unwrap_err()
                .code(),
            "no_text"
        );
    }
}
