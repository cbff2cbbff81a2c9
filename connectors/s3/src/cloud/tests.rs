//! Google's way of asking, against a bucket in memory.

use object_store::ClientOptions;

use super::*;

#[allow(dead_code, reason = "the suite of connectors uses the rest")]
#[path = "../../../tests/s3/shelf.rs"]
mod shelf;

/// Google's own XML is that of S3.
fn google(shelf: &shelf::Shelf) -> Cloud {
    let builder = GoogleCloudStorageBuilder::new()
        .with_base_url(shelf.endpoint())
        .with_bucket_name(shelf::BUCKET)
        .with_skip_signature(true)
        .with_client_options(ClientOptions::new().with_allow_http(true));
    Cloud {
        bucket: shelf::BUCKET.to_owned(),
        service: Box::new(builder.build().unwrap()),
    }
}

#[tokio::test]
async fn pages_and_objects_come_through() {
    let shelf = shelf::Shelf::new();
    shelf.number(2500);
    shelf.put("a b%.md", b"odd");
    shelf.change("a b%.md", |stored| {
        stored
            .headers
            .push(("Content-Type".to_owned(), "text/markdown".to_owned()));
        stored.headers.push((
            "Last-Modified".to_owned(),
            "Thu, 01 Jan 2026 00:00:00 GMT".to_owned(),
        ));
    });
    let cloud = google(&shelf);
    let (mut names, mut token) = (Vec::new(), None);
    loop {
        let page = cloud.page("", token.as_deref()).await.unwrap();
        names.extend(page.objects.into_iter().map(|object| object.name));
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!((names.len(), names[0].as_str()), (2501, "a b%.md"));
    let object = cloud.object("a b%.md", 3).await.unwrap();
    assert_eq!(
        (object.bytes.as_slice(), object.media_type.as_deref()),
        (b"odd".as_slice(), Some("text/markdown"))
    );
    assert_eq!(cloud.object("a b%.md", 2).await.unwrap_err().code(), "too_large");
    for gone in ["missing", "a//b", "../a", ""] {
        assert_eq!(
            cloud.object(gone, 9).await.unwrap_err().code(),
            "object_gone",
            "{gone:?}"
        );
    }
    shelf.put("a//b", b"x");
    assert_eq!(cloud.page("", None).await.unwrap_err().code(), "listing_unusable");
}
