//! Names of objects as keys of documents, as parts of addresses, and back.
//!
//! The document of the object `docs/a.md` in the bucket `handbook` has the key `handbook/docs/a.md`, however many buckets a
//! source has, so that one bucket more renames nothing. Control characters, the percent sign and a last `/` are
//! percent-encoded (RFC 3986, section 2.1): every name has its own key, and a key gives its name back.

use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode_byte, utf8_percent_encode,
};

/// What isn't plain in a query, and in a path.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const PATH: &AsciiSet = &QUERY.remove(b'/');

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
            key.extend(
                character
                    .encode_utf8(&mut buffer)
                    .bytes()
                    .map(percent_encode_byte),
            );
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
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

/// A name as part of an address: everything but letters, digits, `-._~` and `/` is percent-encoded.
pub(crate) fn path_of(object: &str) -> String {
    utf8_percent_encode(object, PATH).to_string()
}

/// A text as part of a query.
pub(crate) fn query_of(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bytes as they were written when the first keys were stored.
    fn percent(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
    }

    /// A key as it was written then: it must not be another one today.
    fn first_key(bucket: &str, object: &str) -> String {
        let body = object.strip_suffix('/').unwrap_or(object);
        let written = body
            .chars()
            .map(|character| match character.is_control() || character == '%' {
                true => percent(character.to_string().as_bytes()),
                false => character.to_string(),
            });
        let end = if body.len() < object.len() { "%2F" } else { "" };
        format!("{bucket}/{}{end}", written.collect::<String>())
    }

    /// The part of an address as it was written then.
    fn first_address(text: &str, plain: &str) -> String {
        let written = text.bytes().map(|byte| {
            let character = char::from(byte);
            match character.is_ascii_alphanumeric() || plain.contains(character) {
                true => character.to_string(),
                false => percent(&[byte]),
            }
        });
        written.collect()
    }

    proptest! {
        #[test]
        fn every_name_is_written_as_ever(object in "[\\x00-\\xff/%.~ ]{0,12}|\\PC{0,12}|[a-z%2f/]{0,12}") {
            prop_assert_eq!(encode("bucket", &object), first_key("bucket", &object));
            prop_assert_eq!(path_of(&object), first_address(&object, "-._~/"));
            prop_assert_eq!(query_of(&object), first_address(&object, "-._~"));
            if !object.is_empty() {
                let key = first_key("bucket", &object);
                prop_assert_eq!(decode(&key), Some(("bucket", object)));
            }
        }

        #[test]
        fn a_key_that_reads_back_was_written_so(key in "bucket/[a%/0-9A-Fz\u{80}-\u{a0}]{0,9}") {
            if let Some((bucket, object)) = decode(&key) {
                prop_assert_eq!(first_key(bucket, &object), key.clone());
            }
        }

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
