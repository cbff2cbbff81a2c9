//! Identifiers. Each is a type of its own, so that one can't be handed in for another.
//!
//! Document and chunk ids are derived (UUID version 5, RFC 9562 section 5.5) from what they name:
//! running a step again after a crash makes the same ids, which is why every step is idempotent.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id!(
    /// A knowledge base: one set of documents with one pair of indexes.
    KnowledgeBaseId
);
uuid_id!(
    /// A place that documents come from (a folder, a bucket, what was pushed over the API).
    SourceId
);
uuid_id!(
    /// A document, the same one through all its versions.
    DocumentId
);
uuid_id!(
    /// A chunk of one version of a document.
    ChunkId
);
uuid_id!(
    /// One run of ingestion.
    JobId
);

impl KnowledgeBaseId {
    /// A new random, time-ordered id (UUID version 7).
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl SourceId {
    /// The id of the source `name` of a knowledge base: the same name gives the same id.
    pub fn derive(knowledge_base: KnowledgeBaseId, name: &str) -> Self {
        Self(Uuid::new_v5(&knowledge_base.0, name.as_bytes()))
    }
}

impl DocumentId {
    /// The id of the document that `source` calls `key`.
    pub fn derive(source: SourceId, key: &str) -> Self {
        Self(Uuid::new_v5(&source.0, key.as_bytes()))
    }

    /// The id of the document that is attached to `parent` under `name`.
    pub fn attached_to(parent: Self, name: &str) -> Self {
        Self(Uuid::new_v5(&parent.0, name.as_bytes()))
    }
}

impl ChunkId {
    /// The id of chunk number `ordinal` of one version of a document.
    pub fn derive(document: DocumentId, version: Version, ordinal: u32) -> Self {
        let mut name = [0_u8; 12];
        name[..8].copy_from_slice(&version.0.to_be_bytes());
        name[8..].copy_from_slice(&ordinal.to_be_bytes());
        Self(Uuid::new_v5(&document.0, &name))
    }
}

impl JobId {
    /// A new random, time-ordered id (UUID version 7): jobs sort by their start.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

/// The version of a document: 1 for the first, one more for each change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Version {
    /// The first version of a document.
    pub const FIRST: Self = Self(1);

    /// The version after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A BLAKE3 hash of some content, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_hex())
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ContentHash({self})")
    }
}

impl FromStr for ContentHash {
    type Err = blake3::HexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        blake3::Hash::from_hex(text).map(|hash| Self(*hash.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_repeat_and_differ_by_every_part() {
        let knowledge_base = KnowledgeBaseId(Uuid::nil());
        let source = SourceId::derive(knowledge_base, "handbook");
        let document = DocumentId::derive(source, "a.md");
        let chunk = ChunkId::derive(document, Version::FIRST, 0);

        assert_eq!(chunk, ChunkId::derive(document, Version::FIRST, 0));
        assert_ne!(chunk, ChunkId::derive(document, Version::FIRST, 1));
        assert_ne!(chunk, ChunkId::derive(document, Version::FIRST.next(), 0));
        assert_ne!(document, DocumentId::derive(source, "b.md"));
    }

    #[test]
    fn a_content_hash_reads_back_from_its_digits() {
        let hash = ContentHash::of(b"lectern");
        assert_eq!(hash.to_hex().parse::<ContentHash>().unwrap(), hash);
    }
}
