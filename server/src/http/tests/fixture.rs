//! A Lectern in a temporary folder, and requests to it.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use actix_web::{test, web};
use async_trait::async_trait;
use lectern_domain::ports::{
    ChunkIndex, ChunkLookup, Embedder, Embedders, Extractor, OneEmbedder, OneTokenCounter, RawFile,
    TokenCounter, WordIndex,
};
use lectern_domain::{Acl, Block, BlockKind, DefaultAccess, ErrorKind, Extracted, PortError, TextSpan};
use lectern_generation::catalogue::ModelName;
use lectern_generation::engine::scripted::ScriptedGenerator;
use lectern_generation::{Admission, AdmissionSettings, AnswerSettings, Answerer, AnswererParts};
use lectern_ingest::{IngestSettings, Ingestion, IngestionParts, TextStore};
use lectern_retrieval::{EdgeVectors, Searcher, SearcherParts, TantivyWords};
use serde_json::Value;
use tempfile::TempDir;

use crate::auth::{AccessRules, ApiToken};
use crate::compose::{LazyEmbedder, Lectern};
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::http::limits::Limits;
use crate::http::metrics;
use crate::http::serving;
use crate::http::state::AppState;

/// What the scripted generator says.
pub const SAID: [&str; 4] = ["Parental leave ", "is 20 weeks ", "[1]", "."];

/// A Lectern over a folder that goes with it.
pub struct Fixture {
    pub state: web::Data<AppState>,
    pub admission: Admission,
    documents: PathBuf,
}

thread_local! {
    /// The indexes write when they are dropped, and background work lets go of them only with the test's
    /// runtime. So a folder stays for as long as the test's thread.
    static FOLDERS: RefCell<Vec<TempDir>> = const { RefCell::new(Vec::new()) };
}

/// What differs between tests.
pub struct Setup {
    pub generator: ScriptedGenerator,
    pub token: Option<&'static str>,
    pub limits: Limits,
    /// What `lectern.toml` says.
    pub config: Config,
    /// Whether jobs look for the model files, which aren't there.
    pub needs_models: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            generator: ScriptedGenerator::new(SAID),
            token: None,
            limits: Limits::default(),
            config: Config::default(),
            needs_models: false,
        }
    }
}

/// A response, read whole.
pub struct Reply {
    pub status: StatusCode,
    pub headers: actix_web::http::header::HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {:?}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }
}

impl Fixture {
    pub async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let documents = folder.path().join("documents");
        let admission = Admission::new(AdmissionSettings {
            running: 1,
            waiting: 1,
        });
        let data = folder.path().join("data");
        let mut lectern = lectern(data, setup.config, setup.generator, admission.clone()).await;
        lectern.needs_models = setup.needs_models;
        let token = setup.token.map(|text| ApiToken::from_text(text).unwrap());
        let rules = AccessRules::new("127.0.0.1:8080".parse().unwrap(), token, &[]).unwrap();
        let state = AppState::new(
            Arc::new(lectern),
            rules,
            setup.limits,
            metrics::recorder().unwrap(),
        );
        let state = web::Data::new(state);
        state.start_background_work();
        FOLDERS.with_borrow_mut(|folders| folders.push(folder));
        Self {
            state,
            admission,
            documents,
        }
    }

    /// A folder beside the data folder, for documents.
    pub fn make_folder(&self, files: &[(&str, &str)]) -> PathBuf {
        std::fs::create_dir_all(&self.documents).unwrap();
        for (name, text) in files {
            std::fs::write(self.documents.join(name), text).unwrap();
        }
        self.documents.clone()
    }

    pub async fn make_knowledge_base(&self) {
        let made = self
            .post(
                "/api/v1/knowledge-bases",
                &serde_json::json!({"name": "handbook"}),
            )
            .await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    }

    /// Pushes a document and waits until it is indexed. Gives its id.
    pub async fn push(&self, body: &Value) -> String {
        let reply = self
            .post("/api/v1/knowledge-bases/handbook/documents?wait=true", body)
            .await;
        let document = reply.json()["document"].clone();
        assert_eq!(
            (reply.status, document["status"].as_str()),
            (StatusCode::OK, Some("indexed")),
            "{}",
            reply.text
        );
        document["id"].as_str().unwrap().to_owned()
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call(request(Method::GET, path)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.call(request(Method::DELETE, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.call(request(Method::POST, path).set_json(body)).await
    }

    /// Sends a request and reads the whole response.
    pub async fn call(&self, request: test::TestRequest) -> Reply {
        let response = self.begin(request).await;
        let (_, response) = response.into_parts();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body)
            .await
            .unwrap_or_else(|_| panic!("the body broke off"));
        Reply {
            status: head.status(),
            headers: head.headers().clone(),
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// Sends a request and leaves the body to the caller.
    pub async fn begin(&self, request: test::TestRequest) -> ServiceResponse<impl MessageBody + use<>> {
        let app = test::init_service(serving::app(self.state.clone())).await;
        app.call(request.to_request()).await.unwrap()
    }
}

/// A request of this machine's operator.
pub fn request(method: Method, path: &str) -> test::TestRequest {
    test::TestRequest::with_uri(path)
        .method(method)
        .peer_addr("127.0.0.1:40000".parse().unwrap())
        .insert_header(("host", "localhost:8080"))
}

async fn lectern(
    folder: PathBuf,
    config: Config,
    generator: ScriptedGenerator,
    admission: Admission,
) -> Lectern {
    let opened = Lectern::open(DataFolder::open(&folder).unwrap(), config)
        .await
        .unwrap();
    let texts = Arc::new(TextStore::open(opened.folder.root()).unwrap());
    let embedders: Arc<dyn Embedders> = Arc::new(OneEmbedder(Arc::new(WordEmbedder)));
    let vectors: Arc<dyn ChunkIndex> =
        Arc::new(EdgeVectors::open(folder.join("v"), LazyEmbedder::DIMENSIONS).unwrap());
    let words: Arc<dyn WordIndex> = Arc::new(TantivyWords::open(folder.join("w")).unwrap());
    let ingestion = Ingestion::new(IngestionParts {
        ledger: Arc::clone(&opened.ledger),
        texts,
        extractor: Arc::new(PlainReader),
        token_counters: Arc::new(OneTokenCounter(Arc::new(WordCounter))),
        embedders: Arc::clone(&embedders),
        words: Arc::clone(&words) as Arc<dyn ChunkIndex>,
        vectors: Arc::clone(&vectors),
        settings: IngestSettings {
            pushed_access: DefaultAccess(Acl::everyone()),
            ..IngestSettings::default()
        },
    });
    let searcher = Searcher::new(SearcherParts {
        ledger: Arc::clone(&opened.ledger) as Arc<dyn ChunkLookup>,
        embedders,
        vectors,
        words,
        reranker: None,
        demand: Some(ingestion.embedding_demand()),
    });
    let answerer = Answerer::new(AnswererParts {
        generator: Arc::new(generator),
        embedder: None,
        admission,
        settings: AnswerSettings::default(),
    });
    Lectern {
        ingestion: Arc::new(ingestion),
        searcher: Arc::new(searcher),
        answerer: Arc::new(answerer),
        ..opened
    }
}

/// Texts that share words are near each other: each word has a dimension of its own, as far as they go.
struct WordEmbedder;

impl WordEmbedder {
    fn vector(text: &str) -> Vec<f32> {
        let mut vector = vec![0.0_f32; LazyEmbedder::DIMENSIONS];
        for word in text
            .split(|character: char| !character.is_alphanumeric())
            .filter(|word| !word.is_empty())
        {
            let hash = blake3::hash(word.to_lowercase().as_bytes());
            let place = usize::from(hash.as_bytes()[0]) + usize::from(hash.as_bytes()[1] & 1) * 128;
            vector[place] += 1.0;
        }
        let length = vector
            .iter()
            .map(|value| value * value)
            .sum::<f32>()
            .sqrt()
            .max(1e-6);
        vector.iter().map(|value| value / length).collect()
    }
}

#[async_trait]
impl Embedder for WordEmbedder {
    fn model(&self) -> &str {
        // Its name is that of the model that the server gives to new knowledge bases.
        static NAME: ModelName = ModelName::EMBEDDER;
        NAME.as_str()
    }

    fn dimensions(&self) -> usize {
        LazyEmbedder::DIMENSIONS
    }

    fn max_tokens(&self) -> usize {
        256
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, PortError> {
        Ok(texts.iter().map(|text| Self::vector(text)).collect())
    }

    async fn embed_query(&self, text: &str) -> Result<Vec<f32>, PortError> {
        Ok(Self::vector(text))
    }
}

struct WordCounter;

impl TokenCounter for WordCounter {
    fn count(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }
}

/// Reads UTF-8 as one paragraph.
struct PlainReader;

#[async_trait]
impl Extractor for PlainReader {
    async fn extract(&self, file: &RawFile) -> Result<Extracted, PortError> {
        let text = String::from_utf8(file.bytes.to_vec()).map_err(|error| {
            PortError::new(ErrorKind::Invalid, "not_text", "the file is no text").caused_by(error)
        })?;
        Ok(Extracted {
            media_type: file.media_type.clone().unwrap_or_else(|| "text/plain".to_owned()),
            blocks: vec![Block {
                kind: BlockKind::Paragraph,
                span: TextSpan {
                    start: 0,
                    end: text.len(),
                },
                page: None,
            }],
            text,
            ..Extracted::default()
        })
    }
}
