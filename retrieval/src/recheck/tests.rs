use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lectern_domain::{Acl, DocumentMetadata, EmbeddedShare, Principal, SearchSettings, TextSpan, Version};
use uuid::Uuid;

use super::*;

/// A ledger made by hand, which counts how many chunks it was asked for.
struct HandMade {
    chunks: Vec<LedgerChunk>,
    /// What it has from the second look-up on, if that is something else.
    later: Option<Vec<LedgerChunk>>,
    asked: Mutex<usize>,
}

#[async_trait]
impl ChunkLookup for HandMade {
    async fn look_up(&self, _: KnowledgeBaseId, chunks: &[ChunkId]) -> Result<Vec<LedgerChunk>, PortError> {
        let mut asked = self.asked.lock().unwrap();
        let now = self.later.as_ref().filter(|_| *asked > 0);
        *asked += chunks.len();
        // In another order than asked, as a ledger may.
        let known = now
            .unwrap_or(&self.chunks)
            .iter()
            .rev()
            .filter(|chunk| chunks.contains(&chunk.chunk));
        Ok(known.cloned().collect())
    }

    async fn embedding_model(&self, _: KnowledgeBaseId) -> Result<Option<String>, PortError> {
        Ok(None)
    }

    async fn embedded_share(&self, _: KnowledgeBaseId) -> Result<EmbeddedShare, PortError> {
        Ok(EmbeddedShare::default())
    }

    async fn search_settings(&self, _: KnowledgeBaseId) -> Result<Arc<SearchSettings>, PortError> {
        Ok(Arc::default())
    }

    async fn first_chunks(&self, _: KnowledgeBaseId, _: &[String]) -> Result<Vec<ChunkId>, PortError> {
        Ok(Vec::new())
    }

    async fn not_embedded(&self, _: KnowledgeBaseId, _: &[ChunkId]) -> Result<Vec<ChunkId>, PortError> {
        Ok(Vec::new())
    }
}

fn ledger(chunks: Vec<LedgerChunk>) -> HandMade {
    HandMade {
        chunks,
        later: None,
        asked: Mutex::new(0),
    }
}

fn id(number: u128) -> ChunkId {
    ChunkId(Uuid::from_u128(number))
}

fn chunk(number: u128, document: u128, is_current: bool, acl: Acl) -> LedgerChunk {
    LedgerChunk {
        chunk: id(number),
        document: DocumentId(Uuid::from_u128(document)),
        version: Version::FIRST,
        ordinal: 0,
        token_count: 1,
        is_current,
        is_embedded: true,
        metadata: DocumentMetadata::readable_by(acl),
        title: "Title".to_owned(),
        uri: "file:///a.md".to_owned(),
        heading_path: Vec::new(),
        page: None,
        span: TextSpan { start: 0, end: 1 },
        text: "x".to_owned(),
        table_header: None,
        parent: None,
    }
}

fn found(numbers: impl IntoIterator<Item = u128>) -> Vec<FusedChunk> {
    numbers
        .into_iter()
        .map(|number| FusedChunk {
            chunk: id(number),
            score: 0.5,
            cosine: None,
        })
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "a test asks as a reader")]
fn ada() -> ReadScope {
    ReadScope::granted_by_authentication([Principal::User("ada".into())])
}

async fn kept(ledger: &HandMade, found: &[FusedChunk], wanted: Wanted) -> Vec<ChunkId> {
    let base = KnowledgeBaseId(Uuid::nil());
    let rechecked = recheck(ledger, base, asked_by(&ada()), found, wanted)
        .await
        .unwrap();
    rechecked
        .kept
        .into_iter()
        .map(|(fused, chunk)| {
            assert_eq!(fused.chunk, chunk.chunk);
            chunk.chunk
        })
        .collect()
}

fn asked_by(scope: &ReadScope) -> Admission<'_> {
    Admission {
        scope,
        filter: None,
        words: None,
        is_found: true,
    }
}

fn ten() -> Wanted {
    Wanted::first(10)
}

#[tokio::test]
async fn unknown_stale_and_unreadable_chunks_are_dropped() {
    let denied = Acl {
        allow: BTreeSet::from([Principal::Everyone]),
        deny: BTreeSet::from([Principal::User("ada".into())]),
    };
    let ledger = ledger(vec![
        chunk(1, 1, true, Acl::everyone()),
        chunk(2, 2, false, Acl::everyone()),
        chunk(3, 3, true, Acl::nobody()),
        chunk(4, 4, true, denied),
        chunk(5, 5, true, Acl::allowing([Principal::User("ada".into())])),
    ]);
    // 6 isn't in the ledger at all.
    assert_eq!(kept(&ledger, &found(1..=6), ten()).await, [id(1), id(5)]);
}

#[tokio::test]
async fn the_order_of_the_indexes_is_kept() {
    let ledger = ledger((1..=3).map(|n| chunk(n, n, true, Acl::everyone())).collect());
    assert_eq!(
        kept(&ledger, &found([2, 3, 1]), ten()).await,
        [id(2), id(3), id(1)]
    );
}

#[tokio::test]
async fn dropped_chunks_make_room_for_those_below() {
    let ledger = ledger((1..=100).map(|n| chunk(n, n, n > 50, Acl::everyone())).collect());
    let wanted = Wanted::first(3);
    assert_eq!(
        kept(&ledger, &found(1..=100), wanted).await,
        [id(51), id(52), id(53)]
    );
    assert!(
        *ledger.asked.lock().unwrap() < 100,
        "it stops looking when it has enough"
    );
}

#[tokio::test]
async fn a_document_shows_no_more_chunks_than_wanted() {
    let ledger = ledger((1..=9).map(|n| chunk(n, n % 3, true, Acl::everyone())).collect());
    let wanted = Wanted {
        limit: 10,
        per_document: Some(1),
        shown: HashMap::new(),
    };
    assert_eq!(kept(&ledger, &found(1..=9), wanted).await, [id(1), id(2), id(3)]);
}

/// A chunk of document 1 in that version.
fn of_version(number: u128, version: Version, is_current: bool) -> LedgerChunk {
    LedgerChunk {
        version,
        ..chunk(number, 1, is_current, Acl::everyone())
    }
}

async fn is_overtaken(chunks: Vec<LedgerChunk>, asked: impl IntoIterator<Item = u128>) -> bool {
    let base = KnowledgeBaseId(Uuid::nil());
    let rechecked = recheck(&ledger(chunks), base, asked_by(&ada()), &found(asked), ten()).await;
    rechecked.unwrap().is_overtaken
}

#[tokio::test]
async fn a_document_that_was_replaced_under_the_question_is_noticed() {
    let (first, second) = (Version::FIRST, Version::FIRST.next());
    // The old version waits to be collected, and the new one was found: nothing is missing.
    let replaced = vec![of_version(1, first, false), of_version(2, second, true)];
    assert!(!is_overtaken(replaced.clone(), [1, 2]).await);
    // The new one came after the indexes were asked.
    assert!(is_overtaken(replaced.clone(), [1]).await);
    // And the old one is collected already.
    assert!(is_overtaken(replaced, [3, 2]).await);
    // The new one is staged, and the old one shown.
    let staged = vec![of_version(1, first, true), of_version(2, second, false)];
    assert!(!is_overtaken(staged, [1, 2]).await);
    // Who may not read a document isn't told that it changed.
    assert!(!is_overtaken(vec![chunk(1, 1, true, Acl::nobody())], [1]).await);
}

#[tokio::test]
async fn two_versions_of_a_document_are_never_shown_together() {
    let many = 200;
    // Even numbers are chunks of the first version, and it is replaced between the first look-up and the second.
    let (first, second) = (Version::FIRST, Version::FIRST.next());
    let with_current = |current| {
        let chunks = (0..many).map(|number| {
            let version = if number % 2 == 0 { first } else { second };
            of_version(number, version, version == current)
        });
        chunks.collect()
    };
    let ledger = HandMade {
        later: Some(with_current(second)),
        ..ledger(with_current(first))
    };
    let wanted = Wanted::first(100);
    let base = KnowledgeBaseId(Uuid::nil());
    let rechecked = recheck(&ledger, base, asked_by(&ada()), &found(0..many), wanted)
        .await
        .unwrap();
    assert!(rechecked.is_overtaken);
    let versions: BTreeSet<Version> = rechecked.kept.iter().map(|(_, chunk)| chunk.version).collect();
    assert_eq!(versions, BTreeSet::from([second]));
}
