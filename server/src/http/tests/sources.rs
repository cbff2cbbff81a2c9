//! Sources: made, shown, synced, changed and removed.

use serde_json::json;

use super::fixture::Fixture;

const SOURCES: &str = "/api/v1/knowledge-bases/handbook/sources";

#[actix_web::test]
async fn a_source_is_made_once_and_changed_on_purpose() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let folder = fixture.make_folder(&[("a.txt", "apples are red")]);
    let mut body = json!({
        "name": "fruit", "paths": [folder], "access": {"allow": ["group:cooks"]},
        "settings": {"deletions": {"max_share": 0.5}}
    });
    let made = fixture.post(SOURCES, &body).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.text);
    let source = made.json()["source"].clone();
    assert_eq!(source["default_access"]["allow"], json!(["group:cooks"]));
    assert_eq!(
        source["settings"]["deletions"],
        json!({"max_share": 0.5, "more_than": 10})
    );
    assert_eq!(source["documents"]["documents"], 0);
    assert_eq!(source["last_job"], json!(null));
    let address = made.header("location").unwrap().to_owned();
    for path in [address.as_str(), &format!("{SOURCES}/fruit")] {
        assert_eq!(fixture.get(path).await.json()["source"], source, "{path}");
    }

    assert_eq!(fixture.post(SOURCES, &body).await.code(), "source_exists");
    body["replace"] = json!(true);
    body["hidden"] = json!(true);
    body["exclude"] = json!(["*.tmp"]);
    let changed = fixture.post(SOURCES, &body).await;
    assert_eq!(changed.status.as_u16(), 200, "{}", changed.text);
    let config = changed.json()["source"]["config"].clone();
    assert_eq!(
        (&config["hidden"], &config["exclude"]),
        (&json!(true), &json!(["*.tmp"]))
    );
    assert_eq!(
        fixture.get(SOURCES).await.json()["sources"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[actix_web::test]
async fn what_a_source_cannot_be_is_refused() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let folder = fixture.make_folder(&[("a.txt", "apples")]);
    for (body, status, code) in [
        (json!({"paths": []}), 400, "paths_invalid"),
        (json!({"paths": ["relative"]}), 400, "paths_invalid"),
        (json!({"paths": ["/no/such/place"]}), 404, "path_not_found"),
        (
            json!({"paths": [folder], "name": "pushed"}),
            400,
            "source_name_invalid",
        ),
        (json!({"paths": [folder], "nam": "fruit"}), 400, "body_invalid"),
        (
            json!({"config": {"kind": "s3", "buckets": ["a"], "endpoint": "http://a"}}),
            400,
            "bucket_setting_invalid",
        ),
        (
            json!({"config": {"kind": "web", "seeds": ["https://ada:secret@example.com/"]}}),
            400,
            "secret_in_config",
        ),
        (
            json!({"config": {"kind": "web", "seeds": ["ftp://example.com/"]}}),
            400,
            "address_invalid",
        ),
        (
            json!({"config": {"kind": "cupboard"}}),
            400,
            "source_config_invalid",
        ),
        (
            json!({"config": {"kind": "slack", "export": folder}, "paths": [folder]}),
            400,
            "paths_invalid",
        ),
        (
            json!({"config": {"kind": "slack", "export": "export.zip"}}),
            400,
            "paths_invalid",
        ),
        (
            json!({"config": {"kind": "slack", "export": folder}}),
            400,
            "not_an_export",
        ),
        (
            json!({"config": {"kind": "git", "repository": folder}}),
            400,
            "not_a_repository",
        ),
        (
            json!({"paths": [folder], "exclude": ["a["]}),
            400,
            "pattern_invalid",
        ),
        (
            json!({"paths": [folder], "settings": {"schedule": "0 25 * * *"}}),
            400,
            "body_invalid",
        ),
        (
            json!({"paths": [folder], "settings": {"delete": 1}}),
            400,
            "body_invalid",
        ),
    ] {
        let refused = fixture.post(SOURCES, &body).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (status, code),
            "{body}"
        );
    }
    for path in ["nothing", "01890000-0000-7000-8000-000000000000"] {
        let path = format!("{SOURCES}/{path}");
        assert_eq!(fixture.get(&path).await.code(), "source_not_found");
        assert_eq!(fixture.delete(&path).await.code(), "source_not_found");
        let sync = fixture.post(&format!("{path}/sync"), &json!({})).await;
        assert_eq!(sync.code(), "source_not_found");
    }
}

#[actix_web::test]
async fn a_source_is_synced_by_name_and_goes_with_its_documents() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let folder = fixture.make_folder(&[("a.txt", "apples are red"), ("b.txt", "pears are green")]);
    let body = json!({"name": "fruit / veg", "paths": [folder]});
    assert_eq!(fixture.post(SOURCES, &body).await.status.as_u16(), 201);
    let address = format!("{SOURCES}/fruit%20%2F%20veg");
    let queued = fixture.post(&format!("{address}/sync"), &json!({})).await;
    assert_eq!(queued.status.as_u16(), 202, "{}", queued.text);
    let job = queued.header("location").unwrap().to_owned();
    let events = fixture.get(&format!("{job}/events")).await;
    assert!(events.text.contains("event: done"), "{}", events.text);

    let source = fixture.get(&address).await.json()["source"].clone();
    assert_eq!(source["last_job"]["state"], "complete", "{source}");
    assert_eq!(source["documents"]["indexed"], 2, "{source}");
    assert_eq!(source["documents"]["searchable_by_words"], 2, "{source}");
    assert_eq!(source["documents"]["searchable_by_meaning"], 2, "{source}");
    let jobs = "/api/v1/knowledge-bases/handbook/ingestions?source=fruit%20%2F%20veg&limit=5";
    assert_eq!(
        fixture.get(jobs).await.json()["jobs"][0]["id"],
        source["last_job"]["id"]
    );

    assert_eq!(fixture.delete(&address).await.status.as_u16(), 204);
    assert_eq!(fixture.get(&address).await.code(), "source_not_found");
    let found = fixture
        .post(
            "/api/v1/knowledge-bases/handbook/search",
            &json!({"text": "green pears"}),
        )
        .await;
    assert_eq!(found.json()["passages"], json!([]));
}
