//! The names of folders as people know them.
//!
//! A Maildir++ folder `.Work.2024` is `Work/2024`; its letters beyond ASCII are in the form of UTF-7 that IMAP has
//! (RFC 3501, 5.1.3): `&ANw-ber` is `Über`. What programs add to the names of mbox files and their folders is taken off.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The folder that new mail comes to.
pub(crate) const INBOX: &str = "INBOX";

/// What programs add to names.
const ENDINGS: [&str; 4] = [".mbox", ".mbx", ".sbd", ".eml"];

/// The name of the folder below `parent`, which is empty or [`INBOX`] at the top.
pub(crate) fn below(parent: &str, name: &str) -> String {
    let name = plain(name);
    match parent {
        "" | INBOX => name,
        parent => format!("{parent}/{name}"),
    }
}

/// The name of a Maildir++ folder, which begins with a dot, of the Maildir that is called `parent`.
pub(crate) fn maildir_folder(parent: &str, name: &str) -> String {
    let parts: Vec<String> = name
        .split('.')
        .filter(|part| !part.is_empty())
        .map(decode)
        .collect();
    match parent {
        "" | INBOX => parts.join("/"),
        parent => format!("{parent}/{}", parts.join("/")),
    }
}

/// The name of a file or folder without what programs add to it.
pub(crate) fn plain(name: &str) -> String {
    let ending = ENDINGS
        .iter()
        .find(|ending| name.len() > ending.len() && name.ends_with(**ending));
    let name = ending
        .and_then(|ending| name.strip_suffix(ending))
        .unwrap_or(name);
    decode(name)
}

/// Letters beyond ASCII; what isn't written so stays as it is.
fn decode(name: &str) -> String {
    let mut decoded = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let Some((coded, behind)) = after.split_once('-') else {
            return name.to_owned();
        };
        if coded.is_empty() {
            decoded.push('&');
        } else {
            let Some(letters) = letters(coded) else {
                return name.to_owned();
            };
            decoded.push_str(&letters);
        }
        rest = behind;
    }
    decoded.push_str(rest);
    decoded
}

fn letters(coded: &str) -> Option<String> {
    let bytes = STANDARD_NO_PAD.decode(coded.replace(',', "/")).ok()?;
    let units: Vec<u16> = bytes
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte)))
        .collect();
    (bytes.len() % 2 == 0).then(|| String::from_utf16(&units).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_called_as_people_call_them() {
        assert_eq!(maildir_folder(INBOX, ".Work.2024"), "Work/2024");
        assert_eq!(maildir_folder("ada", ".Entw&APw-rfe"), "ada/Entwürfe");
        assert_eq!(maildir_folder("", ".&ZeVnLIqe-"), "日本語");
        assert_eq!(below("", "Sent.mbox"), "Sent");
        assert_eq!(below("Work.sbd", "R&-D"), "Work.sbd/R&D");
        assert_eq!(below(INBOX, ".eml"), ".eml");
        for odd in ["A&B", "A&!!-", "A&AA-"] {
            assert_eq!(plain(odd), odd);
        }
    }
}
