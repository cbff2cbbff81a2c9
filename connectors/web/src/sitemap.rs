//! Sitemaps: lists of addresses that a site gives to crawlers (the protocol of sitemaps.org), and lists of such lists.
//!
//! A sitemap is XML or a plain text with an address in each line, packed with gzip or not; which of these is told by its first
//! bytes. Whatever else comes, such as a page that says "not found" with the status 200, is none.

use std::borrow::Cow;
use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use quick_xml::Reader;
use quick_xml::events::Event;
use tokio::task::spawn_blocking;

use crate::error::Error;

/// The protocol allows as many bytes, unpacked.
pub(crate) const MAX_BYTES: u64 = 50 << 20;
/// The protocol allows as many addresses.
const MAX_ADDRESSES: usize = 50_000;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What a sitemap lists, as it is written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sitemap {
    /// Addresses of pages.
    pub(crate) pages: Vec<String>,
    /// Addresses of other sitemaps.
    pub(crate) sitemaps: Vec<String>,
    /// It lists more than the protocol allows.
    pub(crate) is_cut: bool,
}

/// Reads a sitemap on a thread where that may take its time: it has up to 50 MB.
pub(crate) async fn read_aside(bytes: &Bytes) -> Result<Result<Sitemap, String>, Error> {
    let bytes = bytes.clone();
    spawn_blocking(move || read(&bytes))
        .await
        .map_err(Error::ThreadEnded)
}

/// Reads a sitemap. Fails with what is wrong with it.
fn read(bytes: &[u8]) -> Result<Sitemap, String> {
    let bytes = unpacked(bytes)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'<') => xml(text),
        _ => plain(text),
    }
}

fn unpacked(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    if !bytes.starts_with(&GZIP) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut unpacked = Vec::new();
    let mut reader = MultiGzDecoder::new(bytes).take(MAX_BYTES + 1);
    let read = reader.read_to_end(&mut unpacked);
    read.map_err(|error| format!("it can't be unpacked: {error}"))?;
    match unpacked.len() as u64 > MAX_BYTES {
        true => Err(format!("it has more than {MAX_BYTES} bytes when it is unpacked")),
        false => Ok(Cow::Owned(unpacked)),
    }
}

fn plain(text: &[u8]) -> Result<Sitemap, String> {
    let text = String::from_utf8_lossy(text);
    let mut sitemap = Sitemap::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !line.starts_with("http://") && !line.starts_with("https://") {
            return Err("it is neither XML nor a list of addresses".to_owned());
        }
        sitemap.push(false, line.to_owned());
    }
    Ok(sitemap)
}

/// Reads the `loc` of each `url` and `sitemap`. Names count without their prefix.
fn xml(text: &[u8]) -> Result<Sitemap, String> {
    let mut reader = Reader::from_reader(text);
    reader.config_mut().check_end_names = true;
    let mut sitemap = Sitemap::default();
    let mut path: Vec<Vec<u8>> = Vec::new();
    let mut location = String::new();
    let mut is_whole = false;
    loop {
        let event = reader
            .read_event()
            .map_err(|error| format!("it is broken: {error}"))?;
        match event {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_vec();
                if path.is_empty() && !matches!(name.as_slice(), b"urlset" | b"sitemapindex") {
                    return Err("it is XML and no sitemap".to_owned());
                }
                if path.len() > 8 {
                    return Err("its elements are too deep in each other".to_owned());
                }
                path.push(name);
                location.clear();
            }
            Event::Text(text) => {
                let text = text.decode().map_err(|error| format!("it is broken: {error}"))?;
                location.push_str(&text);
            }
            Event::CData(text) => {
                let text = text.decode().map_err(|error| format!("it is broken: {error}"))?;
                location.push_str(&text);
            }
            Event::GeneralRef(reference) => {
                let name = reference
                    .decode()
                    .map_err(|error| format!("it is broken: {error}"))?;
                let character = reference.resolve_char_ref();
                let character = character.map_err(|error| format!("it is broken: {error}"))?;
                match (character, quick_xml::escape::resolve_xml_entity(&name)) {
                    (Some(character), _) => location.push(character),
                    (None, Some(known)) => location.push_str(known),
                    (None, None) => return Err("it has an entity that it doesn't explain".to_owned()),
                }
            }
            Event::End(_) => {
                let names: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
                let address = || location.trim().to_owned();
                match names.as_slice() {
                    [b"urlset", b"url", b"loc"] => sitemap.push(false, address()),
                    [b"sitemapindex", b"sitemap", b"loc"] => sitemap.push(true, address()),
                    _ => {}
                }
                path.pop();
                is_whole = path.is_empty();
            }
            Event::Eof if is_whole => return Ok(sitemap),
            Event::Eof => return Err("it ends too early".to_owned()),
            Event::Empty(empty)
                if path.is_empty() && matches!(empty.local_name().as_ref(), b"urlset" | b"sitemapindex") =>
            {
                is_whole = true;
            }
            _ => {}
        }
        if location.len() > 1 << 16 {
            return Err("it has an address without end".to_owned());
        }
    }
}

impl Sitemap {
    fn push(&mut self, is_sitemap: bool, address: String) {
        if self.pages.len() + self.sitemaps.len() >= MAX_ADDRESSES {
            self.is_cut = true;
            return;
        }
        match is_sitemap {
            true => self.sitemaps.push(address),
            false => self.pages.push(address),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    const XML: &str = r#"<?xml version="1.0" encoding="UTF-8"?><!-- c -->
        <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:i="urn:i">
          <url><loc> https://example.com/a?b=1&amp;c=&#50; </loc><lastmod>2026-01-01</lastmod>
            <i:image><i:loc>https://example.com/no.png</i:loc></i:image></url>
          <url><lastmod>x</lastmod><loc><![CDATA[https://example.com/b]]></loc></url>
        </urlset>"#;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn a_sitemap_is_xml_or_text_and_may_be_packed() {
        let expected = ["https://example.com/a?b=1&c=2", "https://example.com/b"];
        assert_eq!(read(XML.as_bytes()).unwrap().pages, expected);
        assert_eq!(read(&packed(XML.as_bytes())).unwrap().pages, expected);
        let text = "\u{feff}https://example.com/a?b=1&c=2\r\n\nhttps://example.com/b\n";
        assert_eq!(read(text.as_bytes()).unwrap().pages, expected);
        let index = "<s:sitemapindex xmlns:s='u'><s:sitemap><s:loc>https://example.com/1.xml.gz</s:loc></s:sitemap></s:sitemapindex>";
        let index = read(index.as_bytes()).unwrap();
        assert_eq!(
            (index.pages.len(), index.sitemaps.as_slice()),
            (0, &["https://example.com/1.xml.gz".to_owned()][..])
        );
        assert_eq!(read(b"<urlset/>").unwrap(), Sitemap::default());
        assert_eq!(read(b"").unwrap(), Sitemap::default());
    }

    #[test]
    fn what_is_no_sitemap_is_told() {
        let cut = &XML[..XML.len() - 20];
        let bomb = packed(&vec![b'\n'; usize::try_from(MAX_BYTES).unwrap() + 2]);
        let wrong: [&[u8]; 6] = [
            b"<!doctype html><html><body>Not found</body></html>",
            b"Not found",
            cut.as_bytes(),
            b"\x1f\x8b broken",
            b"<urlset><url></urlset>",
            &bomb,
        ];
        for wrong in wrong {
            assert!(
                read(wrong).is_err(),
                "{:?}",
                String::from_utf8_lossy(&wrong[..wrong.len().min(40)])
            );
        }
    }

    #[test]
    fn a_sitemap_has_an_end() {
        let many = "https://example.com/a\n".repeat(MAX_ADDRESSES + 1);
        let sitemap = read(many.as_bytes()).unwrap();
        assert!(sitemap.pages.len() == MAX_ADDRESSES && sitemap.is_cut);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            read(&bytes).ok();
        }
    }
}
