//! `[vectors]`: where vectors are kept.

use lectern_domain::PortError;
use serde::{Deserialize, Serialize};

use super::{Secret, invalid};

/// Where vectors are kept: in this process, or on a Qdrant server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VectorsConfig {
    /// The gRPC address of a Qdrant server, such as `http://127.0.0.1:6334`. Default: none, and the
    /// engine runs in this process.
    pub url: Option<String>,
    /// The server's key. Default: none.
    pub api_key: Option<Secret>,
    /// The server's collection that holds the vectors. Default `lectern`.
    pub collection: String,
}

impl Default for VectorsConfig {
    fn default() -> Self {
        Self {
            url: None,
            api_key: None,
            collection: "lectern".to_owned(),
        }
    }
}

impl VectorsConfig {
    pub(super) fn check(&self) -> Result<(), PortError> {
        if self.url.as_deref().is_some_and(|url| url.trim().is_empty()) {
            return Err(invalid(
                "[vectors] url is empty; leave it out to keep vectors in this process".to_owned(),
            ));
        }
        if self.collection.trim().is_empty() {
            return Err(invalid("[vectors] collection is empty".to_owned()));
        }
        Ok(())
    }
}
