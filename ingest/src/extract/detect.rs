//! What a file is, from what is in it. The name only decides between Markdown and plain text, where the content
//! can't: every plain text is Markdown too.

/// How much of a file is looked at for its first mark.
const HEAD_BYTES: usize = 1024;

/// What name or media type say a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    Pdf,
    Html,
    Markdown,
    Plain,
    None,
}

/// What a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextFormat {
    Html,
    Markdown,
    Plain,
}

impl Hint {
    pub(super) fn new(name: &str, media_type: Option<&str>) -> Self {
        let media_type = media_type
            .and_then(|stated| stated.split(';').next())
            .map(|stated| stated.trim().to_ascii_lowercase());
        match media_type.as_deref() {
            Some("application/pdf") => return Self::Pdf,
            Some("text/html" | "application/xhtml+xml") => return Self::Html,
            Some("text/markdown" | "text/x-markdown") => return Self::Markdown,
            _ => {}
        }
        let extension = name
            .rsplit_once('.')
            .map(|(_, extension)| extension.to_ascii_lowercase());
        match extension.as_deref() {
            Some("pdf") => Self::Pdf,
            Some("html" | "htm" | "xhtml") => Self::Html,
            Some("md" | "markdown" | "mdown" | "mkd") => Self::Markdown,
            Some(_) => Self::Plain,
            None if media_type.as_deref() == Some("text/plain") => Self::Plain,
            None => Self::None,
        }
    }
}

/// Whether the bytes are a PDF: the header comes first, or among the first bytes of something that isn't text
/// (some writers put rubbish before it, and readers have always accepted that).
pub(super) fn is_pdf(bytes: &[u8]) -> bool {
    const HEADER: &[u8] = b"%PDF-";
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    head.trim_ascii_start().starts_with(HEADER)
        || (head.windows(HEADER.len()).any(|window| window == HEADER) && std::str::from_utf8(bytes).is_err())
}

/// What a text is written in.
pub(super) fn text_format(text: &str, hint: Hint) -> TextFormat {
    if begins_as_html(text) || (hint == Hint::Html && text.contains('<')) {
        return TextFormat::Html;
    }
    match hint {
        Hint::Markdown => TextFormat::Markdown,
        Hint::None if looks_like_markdown(text) => TextFormat::Markdown,
        _ => TextFormat::Plain,
    }
}

/// Whether the first tag, after comments and an XML declaration, is one that only HTML begins with.
fn begins_as_html(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest {
            _ if rest.starts_with("<!--") => "-->",
            _ if rest.starts_with("<?") => ">",
            _ => break,
        };
        let Some((_, after)) = rest.split_once(end) else {
            return false;
        };
        rest = after.trim_start();
    }
    let head: String = rest.chars().take(15).collect::<String>().to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body"]
        .iter()
        .any(|mark| head.starts_with(mark))
}

/// Whether a text without a name has headings and something else that only Markdown has.
fn looks_like_markdown(text: &str) -> bool {
    let has_heading = text.lines().any(|line| {
        let words = line.trim_start_matches('#');
        (1..=6).contains(&(line.len() - words.len())) && words.starts_with(' ')
    });
    let has_more = text.contains("](")
        || text.contains("**")
        || text
            .lines()
            .any(|line| line.starts_with("```") || line.starts_with("- ") || line.starts_with("| "));
    has_heading && has_more
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(name: &str, text: &str) -> TextFormat {
        text_format(text, Hint::new(name, None))
    }

    #[test]
    fn content_counts_before_the_name() {
        assert_eq!(
            format("a.txt", "\n<!-- x --><!DOCTYPE html><p>a"),
            TextFormat::Html
        );
        assert_eq!(
            format("a.md", "<?xml version=\"1.0\"?>\n<HTML><body>a"),
            TextFormat::Html
        );
        assert_eq!(format("a.html", "plain, without a tag"), TextFormat::Plain);
        assert_eq!(format("a.html", "<p>a fragment"), TextFormat::Html);
        assert!(is_pdf(b"\n%PDF-1.7 ..."));
        assert!(is_pdf(b"\xff\xfe rubbish %PDF-1.4"));
        assert!(!is_pdf(b"A PDF begins with %PDF-1.4."));
    }

    #[test]
    fn the_name_decides_between_markdown_and_plain_text() {
        let markdown = "# Title\n\n- one\n- two\n";
        assert_eq!(format("a.md", "no marks at all"), TextFormat::Markdown);
        assert_eq!(format("a.txt", markdown), TextFormat::Plain);
        assert_eq!(format("README", markdown), TextFormat::Markdown);
        assert_eq!(format("Makefile", "# a comment\nall: x\n"), TextFormat::Plain);
        assert_eq!(
            text_format("x", Hint::new("a", Some("text/markdown; charset=utf-8"))),
            TextFormat::Markdown
        );
    }
}
