//! The small models, fetched once into the folder that all tests of this machine share.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The two embedders (the second is made of the first), the generator that is small enough for tests, and what
/// runs the embedders.
const NAMES: [&str; 4] = [FLOAT_EMBEDDER, EMBEDDER, "smollm2-135m", "onnxruntime"];

/// The embedder of new knowledge bases.
pub const EMBEDDER: &str = "all-minilm-l6-v2-int8";
/// The embedder of older ones.
pub const FLOAT_EMBEDDER: &str = "all-minilm-l6-v2";

/// The folder with the models, which are there when this returns. Nothing is fetched that is there.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = shared_folder();
        let pulled = Command::new(env!("CARGO_BIN_EXE_lectern"))
            .args(["models", "pull"])
            .args(NAMES)
            .env("LECTERN_MODELS", &folder)
            // No settings of the user of this machine are read.
            .env("LECTERN_DATA", &folder)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&pulled.stderr);
        assert!(pulled.status.success(), "the models can't be had: {said}");
        folder
    })
}

/// What `LECTERN_MODELS` names, or `lectern/models` in the user's cache folder.
fn shared_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("LECTERN_MODELS").filter(|folder| !folder.is_empty()) {
        return PathBuf::from(folder);
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .filter(|cache| !cache.is_empty())
        .map(PathBuf::from);
    let cache = cache
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .unwrap();
    cache.join("lectern/models")
}

/// A folder of one's own with an embedder and its runtime, to be damaged. The files are copies. Tells where the
/// embedder's model lies.
pub fn copy_of_embedder(embedder: &str, target: &Path) -> PathBuf {
    for name in [embedder, "onnxruntime"] {
        let (from, to) = (folder().join(name), target.join(name));
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
    }
    let mut files = std::fs::read_dir(target.join(embedder)).unwrap();
    files
        .find_map(|file| {
            Some(file.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "onnx"))
        })
        .unwrap()
}
