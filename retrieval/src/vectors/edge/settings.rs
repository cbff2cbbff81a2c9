//! How the engine keeps vectors: three sizes of a knowledge base.
//!
//! | vectors | search | kept |
//! |---|---|---|
//! | up to 10 MB of them (6,800 of 384 numbers) | all are compared | as floats in memory |
//! | up to 300 MB (200,000) | an HNSW graph | as floats in memory |
//! | more | an HNSW graph over 8-bit integers in memory, the best compared again by their floats | floats on disk, mapped |
//!
//! A knowledge base begins with floats in memory. `optimize` looks at its size and has it opened with the
//! [`Keeping`] that it has grown into; the engine then rebuilds what it holds. One that an earlier version made is
//! opened with the settings of this one, and keeps its vectors as they are until then.
//!
//! A filter that leaves few is no matter for the graph: what passes is compared one by one, up to
//! [`Keeping::scanned_vectors`]. Where more pass, the search goes through the graph and looks at the filter on its way.
//! That finds the nearest as long as enough neighbours pass. Where fewer do ([`LOOK_FURTHER_BELOW`]), it looks at their
//! neighbours, too (ACORN: Patel and others 2024). That costs a look at the filter for each of them: where 10 % passed it
//! took 20 ms among 100,000 vectors and 290 ms among 1,000,000, and found no more than the plain way.

use std::num::NonZeroUsize;

use qdrant_edge::{
    AcornSearchParams, DEFAULT_VECTOR_NAME, Distance, EdgeConfig, EdgeConfigBuilder, EdgeOptimizersConfig,
    EdgeVectorParams, HnswIndexConfig, QuantizationConfig, QuantizationSearchParams,
    ScalarQuantizationConfig, ScalarType, SearchParams, WalOptions,
};

use super::super::write_ahead_log;

/// A knowledge base goes back to floats in memory below this part of it, so that it doesn't go to and fro.
const BACK_BELOW: usize = 2;

/// Links of a vector in the graph, twice as many on the lowest level.
const LINKS: usize = 16;
/// Candidates for them while the graph is built.
const BUILD_CANDIDATES: usize = 128;
/// The fewest candidates of a search.
const LEAST_CANDIDATES: usize = 128;
/// The part that passes a filter, below which a search looks at the neighbours of neighbours.
const LOOK_FURTHER_BELOW: f64 = 0.06;
/// Where the range of the integers ends: a hundredth of the numbers lies beyond.
const QUANTILE: f32 = 0.99;

/// Where a knowledge base is kept differently. Tests have smaller ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thresholds {
    /// From how many kilobytes of floats on there is a graph.
    pub graph_from_kilobytes: usize,
    /// From how many bytes of floats on they are quantised.
    pub quantised_from_bytes: usize,
}

impl Default for Thresholds {
    /// 6,800 and 200,000 vectors of 384 numbers.
    fn default() -> Self {
        Self {
            graph_from_kilobytes: 10_000,
            quantised_from_bytes: 300 << 20,
        }
    }
}

/// In which form vectors are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    /// As floats in memory.
    Floats,
    /// As 8-bit integers in memory, and as floats on disk.
    Quantised,
}

impl Keeping {
    /// How `points` vectors should be kept that are kept like `self` now.
    pub(super) fn for_size(self, points: usize, dimensions: usize, thresholds: Thresholds) -> Self {
        let bytes = points.saturating_mul(dimensions).saturating_mul(size_of::<f32>());
        let threshold = match self {
            Self::Floats => thresholds.quantised_from_bytes,
            Self::Quantised => thresholds.quantised_from_bytes / BACK_BELOW,
        };
        match bytes >= threshold {
            true => Self::Quantised,
            false => Self::Floats,
        }
    }

    /// Up to how many vectors that pass a filter are compared one by one. Twice as many floats took longer than the
    /// graph needs; integers are compared faster, and the graph of so many vectors needs longer.
    fn scanned_vectors(self) -> usize {
        match self {
            Self::Floats => 6_667,
            Self::Quantised => 40_000,
        }
    }

    /// What a configuration says.
    pub(super) fn of(config: &EdgeConfig) -> Self {
        match config.quantization_config {
            Some(_) => Self::Quantised,
            None => Self::Floats,
        }
    }
}

/// The configuration of a knowledge base.
pub(super) fn engine_config(dimensions: usize, keeping: Keeping, thresholds: Thresholds) -> EdgeConfig {
    let is_quantised = keeping == Keeping::Quantised;
    let vectors = EdgeVectorParams::builder(dimensions, Distance::Cosine).on_disk(is_quantised);
    let config = EdgeConfigBuilder::new()
        .vector(DEFAULT_VECTOR_NAME, vectors.build())
        .hnsw_config(HnswIndexConfig {
            m: LINKS,
            ef_construct: BUILD_CANDIDATES,
            // In kilobytes of floats.
            full_scan_threshold: keeping.scanned_vectors() * dimensions * size_of::<f32>() / 1024,
            max_indexing_threads: 0,
            on_disk: None,
            payload_m: None,
            inline_storage: None,
        })
        .optimizers(EdgeOptimizersConfig {
            // Segments are searched one after another, so few are best.
            default_segment_number: Some(2),
            indexing_threshold: Some(thresholds.graph_from_kilobytes),
            ..EdgeOptimizersConfig::default()
        })
        .wal_options(WalOptions {
            segment_capacity: write_ahead_log::SEGMENT_BYTES,
            segment_queue_len: 0,
            retain_closed: NonZeroUsize::MIN,
        });
    if !is_quantised {
        return config.build();
    }
    let integers = ScalarQuantizationConfig {
        r#type: ScalarType::Int8,
        quantile: Some(QUANTILE),
        always_ram: Some(true),
    };
    config
        .quantization_config(QuantizationConfig::from(integers))
        .build()
}

/// How closely a search for `limit` looks.
pub(super) fn search_params(limit: usize) -> SearchParams {
    let candidates = limit.max(LEAST_CANDIDATES);
    SearchParams {
        hnsw_ef: Some(candidates),
        exact: false,
        quantization: Some(QuantizationSearchParams {
            ignore: false,
            rescore: Some(true),
            // All candidates are compared again.
            oversampling: Some(candidates as f64 / limit.max(1) as f64),
        }),
        indexed_only: false,
        acorn: Some(AcornSearchParams {
            enable: true,
            max_selectivity: Some(LOOK_FURTHER_BELOW.into()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_knowledge_base_is_quantised_when_it_grows_and_not_at_once_back_when_it_shrinks() {
        let usual = Thresholds::default();
        let floats = Keeping::Floats;
        assert_eq!(floats.for_size(100_000, 384, usual), Keeping::Floats);
        assert_eq!(floats.for_size(1_000_000, 384, usual), Keeping::Quantised);
        let quantised = Keeping::Quantised;
        assert_eq!(quantised.for_size(150_000, 384, usual), Keeping::Quantised);
        assert_eq!(quantised.for_size(50_000, 384, usual), Keeping::Floats);
        for keeping in [floats, quantised] {
            assert_eq!(Keeping::of(&engine_config(384, keeping, usual)), keeping);
        }
    }

    #[test]
    fn many_candidates_are_compared_again_however_few_are_wanted() {
        let compared_again = |limit: usize| {
            let quantization = search_params(limit).quantization.unwrap();
            (quantization.oversampling.unwrap() * limit as f64).round() as usize
        };
        assert_eq!(compared_again(10), LEAST_CANDIDATES);
        assert_eq!(compared_again(200), 200);
    }
}
