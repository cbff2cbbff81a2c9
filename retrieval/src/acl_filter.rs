//! How an access list is written into an index, and how a reader's scope is looked up in it.
//!
//! Both indexes hold two lists of names per chunk: who may read, and who may not. A reader is a list
//! of names as well. A chunk passes when one of the reader's names is among the first and none among
//! the second, which is [`lectern_domain::Acl::permits`] said in an index's terms. This file is the
//! only one that knows the names of the two fields.
//!
//! The filter is for speed and recall; the guarantee is the recheck against the ledger.

use std::collections::BTreeSet;
use std::ops::BitXor;

use lectern_domain::{AccessDigest, Acl, Principal, ReadScope};

use crate::error::Error;

/// The field with those who may read.
pub const READERS: &str = "readers";
/// The field with those who may not, whatever the first says.
pub const DENIED: &str = "denied";

/// An access list as names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclNames {
    /// For [`READERS`].
    pub readers: Vec<String>,
    /// For [`DENIED`].
    pub denied: Vec<String>,
}

impl From<&Acl> for AclNames {
    fn from(acl: &Acl) -> Self {
        Self {
            readers: acl.allow.iter().map(Principal::to_string).collect(),
            denied: acl.deny.iter().map(Principal::to_string).collect(),
        }
    }
}

impl AclNames {
    /// Its digest. A name that stands twice counts once.
    pub fn digest(&self) -> AccessDigest {
        let readers: BTreeSet<&String> = self.readers.iter().collect();
        let denied: BTreeSet<&String> = self.denied.iter().collect();
        let readers = readers.into_iter().map(|name| AccessDigest::of_reader(name));
        let denied = denied.into_iter().map(|name| AccessDigest::of_denied(name));
        readers.chain(denied).fold(AccessDigest::NOBODY, BitXor::bitxor)
    }
}

/// All names that a reader goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderNames(Vec<String>);

impl From<&ReadScope> for ReaderNames {
    fn from(scope: &ReadScope) -> Self {
        Self(scope.principals().map(Principal::to_string).collect())
    }
}

impl ReaderNames {
    /// The names.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The filter for the Qdrant engine in this process.
    ///
    /// # Errors
    /// Those of [`edge_path`]; a filter is never left out.
    pub(crate) fn edge_filter(&self) -> Result<qdrant_edge::Filter, Error> {
        use qdrant_edge::{Condition, FieldCondition, Filter, Match};
        let any_of = |field| {
            let names = Match::from(self.0.clone());
            Ok::<_, Error>(vec![Condition::Field(FieldCondition::new_match(
                edge_path(field)?,
                names,
            ))])
        };
        Ok(Filter {
            must: Some(any_of(READERS)?),
            must_not: Some(any_of(DENIED)?),
            ..Filter::default()
        })
    }

    /// The conditions for a Qdrant server: what must hold, and what must not.
    pub(crate) fn server_conditions(
        &self,
    ) -> (qdrant_client::qdrant::Condition, qdrant_client::qdrant::Condition) {
        use qdrant_client::qdrant::Condition;
        (
            Condition::matches(READERS, self.0.clone()),
            Condition::matches(DENIED, self.0.clone()),
        )
    }
}

/// A field's name as the Qdrant engine in this process wants it.
///
/// # Errors
/// [`Error::Index`] for what is no name of a field.
pub(crate) fn edge_path(field: &str) -> Result<qdrant_edge::JsonPath, Error> {
    qdrant_edge::JsonPath::try_from(field).map_err(|()| Error::Index {
        index: "vectors",
        action: "name a field",
        place: field.to_owned(),
        cause: "the engine takes it for no path".into(),
    })
}
