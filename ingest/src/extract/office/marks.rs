//! How comments, pictures and links are written into running text, in all formats alike.

use super::properties::date;

/// A comment, with who wrote it and on which day, where the file says so.
pub(super) fn comment(author: &str, written: &str, text: &str) -> String {
    let author = match author.trim() {
        "" => String::new(),
        author => format!(" by {author}"),
    };
    let day = date(written).map_or_else(String::new, |date| date.format(", %Y-%m-%d").to_string());
    format!("[Comment{author}{day}: {}]", text.trim())
}

/// A picture, by the description that its author gave; empty without one.
pub(super) fn image(description: &str) -> String {
    let words: Vec<&str> = description.split_whitespace().collect();
    if words.is_empty() {
        return String::new();
    }
    format!("[Image: {}]", words.join(" "))
}

/// A link with where it leads, where that is a place outside of the document that the text doesn't name.
pub(super) fn link(text: &str, address: &str) -> String {
    let leads_out = ["http://", "https://", "mailto:", "ftp://"]
        .iter()
        .any(|scheme| address.starts_with(scheme));
    let words = text.trim();
    if !leads_out || words.is_empty() || words.contains('\n') || words.contains(without_scheme(address)) {
        return text.to_owned();
    }
    let (before, after) = text.split_once(words).unwrap_or_default();
    format!("{before}[{words}]({address}){after}")
}

fn without_scheme(address: &str) -> &str {
    let bare = address.split_once(':').map_or(address, |(_, bare)| bare);
    bare.trim_start_matches('/').trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_says_where_it_leads_once() {
        assert_eq!(
            link(" the form ", "https://a.example/f"),
            " [the form](https://a.example/f) "
        );
        assert_eq!(
            link("https://a.example", "https://a.example/"),
            "https://a.example"
        );
        assert_eq!(
            link("write to x@a.example", "mailto:x@a.example"),
            "write to x@a.example"
        );
        assert_eq!(link("below", "#below"), "below");
        assert_eq!(link(" ", "https://a.example"), " ");
    }

    #[test]
    fn a_comment_says_who_and_when_as_far_as_it_is_known() {
        assert_eq!(
            comment("A. B.", "2024-03-01T10:00:00Z", " no "),
            "[Comment by A. B., 2024-03-01: no]"
        );
        assert_eq!(comment(" ", "", "no"), "[Comment: no]");
        assert_eq!(image(" \n"), "");
    }
}
