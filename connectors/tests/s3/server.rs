//! A bucket of a real server, filled around the connector.

use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::*;

/// Who fills a bucket.
#[async_trait]
pub trait Writer: Send + Sync {
    async fn put(&self, name: &str, bytes: &[u8]);
    async fn remove(&self, name: &str);
}

#[async_trait]
impl<T: ObjectStore> Writer for T {
    async fn put(&self, name: &str, bytes: &[u8]) {
        let path = Path::parse(name).unwrap();
        ObjectStoreExt::put(self, &path, bytes.to_vec().into())
            .await
            .unwrap();
    }

    async fn remove(&self, name: &str) {
        ObjectStoreExt::delete(self, &Path::parse(name).unwrap())
            .await
            .unwrap();
    }
}

/// A bucket of a real server, filled around the connector.
pub struct OnServer {
    writer: Box<dyn Writer>,
    config: SourceConfig,
    connector: Box<dyn Connector>,
    pub proxy: Option<Proxy>,
    secrets: Vec<String>,
    /// Where the key is.
    _folder: tempfile::TempDir,
}

impl OnServer {
    /// The bucket `docs` behind `endpoint`, read with a key that has an id, a secret and a token, if that isn't empty.
    pub fn new(endpoint: &str, proxy: Option<Proxy>, key: [&str; 3], writer: AmazonS3) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let way = proxy.as_ref().map_or(endpoint, |proxy| proxy.endpoint.as_str());
        let config = keyed(way, "docs", &folder, key);
        let secrets = key.iter().filter(|part| !part.is_empty());
        let secrets = secrets.map(|part| (*part).to_owned()).collect();
        Self::of(config, proxy, secrets, Box::new(writer), folder)
    }

    /// The bucket `docs` of a configuration, whose secrets are in a folder.
    pub fn of(
        config: SourceConfig,
        proxy: Option<Proxy>,
        secrets: Vec<String>,
        writer: Box<dyn Writer>,
        folder: tempfile::TempDir,
    ) -> Self {
        Self {
            writer,
            connector: open(&config).unwrap(),
            config,
            proxy,
            secrets,
            _folder: folder,
        }
    }
}

#[async_trait]
impl Fixture for OnServer {
    fn connector(&self) -> &dyn Connector {
        self.connector.as_ref()
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> String {
        self.writer.put(name, bytes).await;
        format!("docs/{}", name.replace('%', "%25"))
    }

    async fn remove(&self, name: &str) {
        self.writer.remove(name).await;
    }

    fn secrets(&self) -> Vec<String> {
        self.secrets.clone()
    }

    fn shown(&self) -> Vec<String> {
        shown(&self.config)
    }

    /// The way lets nobody pass, or leads to somebody else.
    async fn break_source(&self, way: usize) -> bool {
        const WAYS: [(u16, &str); 2] = [
            (403, "<Error><Code>AccessDenied</Code></Error>"),
            (404, "<html><body>There is no such page</body></html>"),
        ];
        match (&self.proxy, WAYS.get(way)) {
            (Some(proxy), Some(refusal)) => proxy.refuse(Some(*refusal)),
            _ => return false,
        }
        true
    }

    async fn mend(&self) {
        if let Some(proxy) = &self.proxy {
            proxy.refuse(None);
        }
    }
}
