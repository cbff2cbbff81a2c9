//! moto, which many test their programs for S3 with: a server of its own, started here where it is installed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use object_store::ObjectStoreExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;

use super::server::OnServer;
use super::*;

/// A key that moto doesn't look at.
const UNSEEN: &str = "not-looked-at-4711";

pub struct Moto {
    process: Child,
    endpoint: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.process.kill().unwrap_or_default();
        self.process.wait().map(drop).unwrap_or_default();
    }
}

impl Moto {
    /// `None`, said aloud, where it isn't installed. So many requests are let in before signatures are looked at.
    fn start(unsigned: Option<u32>) -> Option<Self> {
        let mut command = Command::new("moto_server");
        command
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some(unsigned) = unsigned {
            command.env("INITIAL_NO_AUTH_ACTION_COUNT", unsigned.to_string());
        }
        let Ok(mut process) = command.stderr(Stdio::piped()).spawn() else {
            println!("SKIPPED: moto_server is not installed (PyPI: moto[server])");
            return None;
        };
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let endpoint = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("Running on ")?;
            Some(rest.trim().to_owned())
        });
        // Nobody reads what it says about each request, and it must not wait for that.
        std::thread::spawn(move || lines.for_each(drop));
        let Some(endpoint) = endpoint else {
            println!("SKIPPED: moto_server doesn't start");
            return None;
        };
        Some(Self { process, endpoint })
    }

    /// Its bucket, read with a key that isn't looked at, and over a bad way if there is one.
    fn fixture(&self, proxy: Option<Proxy>) -> OnServer {
        OnServer::new(
            &self.endpoint,
            proxy,
            [UNSEEN; 3],
            writer(&self.endpoint, "x", "x"),
        )
    }

    async fn ask(&self, method: reqwest::Method, path: &str, service: &str, body: String) -> String {
        let scope = format!("Credential=x/20260101/us-east-1/{service}/aws4_request");
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.endpoint));
        let answer = request
            .header(
                "Authorization",
                format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=x"),
            )
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.text().await.unwrap()
    }
}

fn writer(endpoint: &str, id: &str, secret: &str) -> AmazonS3 {
    let builder = AmazonS3Builder::new()
        .with_endpoint(endpoint)
        .with_allow_http(true)
        .with_bucket_name("docs");
    builder
        .with_access_key_id(id)
        .with_secret_access_key(secret)
        .build()
        .unwrap()
}

#[tokio::test]
async fn the_contract_is_kept_on_moto() {
    let Some(moto) = Moto::start(None) else { return };
    moto.ask(reqwest::Method::PUT, "/docs", "s3", String::new()).await;
    connector_suite(&moto.fixture(None)).await.unwrap();
}

#[tokio::test]
async fn the_contract_is_kept_on_moto_over_a_bad_way() {
    let Some(moto) = Moto::start(None) else { return };
    moto.ask(reqwest::Method::PUT, "/docs", "s3", String::new()).await;
    let fixture = moto.fixture(Some(Proxy::new(&moto.endpoint, seed())));
    connector_suite(&fixture).await.unwrap();
    fixture.proxy.unwrap().assert_bad();
}

#[tokio::test]
async fn moto_lets_in_who_signs_and_nobody_else() {
    // Three requests make a user with a key, and one the bucket.
    let Some(moto) = Moto::start(Some(4)) else { return };
    let iam = |body: &str| {
        moto.ask(
            reqwest::Method::POST,
            "/",
            "iam",
            format!("{body}&Version=2010-05-08&UserName=reader"),
        )
    };
    iam("Action=CreateUser").await;
    let key = iam("Action=CreateAccessKey").await;
    let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22\
                  %3A%22s3%3A*%22%2C%22Resource%22%3A%22*%22%7D%5D%7D";
    iam(&format!(
        "Action=PutUserPolicy&PolicyName=all&PolicyDocument={policy}"
    ))
    .await;
    moto.ask(reqwest::Method::PUT, "/docs", "s3", String::new()).await;
    let of = |name: &str| {
        let (_, rest) = key.split_once(&format!("<{name}>")).unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    let (id, secret) = (of("AccessKeyId"), of("SecretAccessKey"));
    let put = writer(&moto.endpoint, &id, &secret)
        .put(&Path::from("plain.md"), "signed".into())
        .await;
    put.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let with_key = |name: &str, secret: &str| {
        let (id_file, secret_file) = (folder.path().join("id"), folder.path().join(name));
        std::fs::write(&id_file, &id).unwrap();
        std::fs::write(&secret_file, secret).unwrap();
        let credentials = json!({"from": "key", "id": {"file": id_file}, "secret": {"file": secret_file}});
        connector(&moto.endpoint, "docs", json!({"credentials": credentials}))
    };
    let right = with_key("right", &secret);
    assert_eq!(lines(right.as_ref()).await, ["docs/plain.md"]);
    let fetched = fetch(right.as_ref(), "docs/plain.md").await.unwrap();
    assert_eq!(&*fetched.bytes, b"signed");

    let wrong_secret = format!("{}x", &secret[1..]);
    let wrong = with_key("wrong", &wrong_secret);
    let error = wrong.list(None).next().await.unwrap().unwrap_err();
    assert_eq!(error.code, "bucket_denied");
    let told = format!(
        "{} {error:?} {}",
        lectern_domain::error::chain(&error),
        wrong.describe()
    );
    assert!(told.contains("SignatureDoesNotMatch"), "{told}");
    assert!(!told.contains(&wrong_secret) && !told.contains(&id), "{told}");
}
