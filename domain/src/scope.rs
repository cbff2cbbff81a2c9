//! The permission to read, as a value that one must hold: without a [`ReadScope`] nothing can be
//! searched, because every search takes one.

use std::collections::BTreeSet;

use crate::acl::{Acl, Principal};

/// Whose eyes a search looks through.
///
/// There is no default and no way to build one from parts: only [`ReadScope::granted_by_authentication`]
/// makes it, and `clippy.toml` refuses that call outside of the server's authentication and the tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadScope {
    principals: BTreeSet<Principal>,
}

impl ReadScope {
    /// The scope of somebody whose identity was just established. Everybody who is let in is also
    /// [`Principal::Everyone`].
    pub fn granted_by_authentication(identities: impl IntoIterator<Item = Principal>) -> Self {
        let mut principals: BTreeSet<Principal> = identities.into_iter().collect();
        principals.insert(Principal::Everyone);
        Self { principals }
    }

    /// Who the reader is, for the indexes' filters.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.principals.iter()
    }

    /// Whether the reader may read a document with this `acl`.
    pub fn may_read(&self, acl: &Acl) -> bool {
        acl.permits(&self.principals)
    }
}
