//! The forms that Amazon's services read, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;

use lectern_domain::attribute::AttributeValue;
use lectern_domain::{Acl, Principal};
use serde_json::json;

use crate::{Sidecar, parse};

fn read(json: serde_json::Value) -> Result<Sidecar, String> {
    parse(json.to_string().as_bytes())
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::Text(value.to_owned())
}

#[test]
fn the_forms_of_bedrock() {
    let sidecar = read(json!({
        "metadataAttributes": {
            "department": "legal",
            "pages": 12,
            "draft": false,
            "tags": ["lease", "2023"],
            "signed": "2023-05-01T10:00:00Z",
            "place": { "value": { "type": "STRING", "stringValue": "Oslo" }, "includeForEmbedding": true },
            "rent": { "value": { "type": "NUMBER", "numberValue": 1200.5 } },
            "open": { "value": { "type": "BOOLEAN", "booleanValue": true } },
            "parties": { "value": { "type": "STRING_LIST", "stringListValue": ["A", "B"] } },
            "x-amz-bedrock-kb-source-uri": "https://intranet.example/lease",
        },
        "documentStructureConfiguration": { "type": "RECORD_BASED_STRUCTURE_METADATA" },
    }))
    .unwrap();
    let list = |values: &[&str]| AttributeValue::TextList(values.iter().map(ToString::to_string).collect());
    for (name, value) in [
        ("department", text("legal")),
        ("pages", AttributeValue::Number(12.0)),
        ("draft", text("false")),
        ("tags", list(&["lease", "2023"])),
        (
            "signed",
            AttributeValue::Date("2023-05-01T10:00:00Z".parse().unwrap()),
        ),
        ("place", text("Oslo")),
        ("rent", AttributeValue::Number(1200.5)),
        ("open", text("true")),
        ("parties", list(&["A", "B"])),
        ("uri", text("https://intranet.example/lease")),
    ] {
        assert_eq!(sidecar.attributes.get(name), Some(&value), "{name}");
    }
    assert_eq!((sidecar.title, sidecar.acl), (None, None));
}

#[test]
fn the_form_of_kendra() {
    let sidecar = read(json!({
        "DocumentId": "lease-7",
        "Title": "Lease of the ground floor",
        "ContentType": "PDF",
        "Attributes": {
            "_category": "contracts",
            "_created_at": "2023-05-01",
            "_last_updated_at": "2023-06-01T00:00:00+02:00",
            "_source_uri": "https://intranet.example/lease",
            "_language_code": "en",
            "_version": "3",
            "_view_count": 17,
            "floor": "ground",
        },
        "AccessControlList": [
            { "Name": "legal", "Type": "GROUP", "Access": "ALLOW" },
            { "Name": "mallory", "Type": "USER", "Access": "DENY" },
        ],
    }))
    .unwrap();
    assert_eq!(sidecar.title.as_deref(), Some("Lease of the ground floor"));
    assert_eq!(sidecar.media_type.as_deref(), Some("application/pdf"));
    let acl = sidecar.acl.unwrap();
    assert_eq!(acl.allow, BTreeSet::from([Principal::Group("legal".to_owned())]));
    assert_eq!(acl.deny, BTreeSet::from([Principal::User("mallory".to_owned())]));
    let date = |text: &str| AttributeValue::Date(text.parse().unwrap());
    for (name, value) in [
        ("category", text("contracts")),
        ("created", date("2023-05-01T00:00:00Z")),
        ("modified", date("2023-05-31T22:00:00Z")),
        ("uri", text("https://intranet.example/lease")),
        ("language", text("en")),
        ("version", text("3")),
        ("view_count", AttributeValue::Number(17.0)),
        ("floor", text("ground")),
    ] {
        assert_eq!(sidecar.attributes.get(name), Some(&value), "{name}");
    }
}

#[test]
fn an_empty_access_list_permits_nobody_and_none_says_nothing() {
    assert_eq!(
        read(json!({ "AccessControlList": [] })).unwrap().acl,
        Some(Acl::nobody())
    );
    assert_eq!(read(json!({})).unwrap(), Sidecar::default());
}

#[test]
fn what_is_not_understood_is_refused() {
    for (wrong, told) in [
        (
            json!({ "AccesControlList": [] }),
            "unknown field `AccesControlList`",
        ),
        (json!([]), "isn't one"),
        (json!({ "Attributes": { "a": null } }), "gives \"a\" no value"),
        (
            json!({ "Attributes": { "a": [1] } }),
            "a list that has more than texts",
        ),
        (json!({ "Attributes": { "a": { "b": 1 } } }), "unknown key \"b\""),
        (
            json!({ "Attributes": { "a": { "value": { "type": "DATE" } } } }),
            "a type other than",
        ),
        (
            json!({ "Attributes": { "a": { "value": { "type": "NUMBER", "numberValue": "1" } } } }),
            "a numberValue of another type",
        ),
        (json!({ "Attributes": { "_created_at": "spring" } }), "no date"),
        (json!({ "Attributes": { "": "x" } }), "names the attribute"),
        (
            json!({ "AccessControlList": [{ "Name": "a", "Type": "ROLE", "Access": "ALLOW" }] }),
            "unknown variant `ROLE`",
        ),
        (
            json!({ "AccessControlList": [{ "Name": "a", "Type": "USER" }] }),
            "missing field `Access`",
        ),
    ] {
        let error = read(wrong.clone()).unwrap_err();
        assert!(error.contains(told), "{wrong}: {error}");
    }
    assert!(parse(b"not json").is_err() && parse(b"").is_err() && parse(b"\xff").is_err());
}
