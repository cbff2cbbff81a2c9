//! How much a caller may send, how long it may take, and how many may do so at once.
//!
//! Nothing that comes from outside is read without one of these bounds.

use std::time::Duration;

/// The bounds of the HTTP layer.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The longest JSON body of an ordinary request, in bytes. A question of 20,000 characters fits
    /// even where each character is written as a JSON escape.
    pub json_bytes: usize,
    /// The largest document that can be pushed, in bytes of the document itself.
    pub document_bytes: usize,
    /// How many pushed documents are held in memory at once.
    pub concurrent_pushes: usize,
    /// How long a client may take over the head of a request.
    pub head_timeout: Duration,
    /// How long a client may take over an ordinary body.
    pub body_timeout: Duration,
    /// How long a client may take over the body of a pushed document.
    pub document_timeout: Duration,
    /// How often a quiet event stream says that it is still there.
    pub keep_alive: Duration,
    /// How long `?wait=true` waits for a pushed document.
    pub push_wait: Duration,
    /// How many connections a worker serves at once.
    pub connections_per_worker: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            json_bytes: 256 * 1024,
            document_bytes: 50 * 1024 * 1024,
            concurrent_pushes: 4,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            document_timeout: Duration::from_secs(300),
            keep_alive: Duration::from_secs(5),
            push_wait: Duration::from_secs(60),
            connections_per_worker: 1_024,
        }
    }
}

impl Limits {
    /// The longest body of a push: the document in base64 (4 bytes for 3) or in JSON escapes, and
    /// what else is said about it.
    pub fn push_body_bytes(&self) -> usize {
        self.document_bytes / 3 * 4 + self.json_bytes
    }
}
