//! What an access list amounts to, in 32 bytes: small enough to be compared for every chunk of an index.

use std::ops::BitXor;

use crate::acl::{Acl, Principal};

/// The digest of an access list: the exclusive or of the BLAKE3 hashes of its entries, so that it can be put together
/// in any order, as an index comes by them. Equal lists have equal digests. Different ones differ, as long as nobody
/// makes names for the purpose; it is for finding faults, not for deciding who may read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AccessDigest([u8; 32]);

impl AccessDigest {
    /// The list that names nobody.
    pub const NOBODY: Self = Self([0; 32]);

    /// The entry that somebody of that name may read.
    pub fn of_reader(name: &str) -> Self {
        Self::of_entry(b"allow ", name)
    }

    /// The entry that somebody of that name may not.
    pub fn of_denied(name: &str) -> Self {
        Self::of_entry(b"deny ", name)
    }

    fn of_entry(side: &[u8], name: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(side).update(name.as_bytes());
        Self(*hasher.finalize().as_bytes())
    }
}

/// Both lists together. An entry must not be in both.
impl BitXor for AccessDigest {
    type Output = Self;

    fn bitxor(self, other: Self) -> Self {
        let mut bytes = self.0;
        for (byte, other) in bytes.iter_mut().zip(other.0) {
            *byte ^= other;
        }
        Self(bytes)
    }
}

impl From<&Acl> for AccessDigest {
    fn from(acl: &Acl) -> Self {
        let names = |principal: &Principal| principal.to_string();
        let readers = acl.allow.iter().map(names).map(|name| Self::of_reader(&name));
        let denied = acl.deny.iter().map(names).map(|name| Self::of_denied(&name));
        readers.chain(denied).fold(Self::NOBODY, BitXor::bitxor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn lists_that_differ_in_one_entry_or_its_side_have_other_digests() {
        let (ada, staff) = (Principal::User("ada".into()), Principal::Group("staff".into()));
        let denying = |allow: &[&Principal], deny: &[&Principal]| Acl {
            allow: allow.iter().copied().cloned().collect(),
            deny: deny.iter().copied().cloned().collect(),
        };
        let lists = [
            Acl::nobody(),
            Acl::everyone(),
            denying(&[&ada], &[]),
            denying(&[], &[&ada]),
            denying(&[&ada, &staff], &[]),
            denying(&[&staff], &[&ada]),
            denying(&[&ada], &[&staff]),
        ];
        let digests: BTreeSet<String> = lists
            .iter()
            .map(|acl| format!("{:?}", AccessDigest::from(acl)))
            .collect();
        assert_eq!(digests.len(), lists.len());
        assert_eq!(AccessDigest::from(&Acl::nobody()), AccessDigest::NOBODY);
        let put_together = AccessDigest::of_reader("group:staff") ^ AccessDigest::of_reader("user:ada");
        assert_eq!(put_together, AccessDigest::from(&lists[4]));
    }
}
