//! Names of objects as keys of documents, as parts of addresses, and back.
//!
//! The document of the object `docs/a.md` in the bucket `handbook` has the key `handbook/docs/a.md`, however many buckets a
//! source has, so that one bucket more renames nothing. Control characters, the percent sign and a last `/` are
//! percent-encoded (RFC 3986, section 2.1): every name has its own key, and a key gives its name back.

use std::fmt::Write as _;

/// The key of the document that an object is.
pub(crate) fn encode(bucket: &str, object: &str) -> String {
    let mut key = format!("{bucket}/");
    let (body, is_folder) = match object.strip_suffix('/') {
        Some(body) => (body, true),
        None => (object, false),
    };
    for character in body.chars() {
        if character.is_control() || character == '%' {
            let mut buffer = [0; 4];
            percent(&mut key, character.encode_utf8(&mut buffer).as_bytes());
        } else {
            key.push(character);
        }
    }
    if is_folder {
        key.push_str("%2F");
    }
    key
}

/// The bucket and the name of the object that [`encode`] made `key` of, or `None` where it made none such.
pub(crate) fn decode(key: &str) -> Option<(&str, String)> {
    let (bucket, rest) = key.split_once('/')?;
    let object = undo_percent(rest)?;
    (!object.is_empty() && encode(bucket, &object) == key).then_some((bucket, object))
}

/// The text that was percent-encoded, where it was UTF-8.
pub(crate) fn undo_percent(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        bytes.push(u8::from_str_radix(after.get(..2)?, 16).ok()?);
        rest = &after[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}

/// A name as part of an address: everything but letters, digits, `-._~` and `/` is percent-encoded.
pub(crate) fn path_of(object: &str) -> String {
    escaped(object, "-._~/")
}

/// A text as part of a query.
pub(crate) fn query_of(text: &str) -> String {
    escaped(text, "-._~")
}

/// Whether an address can carry the name: `.` and `..` between slashes are taken out of every one on the way.
pub(crate) fn is_addressable(object: &str) -> bool {
    !object.split('/').any(|part| part == "." || part == "..")
}

/// The name of the file: what stands after the last `/` that isn't the end.
pub(crate) fn file_name(object: &str) -> &str {
    let body = object.trim_end_matches('/');
    let name = body.rsplit('/').next().unwrap_or(body);
    if name.is_empty() { object } else { name }
}

fn escaped(text: &str, plain: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        let character = char::from(byte);
        if character.is_ascii_alphanumeric() || plain.contains(character) {
            escaped.push(character);
        } else {
            percent(&mut escaped, &[byte]);
        }
    }
    escaped
}

fn percent(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a String doesn't fail.
        write!(text, "%{byte:02X}").unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_name_reads_back(object in any::<String>().prop_filter("some", |name| !name.is_empty())) {
            let key = encode("bucket", &object);
            prop_assert!(!key.ends_with('/') && !key.chars().any(char::is_control));
            prop_assert_eq!(decode(&key), Some(("bucket", object)));
        }
    }

    #[test]
    fn names_stay_readable() {
        assert_eq!(encode("b", "Über 100% sicher.md"), "b/Über 100%25 sicher.md");
        assert_eq!(encode("b", "/a//b/"), "b//a//b%2F");
        assert_eq!(path_of("a b/ü+?.md"), "a%20b/%C3%BC%2B%3F.md");
        assert_eq!(file_name("a/b.md"), "b.md");
        assert_eq!((file_name("a/b/"), file_name("/")), ("b", "/"));
    }

    #[test]
    fn what_was_never_encoded_is_no_key() {
        for key in [
            "", "b", "b/", "b/%41", "b/%", "b/%4", "b/%zz", "b/a/", "b/a%2f", "b/\u{1}",
        ] {
            assert_eq!(decode(key), None, "{key}");
        }
        assert!(!is_addressable("a/../b") && !is_addressable("./a") && is_addressable("a..b/.c"));
    }
}
