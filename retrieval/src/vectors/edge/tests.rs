//! What happens to a knowledge base over the sizes and the versions.

use std::collections::BTreeSet;

use lectern_domain::{
    Acl, AttributeValue, AttributesDigest, Chunk, DocumentId, Filter as DocumentFilter, SourceId, TextSpan,
    Version, WordQuery,
};
use qdrant_edge::{
    DEFAULT_VECTOR_NAME, Distance, EdgeConfig, EdgeConfigBuilder, EdgeShard, EdgeVectorParams,
    PointInsertOperations,
};
use serde_json::json;

use super::settings::Keeping;
use super::*;

const DIMENSIONS: usize = 32;
const SMALL: Thresholds = Thresholds {
    graph_from_kilobytes: 50,
    quantised_from_bytes: 200 << 10,
};

/// Directions that are all different: a point on a curve.
fn vector(number: u32) -> Vec<f32> {
    let vector: Vec<f32> = (1..=DIMENSIONS)
        .map(|wave| (wave as f32 * number as f32 * 0.37).sin() + 0.01 * wave as f32)
        .collect();
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter().map(|x| x / length).collect()
}

fn entry(base: KnowledgeBaseId, number: u32) -> IndexEntry {
    let document = DocumentId::derive(SourceId::derive(base, "tests"), &number.to_string());
    let colour = if number.is_multiple_of(10) { "red" } else { "blue" };
    let attributes = [
        ("colour", AttributeValue::Text(colour.to_owned())),
        ("number", AttributeValue::Number(f64::from(number))),
    ];
    IndexEntry {
        chunk: Chunk {
            id: ChunkId::derive(document, Version::FIRST, 0),
            knowledge_base: base,
            document,
            version: Version::FIRST,
            ordinal: 0,
            title: String::new(),
            heading_path: Vec::new(),
            page: None,
            span: TextSpan { start: 0, end: 0 },
            text: String::new(),
            table_header: None,
            token_count: 0,
        },
        metadata: Arc::new(DocumentMetadata {
            acl: Acl::everyone(),
            attributes: attributes
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        }),
        vector: vector(number),
    }
}

async fn found(
    index: &EdgeVectors,
    base: KnowledgeBaseId,
    number: u32,
    filter: Option<&DocumentFilter>,
) -> Vec<ScoredChunk> {
    let query = IndexQuery {
        words: &WordQuery::default(),
        vector: &vector(number),
        filter,
        documents: None,
    };
    #[expect(clippy::disallowed_methods, reason = "a test asks as somebody")]
    let scope = ReadScope::granted_by_authentication([]);
    index.search(base, query, &scope, 10).await.unwrap()
}

fn keeping(index: &EdgeVectors, base: KnowledgeBaseId) -> Keeping {
    let stored = EdgeConfig::load(&index.bases.directory(base)).unwrap().unwrap();
    Keeping::of(&stored)
}

#[tokio::test]
async fn a_knowledge_base_that_grows_is_quantised_and_finds_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let index = EdgeVectors::open_with(folder.path().to_owned(), DIMENSIONS, SMALL).unwrap();
    let base = KnowledgeBaseId::generate();
    let entries: Vec<_> = (0..3_000).map(|number| entry(base, number)).collect();
    index.upsert(base, &entries[..1_000]).await.unwrap();
    index.optimize(base).await.unwrap();
    assert_eq!(keeping(&index, base), Keeping::Floats);

    index.upsert(base, &entries[1_000..]).await.unwrap();
    index.optimize(base).await.unwrap();
    index.commit(base).await.unwrap();
    assert_eq!(keeping(&index, base), Keeping::Quantised);
    drop(index);

    let index = EdgeVectors::open_with(folder.path().to_owned(), DIMENSIONS, SMALL).unwrap();
    assert_eq!(index.chunks(base).await.unwrap().len(), entries.len());
    let red: DocumentFilter =
        serde_json::from_value(json!({"equals": {"attribute": "colour", "value": "red"}})).unwrap();
    for number in (0..3_000).step_by(310) {
        let first = found(&index, base, number, None).await[0];
        assert_eq!(first.chunk, entries[number as usize].chunk.id);
        assert!(
            (first.score - 1.0).abs() < 1e-5,
            "the score is that of the floats: {first:?}"
        );
        let all_red = found(&index, base, number, Some(&red)).await;
        assert_eq!(all_red.len(), 10);
        assert_eq!(all_red[0].chunk, first.chunk);
    }

    let ids: Vec<ChunkId> = entries[100..].iter().map(|entry| entry.chunk.id).collect();
    index.delete(base, &ids).await.unwrap();
    index.optimize(base).await.unwrap();
    index.optimize(base).await.unwrap();
    assert_eq!(keeping(&index, base), Keeping::Floats, "it has shrunk again");
    assert_eq!(found(&index, base, 40, None).await[0].chunk, entries[40].chunk.id);
}

#[tokio::test]
async fn an_index_of_an_earlier_version_works_and_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let base = KnowledgeBaseId::generate();
    let entries: Vec<_> = (0..50).map(|number| entry(base, number)).collect();
    write_as_before(&folder.path().join(base.to_string()), &entries);

    let index = EdgeVectors::open(folder.path(), DIMENSIONS).unwrap();
    let listed = index.chunks(base).await.unwrap();
    assert!(
        listed
            .iter()
            .all(|listed| listed.metadata.attributes == AttributesDigest::default()),
        "what it doesn't know of attributes is seen to be missing"
    );
    assert_eq!(found(&index, base, 20, None).await[0].chunk, entries[20].chunk.id);
    for entry in &entries {
        index
            .set_metadata(base, &[entry.chunk.id], &entry.metadata)
            .await
            .unwrap();
    }
    index.optimize(base).await.unwrap();
    index.commit(base).await.unwrap();
    let range: DocumentFilter =
        serde_json::from_value(json!({"range": {"attribute": "number", "at_least": 45}})).unwrap();
    let above: BTreeSet<ChunkId> = entries[45..].iter().map(|entry| entry.chunk.id).collect();
    let hits = found(&index, base, 3, Some(&range)).await;
    assert_eq!(
        hits.into_iter().map(|hit| hit.chunk).collect::<BTreeSet<_>>(),
        above
    );
    let listed = index.chunks(base).await.unwrap();
    let up_to_date = |listed: &IndexedChunk| {
        let entry = entries.iter().find(|entry| entry.chunk.id == listed.chunk);
        entry.map(|entry| entry.metadata.digest()) == Some(listed.metadata)
    };
    assert!(listed.iter().all(up_to_date));
}

/// As version 0.1 wrote: the engine's own settings, and who may read.
fn write_as_before(directory: &std::path::Path, entries: &[IndexEntry]) {
    std::fs::create_dir_all(directory).unwrap();
    let vectors = EdgeVectorParams::builder(DIMENSIONS, Distance::Cosine).build();
    let config = EdgeConfigBuilder::new()
        .vector(DEFAULT_VECTOR_NAME, vectors)
        .build();
    let shard = EdgeShard::new(directory, config).unwrap();
    let points = entries.iter().map(|entry| {
        let payload = json!({
            "document": entry.chunk.document.to_string(), "readers": ["everyone"], "denied": [],
        });
        PointStruct::new(PointId::Uuid(entry.chunk.id.0), entry.vector.clone(), payload).0
    });
    let upsert = PointInsertOperations::PointsList(points.collect());
    shard
        .update(UpdateOperation::PointOperation(PointOperations::UpsertPoints(
            upsert,
        )))
        .unwrap();
    shard.flush();
}
