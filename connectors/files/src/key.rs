//! Names of files as text, and back.
//!
//! A name on Unix is bytes. A key is text, so bytes that aren't UTF-8, control characters and the percent sign
//! itself are percent-encoded (RFC 3986, section 2.1): every name has its own key, and a key gives its name back.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// One component of a path as text.
pub fn encode(name: &OsStr) -> String {
    let mut key = String::new();
    for chunk in name.as_bytes().utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || character == '%' {
                let mut buffer = [0; 4];
                percent(&mut key, character.encode_utf8(&mut buffer).as_bytes());
            } else {
                key.push(character);
            }
        }
        percent(&mut key, chunk.invalid());
    }
    key
}

/// The name that [`encode`] made `key` of, or `None` where it made none such.
pub(crate) fn decode(key: &str) -> Option<OsString> {
    let mut name = Vec::with_capacity(key.len());
    let mut rest = key;
    while let Some((before, after)) = rest.split_once('%') {
        name.extend_from_slice(before.as_bytes());
        name.push(u8::from_str_radix(after.get(..2)?, 16).ok()?);
        rest = &after[2..];
    }
    name.extend_from_slice(rest.as_bytes());
    let name = OsString::from_vec(name);
    // Only what encodes to the same key was made of it: no second spelling, and no way around a check.
    (encode(&name) == key && !name.as_bytes().contains(&b'/')).then_some(name)
}

/// The address of a file (RFC 8089).
pub fn file_uri(path: &Path) -> String {
    let mut uri = "file://".to_owned();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            percent(&mut uri, &[byte]);
        }
    }
    uri
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
