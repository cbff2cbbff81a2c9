//! The recipe of a source: everything besides a document's content that decides what becomes of it.
//!
//! A version is made from content by a recipe. Both are hashed and kept with the version: where either is
//! another, the document is *modified* and made again; where both are the same, nothing is extracted or
//! embedded. What embeds isn't part of it: a knowledge base has one model for good.

use lectern_domain::ContentHash;

use crate::chunk::ChunkSettings;
use crate::source_settings::{DeletionGuard, SourceSettings};

/// Raised whenever the same file is read to another text, structure or attributes than before.
const EXTRACTION: u32 = 2;

/// The hash of a recipe.
pub(crate) fn recipe(chunk: &ChunkSettings, settings: &SourceSettings) -> ContentHash {
    let SourceSettings {
        chunking, enrichment, ..
    } = settings;
    // What a job may do, and when one runs, decides nothing about a document. Written as `Debug` writes settings
    // with the default guard: another way to write the same would make every document again.
    let guard = DeletionGuard::default();
    let decisive = format!(
        "SourceSettings {{ chunking: {chunking:?}, enrichment: {enrichment:?}, deletions: {guard:?} }}"
    );
    ContentHash::of(format!("{EXTRACTION} {chunk:?} {decisive}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_size_of_chunks_is_another_recipe_and_another_guard_or_schedule_is_not() {
        let (chunk, settings) = (ChunkSettings::default(), SourceSettings::default());
        let plain = recipe(&chunk, &settings);
        let smaller = ChunkSettings {
            max_tokens: 100,
            ..chunk
        };
        assert_ne!(plain, recipe(&smaller, &settings));
        let guarded = SourceSettings {
            deletions: DeletionGuard {
                max_share: 1.0,
                more_than: 0,
            },
            schedule: "0 3 * * *".parse().unwrap(),
            ..settings
        };
        assert_eq!(plain, recipe(&chunk, &guarded));
    }
}
