//! Schedules: what is due is asked for once, whatever the clock did meanwhile.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use chrono::{DateTime, TimeDelta, Utc};
use lectern_domain::JobState;
use lectern_ingest::{Cancellation, Job, Progress, Source};
use serde_json::json;

use super::fixture::{Fixture, request};
use crate::http::jobs::Jobs;
use crate::http::schedules::{Look, Schedules};
use crate::sources;

const SOURCES: &str = "/api/v1/knowledge-bases/handbook/sources";
/// So seldom that the server of the test, which has the real clock, doesn't come to it.
const NEW_YEAR: &str = "0 0 1 1 *";

/// How long something may take that is certain to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A source with a schedule, and the schedules over jobs that nobody works on.
struct Desk {
    fixture: Fixture,
    schedules: Schedules,
    source: Source,
    set_at: DateTime<Utc>,
}

impl Desk {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        // Its clock is another.
        fixture.state.schedules.shut_down();
        fixture.make_knowledge_base().await;
        let folder = fixture.make_folder(&[("a.txt", "apples are red")]);
        let body = json!({"name": "fruit", "paths": [folder], "settings": {"schedule": NEW_YEAR}});
        assert_eq!(fixture.post(SOURCES, &body).await.status.as_u16(), 201);
        let lectern = Arc::clone(&fixture.state.lectern);
        let base = lectern.ledger.knowledge_base("handbook").await.unwrap();
        let source = lectern.ledger.source(base.id, "fruit").await.unwrap();
        let jobs = Arc::new(Jobs::new(Arc::clone(&lectern)));
        Self {
            schedules: Schedules::new(lectern, jobs),
            set_at: source.scheduled_from.unwrap(),
            source,
            fixture,
        }
    }

    /// Looks at the schedules when so many years have gone by.
    async fn look(&self, years: i64) -> Look {
        let now = self.set_at + TimeDelta::days(366 * years);
        self.schedules.ask_for_due(now).await.unwrap()
    }

    async fn jobs(&self) -> Vec<Job> {
        let ledger = &self.fixture.state.lectern.ledger;
        ledger.jobs_of_source(self.source.id, 100).await.unwrap()
    }
}

#[actix_web::test]
async fn what_came_due_while_nothing_ran_is_asked_for_once() {
    let desk = Desk::new().await;
    let before = desk.look(0).await;
    assert!(before.next.unwrap() > desk.set_at && !before.put_off);
    assert!(desk.jobs().await.is_empty());

    // Five New Years went by.
    let after = desk.look(5).await;
    assert_eq!(desk.jobs().await.len(), 1);
    assert!(after.next.is_none() && !after.put_off);
    let next = desk.look(5).await.next.unwrap();
    assert!(next > desk.set_at + TimeDelta::days(366 * 5));
    assert_eq!(desk.jobs().await.len(), 1, "asked for twice");
}

#[actix_web::test]
async fn a_clock_that_was_years_ahead_and_is_set_right_holds_nothing_up() {
    let desk = Desk::new().await;
    let ledger = &desk.fixture.state.lectern.ledger;
    let ahead = desk.set_at + TimeDelta::days(366 * 10);
    ledger.note_scheduled_run(desk.source.id, ahead).await.unwrap();
    let next = desk.look(0).await.next.unwrap();
    assert!(next < desk.set_at + TimeDelta::days(366));
    assert!(desk.jobs().await.is_empty());
    desk.look(1).await;
    assert_eq!(desk.jobs().await.len(), 1);
}

#[actix_web::test]
async fn a_job_that_waits_is_not_doubled_and_one_at_work_is_waited_for() {
    let desk = Desk::new().await;
    desk.look(1).await;
    assert!(!desk.look(2).await.put_off);
    let waiting = desk.jobs().await;
    assert_eq!((waiting.len(), waiting[0].state), (1, JobState::Queued));

    let lectern = &desk.fixture.state.lectern;
    let base = lectern.ledger.knowledge_base("handbook").await.unwrap();
    let sync = lectern
        .ingestion
        .begin_sync(
            &base,
            &desk.source,
            sources::open(&desk.source).unwrap(),
            Progress::new(),
            Cancellation::new(),
        )
        .await
        .unwrap();
    for _ in 0..2 {
        assert!(desk.look(3).await.put_off);
        assert_eq!(desk.jobs().await.len(), 1);
    }
    sync.run().await.unwrap();
    assert!(!desk.look(3).await.put_off);
    let jobs = desk.jobs().await;
    assert_eq!(
        (jobs.len(), jobs[0].state, jobs[1].state),
        (2, JobState::Queued, JobState::Complete)
    );
}

#[actix_web::test]
async fn a_schedule_is_shown_changed_and_taken_away() {
    let desk = Desk::new().await;
    let address = format!("{SOURCES}/fruit");
    let shown = desk.fixture.get(&address).await.json()["source"].clone();
    assert_eq!(shown["settings"]["schedule"], NEW_YEAR);
    let next: DateTime<Utc> = shown["next_run"].as_str().unwrap().parse().unwrap();
    assert!(next > desk.set_at, "{shown}");

    let set = |body: serde_json::Value| desk.fixture.call(request(Method::PATCH, &address).set_json(body));
    let guard = json!({"max_share": 0.5, "more_than": 3});
    let changed = set(json!({"schedule": "*/5 * * * *", "deletions": guard})).await;
    assert_eq!(changed.status.as_u16(), 200, "{}", changed.text);
    let soon: DateTime<Utc> = changed.json()["source"]["next_run"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(soon < Utc::now() + TimeDelta::minutes(6), "{}", changed.text);

    for (wrong, told) in [
        (json!({"schedule": "61 * * * *"}), "61"),
        (json!({"schedule": 5}), "string"),
        (json!({"shedule": "never"}), "shedule"),
    ] {
        let refused = set(wrong).await;
        assert_eq!(refused.code(), "source_settings_invalid");
        assert!(refused.text.contains(told), "{}", refused.text);
    }
    let never = set(json!({"schedule": null})).await.json()["source"].clone();
    assert_eq!(never["next_run"], json!(null));
    assert_eq!(never["settings"]["deletions"], guard, "what isn't named stays");
    assert_eq!(desk.look(9).await, Look::default());
}

#[actix_web::test]
async fn the_server_asks_by_itself() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let folder = fixture.make_folder(&[("a.txt", "apples are red")]);
    let body = json!({"name": "fruit", "paths": [folder], "settings": {"schedule": NEW_YEAR}});
    assert_eq!(fixture.post(SOURCES, &body).await.status.as_u16(), 201);
    let ledger = &fixture.state.lectern.ledger;
    let base = ledger.knowledge_base("handbook").await.unwrap();
    let source = ledger.source(base.id, "fruit").await.unwrap();
    // As if it had last asked years ago.
    ledger
        .note_scheduled_run(source.id, DateTime::UNIX_EPOCH)
        .await
        .unwrap();
    fixture.state.schedules.changed();
    let asked = async {
        loop {
            match ledger.jobs_of_source(source.id, 1).await.unwrap().pop() {
                Some(job) => break job,
                None => tokio::task::yield_now().await,
            }
        }
    };
    let job = tokio::time::timeout(PATIENCE, asked).await.unwrap();
    let events = format!("/api/v1/knowledge-bases/handbook/ingestions/{}/events", job.id);
    let events = fixture.get(&events).await;
    assert!(events.text.contains("event: done"), "{}", events.text);
}
