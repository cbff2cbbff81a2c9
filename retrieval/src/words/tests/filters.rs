//! Filters on attributes of which every document has its own value, so that the wanted ones are scattered.

use super::*;

const DOCUMENTS: usize = 240;

/// A third of them without a path, a third with two tags; some with two chunks.
fn shelf(base: KnowledgeBaseId) -> Vec<IndexEntry> {
    let mut entries = Vec::new();
    for number in 0..DOCUMENTS {
        let place = number * 7_919 % 1_000;
        let mut attributes = serde_json::json!({
            "pages": place as f64 / 4.0 - 100.0,
            "written": format!("20{:02}-03-0{}T00:00:00Z", place % 100, 1 + number % 9),
            "tags": [format!("T{place}")],
        });
        if number % 3 > 0 {
            attributes["path"] = format!("shelf/{place}.md").into();
        }
        if number % 3 == 1 {
            attributes["tags"] = serde_json::json!([format!("T{place}"), format!("t{}", place / 2)]);
        }
        let name = format!("d{number}");
        for ordinal in 0..1 + number as u32 % 2 {
            let metadata = of_everyone(&attributes.to_string());
            entries.push(entry(base, (&name, ordinal), ("Shelf", "anchor"), metadata));
        }
    }
    entries
}

#[tokio::test]
async fn scattered_values_are_found_all_and_nothing_else() {
    let written = written(shelf).await;
    let scope = reader(&[]);
    let numbers: Vec<f64> = (0..40).map(|number| f64::from(number) * 5.0 - 100.0).collect();
    let paths: Vec<String> = (0..1_000)
        .step_by(3)
        .map(|place| format!("shelf/{place}.md"))
        .collect();
    let years: Vec<String> = (10..60)
        .step_by(2)
        .flat_map(|year| (1..=9).map(move |day| format!("20{year}-03-0{day}T00:00:00Z")))
        .collect();
    for json in [
        serde_json::json!({"contains": {"attribute": "path", "text": "7"}}),
        serde_json::json!({"contains": {"attribute": "tags", "text": "t4"}}),
        serde_json::json!({"not": {"contains": {"attribute": "path", "text": "12"}}}),
        serde_json::json!({"starts_with": {"attribute": "tags", "text": "T9"}}),
        serde_json::json!({"in": {"attribute": "pages", "values": numbers}}),
        serde_json::json!({"in": {"attribute": "path", "values": paths}}),
        serde_json::json!({"in": {"attribute": "written", "values": years}}),
    ] {
        let filter: Filter = serde_json::from_value(json.clone()).unwrap();
        let passing = written
            .entries
            .iter()
            .filter(|entry| filter.matches(&entry.metadata.attributes));
        let expected: BTreeSet<DocumentId> = passing.map(|entry| entry.chunk.document).collect();
        assert!(!expected.is_empty() && expected.len() < DOCUMENTS, "{json}");
        let set = DocumentSet {
            query: None,
            filter: Some(&filter),
            scope: &scope,
        };
        let listed = written
            .index
            .documents(written.base, set, DOCUMENTS)
            .await
            .unwrap();
        assert_eq!(listed, Some(expected.into_iter().collect()), "{json}");
    }
}
