//! What the tests of an evaluation share.

use std::ops::Range;

use lectern_domain::{Confidence, DocumentId, Passage};

/// A passage of the document at `uri`.
pub fn passage(uri: &str, span: Range<usize>, text: &str) -> Passage {
    let nil = DocumentId(uuid::Uuid::nil());
    serde_json::from_value(serde_json::json!({
        "chunk": nil,
        "document": nil,
        "version": 1,
        "title": "",
        "uri": uri,
        "heading_path": [],
        "page": null,
        "span": { "start": span.start, "end": span.end },
        "text": text,
        "score": 1.0,
        "confidence": Confidence::High,
    }))
    .unwrap()
}
