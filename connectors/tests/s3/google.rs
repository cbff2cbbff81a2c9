//! `gcp-storage-emulator`, an emulator of Google's buckets: a server of its own, started here where it is installed. It looks
//! at no token, so what a wrong one is answered with comes from the way to it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use lectern_domain::{AttributeValue, ErrorKind};
use reqwest::{Client, Method};

use super::server::{OnServer, Writer};
use super::*;

struct Emulator {
    process: Child,
    endpoint: String,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.process.kill().unwrap_or_default();
        self.process.wait().map(drop).unwrap_or_default();
    }
}

impl Emulator {
    /// With an empty bucket `docs`. `None`, said aloud, where it isn't installed.
    fn start() -> Option<Self> {
        let Ok(python) = std::env::var("LECTERN_TEST_GCP_EMULATOR") else {
            println!("SKIPPED: gcp-storage-emulator is not installed (.ci/get-bucket-emulators)");
            return None;
        };
        let mut process = Command::new(python)
            .args(["-c", include_str!("google_emulator.py")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let port = line.strip_prefix("port ")?;
            Some(port.to_owned())
        });
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self {
            process,
            endpoint: format!("http://127.0.0.1:{}", port.unwrap()),
        })
    }

    fn connector(&self, way: Option<&Proxy>, more: Value) -> Box<dyn Connector> {
        open(&self.config(way, more)).unwrap()
    }

    fn config(&self, way: Option<&Proxy>, more: Value) -> SourceConfig {
        let endpoint = way.map_or(self.endpoint.as_str(), |way| way.endpoint.as_str());
        let mut config = json!({
            "kind": "s3", "buckets": ["gs://docs"], "endpoint": endpoint, "allow_http": true,
            "credentials": {"from": "anonymous"},
        });
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        SourceConfig::from_json(config).unwrap()
    }

    fn fixture(&self, proxy: Option<Proxy>) -> OnServer {
        let config = self.config(proxy.as_ref(), json!({}));
        let folder = tempfile::tempdir().unwrap();
        OnServer::of(config, proxy, Vec::new(), Box::new(self.interface()), folder)
    }

    fn interface(&self) -> Interface {
        Interface {
            endpoint: self.endpoint.clone(),
            client: Client::new(),
        }
    }
}

/// Google's JSON interface.
struct Interface {
    endpoint: String,
    client: Client,
}

impl Interface {
    async fn ask(&self, method: Method, path: &str, name: &str, body: Vec<u8>) {
        let mut url = reqwest::Url::parse(&self.endpoint).unwrap();
        url.set_path(path);
        match method {
            Method::POST => drop(
                url.query_pairs_mut()
                    .extend_pairs([("uploadType", "media"), ("name", name)]),
            ),
            _ => drop(url.path_segments_mut().unwrap().push(name)),
        }
        let mut request = self.client.request(method, url);
        if path.starts_with("/storage") && !body.is_empty() {
            request = request.header("Content-Type", "application/json");
        }
        let answer = request.body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path} {name}: {}", answer.status());
    }
}

#[async_trait]
impl Writer for Interface {
    async fn put(&self, name: &str, bytes: &[u8]) {
        if !bytes.is_empty() {
            let path = "/upload/storage/v1/b/docs/o";
            return self.ask(Method::POST, path, name, bytes.to_vec()).await;
        }
        // The emulator takes an empty object in no other form.
        let metadata = json!({"name": name});
        let body = format!(
            "--x\r\nContent-Type: application/json\r\n\r\n{metadata}\r\n--x\r\nContent-Type: text/plain\r\n\r\n\r\n--x--\r\n"
        );
        let url = format!(
            "{}/upload/storage/v1/b/docs/o?uploadType=multipart",
            self.endpoint
        );
        let request = self
            .client
            .post(url)
            .header("Content-Type", "multipart/related; boundary=x");
        let answer = request.body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{name}: {}", answer.status());
    }

    async fn remove(&self, name: &str) {
        self.ask(Method::DELETE, "/storage/v1/b/docs/o", name, Vec::new())
            .await;
    }
}

#[tokio::test]
async fn the_contract_is_kept_on_the_emulator_of_google() {
    let Some(emulator) = Emulator::start() else { return };
    connector_suite(&emulator.fixture(None)).await.unwrap();
}

#[tokio::test]
async fn the_contract_is_kept_on_the_emulator_of_google_over_a_bad_way() {
    let Some(emulator) = Emulator::start() else { return };
    let fixture = emulator.fixture(Some(Proxy::new(&emulator.endpoint, seed())));
    connector_suite(&fixture).await.unwrap();
    fixture.proxy.unwrap().assert_bad();
}

#[tokio::test]
async fn what_google_knows_of_an_object_comes_with_it() {
    let Some(emulator) = Emulator::start() else { return };
    let interface = emulator.interface();
    for name in ["docs/lease.md", "other.md", "docs/ü b+c&d=e.md", "docs//odd"] {
        interface.put(name, name.as_bytes()).await;
    }
    let metadata = json!({"metadata": {"owner": "Ada", "title": "The lease"}});
    let connector = emulator.connector(None, json!({"buckets": ["gs://docs/docs/"]}));
    let before = item(connector.as_ref(), "docs/docs/lease.md").await;
    let path = "/storage/v1/b/docs/o";
    interface
        .ask(
            Method::PATCH,
            path,
            "docs/lease.md",
            metadata.to_string().into_bytes(),
        )
        .await;
    let keys = ["docs/docs//odd", "docs/docs/lease.md", "docs/docs/ü b+c&d=e.md"];
    assert_eq!(lines(connector.as_ref()).await, keys);
    for key in keys {
        let fetched = fetch(connector.as_ref(), key).await.unwrap();
        assert_eq!(
            fetched.bytes.as_ref(),
            key.strip_prefix("docs/").unwrap().as_bytes()
        );
    }
    let fetched = fetch(connector.as_ref(), "docs/docs/lease.md").await.unwrap();
    assert_eq!(fetched.title.as_deref(), Some("The lease"));
    assert_eq!(
        fetched.attributes["owner"],
        AttributeValue::Text("Ada".to_owned())
    );
    let after = item(connector.as_ref(), "docs/docs/lease.md").await;
    assert!(after.change_tag.is_none() || after.change_tag != before.change_tag);
}

#[tokio::test]
async fn whom_google_refuses_is_told_so_and_deletes_nothing() {
    let Some(emulator) = Emulator::start() else { return };
    emulator.interface().put("a.md", b"a").await;
    let way = Proxy::new(&emulator.endpoint, seed());
    let connector = emulator.connector(Some(&way), json!({}));
    way.refuse(Some((
        401,
        r#"{"error": {"code": 401, "errors": [{"reason": "authError"}]}}"#,
    )));
    let error = connector.list(None).next().await.unwrap().unwrap_err();
    assert_eq!(
        error.message,
        "listing the bucket \"docs\" is refused: 401 authError"
    );
    for (status, body) in [(401, ""), (404, ""), (404, "<html>no such page</html>")] {
        way.refuse(Some((status, body)));
        let error = fetch(connector.as_ref(), "docs/a.md").await.unwrap_err();
        assert_ne!(error.kind, ErrorKind::NotFound, "{status} {body}: {error:?}");
    }
    let missing = emulator.connector(None, json!({"buckets": ["gs://nowhere"]}));
    let error = missing.list(None).next().await.unwrap().unwrap_err();
    assert_eq!(error.code, "bucket_not_found");
    let error = fetch(missing.as_ref(), "nowhere/a.md").await.unwrap_err();
    assert_eq!(
        error.code, "bucket_unavailable",
        "a bucket that is gone deletes nothing"
    );
}
