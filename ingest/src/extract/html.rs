//! HTML: the main content as Markdown, which is then the text of the document.
//!
//! The way of a page: [`convert`] makes Markdown of its body, without the parts that HTML itself marks as navigation;
//! Readability (through `dom_smoothie`) finds the article on it, and [`main_content`] keeps what stands between the
//! article's first and last paragraph, and outside of that only what can't be a menu. Readability alone would lose
//! too much: it was made for news, and drops headings, tables and whole sections of reference pages.

mod convert;
mod main_content;
mod table;

use chrono::{DateTime, NaiveDate, Utc};
use dom_smoothie::{Metadata, Readability};
use lectern_domain::{AttributeValue, Attributes, Extracted};

use super::ExtractError;
use super::markdown::outline;
use super::read::title_line;
use convert::to_markdown;

/// A page with more open elements than this is refused: parsing takes time that grows with the square of the depth.
const MAX_DEPTH: usize = 4_000;

/// Elements whose end tag may be missing (HTML, 13.1.2.4) or that have none.
const WITHOUT_END: [&str; 32] = [
    "area", "base", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta",
    "optgroup", "option", "p", "param", "rp", "rt", "source", "tbody", "td", "tfoot", "th", "thead", "tr",
    "track", "wbr", "html", "head", "body",
];

/// Reads a page. Spans are those of the Markdown that comes out.
pub(super) fn read(html: &str) -> Result<Extracted, ExtractError> {
    check_depth(html)?;
    let page = Readability::new(html, None, None).ok();
    let metadata = page
        .as_ref()
        .map(|page| page.get_article_metadata(page.parse_json_ld()));
    let article = page.and_then(|mut page| page.parse().ok());
    let body = to_markdown(html)?;
    let text = match &article {
        Some(article) => main_content::of(body, &to_markdown(&article.content)?),
        None => body,
    };
    if text.trim().is_empty() {
        return Err(ExtractError::NoText);
    }
    let outline = outline(&text);
    let mut metadata = metadata.unwrap_or_default();
    let stated = article.as_ref().and_then(|article| title_line(&article.title));
    if let Some(article) = article {
        metadata.byline = article.byline.or(metadata.byline);
        metadata.lang = article.lang.or(metadata.lang);
    }
    Ok(Extracted {
        title: stated.or_else(|| title_element(html)).or(outline.title),
        media_type: "text/html".to_owned(),
        blocks: outline.blocks,
        text,
        attributes: attributes(&metadata),
        ..Extracted::default()
    })
}

/// Reads a piece of HTML that is a document's text as it is: the body of a message, a field of a feed.
pub(super) fn read_part(html: &str) -> Result<Extracted, ExtractError> {
    check_depth(html)?;
    let text = to_markdown(html)?;
    let outline = outline(&text);
    Ok(Extracted {
        title: outline.title,
        media_type: "text/html".to_owned(),
        blocks: outline.blocks,
        text,
        ..Extracted::default()
    })
}

/// What the page's head says about it.
fn attributes(metadata: &Metadata) -> Attributes {
    let text = |value: &Option<String>| value.as_deref().and_then(title_line).map(AttributeValue::Text);
    let date = |value: &Option<String>| value.as_deref().and_then(date).map(AttributeValue::Date);
    [
        ("author", text(&metadata.byline)),
        ("created", date(&metadata.published_time)),
        ("modified", date(&metadata.modified_time)),
        ("language", text(&metadata.lang)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

/// A point in time as pages state it (ISO 8601), or a day.
fn date(value: &str) -> Option<DateTime<Utc>> {
    let value = value.trim();
    let day = |text: &str| {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    };
    DateTime::parse_from_rfc3339(value)
        .or_else(|_| DateTime::parse_from_str(value, "%Y-%m-%dT%H:%M:%S%z"))
        .map(|date| date.to_utc())
        .ok()
        .or_else(|| Some(day(value.get(..10)?)?.and_utc()))
}

/// Refuses a page with more elements in each other than [`MAX_DEPTH`].
pub(super) fn check_depth(html: &str) -> Result<(), ExtractError> {
    let most = super::limits::depth(MAX_DEPTH);
    if depth(html) > most {
        return Err(ExtractError::TooDeep(most));
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
    fn a_cell_that_spans_stands_in_each_place_and_a_table_for_layout_is_none() {
        let html = "<table><caption>Hours</caption><tr><th>Day</th><th colspan=2>Open</th></tr>\
                    <tr><td rowspan=2>Monday</td><td>9</td><td>12</td></tr><tr><td>14</td><td><p>17|18</p></td></tr>\
                    <tr><td><table><tr><td>x</td></tr></table></td></tr></table>\
                    <table><tr><td><h2>Menu</h2></td><td>Words of a page.</td></tr></table>";
        insta::assert_snapshot!(read(html).unwrap().text, @r"
        Hours

        | Day | Open | Open |
        | --- | --- | --- |
        | Monday | 9 | 12 |
        | Monday | 14 | 17\|18 |
        | x | | |

        ## Menu

        Words of a page.
        ");
    }

    #[test]
    fn the_head_of_a_page_says_who_wrote_it_and_when() {
        let html = "<html lang=en-GB><head><meta name=author content='Ann Doe'><meta property='article:published_time' \
                    content='2026-01-05T10:00:00+01:00'></head><body><p>Words of a page that is long enough.</p></body></html>";
        let attributes = serde_json::to_string(&read(html).unwrap().attributes).unwrap();
        insta::assert_snapshot!(attributes, @r#"{"author":"Ann Doe","created":"2026-01-05T09:00:00Z","language":"en-GB"}"#);
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
