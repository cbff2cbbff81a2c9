//! What parent and child say to each other: frames of a length (four bytes, little-endian) and as many bytes.
//!
//! The parent begins with one frame of [`Limits`](super::limits::Limits). Then, for every file, it sends a
//! [`Request`] and the file itself, and the child answers with one [`Response`] and the bytes of each attachment that
//! it names, a frame each. Request and response are JSON.
//!
//! The frames run over a socket pair that is the child's standard input. Standard output would do as well,
//! if no parser ever printed to it.

use std::io::{self, Read, Write};

use lectern_domain::Extracted;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::ExtractError;

/// What comes before the bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) name: String,
    pub(super) media_type: Option<String>,
}

/// What the child says of a file.
pub(super) type Response = Result<Extracted, ExtractError>;

/// The longest JSON before a file: a name and a media type.
pub(super) const MAX_HEADER_BYTES: u64 = 256 * 1024;

fn too_long(length: u64, limit: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("a frame of {length} bytes, with a limit of {limit}"),
    )
}

fn length_prefix(payload: &[u8]) -> io::Result<[u8; 4]> {
    u32::try_from(payload.len())
        .map(u32::to_le_bytes)
        .map_err(|_| too_long(payload.len() as u64, u64::from(u32::MAX)))
}

/// Reads one frame; `None` at the end of the stream.
pub(super) fn read(stream: &mut impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = [0; 4];
    match stream.read_exact(&mut prefix) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u64::from(u32::from_le_bytes(prefix));
    if length > limit {
        return Err(too_long(length, limit));
    }
    let mut payload = Vec::new();
    stream.take(length).read_to_end(&mut payload)?;
    if payload.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(payload))
}

/// Writes one frame.
pub(super) fn write(stream: &mut impl Write, payload: &[u8]) -> io::Result<()> {
    stream.write_all(&length_prefix(payload)?)?;
    stream.write_all(payload)?;
    stream.flush()
}

/// Reads one frame; the end of the stream is an error.
pub(super) async fn read_async(stream: &mut (impl AsyncRead + Unpin), limit: u64) -> io::Result<Vec<u8>> {
    let length = u64::from(stream.read_u32_le().await?);
    if length > limit {
        return Err(too_long(length, limit));
    }
    let mut payload = Vec::new();
    stream.take(length).read_to_end(&mut payload).await?;
    if payload.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(payload)
}

/// Writes one frame.
pub(super) async fn write_async(stream: &mut (impl AsyncWrite + Unpin), payload: &[u8]) -> io::Result<()> {
    stream.write_all(&length_prefix(payload)?).await?;
    stream.write_all(payload).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back_and_a_longer_one_is_refused_before_it_is_read() {
        let mut stream = Vec::new();
        write(&mut stream, b"one").unwrap();
        write(&mut stream, b"").unwrap();
        let mut reader = stream.as_slice();
        assert_eq!(read(&mut reader, 3).unwrap().unwrap(), b"one");
        assert_eq!(read(&mut reader, 3).unwrap().unwrap(), b"");
        assert!(read(&mut reader, 3).unwrap().is_none());
        assert_eq!(
            read(&mut stream.as_slice(), 2).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        assert_eq!(
            read(&mut &stream[..5], 3).unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }
}
