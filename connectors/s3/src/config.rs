//! What a source of buckets is configured with. It names secrets, and never has one.

use lectern_connector_remote::Secret;
use serde::{Deserialize, Serialize};

/// Larger objects are skipped, unless the configuration says otherwise: 50 MiB.
const DEFAULT_MAX_OBJECT_BYTES: u64 = 50 * 1024 * 1024;
/// An answer takes some 30 ms to come, however small the object is.
const DEFAULT_FETCHES_AT_ONCE: usize = 32;

/// The buckets of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Config {
    /// Buckets, each with the beginning of the keys that are read, if not all are: `handbook`, `s3://handbook/docs/`,
    /// `gs://bucket`, `az://container`.
    pub buckets: Vec<String>,
    /// Patterns of keys that are read; all, where nothing is said. `*` stays within a folder, `**` doesn't.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Patterns of keys that are not read, whatever `include` says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// The address of the service, without the bucket: `https://minio.example:9000`. Amazon's, Google's, or that of the
    /// account at Azure, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The region. Where nothing is said, that of the environment or of the profile, or else `us-east-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whether the bucket is part of the host's name (`https://BUCKET.HOST/KEY`) and not of the path.
    #[serde(default)]
    pub virtual_hosted: bool,
    /// Whether an endpoint may be `http://`.
    #[serde(default)]
    pub allow_http: bool,
    /// Where the keys to the buckets come from.
    #[serde(default)]
    pub credentials: Credentials,
    /// Whether the requester pays for the requests.
    #[serde(default)]
    pub requester_pays: bool,
    /// The key that the objects are encrypted with, where the customer keeps it (SSE-C): 32 bytes in base64. What the
    /// service encrypts by itself (SSE-S3, SSE-KMS) needs no setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_key: Option<Secret>,
    /// Whether `KEY.metadata.json` says what is known about `KEY`. It costs a request for each document that is read.
    #[serde(default = "yes")]
    pub sidecars: bool,
    /// Whether tags become attributes. It costs a request for each object of every listing.
    #[serde(default)]
    pub tags: bool,
    /// An object with who may read what, by the beginning of the key: `s3://handbook/acl.json`. What it doesn't name is
    /// read by nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acl_file: Option<String>,
    /// Larger objects are skipped.
    #[serde(default = "default_max_object_bytes")]
    pub max_object_bytes: u64,
    /// How many objects are read at a time: 1 to 256.
    #[serde(default = "default_fetches_at_once")]
    pub fetches_at_once: usize,
}

impl S3Config {
    /// Those buckets, with defaults for the rest.
    pub fn new(buckets: Vec<String>) -> Self {
        Self {
            buckets,
            include: Vec::new(),
            exclude: Vec::new(),
            endpoint: None,
            region: None,
            virtual_hosted: false,
            allow_http: false,
            credentials: Credentials::default(),
            requester_pays: false,
            customer_key: None,
            sidecars: true,
            tags: false,
            acl_file: None,
            max_object_bytes: DEFAULT_MAX_OBJECT_BYTES,
            fetches_at_once: DEFAULT_FETCHES_AT_ONCE,
        }
    }
}

/// Where the keys to a bucket come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case", deny_unknown_fields)]
pub enum Credentials {
    /// What Amazon's tools look at, in their order: the environment, a web identity, the profiles in `~/.aws`, the
    /// container, the machine. Google's and Azure's from their own environment variables.
    #[default]
    Chain,
    /// None: requests aren't signed. For buckets that everybody may read.
    Anonymous,
    /// A profile in `~/.aws/credentials` and `~/.aws/config`.
    Profile {
        /// Its name.
        name: String,
    },
    /// An access key whose parts are in named places. Google has none such.
    Key {
        /// The access key's id; at Azure, the name of the account.
        id: Secret,
        /// The access key itself.
        secret: Secret,
        /// The token of a session, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<Secret>,
    },
    /// A service account of Google's.
    ServiceAccount {
        /// Its key, in JSON as it was downloaded.
        key: Secret,
    },
}

fn yes() -> bool {
    true
}

fn default_fetches_at_once() -> usize {
    DEFAULT_FETCHES_AT_ONCE
}

fn default_max_object_bytes() -> u64 {
    DEFAULT_MAX_OBJECT_BYTES
}
