//! What a source's chunking leaves in the ledger: parents come back with their chunks, exactly, and a source
//! that is cut by meaning has its sentences embedded.

use lectern_domain::LedgerChunk;
use lectern_domain::ports::ChunkLookup;

use super::desk::Desk;
use crate::SourceSettings;
use crate::chunk::Chunking;

const TEXT: &str = "One two three four five six.\n\nSeven eight nine ten eleven twelve.\n\n\
                    Thirteen fourteen fifteen sixteen seventeen.\n\nNineteen twenty.";

/// The chunks of a document with [`TEXT`], in its order, when the source is cut so.
async fn chunks(desk: &mut Desk, chunking: Chunking) -> Vec<LedgerChunk> {
    let settings = SourceSettings {
        chunking,
        ..SourceSettings::default()
    };
    desk.source = desk
        .ledger()
        .set_source_settings(desk.source.id, &settings)
        .await
        .unwrap();
    desk.shelf.put("a.txt", TEXT);
    desk.sync_complete().await;
    desk.assert_clean().await;
    let base = desk.knowledge_base.id;
    let visible = desk.ledger().visible_chunks(base).await.unwrap();
    let mut chunks = desk.ledger().look_up(base, &visible.current).await.unwrap();
    chunks.sort_by_key(|chunk| chunk.span);
    for chunk in &chunks {
        assert_eq!(chunk.span.of(TEXT), Some(chunk.text.as_str()));
    }
    chunks
}

#[tokio::test]
async fn a_chunk_comes_back_with_its_parent() {
    let mut desk = Desk::new().await;
    let chunking = Chunking::Hierarchical {
        child_tokens: 7,
        parent_tokens: 13,
    };
    let chunks = chunks(&mut desk, chunking).await;
    assert_eq!(chunks.len(), 4);
    for chunk in &chunks {
        let parent = chunk.parent.as_ref().expect("a parent");
        assert_eq!(parent.span.of(TEXT), Some(parent.text.as_str()));
        assert!(parent.text.contains(&chunk.text) && parent.text.len() > chunk.text.len());
    }
    assert_eq!(chunks[0].parent, chunks[1].parent);
    assert_ne!(chunks[1].parent, chunks[2].parent);
}

#[tokio::test]
async fn a_source_that_is_cut_by_meaning_has_its_sentences_embedded_too() {
    let mut desk = Desk::new().await;
    let chunking = Chunking::Semantic {
        max_tokens: 12,
        percentile: 90,
    };
    let chunks = chunks(&mut desk, chunking).await;
    let (_, embedded) = desk.work();
    // Four sentences at least: those that would fill a chunk of this size are embedded in pieces.
    assert!(
        embedded >= chunks.len() + 4,
        "{embedded} texts for {} chunks",
        chunks.len()
    );
    assert!(chunks.iter().all(|chunk| chunk.parent.is_none()));
}

#[tokio::test]
async fn a_document_that_is_one_chunk_is_found_whole() {
    let mut desk = Desk::new().await;
    let chunks = chunks(&mut desk, Chunking::None {}).await;
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0].text, TEXT);
}
