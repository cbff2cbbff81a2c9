//! The files connector keeps the contract of connectors.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use async_trait::async_trait;
use lectern_connectors::conformance::{Fixture, connector_suite};
use lectern_connectors::{SourceConfig, open};
use lectern_domain::ports::Connector;
use serde_json::json;

struct Folder {
    folder: tempfile::TempDir,
    connector: Box<dyn Connector>,
}

#[async_trait]
impl Fixture for Folder {
    fn connector(&self) -> &dyn Connector {
        self.connector.as_ref()
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        name.replace('%', "%25")
    }

    async fn remove(&self, name: &str) {
        std::fs::remove_file(self.folder.path().join(name)).unwrap();
    }
}

#[tokio::test]
async fn the_files_connector_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let config = SourceConfig::from_json(json!({"kind": "files", "roots": [folder.path()]})).unwrap();
    let connector = open(&config).unwrap();
    connector_suite(&Folder { folder, connector }).await.unwrap();
}
