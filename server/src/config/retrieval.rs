//! `[retrieval]`: how what was found is put into order.

use std::path::{Path, PathBuf};

use lectern_domain::PortError;
use lectern_retrieval::Fusion;
use serde::{Deserialize, Serialize};

use super::invalid;

/// Who judges the first passages again, before they are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RerankerChoice {
    /// Nobody: the order is that of the fused indexes.
    #[default]
    None,
    /// The embedding model, token by token: as costly as embedding the first 20 passages.
    LateInteraction,
    /// A model that reads question and passage together; its files are named by `cross_encoder`.
    CrossEncoder,
}

/// How the lists of both indexes are merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FusionChoice {
    /// By their scores.
    #[default]
    WeightedScores,
    /// By the ranks alone.
    ReciprocalRank,
}

/// How what was found is put into order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetrievalConfig {
    /// How the lists of both indexes are merged: `weighted_scores` (default) or `reciprocal_rank`.
    pub fusion: FusionChoice,
    /// How much meaning counts in `weighted_scores`, from 0 to 1; the words count for the rest. Default 0.62.
    pub vectors_weight: Option<f32>,
    /// Who judges the first passages again: `none` (default), `late_interaction` (the first 20, with the embedding
    /// model) or `cross_encoder` (the first 50, with a model of your own).
    pub reranker: RerankerChoice,
    /// The files of the cross-encoder. Default: none.
    pub cross_encoder: Option<CrossEncoderConfig>,
}

/// The files of a cross-encoder in ONNX form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossEncoderConfig {
    /// The folder that holds `tokenizer.json`, `config.json`, `special_tokens_map.json` and
    /// `tokenizer_config.json`, as a model is published.
    pub folder: PathBuf,
    /// The model's file, in that folder or by a path of its own; it has an output `logits`. Default `model.onnx`.
    #[serde(default = "default_model")]
    pub model: PathBuf,
    /// The longest question with a passage, in tokens; what is longer is cut. 16 to 8192. Default 512.
    #[serde(default = "default_max_tokens")]
    pub max_tokens: usize,
}

fn default_model() -> PathBuf {
    PathBuf::from("model.onnx")
}

fn default_max_tokens() -> usize {
    512
}

impl CrossEncoderConfig {
    /// The file called `name` in the folder.
    pub fn file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.join(name)
    }
}

impl RetrievalConfig {
    /// How the lists of both indexes are merged.
    pub fn merging(&self) -> Fusion {
        match (self.fusion, self.vectors_weight) {
            (FusionChoice::ReciprocalRank, _) => Fusion::ReciprocalRank,
            (FusionChoice::WeightedScores, None) => Fusion::default(),
            (FusionChoice::WeightedScores, Some(vectors)) => Fusion::WeightedScores { vectors },
        }
    }

    pub(super) fn check(&self) -> Result<(), PortError> {
        if let Some(weight) = self.vectors_weight.filter(|weight| !(0.0..=1.0).contains(weight)) {
            return Err(invalid(format!(
                "[retrieval] vectors_weight is {weight}, expected 0 to 1"
            )));
        }
        match (self.reranker, &self.cross_encoder) {
            (RerankerChoice::CrossEncoder, None) => Err(invalid(
                "[retrieval] reranker is \"cross_encoder\" and its files are not named; \
                 set cross_encoder = { folder = \"...\" }"
                    .to_owned(),
            )),
            (_, Some(files)) if !(16..=8_192).contains(&files.max_tokens) => Err(invalid(format!(
                "[retrieval] cross_encoder.max_tokens is {}, expected 16 to 8192",
                files.max_tokens
            ))),
            _ => Ok(()),
        }
    }
}
