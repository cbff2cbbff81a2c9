//! What documents are called.
//!
//! | key | document |
//! |---|---|
//! | `threads/ROOT/N` | the part `N`, from 1 on, of the thread that the message with the id of that hash began |
//! | `threads/ROOT/for/PEOPLE/N` | the same, of its messages that name those people alone |
//! | `threads/.../MESSAGE/PLACE` | what is attached at that place, from 1 on, to a message of that document |

use crate::cut::PieceKey;
use crate::entry::{Hash, hex};

/// What a key names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) piece: PieceKey,
    /// What tells a message from the others, and a place from 1 on.
    pub(crate) attached: Option<(Hash, usize)>,
}

impl Key {
    /// Reads a key that a listing has given; nothing else is one.
    pub(crate) fn parse(key: &str) -> Option<Self> {
        let parts: Vec<&str> = key.strip_prefix("threads/")?.split('/').collect();
        let (root, parts) = parts.split_first()?;
        let (audience, parts) = match parts {
            ["for", people, rest @ ..] => (Some(unhex(people)?), rest),
            rest => (None, rest),
        };
        let (number, parts) = parts.split_first()?;
        let attached = match parts {
            [] => None,
            [message, place] => Some((unhex(message)?, usize::try_from(counted(place)?).ok()?)),
            _ => return None,
        };
        let piece = PieceKey {
            root: unhex(root)?,
            audience,
            number: counted(number)?,
        };
        Some(Self { piece, attached })
    }
}

/// A number from 1 on, as a listing writes it.
fn counted(text: &str) -> Option<u32> {
    let number = text.parse::<u32>().ok().filter(|number| *number > 0)?;
    (number.to_string() == text).then_some(number)
}

fn unhex(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    let is_hex = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    for (place, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    is_hex.then_some(hash)
}

impl PieceKey {
    pub(crate) fn text(&self) -> String {
        let people = self.audience.map(|people| format!("for/{}/", hex(&people)));
        format!(
            "threads/{}/{}{}",
            hex(&self.root),
            people.unwrap_or_default(),
            self.number
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_a_listing_gives_and_nothing_else() {
        let (root, people) = (
            "0123456789abcdef0123456789abcdef",
            "ffffffffffffffffffffffffffffffff",
        );
        for key in [
            format!("threads/{root}/1"),
            format!("threads/{root}/for/{people}/12"),
            format!("threads/{root}/1/{people}/3"),
            format!("threads/{root}/for/{people}/1/{people}/3"),
        ] {
            let parsed = Key::parse(&key).unwrap();
            let attached = parsed
                .attached
                .map(|(message, place)| format!("/{}/{place}", hex(&message)));
            assert_eq!(
                format!("{}{}", parsed.piece.text(), attached.unwrap_or_default()),
                key
            );
        }
        for wrong in [
            String::new(),
            "threads/".to_owned(),
            format!("threads/{root}"),
            format!("threads/{root}/0"),
            format!("threads/{root}/01"),
            format!("threads/{root}/1/"),
            format!("threads/{root}/+1"),
            format!("threads/{}/1", root.to_uppercase()),
            format!("threads/{root}/1/{people}"),
            format!("threads/{root}/for/1"),
            "threads/../1".to_owned(),
            format!("threads/é{}/1", &root[2..]),
        ] {
            assert_eq!(Key::parse(&wrong), None, "{wrong:?}");
        }
    }
}
