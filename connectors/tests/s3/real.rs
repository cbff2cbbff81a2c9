//! s3s-fs: a server of S3 in this process that verifies every signature.

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use object_store::aws::AmazonS3Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

use super::server::OnServer;
use super::*;

const ID: &str = "AKIAREADER";
const SECRET: &str = "not-told-to-anybody";

struct Server {
    endpoint: String,
    /// What it serves.
    _folder: tempfile::TempDir,
}

impl Server {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("docs")).unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ID, SECRET));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service)
                        .await
                        .unwrap_or_default();
                });
            }
        });
        Self {
            endpoint,
            _folder: folder,
        }
    }

    fn fixture(&self, proxy: Option<Proxy>) -> OnServer {
        let writer = AmazonS3Builder::new()
            .with_endpoint(&self.endpoint)
            .with_allow_http(true)
            .with_bucket_name("docs")
            .with_access_key_id(ID)
            .with_secret_access_key(SECRET);
        OnServer::new(&self.endpoint, proxy, [ID, SECRET, ""], writer.build().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_on_s3s() {
    let server = Server::start().await;
    connector_suite(&server.fixture(None)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_on_s3s_over_a_bad_way() {
    let server = Server::start().await;
    let fixture = server.fixture(Some(Proxy::new(&server.endpoint, seed())));
    connector_suite(&fixture).await.unwrap();
    fixture.proxy.unwrap().assert_bad();
}

#[tokio::test(flavor = "multi_thread")]
async fn s3s_lets_nobody_in_who_does_not_sign() {
    let server = Server::start().await;
    let unsigned = connector(&server.endpoint, "docs", json!({}));
    let error = unsigned.list(None).next().await.unwrap().unwrap_err();
    assert_eq!(error.code, "bucket_denied");
}
