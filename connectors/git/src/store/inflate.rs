//! Compressed bytes of a file, unpacked as far as they are wanted and never further than they may be.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use flate2::{Decompress, FlushDecompress, Status};

use super::Broken;

/// How much is read from the file at a time.
const CHUNK_BYTES: usize = 4096;
/// How far the room for what is unpacked grows at a time, so that a size that is only claimed takes no memory.
const STEP_BYTES: usize = 256 << 10;
/// Compressed bytes that may come to nothing: packing makes nothing twice as large.
const SLACK_BYTES: u64 = 64 << 10;

/// A zlib stream that begins somewhere in a file.
pub(super) struct Inflater<'a> {
    file: &'a File,
    offset: u64,
    decoder: Decompress,
    chunk: Vec<u8>,
    /// What of the chunk is left.
    at: usize,
    is_ended: bool,
}

impl<'a> Inflater<'a> {
    pub(super) fn new(file: &'a File, offset: u64) -> Self {
        Self {
            file,
            offset,
            decoder: Decompress::new(true),
            chunk: Vec::new(),
            at: 0,
            is_ended: false,
        }
    }

    /// Appends `most` more bytes, or as many as there are.
    pub(super) fn read(&mut self, output: &mut Vec<u8>, most: usize) -> Result<(), Broken> {
        let end = output.len().saturating_add(most);
        while output.len() < end && !self.is_ended {
            let written = output.len();
            output.resize(end.min(written + STEP_BYTES), 0);
            let (before_in, before_out) = (self.decoder.total_in(), self.decoder.total_out());
            let input = self.chunk.get(self.at..).unwrap_or_default();
            let room = output.get_mut(written..).unwrap_or_default();
            let status = self.decoder.decompress(input, room, FlushDecompress::None);
            let consumed = usize::try_from(self.decoder.total_in() - before_in).unwrap_or(0);
            let produced = usize::try_from(self.decoder.total_out() - before_out).unwrap_or(0);
            output.truncate(written + produced);
            self.at += consumed;
            match status {
                Err(_) => return Err(Broken::Corrupt("can't be unpacked")),
                Ok(Status::StreamEnd) => self.is_ended = true,
                // What was taken in before is all unpacked: more of the file is needed.
                Ok(_) if consumed == 0 && produced == 0 => {
                    if self.at < self.chunk.len() {
                        return Err(Broken::Corrupt("can't be unpacked"));
                    }
                    self.fill()?;
                }
                Ok(_) => {}
            }
            if self.decoder.total_in() > 2 * self.decoder.total_out() + SLACK_BYTES {
                return Err(Broken::Corrupt("is packed in too many bytes"));
            }
        }
        Ok(())
    }

    /// Whether there is nothing more. Checks the checksum at the end.
    pub(super) fn is_at_end(&mut self) -> Result<bool, Broken> {
        let mut more = Vec::new();
        self.read(&mut more, 1)?;
        Ok(more.is_empty() && self.is_ended)
    }

    fn fill(&mut self) -> Result<(), Broken> {
        self.chunk.resize(CHUNK_BYTES, 0);
        let read = loop {
            match self.file.read_at(&mut self.chunk, self.offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(Broken::Io)?,
            }
        };
        if read == 0 {
            return Err(Broken::Corrupt("ends too early"));
        }
        self.chunk.truncate(read);
        self.offset += read as u64;
        self.at = 0;
        Ok(())
    }
}

/// What a stream unpacks to, which must have exactly `size` bytes.
pub(super) fn inflate_all(file: &File, offset: u64, size: usize) -> Result<Vec<u8>, Broken> {
    let mut inflater = Inflater::new(file, offset);
    let mut bytes = Vec::new();
    inflater.read(&mut bytes, size)?;
    if bytes.len() != size || !inflater.is_at_end()? {
        return Err(Broken::Corrupt("has another size than it says"));
    }
    Ok(bytes)
}

/// What a stream unpacks to, up to `most` bytes.
pub(super) fn inflate_some(file: &File, offset: u64, most: usize) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    Inflater::new(file, offset).read(&mut bytes, most)?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use std::io::Write;

    fn file_of(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        let mut encoder = flate2::write::ZlibEncoder::new(&mut file, flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap();
        file
    }

    #[test]
    fn what_was_packed_comes_back_in_pieces_of_any_size() {
        let mixed: Vec<u8> = (0..100_000_u32)
            .map(|number| (number.wrapping_mul(number) >> 7) as u8)
            .collect();
        for bytes in [vec![], vec![b'0'; 3 << 20], mixed] {
            let file = file_of(&bytes);
            assert_eq!(inflate_all(&file, 0, bytes.len()).unwrap(), bytes);
            assert!(inflate_all(&file, 0, bytes.len() + 1).is_err());
            assert!(bytes.is_empty() || inflate_all(&file, 0, bytes.len() - 1).is_err());
            assert_eq!(inflate_some(&file, 0, 10).unwrap(), bytes[..bytes.len().min(10)]);
            let (mut inflater, mut pieces) = (Inflater::new(&file, 0), Vec::new());
            for size in (0..).take_while(|size| size * size < 10_000) {
                inflater.read(&mut pieces, size * size).unwrap();
            }
            assert_eq!(pieces[..], bytes[..pieces.len()]);
        }
    }

    #[test]
    fn what_is_cut_off_or_changed_is_an_error() {
        let bytes = b"some text that is long enough ".repeat(20);
        let file = file_of(&bytes);
        let length = file.metadata().unwrap().len();
        for place in 0..length {
            let mut byte = [0];
            file.read_exact_at(&mut byte, place).unwrap();
            file.write_all_at(&[byte[0] ^ 0x55], place).unwrap();
            let changed = inflate_all(&file, 0, bytes.len());
            assert!(changed.is_err() || changed.unwrap() == bytes);
            file.write_all_at(&byte, place).unwrap();
        }
        assert_eq!(inflate_all(&file, 0, bytes.len()).unwrap(), bytes);
        for shorter in (0..length).rev() {
            file.set_len(shorter).unwrap();
            assert!(inflate_all(&file, 0, bytes.len()).is_err());
        }
    }
}
