//! Chunks that nobody wrote: any number of them, the same at every run.
//!
//! * Texts: words of a vocabulary of 50,000 made-up ones, drawn with the frequencies of Zipf's law, so that the index
//!   of words has its frequent words and its rare ones.
//! * Vectors: points around the centres of clusters in a space of [`LATENT`] dimensions, laid into the embedder's by a
//!   random map, and a little noise. Noise alone would have no neighbours worth finding: in 384 dimensions all of it
//!   is equally far away.
//! * Attributes: for each share of [`SHARES`] a name whose values select about that share of the documents, whatever
//!   their cluster.
//!
//! Everything is a function of a number, so that the exact search can make it again instead of keeping it.

use std::sync::Arc;

use lectern_domain::filter::TextPart;
use lectern_domain::ports::IndexEntry;
use lectern_domain::{
    Acl, AttributeValue, Attributes, Chunk, ChunkId, DocumentId, DocumentMetadata, Filter, KnowledgeBaseId,
    SourceId, TextSpan, Version,
};

use crate::random::Random;

/// One of how many documents each filter selects.
pub const SHARES: [u64; 4] = [2, 10, 100, 1_000];
/// How many filters there are on a part of a text.
pub const PARTS: u64 = 100;
/// Chunks of a document.
pub const CHUNKS_PER_DOCUMENT: u64 = 10;

/// The share with the most values, by whose parts is filtered.
const MOST_VALUES: u64 = 1_000;

const VOCABULARY: u64 = 50_000;
const WORDS_PER_CHUNK: u64 = 80;
const WORDS_PER_QUESTION: u64 = 7;
/// Dimensions in which the clusters lie.
const LATENT: usize = 32;
/// Chunks of a cluster, on average.
const CHUNKS_PER_CLUSTER: u64 = 200;
/// How far the points of a cluster lie from its centre, of whose length is one.
const SPREAD: f32 = 0.6;
/// What every dimension has beside that.
const NOISE: f32 = 0.02;
/// How far a question lies from the chunk that it is about.
const ASIDE: f32 = 0.3;

fn latent_point(random: &mut Random) -> [f32; LATENT] {
    std::array::from_fn(|_| random.normal())
}

/// A number of generated chunks.
#[derive(Clone, Debug)]
pub struct Generated {
    base: KnowledgeBaseId,
    source: SourceId,
    chunks: u64,
    /// From the latent space to the embedder's, a row for each dimension.
    map: Arc<Vec<[f32; LATENT]>>,
}

impl Generated {
    /// `chunks` of them, with vectors of `dimensions` numbers.
    pub fn new(base: KnowledgeBaseId, chunks: u64, dimensions: usize) -> Self {
        Self {
            base,
            source: SourceId::derive(base, "generated"),
            chunks,
            map: Arc::new(
                (0..dimensions as u64)
                    .map(|row| latent_point(&mut Random::of(1, row)))
                    .collect(),
            ),
        }
    }

    /// How many.
    pub fn chunks(&self) -> u64 {
        self.chunks
    }

    /// The document of a chunk.
    pub fn document_of(chunk: u64) -> u64 {
        chunk / CHUNKS_PER_DOCUMENT
    }

    /// The id of chunk number `chunk`.
    pub fn id(&self, chunk: u64) -> ChunkId {
        let document = self.document_id(Self::document_of(chunk));
        ChunkId::derive(document, Version::FIRST, (chunk % CHUNKS_PER_DOCUMENT) as u32)
    }

    fn document_id(&self, document: u64) -> DocumentId {
        DocumentId::derive(self.source, &document.to_string())
    }

    /// The vector of a chunk.
    pub fn vector(&self, chunk: u64) -> Vec<f32> {
        self.laid_out(&self.latent(chunk), &mut Random::of(3, chunk))
    }

    fn latent(&self, chunk: u64) -> [f32; LATENT] {
        let mut random = Random::of(2, chunk);
        let clusters = (self.chunks / CHUNKS_PER_CLUSTER).max(1);
        let centre = latent_point(&mut Random::of(4, random.below(clusters)));
        let aside = latent_point(&mut random);
        std::array::from_fn(|at| centre[at] + SPREAD * aside[at])
    }

    fn laid_out(&self, latent: &[f32; LATENT], noise: &mut Random) -> Vec<f32> {
        let scale = NOISE * (LATENT as f32).sqrt();
        let mut vector: Vec<f32> = self
            .map
            .iter()
            .map(|row| {
                let dot: f32 = row.iter().zip(latent).map(|(one, other)| one * other).sum();
                dot + scale * noise.normal()
            })
            .collect();
        let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
        vector
            .iter_mut()
            .for_each(|number| *number /= length.max(f32::MIN_POSITIVE));
        vector
    }

    /// The vector of question number `question`: near a chunk, and no chunk's.
    pub fn question_vector(&self, question: u64) -> Vec<f32> {
        let mut random = Random::of(5, question);
        let latent = self.latent(random.below(self.chunks));
        let aside = latent_point(&mut random);
        let latent = std::array::from_fn(|at| latent[at] + ASIDE * aside[at]);
        self.laid_out(&latent, &mut random)
    }

    /// Its words.
    pub fn question_text(&self, question: u64) -> String {
        text(&mut Random::of(6, question), WORDS_PER_QUESTION)
    }

    /// The value that a document has of the attribute for a share.
    pub fn value(document: u64, share: u64) -> u64 {
        Random::of(7 + share, document).below(share)
    }

    /// The filter of a share. Questions take turns with its values.
    pub fn filter(question: u64, share: u64) -> Filter {
        let value = AttributeValue::Text(format!("value {}", question % share));
        let leaf = serde_json::json!({"equals": {"attribute": name(share), "value": value}});
        // It is written just above.
        serde_json::from_value(leaf).unwrap_or(Filter::And(Vec::new()))
    }

    /// Filter number `part` on a part of a text: the values with two digits in them, which stand here and there among
    /// all.
    pub fn containing(part: u64) -> Filter {
        Filter::Contains(TextPart {
            attribute: name(MOST_VALUES),
            text: digits(part),
        })
    }

    /// The share of the values that have them.
    pub fn share_containing(part: u64) -> f64 {
        let digits = digits(part);
        let having = (0..MOST_VALUES).filter(|value| value.to_string().contains(&digits));
        having.count() as f64 / MOST_VALUES as f64
    }

    fn metadata(&self, document: u64) -> DocumentMetadata {
        let mut attributes: Attributes = SHARES
            .iter()
            .map(|share| {
                let value = format!("value {}", Self::value(document, *share));
                (name(*share), AttributeValue::Text(value))
            })
            .collect();
        attributes.insert("size".to_owned(), AttributeValue::Number(document as f64));
        DocumentMetadata {
            acl: Acl::everyone(),
            attributes,
        }
    }

    /// The chunks of a document as they are written to both indexes.
    pub fn entries(&self, document: u64) -> Vec<IndexEntry> {
        let metadata = Arc::new(self.metadata(document));
        let first = document * CHUNKS_PER_DOCUMENT;
        let chunks = first..(first + CHUNKS_PER_DOCUMENT).min(self.chunks);
        chunks
            .map(|chunk| IndexEntry {
                chunk: self.chunk(document, chunk),
                metadata: Arc::clone(&metadata),
                vector: self.vector(chunk),
            })
            .collect()
    }

    fn chunk(&self, document: u64, chunk: u64) -> Chunk {
        let mut random = Random::of(8, chunk);
        let text = text(&mut random, WORDS_PER_CHUNK);
        Chunk {
            id: self.id(chunk),
            knowledge_base: self.base,
            document: self.document_id(document),
            version: Version::FIRST,
            ordinal: (chunk % CHUNKS_PER_DOCUMENT) as u32,
            title: format!("Document {document}"),
            heading_path: Vec::new(),
            page: None,
            span: TextSpan {
                start: 0,
                end: text.len(),
            },
            text,
            table_header: None,
            token_count: WORDS_PER_CHUNK as u32,
        }
    }
}

fn digits(part: u64) -> String {
    format!("{:02}", part % PARTS)
}

fn name(share: u64) -> String {
    format!("one in {share}")
}

fn text(random: &mut Random, words: u64) -> String {
    let mut text = String::new();
    for _ in 0..words {
        // Of Zipf's law the inverse of the sum of 1/rank, which is nearly a logarithm.
        let rank = (VOCABULARY as f64).powf(random.unit()) as u64;
        text.push_str(&word(rank));
        text.push(' ');
    }
    text
}

/// A word that can be spoken: syllables that spell its rank.
fn word(rank: u64) -> String {
    const CONSONANTS: &[u8] = b"bdfgklmnprstvz";
    const VOWELS: &[u8] = b"aeiou";
    let mut word = String::new();
    let mut left = rank + 70;
    while left > 0 {
        let syllable = left % 70;
        word.push(char::from(CONSONANTS[(syllable / 5) as usize % CONSONANTS.len()]));
        word.push(char::from(VOWELS[(syllable % 5) as usize]));
        left /= 70;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_selects_its_share_and_a_chunk_is_the_same_every_time() {
        let generated = Generated::new(KnowledgeBaseId::generate(), 20_000, 384);
        for share in [2, 10, 100] {
            let filter = Generated::filter(3, share);
            let documents = 2_000;
            let passing = (0..documents)
                .filter(|document| filter.matches(&generated.metadata(*document).attributes))
                .count() as f64;
            let expected = documents as f64 / share as f64;
            assert!(
                (passing - expected).abs() < 4.0 * expected.sqrt(),
                "one in {share}: {passing}"
            );
        }
        let containing = Generated::containing(37);
        let documents = 5_000;
        let passing = (0..documents)
            .filter(|document| containing.matches(&generated.metadata(*document).attributes))
            .count() as f64;
        let expected = documents as f64 * Generated::share_containing(37);
        assert!((passing - expected).abs() < 4.0 * expected.sqrt(), "{passing}");
        assert_eq!(generated.vector(7), generated.vector(7));
        let length: f32 = generated.vector(7).iter().map(|number| number * number).sum();
        assert!((length - 1.0).abs() < 1e-4);
    }
}
