//! Sidecars in real folders: never documents, read with what they are about, and told where they are broken.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use std::path::Path;

use futures::StreamExt;
use lectern_connector_files::{FilesConfig, FilesConnector};
use lectern_domain::ports::{Connector, Fetched, ListEvent, SourceItem};
use lectern_domain::{Acl, AttributeValue, PortError, Principal};

fn connector(root: &Path) -> FilesConnector {
    FilesConnector::new(FilesConfig::new(vec![root.to_owned()])).unwrap()
}

async fn fetch(connector: &FilesConnector, key: &str) -> Result<Fetched, PortError> {
    connector.fetch(&SourceItem::new(key, "")).await
}

#[tokio::test]
async fn a_sidecar_is_read_with_its_document_and_never_listed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::write(root.join("lease.md"), "# Lease").unwrap();
    std::fs::write(
        root.join("lease.md.metadata.json"),
        r#"{"Title": "The lease", "Attributes": {"floor": 2},
            "AccessControlList": [{"Name": "legal", "Type": "GROUP", "Access": "ALLOW"}]}"#,
    )
    .unwrap();
    std::fs::write(root.join("gone.md.metadata.json"), "{}").unwrap();
    std::fs::write(root.join("plain.md"), "plain").unwrap();

    let connector = connector(root);
    let mut lines = Vec::new();
    for event in connector.list(None).collect::<Vec<_>>().await {
        lines.push(match event.unwrap() {
            ListEvent::Item(item) => item.key,
            ListEvent::Skipped { item, code, .. } => format!("{}: {code}", item.key),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(
        lines,
        ["gone.md.metadata.json: sidecar_alone", "lease.md", "plain.md"]
    );

    let lease = fetch(&connector, "lease.md").await.unwrap();
    assert_eq!(&*lease.bytes, b"# Lease");
    assert_eq!(lease.title.as_deref(), Some("The lease"));
    assert_eq!(lease.attributes["floor"], AttributeValue::Number(2.0));
    assert_eq!(
        lease.acl,
        Some(Acl::allowing([Principal::Group("legal".to_owned())]))
    );
    let plain = fetch(&connector, "plain.md").await.unwrap();
    assert!(plain.title.is_none() && plain.acl.is_none() && plain.attributes.is_empty());
}

#[tokio::test]
async fn a_broken_sidecar_fails_its_document() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["typo.md", "large.md", "link.md", "folder.md"] {
        std::fs::write(root.join(name), "text").unwrap();
    }
    std::fs::write(
        root.join("typo.md.metadata.json"),
        r#"{"AccessControllList": []}"#,
    )
    .unwrap();
    std::fs::write(root.join("large.md.metadata.json"), " ".repeat(70_000)).unwrap();
    std::os::unix::fs::symlink("typo.md", root.join("link.md.metadata.json")).unwrap();
    std::fs::create_dir(root.join("folder.md.metadata.json")).unwrap();
    let connector = connector(root);
    for (key, told) in [
        ("typo.md", "unknown field `AccessControllList`"),
        ("large.md", "is larger than 65536 bytes"),
        ("link.md", "is a link"),
        ("folder.md", "is no regular file"),
    ] {
        let error = fetch(&connector, key).await.unwrap_err();
        assert_eq!(error.code, "sidecar_invalid");
        assert!(error.message.contains(told), "{}", error.message);
        assert!(
            error
                .message
                .starts_with(&format!("the sidecar {key}.metadata.json"))
        );
    }
}
