//! The documents that Amazon's and Azure's services answer with: a listing, tags, a refusal.
//!
//! Whatever isn't one of them, whole, is an error: a page of a proxy must not be taken for an empty bucket.

use chrono::DateTime;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::key::undo_percent;
use crate::store::{Listed, Page};

/// Elements within elements that are read at most.
const MAX_DEPTH: usize = 16;
/// What Azure's documents begin with.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads a page of `ListObjectsV2`.
pub(crate) fn listing(xml: &[u8]) -> Result<Page, String> {
    let mut page = Page::default();
    let mut is_truncated = None;
    let mut next = None;
    let mut object = Fields::default();
    leaves(xml, "ListBucketResult", |path, text| {
        match path {
            ["IsTruncated"] => is_truncated = Some(text == "true"),
            ["NextContinuationToken"] => next = Some(text.to_owned()),
            ["Contents", "Key"] => object.name = Some(text.to_owned()),
            ["Contents", "Size"] => object.size_bytes = text.parse().ok(),
            ["Contents", "LastModified"] => object.modified = Some(text.to_owned()),
            ["Contents", "ETag"] => object.etag = Some(text.to_owned()),
            ["Contents", "StorageClass"] => object.is_archived = matches!(text, "GLACIER" | "DEEP_ARCHIVE"),
            ["Contents"] => page.objects.push(std::mem::take(&mut object).listed()?),
            _ => {}
        }
        Ok(())
    })?;
    page.next = match (is_truncated, next) {
        (Some(true), Some(next)) if !next.is_empty() => Some(next),
        (Some(true), _) => return Err("it is truncated and doesn't say how to go on".to_owned()),
        (Some(false), _) => None,
        (None, _) => return Err("it doesn't say whether it is truncated".to_owned()),
    };
    Ok(page)
}

/// Reads a page of Azure's `List Blobs`. Folders of hierarchical accounts are no objects.
pub(crate) fn blobs(xml: &[u8]) -> Result<Page, String> {
    let mut page = Page::default();
    let mut next = None;
    let mut blob = Fields::default();
    let (mut is_encoded, mut is_folder) = (false, false);
    leaves(xml, "EnumerationResults", |path, text| {
        match path {
            ["NextMarker"] => next = Some(text.to_owned()),
            // What XML can't hold.
            ["Blobs", "Blob", "Name", "@Encoded"] => is_encoded = text == "true",
            ["Blobs", "Blob", "Name"] if is_encoded => {
                let name = undo_percent(text).ok_or("a name is encoded and can't be decoded")?;
                blob.name = Some(name);
            }
            ["Blobs", "Blob", "Name"] => blob.name = Some(text.to_owned()),
            ["Blobs", "Blob", "Properties", "Content-Length"] => blob.size_bytes = text.parse().ok(),
            ["Blobs", "Blob", "Properties", "Last-Modified"] => blob.modified = Some(text.to_owned()),
            ["Blobs", "Blob", "Properties", "Etag"] => blob.etag = Some(text.to_owned()),
            ["Blobs", "Blob", "Properties", "AccessTier"] => blob.is_archived = text == "Archive",
            ["Blobs", "Blob", "Properties", "ResourceType"] => is_folder = text == "directory",
            ["Blobs", "Blob"] => {
                let listed = std::mem::take(&mut blob).listed()?;
                if !std::mem::take(&mut is_folder) {
                    page.objects.push(listed);
                }
                is_encoded = false;
            }
            _ => {}
        }
        Ok(())
    })?;
    let next = next.ok_or("it doesn't say whether there is more")?;
    page.next = Some(next).filter(|next| !next.is_empty());
    Ok(page)
}

/// Reads the tags of an object, in an element that is called `root`.
pub(crate) fn tags(xml: &[u8], root: &str) -> Result<Vec<(String, String)>, String> {
    let mut tags = Vec::new();
    let (mut key, mut value) = (None, String::new());
    leaves(xml, root, |path, text| {
        match path {
            ["TagSet", "Tag", "Key"] => key = Some(text.to_owned()),
            ["TagSet", "Tag", "Value"] => text.clone_into(&mut value),
            ["TagSet", "Tag"] => {
                let key = key.take().ok_or("a tag has no key")?;
                tags.push((key, std::mem::take(&mut value)));
            }
            _ => {}
        }
        Ok(())
    })?;
    tags.sort();
    Ok(tags)
}

/// The code of a refusal, where the body is one. It has letters and digits alone.
pub(crate) fn error_code(xml: &[u8]) -> Option<String> {
    let mut code = None;
    leaves(xml, "Error", |path, text| {
        if path == ["Code"] {
            code = Some(text.to_owned());
        }
        Ok(())
    })
    .ok()?;
    code.filter(|code| code.len() <= 100 && code.chars().all(|character| character.is_ascii_alphanumeric()))
}

#[derive(Default)]
struct Fields {
    name: Option<String>,
    size_bytes: Option<u64>,
    modified: Option<String>,
    etag: Option<String>,
    is_archived: bool,
}

impl Fields {
    fn listed(self) -> Result<Listed, String> {
        let name = self
            .name
            .filter(|name| !name.is_empty())
            .ok_or("an object has no key")?;
        let size_bytes = self.size_bytes.ok_or_else(|| format!("{name:?} has no size"))?;
        let modified_at = self
            .modified
            .map(|text| DateTime::parse_from_rfc3339(&text).or_else(|_| DateTime::parse_from_rfc2822(&text)))
            .transpose()
            .map_err(|_| format!("{name:?} has a time that is none"))?;
        Ok(Listed {
            name,
            size_bytes,
            modified_at: modified_at.map(|date| date.to_utc()),
            etag: self.etag.filter(|etag| !etag.is_empty()),
            is_archived: self.is_archived,
        })
    }
}

/// Hands over each element under the root when it ends: the names on the way to it, and its text; and each attribute when its
/// element begins, with an `@`. White space counts: a key may begin with it.
fn leaves(
    xml: &[u8],
    root: &str,
    mut leaf: impl FnMut(&[&str], &str) -> Result<(), String>,
) -> Result<(), String> {
    let mut reader = Reader::from_reader(xml.strip_prefix(BYTE_ORDER_MARK).unwrap_or(xml));
    let mut path: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut is_whole = false;
    let broken = |error: &dyn std::error::Error| format!("it is broken: {error}");
    loop {
        match reader.read_event().map_err(|error| broken(&error))? {
            Event::Start(tag) => {
                path.push(String::from_utf8_lossy(tag.local_name().as_ref()).into_owned());
                text.clear();
                if path.len() > MAX_DEPTH || path.first().is_none_or(|first| first != root) {
                    return Err(format!("it is no {root}"));
                }
                for attribute in tag.attributes() {
                    let attribute = attribute.map_err(|error| broken(&error))?;
                    let name = String::from_utf8_lossy(attribute.key.local_name().as_ref()).into_owned();
                    path.push(format!("@{name}"));
                    hand_over(&path, &String::from_utf8_lossy(&attribute.value), &mut leaf)?;
                    path.pop();
                }
            }
            Event::Empty(tag) if !path.is_empty() => {
                path.push(String::from_utf8_lossy(tag.local_name().as_ref()).into_owned());
                hand_over(&path, "", &mut leaf)?;
                path.pop();
                text.clear();
            }
            Event::Text(words) => text.push_str(&words.decode().map_err(|error| broken(&error))?),
            Event::CData(words) => text.push_str(&words.decode().map_err(|error| broken(&error))?),
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(|error| broken(&error))?;
                let character = reference.resolve_char_ref().map_err(|error| broken(&error))?;
                match (character, quick_xml::escape::resolve_xml_entity(&name)) {
                    (Some(character), _) => text.push(character),
                    (None, Some(known)) => text.push_str(known),
                    (None, None) => return Err("it has an entity that it doesn't explain".to_owned()),
                }
            }
            Event::End(_) => {
                hand_over(&path, &text, &mut leaf)?;
                path.pop();
                text.clear();
                is_whole = path.is_empty();
            }
            Event::Eof if is_whole => return Ok(()),
            Event::Eof => return Err("it ends too early".to_owned()),
            _ => {}
        }
    }
}

fn hand_over(
    path: &[String],
    text: &str,
    leaf: &mut impl FnMut(&[&str], &str) -> Result<(), String>,
) -> Result<(), String> {
    let under_root: Vec<&str> = path.iter().skip(1).map(String::as_str).collect();
    leaf(&under_root, text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    const LISTING: &str =
        "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">
        <Name>b</Name><IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>
        <Contents><Key> a&lt;&#x1;é.md</Key><Size>3</Size><ETag>&quot;e&quot;</ETag>
        <LastModified>2026-01-02T03:04:05.000Z</LastModified><StorageClass>STANDARD</StorageClass></Contents>
        <Contents><Key>old</Key><Size>0</Size><ETag/><StorageClass>GLACIER</StorageClass>
        <Owner><ID>x</ID></Owner></Contents></ListBucketResult>";

    #[test]
    fn a_listing_is_read_as_it_is_written() {
        let page = listing(LISTING.as_bytes()).unwrap();
        assert_eq!(page.next.as_deref(), Some("a&b"));
        let names: Vec<&str> = page.objects.iter().map(|object| object.name.as_str()).collect();
        assert_eq!(names, [" a<\u{1}é.md", "old"]);
        let first = &page.objects[0];
        assert_eq!((first.size_bytes, first.etag.as_deref()), (3, Some("\"e\"")));
        assert_eq!(
            first.modified_at.unwrap().to_rfc3339(),
            "2026-01-02T03:04:05+00:00"
        );
        assert!(page.objects[1].is_archived && page.objects[1].etag.is_none());
    }

    #[test]
    fn what_is_no_whole_listing_is_never_taken_for_an_empty_one() {
        for end in 0..LISTING.len() {
            if LISTING.is_char_boundary(end) {
                assert!(
                    listing(&LISTING.as_bytes()[..end]).is_err(),
                    "{}",
                    &LISTING[..end]
                );
            }
        }
        for wrong in [
            "<html><body>Sign in</body></html>",
            "<Error><Code>SlowDown</Code></Error>",
            "<ListBucketResult></ListBucketResult>",
            "<ListBucketResult/>",
            "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Size>1</Size></Contents></ListBucketResult>",
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>&x;</Key></Contents></ListBucketResult>",
        ] {
            assert!(listing(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    const BLOBS: &str = "\u{feff}<?xml version=\"1.0\"?><EnumerationResults ContainerName=\"c\"><Blobs>
        <Blob><Name> a&lt;b</Name><Properties><Last-Modified>Fri, 02 Jan 2026 03:04:05 GMT</Last-Modified>
        <Etag>0x8D</Etag><Content-Length>3</Content-Length><AccessTier>Hot</AccessTier></Properties></Blob>
        <Blob><Name Encoded=\"true\">b%2520%EF%BF%BE</Name><Properties><Content-Length>0</Content-Length>
        <AccessTier>Archive</AccessTier></Properties></Blob>
        <Blob><Name>folder</Name><Properties><Content-Length>0</Content-Length><ResourceType>directory</ResourceType>
        </Properties></Blob></Blobs><NextMarker>more</NextMarker></EnumerationResults>";

    #[test]
    fn a_listing_of_blobs_is_read_as_it_is_written_and_never_in_half() {
        let page = blobs(BLOBS.as_bytes()).unwrap();
        assert_eq!(page.next.as_deref(), Some("more"));
        let names: Vec<&str> = page.objects.iter().map(|object| object.name.as_str()).collect();
        assert_eq!(names, [" a<b", "b%20\u{fffe}"]);
        let first = &page.objects[0];
        assert_eq!((first.size_bytes, first.etag.as_deref()), (3, Some("0x8D")));
        assert_eq!(
            first.modified_at.unwrap().to_rfc3339(),
            "2026-01-02T03:04:05+00:00"
        );
        assert!(page.objects[1].is_archived && !first.is_archived);
        for end in (0..BLOBS.len()).filter(|end| BLOBS.is_char_boundary(*end)) {
            assert!(blobs(&BLOBS.as_bytes()[..end]).is_err(), "{}", &BLOBS[..end]);
        }
        let empty = "<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>";
        assert_eq!(blobs(empty.as_bytes()).unwrap(), Page::default());
        for wrong in [
            "<EnumerationResults/>",
            "<EnumerationResults><Blobs/></EnumerationResults>",
            "<html/>",
        ] {
            assert!(blobs(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tags_and_codes() {
        let tagging = b"<Tagging><TagSet><Tag><Key>b</Key><Value/></Tag><Tag><Key>a</Key><Value>1 &amp; 2</Value></Tag></TagSet></Tagging>";
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            tags(tagging, "Tagging").unwrap(),
            [pair("a", "1 & 2"), pair("b", "")]
        );
        assert_eq!(tags(b"<Tagging><TagSet/></Tagging>", "Tagging").unwrap(), []);
        let refusal = b"<Error><Code>SignatureDoesNotMatch</Code><StringToSign>secret</StringToSign></Error>";
        assert_eq!(error_code(refusal).as_deref(), Some("SignatureDoesNotMatch"));
        assert_eq!(error_code(b"<Error><Code>key=hunter2</Code></Error>"), None);
        assert_eq!(error_code(b"not found"), None);
    }
}
