//! Narrowing a search by what is known of documents, from the command line and over HTTP: files with sidecars, whose
//! attributes change while their texts stay, and one that the operator may not read.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::lectern::KB;
use crate::harness::server::send;
use crate::harness::{Server, Workplace};

/// Reports of twelve months, each with an author and a number of readers.
fn reports() -> Workplace {
    let lectern = Workplace::new();
    for month in 1..=12 {
        lectern.write(
            format!("reports/{month:02}.md"),
            format!(
                "# Report {month}\n\nThe turbines of hall {month} made {month}00 megawatts without a fault.\n"
            ),
        );
        set_attributes(&lectern, month, if month % 2 == 0 { "Ada" } else { "Bo" });
    }
    lectern.write(
        "reports/secret.md",
        "# Secret report\n\nThe turbine of the cellar is broken.\n",
    );
    let sidecar = json!({"Attributes": {"author": "Eve", "month": 13},
                         "AccessControlList": [{"Name": "board", "Type": "GROUP", "Access": "ALLOW"}]});
    lectern.write("reports/secret.md.metadata.json", sidecar.to_string());
    lectern.ingest().exits(0);
    lectern
}

fn set_attributes(lectern: &Workplace, month: usize, author: &str) {
    let attributes =
        json!({"author": author, "month": month, "approved": format!("2026-{month:02}-01T00:00:00Z")});
    let sidecar = json!({"metadataAttributes": attributes}).to_string();
    lectern.write(format!("reports/{month:02}.md.metadata.json"), sidecar);
}

fn months(found: &Value) -> Vec<u64> {
    let passages = found["passages"].as_array().unwrap().iter();
    passages
        .map(|passage| passage["attributes"]["month"].as_f64().unwrap() as u64)
        .collect()
}

fn search(lectern: &Workplace, arguments: &[&str]) -> Value {
    let all = [&["search", "--kb", KB][..], arguments].concat();
    lectern.run(all).exits(0).json()
}

#[test]
fn conditions_facets_and_orders_hold_at_the_terminal() {
    let lectern = reports();
    let found = search(
        &lectern,
        &[
            "--where",
            "author=Ada",
            "--where",
            "approved<2026-07-01",
            "--sort",
            "month:desc",
            "--facet",
            "author",
            "turbines",
        ],
    );
    assert_eq!(months(&found), [6, 4, 2]);
    assert_eq!(
        found["facets"][0]["values"],
        json!([{"value": "Ada", "documents": 3}])
    );
    for mode in ["hybrid", "vector", "lexical"] {
        let narrowed = [
            "--mode",
            mode,
            "--top",
            "50",
            "--where",
            "path^=reports/1",
            "turbines",
        ];
        let mut found = months(&search(&lectern, &narrowed));
        found.sort_unstable();
        assert_eq!(found, [10, 11, 12], "{mode}");
    }
    let phrase = search(&lectern, &["turbines", "+\"hall 7\""]);
    assert_eq!(months(&phrase), [7]);
    let counted = search(&lectern, &["--facet", "author", "--top", "1"]);
    let values = &counted["facets"][0]["values"];
    assert_eq!(
        values,
        &json!([{"value": "Ada", "documents": 6}, {"value": "Bo", "documents": 6}]),
        "and not Eve's"
    );

    // Nothing but attributes changes: nothing is embedded, and the next search goes by them.
    set_attributes(&lectern, 2, "Cy");
    let synced = lectern.ingest().exits(0);
    let counts = synced.json()["job"]["counts"].clone();
    assert_eq!(
        (&counts["metadata_only"], &counts["modified"]),
        (&json!(1), &json!(0))
    );
    for mode in ["hybrid", "vector", "lexical"] {
        let narrowed = ["--mode", mode, "--where", "author=Cy", "turbines"];
        assert_eq!(months(&search(&lectern, &narrowed)), [2], "{mode}");
    }
    lectern.assert_sound();
}

#[test]
fn pages_settings_and_suggestions_hold_over_http() {
    let lectern = reports();
    let base = format!("/api/v1/knowledge-bases/{KB}");
    let server = Server::start(&lectern);
    let settings = json!({
        "synonyms": "generator => turbine",
        "tuning": {"numbers": [{"attribute": "month", "half": 1.0, "weight": 10.0}]},
        "featured": [{"queries": ["The Year"], "documents": ["reports/12.md", "reports/secret.md"]}],
    });
    let put = server
        .request(Method::PUT, &format!("{base}/search-settings"))
        .json(&settings);
    send(put).is(200);
    drop(server);

    // They outlive the process.
    let server = Server::start(&lectern);
    let ask = |body: Value| server.post(&format!("{base}/search"), &body).is(200).json();
    let first = ask(json!({"text": "generator", "mode": "lexical", "limit": 5}));
    assert_eq!(months(&first).first(), Some(&12));
    let (mut shown, mut next) = (months(&first), first["next"].clone());
    while let Some(cursor) = next.as_str() {
        let page = ask(json!({"cursor": cursor}));
        shown.extend(months(&page));
        next = page["next"].clone();
    }
    shown.sort_unstable();
    assert_eq!(shown, (1..=12).collect::<Vec<u64>>(), "everything once");

    let featured = ask(json!({"text": "the year"}))["featured"].clone();
    assert_eq!(
        featured.as_array().unwrap().len(),
        1,
        "the secret one isn't shown: {featured}"
    );
    let suggested = server.get(&format!("{base}/suggestions?text=rep")).is(200).json();
    assert!(!suggested["suggestions"].as_array().unwrap().is_empty());
    let secret = server
        .get(&format!("{base}/suggestions?text=secret"))
        .is(200)
        .json();
    assert_eq!(secret["suggestions"], json!([]));
    let misspelt = ask(json!({"text": "megawats", "mode": "lexical"}));
    let meant = misspelt["spelling"]["text"].as_str().unwrap();
    assert!(meant.starts_with("megawatt"), "{meant}");
    assert_eq!(months(&misspelt), [0_u64; 0], "a word stands for itself");
    let tolerant = ask(json!({"text": "megawats", "mode": "lexical", "typos": true}));
    assert_eq!(months(&tolerant).len(), 10, "unless another may stand for it");
    assert_eq!(
        ask(json!({"text": "cellar", "mode": "lexical"}))["spelling"],
        Value::Null,
        "a word of the secret one"
    );
    assert_eq!(server.metric("lectern_recheck_dropped_total"), 0.0);
}
