//! Slack's tokens, taken out of whatever is read.
//!
//! The addresses of files in an export carry a token that opens them (`?t=xoxe-...`), and people paste tokens into
//! messages. Every text that leaves a JSON file comes through [`text`], so that nothing behind it ever holds a token;
//! what is put together of several texts comes through [`scrub`] once more.

use std::borrow::Cow;

use serde_json::Value;

/// What stands in a token's place.
const REMOVED: &str = "token-removed";

/// The heads of the tokens that don't begin with `xox` and a letter.
const OTHER_HEADS: [&str; 2] = ["xapp", "xwfp"];

/// The text under `key`, without tokens.
pub(crate) fn text(value: &Value, key: &str) -> Option<String> {
    let text = value.get(key)?.as_str()?;
    Some(scrub(text).into_owned())
}

/// The same, where there is anything in it.
pub(crate) fn some_text(value: &Value, key: &str) -> Option<String> {
    text(value, key).filter(|text| !text.trim().is_empty())
}

/// The text without tokens. Costs one look at each byte.
pub(crate) fn scrub(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut clean: Option<String> = None;
    let (mut copied, mut place) = (0, 0);
    while place < bytes.len() {
        let Some(end) = token_end(bytes, place) else {
            place += 1;
            continue;
        };
        // A token begins with a letter and ends before anything that isn't ASCII.
        let clean = clean.get_or_insert_with(String::new);
        clean.push_str(text.get(copied..place).unwrap_or_default());
        clean.push_str(REMOVED);
        (copied, place) = (end, end);
    }
    match clean {
        None => Cow::Borrowed(text),
        Some(mut clean) => {
            clean.push_str(text.get(copied..).unwrap_or_default());
            Cow::Owned(clean)
        }
    }
}

/// Overwrites the tokens in the content of a file, so that its length and what lies where stay the same.
pub(crate) fn mask(bytes: &mut [u8]) {
    let mut place = 0;
    while place < bytes.len() {
        match token_end(bytes, place) {
            None => place += 1,
            Some(end) => {
                bytes[place..end].fill(b'*');
                place = end;
            }
        }
    }
}

/// The end of the token that begins at `place`.
fn token_end(bytes: &[u8], place: usize) -> Option<usize> {
    if !matches!(bytes[place], b'x' | b'X') {
        return None;
    }
    let begins = |at: usize, head: &str| {
        bytes
            .get(at..at + head.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(head.as_bytes()))
    };
    let is_head = begins(place, "xox") && bytes.get(place + 3).is_some_and(u8::is_ascii_alphanumeric)
        || OTHER_HEADS.iter().any(|head| begins(place, head));
    let after = place + 4;
    let is_token = bytes.get(after) == Some(&b'-')
        || begins(after, "%2d")
        || (bytes.get(after) == Some(&b'.') && begins(after + 1, "xox"));
    if !is_head || !is_token {
        return None;
    }
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.%_+/=".contains(byte);
    let length = bytes[place..].iter().take_while(|byte| is_part(byte)).count();
    Some(place + length)
}

/// The address without what opens a file for whoever holds it: `t` at Slack's hosts, and whatever held a token.
pub(crate) fn address(url: &str) -> String {
    let url = scrub(url);
    let Some((base, rest)) = url.split_once('?') else {
        return url.into_owned();
    };
    let (query, fragment) = match rest.split_once('#') {
        Some((query, fragment)) => (query, Some(fragment)),
        None => (rest, None),
    };
    let host = base.split('/').nth(2).unwrap_or_default();
    let is_slack = ["slack.com", "slack-files.com"]
        .iter()
        .any(|domain| host == *domain || host.ends_with(&format!(".{domain}")));
    let kept: Vec<&str> = query
        .split('&')
        .filter(|part| !(part.contains(REMOVED) || is_slack && part.starts_with("t=")))
        .collect();
    let mut address = base.to_owned();
    if !kept.is_empty() {
        address = format!("{address}?{}", kept.join("&"));
    }
    if let Some(fragment) = fragment {
        address = format!("{address}#{fragment}");
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn has_token(text: &str) -> bool {
        let text = text.to_lowercase();
        let bytes = text.as_bytes();
        (0..bytes.len()).any(|place| token_end(bytes, place).is_some())
    }

    #[test]
    fn tokens_of_every_kind_go_and_words_stay() {
        for (text, clean) in [
            ("see xoxb-12-ab!", "see token-removed!"),
            ("XOXE-1", "token-removed"),
            ("xoxe.xoxp-1-ab xapp-1-A", "token-removed token-removed"),
            ("xoxe%2D1", "token-removed"),
            ("xoxxoxe-1", "xoxtoken-removed"),
            ("Xoxo, xerox-9, xox-e", "Xoxo, xerox-9, xox-e"),
            ("über xoxc-ü", "über token-removedü"),
        ] {
            assert_eq!(scrub(text), clean, "{text}");
        }
        let mut bytes = b"\xffa xoxe-12 b".to_vec();
        mask(&mut bytes);
        assert_eq!(bytes, b"\xffa ******* b");
    }

    #[test]
    fn an_address_loses_what_opens_it() {
        for (url, clean) in [
            (
                "https://files.slack.com/files-pri/T1-F1/a.pdf?t=xoxe-1-2",
                "https://files.slack.com/files-pri/T1-F1/a.pdf",
            ),
            (
                "https://files.slack.com/a?b=1&t=plain#c",
                "https://files.slack.com/a?b=1#c",
            ),
            (
                "https://example.com/?t=90s&k=xoxp-1",
                "https://example.com/?t=90s",
            ),
            ("https://example.com/", "https://example.com/"),
        ] {
            assert_eq!(address(url), clean, "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_token_survives(text in "([xX][oO][xX][a-eA-E0-9]?|[-.%2dD/]|xapp|ü|[a-z ]){0,30}") {
            prop_assert!(!has_token(&scrub(&text)), "{}", scrub(&text));
            let mut bytes = text.into_bytes();
            mask(&mut bytes);
            prop_assert!((0..bytes.len()).all(|place| token_end(&bytes, place).is_none()));
        }
    }
}
