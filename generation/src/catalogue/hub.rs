//! Fetching a file from a model hub, over HTTP (RFC 9110), going on where an earlier try ended.
//!
//! Bytes go to a `.part` file as they come. A later try asks for the rest with a `Range` header; a
//! server that ignores it starts anew. A body that ends early is asked for again, a few times.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode};

use crate::error::Error;

const TRIES: usize = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);
const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// A model hub.
#[derive(Clone, Debug)]
pub struct Hub {
    endpoint: String,
}

impl Hub {
    /// The hub that `HF_ENDPOINT` names (a mirror, say), or the public one.
    pub fn from_environment() -> Self {
        Self::new(
            std::env::var("HF_ENDPOINT")
                .ok()
                .filter(|text| !text.is_empty())
                .as_deref()
                .unwrap_or(DEFAULT_ENDPOINT),
        )
    }

    /// A hub at an address such as `https://hub.example`.
    pub fn new(endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
        }
    }

    /// The address of a file of a repository at a revision.
    pub fn url(&self, repository: &str, revision: &str, path: &str) -> String {
        format!("{}/{repository}/resolve/{revision}/{path}", self.endpoint)
    }

    /// Fetches the file at [`Self::url`], of `expected_bytes`, to `part`, going on behind what is there. The hash is the
    /// caller's to check.
    ///
    /// # Errors
    /// [`Error::Hub`], [`Error::Io`].
    pub async fn download(
        &self,
        url: &str,
        expected_bytes: u64,
        part: &Path,
        advanced: impl Fn(u64),
    ) -> Result<(), Error> {
        let client = client().map_err(|source| failed(url, "no client could be made", Some(source)))?;
        let mut last = failed(url, "it gave nothing", None);
        for _ in 0..TRIES {
            let here = fs::metadata(part).map_or(0, |metadata| metadata.len());
            if here == expected_bytes {
                return Ok(());
            }
            // Longer than it should be: not the same file.
            let from = if here > expected_bytes { 0 } else { here };
            match fetch_from(&client, url, from, expected_bytes, part, &advanced).await {
                Ok(bytes) if bytes == expected_bytes => return Ok(()),
                Ok(bytes) => {
                    last = failed(
                        url,
                        &format!("the body ended at {bytes} of {expected_bytes} bytes"),
                        None,
                    )
                }
                // Another try wouldn't end differently.
                Err(error @ Error::Io { .. }) => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(SILENCE_TIMEOUT)
        .user_agent(concat!("lectern/", env!("CARGO_PKG_VERSION")))
        .build()
}

fn failed(url: &str, reason: &str, source: Option<reqwest::Error>) -> Error {
    Error::Hub {
        url: url.to_owned(),
        reason: reason.to_owned(),
        source,
    }
}

/// Asks once, from byte `from` on, and returns the length of what is in `part` afterwards.
async fn fetch_from(
    client: &Client,
    url: &str,
    from: u64,
    expected_bytes: u64,
    part: &Path,
    advanced: &impl Fn(u64),
) -> Result<u64, Error> {
    let mut request = client.get(url);
    if from > 0 {
        request = request.header(RANGE, format!("bytes={from}-"));
    }
    let response = request
        .send()
        .await
        .map_err(|source| failed(url, "the connection failed", Some(source)))?;
    let mut here = match response.status() {
        StatusCode::PARTIAL_CONTENT if starts_at(&response, from) => from,
        StatusCode::OK => 0,
        status => return Err(failed(url, &format!("it answered {status}"), None)),
    };
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(here == 0)
        .append(here > 0)
        .open(part)
        .map_err(Error::io("opened", part))?;
    let mut body = response.bytes_stream();
    while let Some(block) = body.next().await {
        let block = block.map_err(|source| failed(url, "the connection broke", Some(source)))?;
        here += block.len() as u64;
        if here > expected_bytes {
            drop(file);
            fs::remove_file(part).map_err(Error::io("removed", part))?;
            return Err(failed(
                url,
                &format!("it gave more than {expected_bytes} bytes"),
                None,
            ));
        }
        file.write_all(&block).map_err(Error::io("written", part))?;
        advanced(here);
    }
    file.sync_all().map_err(Error::io("written", part))?;
    Ok(here)
}

fn starts_at(response: &Response, from: u64) -> bool {
    response
        .headers()
        .get(CONTENT_RANGE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with(&format!("bytes {from}-")))
}
