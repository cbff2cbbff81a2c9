//! Azurite, Microsoft's emulator of Azure's blobs, which looks at every signature: a server of its own, started here where
//! it is installed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use lectern_domain::{AttributeValue, ErrorKind};
use object_store::azure::{
    AzureAccessKey, AzureAuthorizer, AzureCredential, MicrosoftAzure, MicrosoftAzureBuilder,
};
use object_store::client::{HttpClient, HttpRequest};
use object_store::path::Path;
use object_store::{Attribute, Attributes, ObjectStore, ObjectStoreExt, PutOptions, TagSet};

use super::server::OnServer;
use super::*;

/// The account that Azurite has, and its key, which everybody knows.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

struct Azurite {
    process: Child,
    /// With the account.
    endpoint: String,
    /// Where it runs.
    _folder: tempfile::TempDir,
}

impl Drop for Azurite {
    fn drop(&mut self) {
        self.process.kill().unwrap_or_default();
        self.process.wait().map(drop).unwrap_or_default();
    }
}

impl Azurite {
    /// With an empty container `docs`. `None`, said aloud, where it isn't installed.
    async fn start() -> Option<Self> {
        let Ok(script) = std::env::var("LECTERN_TEST_AZURITE") else {
            println!("SKIPPED: Azurite is not installed (.ci/get-bucket-emulators)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new("node")
            .arg(script)
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0"])
            .args(["--inMemoryPersistence", "--disableTelemetry", "--silent"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let base = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("successfully listens on ")?;
            Some(rest.trim().to_owned())
        });
        std::thread::spawn(move || lines.for_each(drop));
        let azurite = Self {
            process,
            endpoint: format!("{}/{ACCOUNT}", base.unwrap()),
            _folder: folder,
        };
        azurite.ask("PUT", "docs?restype=container").await;
        Some(azurite)
    }

    /// A request that `object_store` has no name for.
    async fn ask(&self, method: &str, path: &str) {
        let mut request = HttpRequest::new(String::new().into());
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = format!("{}/{path}", self.endpoint).parse().unwrap();
        for (name, value) in [("content-length", "0"), ("x-ms-access-tier", "Archive")] {
            if name == "content-length" || path.ends_with("comp=tier") {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        let credential = AzureCredential::AccessKey(AzureAccessKey::try_new(KEY).unwrap());
        AzureAuthorizer::new(&credential, ACCOUNT)
            .try_authorize(&mut request)
            .unwrap();
        let answer = HttpClient::new(reqwest::Client::new())
            .execute(request)
            .await
            .unwrap();
        assert!(
            answer.status().is_success(),
            "{method} {path}: {}",
            answer.status()
        );
    }

    fn writer(&self) -> MicrosoftAzure {
        MicrosoftAzureBuilder::new()
            .with_account(ACCOUNT)
            .with_access_key(KEY)
            .with_container_name("docs")
            .with_endpoint(self.endpoint.clone())
            .with_allow_http(true)
            .build()
            .unwrap()
    }

    /// The container's configuration with a key in a file, and where that is.
    fn config(&self, endpoint: &str, key: &str, more: Value) -> (SourceConfig, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let [id, secret] = ["id", "secret"].map(|name| folder.path().join(name));
        std::fs::write(&id, ACCOUNT).unwrap();
        std::fs::write(&secret, key).unwrap();
        let mut config = json!({
            "kind": "s3", "buckets": ["az://docs"], "endpoint": endpoint, "allow_http": true,
            "credentials": {"from": "key", "id": {"file": id}, "secret": {"file": secret}},
        });
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        (SourceConfig::from_json(config).unwrap(), folder)
    }

    fn connector(&self, key: &str, more: Value) -> (Box<dyn Connector>, tempfile::TempDir) {
        let (config, folder) = self.config(&self.endpoint, key, more);
        (open(&config).unwrap(), folder)
    }

    fn fixture(&self, proxy: Option<Proxy>) -> OnServer {
        let way = match &proxy {
            Some(proxy) => format!("{}/{ACCOUNT}", proxy.endpoint),
            None => self.endpoint.clone(),
        };
        let (config, folder) = self.config(&way, KEY, json!({}));
        OnServer::of(
            config,
            proxy,
            vec![KEY.to_owned()],
            Box::new(self.writer()),
            folder,
        )
    }

    fn way(&self) -> Proxy {
        Proxy::new(
            self.endpoint.strip_suffix(&format!("/{ACCOUNT}")).unwrap(),
            seed(),
        )
    }
}

#[tokio::test]
async fn the_contract_is_kept_on_azurite() {
    let Some(azurite) = Azurite::start().await else {
        return;
    };
    connector_suite(&azurite.fixture(None)).await.unwrap();
}

#[tokio::test]
async fn the_contract_is_kept_on_azurite_over_a_bad_way() {
    let Some(azurite) = Azurite::start().await else {
        return;
    };
    let fixture = azurite.fixture(Some(azurite.way()));
    connector_suite(&fixture).await.unwrap();
    fixture.proxy.unwrap().assert_bad();
}

#[tokio::test]
async fn what_azure_knows_of_a_blob_comes_with_it() {
    let Some(azurite) = Azurite::start().await else {
        return;
    };
    let writer = azurite.writer();
    let mut tags = TagSet::default();
    tags.push("project", "x y");
    let attributes = Attributes::from_iter([
        (Attribute::ContentType, "text/markdown"),
        (Attribute::Metadata("owner".into()), "Ada"),
        (Attribute::Metadata("title".into()), "The lease"),
    ]);
    let options = PutOptions {
        tags,
        attributes,
        ..PutOptions::default()
    };
    writer
        .put_opts(&Path::from("docs/lease.bin"), "# Lease".into(), options)
        .await
        .unwrap();
    writer
        .put(
            &Path::from("docs/lease.bin.metadata.json"),
            r#"{"Attributes": {"floor": 2}}"#.into(),
        )
        .await
        .unwrap();
    writer
        .put(&Path::from("docs/cold.md"), "cold".into())
        .await
        .unwrap();
    azurite.ask("PUT", "docs/docs/cold.md?comp=tier").await;
    writer.put(&Path::from("other.md"), "other".into()).await.unwrap();

    let (connector, _folder) = azurite.connector(KEY, json!({"tags": true, "buckets": ["az://docs/docs/"]}));
    assert_eq!(
        lines(connector.as_ref()).await,
        ["docs/docs/cold.md: archived", "docs/docs/lease.bin"]
    );
    let fetched = fetch(connector.as_ref(), "docs/docs/lease.bin").await.unwrap();
    assert_eq!(
        (fetched.title.as_deref(), fetched.media_type.as_deref()),
        (Some("The lease"), Some("text/markdown"))
    );
    let text = |value: &str| AttributeValue::Text(value.to_owned());
    assert_eq!(fetched.attributes["owner"], text("Ada"));
    assert_eq!(fetched.attributes["project"], text("x y"));
    assert_eq!(fetched.attributes["floor"], AttributeValue::Number(2.0));
    // One that is called like the prefix is one that begins with it.
    let (one, _folder) = azurite.connector(KEY, json!({"buckets": ["az://docs/other.md"]}));
    assert_eq!(lines(one.as_ref()).await, ["docs/other.md"]);
}

#[tokio::test]
async fn many_pages_and_odd_names_of_blobs_come_through() {
    let Some(azurite) = Azurite::start().await else {
        return;
    };
    let writer = azurite.writer();
    for number in 0..5010 {
        writer
            .put(&Path::from(format!("many/{number:04}")), "x".into())
            .await
            .unwrap();
    }
    for odd in ["a b+c&d=e.md", "100%25.md", "ü/日本語/😀.md", "quote\"'<>"] {
        writer
            .put(&Path::parse(odd).unwrap(), odd.as_bytes().to_vec().into())
            .await
            .unwrap();
    }
    let (connector, _folder) = azurite.connector(KEY, json!({"sidecars": false}));
    let listed = lines(connector.as_ref()).await;
    assert_eq!(listed.len(), 5014);
    for key in listed.iter().filter(|key| !key.starts_with("docs/many/")) {
        let fetched = fetch(connector.as_ref(), key).await.unwrap();
        let name = key.strip_prefix("docs/").unwrap().replace("%25", "%");
        assert_eq!(String::from_utf8(fetched.bytes.to_vec()).unwrap(), name);
    }
}

#[tokio::test]
async fn azurite_lets_in_who_signs_and_nobody_else() {
    let Some(azurite) = Azurite::start().await else {
        return;
    };
    azurite
        .writer()
        .put(&Path::from("a.md"), "a".into())
        .await
        .unwrap();
    let wrong_key = format!("AAAA{}", &KEY[4..]);
    let (wrong, _folder) = azurite.connector(&wrong_key, json!({}));
    let (nobody, _other) = azurite.connector(KEY, json!({"credentials": {"from": "anonymous"}}));
    for connector in [wrong, nobody] {
        let listing = connector.list(None).next().await.unwrap().unwrap_err();
        let fetching = fetch(connector.as_ref(), "docs/a.md").await.unwrap_err();
        for error in [listing, fetching] {
            assert_eq!(
                (error.code, error.kind),
                ("bucket_denied", ErrorKind::Denied),
                "{error:?}"
            );
            let told = format!("{} {error:?}", lectern_domain::error::chain(&error));
            assert!(
                !told.contains(&wrong_key) && !told.contains(&wrong_key[4..]),
                "{told}"
            );
        }
    }
    let (missing, _folder) = azurite.connector(KEY, json!({"buckets": ["az://nowhere"]}));
    let error = missing.list(None).next().await.unwrap().unwrap_err();
    assert_eq!(error.code, "bucket_not_found");
    let error = fetch(missing.as_ref(), "nowhere/a.md").await.unwrap_err();
    assert_eq!(
        error.code, "bucket_unavailable",
        "a container that is gone deletes nothing"
    );
}
