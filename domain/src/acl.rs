//! Who may read a document.
//!
//! The rule is closed by default: a document that names nobody is read by nobody. A source may say
//! otherwise for its documents that carry no permissions ([`DefaultAccess`]). A denial wins over
//! any permission. Amazon Kendra treats a document without an ACL as public; Lectern doesn't.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Somebody or some group that a permission can name. Written `everyone`, `user:NAME`, `group:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Principal {
    /// Whoever can reach the server and is let in.
    Everyone,
    /// One person.
    User(String),
    /// The members of a group.
    Group(String),
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => formatter.write_str("everyone"),
            Self::User(name) => write!(formatter, "user:{name}"),
            Self::Group(name) => write!(formatter, "group:{name}"),
        }
    }
}

/// A text that names no principal.
#[derive(Debug, thiserror::Error)]
#[error("no principal: {0:?} (expected everyone, user:NAME or group:NAME)")]
pub struct PrincipalError(String);

impl FromStr for Principal {
    type Err = PrincipalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "everyone" => Ok(Self::Everyone),
            Some(("user", name)) if !name.is_empty() => Ok(Self::User(name.to_owned())),
            Some(("group", name)) if !name.is_empty() => Ok(Self::Group(name.to_owned())),
            _ => Err(PrincipalError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Principal {
    type Error = PrincipalError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Principal> for String {
    fn from(principal: Principal) -> Self {
        principal.to_string()
    }
}

/// The permissions of one document: readable by whom `allow` names, unless `deny` names them too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acl {
    /// Who may read.
    pub allow: BTreeSet<Principal>,
    /// Who may not, whatever `allow` says.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deny: BTreeSet<Principal>,
}

impl Acl {
    /// Readable by nobody.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// Readable by everyone who is let in.
    pub fn everyone() -> Self {
        Self::allowing([Principal::Everyone])
    }

    /// Readable by those `principals`.
    pub fn allowing(principals: impl IntoIterator<Item = Principal>) -> Self {
        Self {
            allow: principals.into_iter().collect(),
            deny: BTreeSet::new(),
        }
    }

    /// Whether somebody who is all of `principals` may read. This is the one place with the rule.
    pub fn permits(&self, principals: &BTreeSet<Principal>) -> bool {
        !self.allow.is_disjoint(principals) && self.deny.is_disjoint(principals)
    }
}

/// What a source says of its documents that carry no permissions of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DefaultAccess(pub Acl);

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<Principal> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn nobody_reads_what_names_nobody() {
        assert!(!Acl::nobody().permits(&set(&["everyone", "user:ada", "group:staff"])));
    }

    #[test]
    fn a_denial_wins() {
        let acl = Acl {
            allow: set(&["group:staff"]),
            deny: set(&["user:ada"]),
        };
        assert!(acl.permits(&set(&["group:staff", "user:bo"])));
        assert!(!acl.permits(&set(&["group:staff", "user:ada"])));
    }

    #[test]
    fn principals_read_back_as_written() {
        for text in ["everyone", "user:a:b", "group:staff"] {
            assert_eq!(text.parse::<Principal>().unwrap().to_string(), text);
        }
        for text in ["", "user:", "nobody", "Everyone"] {
            assert!(text.parse::<Principal>().is_err(), "{text:?}");
        }
    }
}
