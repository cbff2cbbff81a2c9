//! Who may read, as Amazon's services write it: `[{"Name": "legal", "Type": "GROUP", "Access": "ALLOW"}]`, in a sidecar
//! for its document, and in a file of its own for all documents whose keys begin with a prefix.
//!
//! ```json
//! [{"keyPrefix": "s3://archive/hr/", "aclEntries": [{"Name": "hr", "Type": "GROUP", "Access": "ALLOW"}]}]
//! ```

use std::collections::BTreeSet;

use lectern_domain::{Acl, Principal};
use serde::Deserialize;

/// One permission or denial, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    #[serde(rename = "Name", alias = "name")]
    name: String,
    #[serde(rename = "Type", alias = "type")]
    kind: EntryKind,
    #[serde(rename = "Access", alias = "access")]
    access: Access,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum EntryKind {
    User,
    Group,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Access {
    Allow,
    Deny,
}

/// The permissions of a list of entries. An empty list permits nobody.
pub(crate) fn acl(entries: &[Entry]) -> Acl {
    let of = |wanted: fn(&Access) -> bool| -> BTreeSet<Principal> {
        entries
            .iter()
            .filter(|entry| wanted(&entry.access))
            .map(|entry| match entry.kind {
                EntryKind::User => Principal::User(entry.name.clone()),
                EntryKind::Group => Principal::Group(entry.name.clone()),
            })
            .collect()
    };
    Acl {
        allow: of(|access| matches!(access, Access::Allow)),
        deny: of(|access| matches!(access, Access::Deny)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "keyPrefix")]
    key_prefix: String,
    #[serde(rename = "aclEntries")]
    entries: Vec<Entry>,
}

/// Who may read what, by the beginning of its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessFile {
    prefixes: Vec<(String, Acl)>,
}

impl AccessFile {
    /// Reads the file. The error says what is wrong, to be read after its name.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let written: Vec<Written> =
            serde_json::from_slice(bytes).map_err(|error| format!("isn't one: {error}"))?;
        let prefixes = written
            .into_iter()
            .map(|prefix| (prefix.key_prefix, acl(&prefix.entries)));
        Ok(Self {
            prefixes: prefixes.collect(),
        })
    }

    /// Who may read the document at `address` (`s3://archive/hr/a.md`), which its bucket knows as `key` (`hr/a.md`). A prefix
    /// with a scheme is the beginning of an address, one without is the beginning of a key.
    ///
    /// The longest prefix says who may; where it stands several times, each of them does. A denial of any prefix
    /// counts, so that a folder can't open what the one around it denies. What no prefix begins is read by nobody.
    pub fn acl_of(&self, address: &str, key: &str) -> Acl {
        let rest = |prefix: &str| {
            let name = if prefix.contains("://") { address } else { key };
            name.strip_prefix(prefix).map(str::len)
        };
        let shortest_rest = self.prefixes.iter().filter_map(|(prefix, _)| rest(prefix)).min();
        let mut found = Acl::nobody();
        for (prefix, acl) in &self.prefixes {
            let Some(rest) = rest(prefix) else { continue };
            if Some(rest) == shortest_rest {
                found.allow.extend(acl.allow.iter().cloned());
            }
            found.deny.extend(acl.deny.iter().cloned());
        }
        found
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use serde_json::json;

    fn group(name: &str, access: &str) -> serde_json::Value {
        json!({"Name": name, "Type": "GROUP", "Access": access})
    }

    fn groups(names: &[&str]) -> BTreeSet<Principal> {
        names
            .iter()
            .map(|name| Principal::Group((*name).to_owned()))
            .collect()
    }

    #[test]
    fn the_longest_prefix_permits_and_every_denial_counts() {
        let file = json!([
            {"keyPrefix": "s3://archive/", "aclEntries": [group("staff", "ALLOW"), group("guests", "DENY")]},
            {"keyPrefix": "hr/", "aclEntries": [group("hr", "ALLOW")]},
            {"keyPrefix": "s3://archive/hr/", "aclEntries": [group("board", "ALLOW")]},
            {"keyPrefix": "s3://archive/locked/", "aclEntries": []},
            {"keyPrefix": "s3://other/", "aclEntries": [group("others", "ALLOW")]},
        ]);
        let file = AccessFile::parse(file.to_string().as_bytes()).unwrap();
        let of = |key: &str| file.acl_of(&format!("s3://archive/{key}"), key);
        assert_eq!(of("a.md").allow, groups(&["staff"]));
        assert_eq!(of("hr/a.md").allow, groups(&["board", "hr"]));
        assert_eq!(of("hr/a.md").deny, groups(&["guests"]));
        assert_eq!(of("locked/a.md").allow, groups(&[]));
        assert_eq!(file.acl_of("s3://third/a.md", "a.md"), Acl::nobody());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for wrong in [
            json!({}),
            json!([{"keyPrefix": "a"}]),
            json!([{"aclEntries": []}]),
            json!([{"keyprefix": "a", "aclEntries": []}]),
            json!([{"keyPrefix": "a", "aclEntries": [{"Name": "x", "Type": "USER"}]}]),
        ] {
            assert!(
                AccessFile::parse(wrong.to_string().as_bytes()).is_err(),
                "{wrong}"
            );
        }
        assert!(AccessFile::parse(b"").is_err());
    }
}
