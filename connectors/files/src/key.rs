//! Names of files as text, and back.
//!
//! A name on Unix is bytes. A key is text, so bytes that aren't UTF-8, control characters and the percent sign
//! itself are percent-encoded (RFC 3986, section 2.1): every name has its own key, and a key gives its name back.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode, percent_encode_byte};

/// What isn't plain in an address.
const ADDRESS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One component of a path as text.
pub fn encode(name: &OsStr) -> String {
    let mut key = String::new();
    for chunk in name.as_bytes().utf8_chunks() {
        for character in chunk.valid().chars() {
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
        key.extend(chunk.invalid().iter().copied().map(percent_encode_byte));
    }
    key
}

/// The name that [`encode`] made `key` of, or `None` where it made none such.
pub(crate) fn decode(key: &str) -> Option<OsString> {
    let name = OsString::from_vec(percent_decode_str(key).collect());
    // Only what encodes to the same key was made of it: no second spelling, and no way around a check.
    (encode(&name) == key && !name.as_bytes().contains(&b'/')).then_some(name)
}

/// The address of a file (RFC 8089).
pub fn file_uri(path: &Path) -> String {
    format!("file://{}", percent_encode(path.as_os_str().as_bytes(), ADDRESS))
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
    fn first_key(name: &[u8]) -> String {
        let chunks = name.utf8_chunks().map(|chunk| {
            let valid =
                chunk
                    .valid()
                    .chars()
                    .map(|character| match character.is_control() || character == '%' {
                        true => percent(character.to_string().as_bytes()),
                        false => character.to_string(),
                    });
            valid.collect::<String>() + &percent(chunk.invalid())
        });
        chunks.collect()
    }

    /// An address as it was written then.
    fn first_address(path: &[u8]) -> String {
        let written =
            path.iter().map(
                |&byte| match byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
                    true => char::from(byte).to_string(),
                    false => percent(&[byte]),
                },
            );
        format!("file://{}", written.collect::<String>())
    }

    fn any_name() -> impl Strategy<Value = Vec<u8>> {
        let text = "[\\x00-\\xff%.~ ]{0,12}|\\PC{0,12}|[a-z%2f]{0,12}".prop_map(String::into_bytes);
        prop_oneof![text, prop::collection::vec(any::<u8>(), 0..20)]
    }

    proptest! {
        #[test]
        fn every_name_is_written_as_ever(bytes in any_name()) {
            let name = OsStr::from_bytes(&bytes);
            prop_assert_eq!(encode(name), first_key(&bytes));
            prop_assert_eq!(file_uri(Path::new(name)), first_address(&bytes));
            if !bytes.contains(&b'/') {
                let key = first_key(&bytes);
                prop_assert_eq!(decode(&key), Some(name.to_owned()));
            }
        }

        #[test]
        fn a_key_that_reads_back_was_written_so(key in "[a%/0-9A-Fz\u{80}-\u{a0}]{0,9}") {
            if let Some(name) = decode(&key) {
                prop_assert_eq!(first_key(name.as_bytes()), key);
            }
        }

        #[test]
        fn every_name_reads_back(bytes in prop::collection::vec(any::<u8>().prop_filter("no slash", |byte| *byte != b'/'), 0..40)) {
            let name = OsString::from_vec(bytes);
            prop_assert_eq!(decode(&encode(&name)), Some(name));
        }
    }

    #[test]
    fn names_stay_readable() {
        assert_eq!(encode(OsStr::new("Über 100% sicher.md")), "Über 100%25 sicher.md");
        assert_eq!(encode(OsStr::from_bytes(b"caf\xe9\n")), "caf%E9%0A");
        assert_eq!(file_uri(Path::new("/a b/ü.md")), "file:///a%20b/%C3%BC.md");
    }

    #[test]
    fn what_was_never_encoded_is_no_key() {
        for key in ["%2Fetc", "%41", "%", "%4", "%zz", "%c3%bc", "a%e9"] {
            assert_eq!(decode(key), None, "{key}");
        }
    }
}
