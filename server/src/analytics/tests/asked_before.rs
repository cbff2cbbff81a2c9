//! What somebody is reminded of while they type.

use sqlx::{AssertSqlSafe, Row as _};

use super::super::asked_before::ASKED_BEFORE;
use super::*;

#[tokio::test]
async fn what_somebody_asked_before_is_told_to_them_alone() {
    let folder = TempDir::new().unwrap();
    let analytics = kept(&folder);
    for (text, user, results) in [
        ("Parental leave", "ada", 3),
        ("parental leave?", "ada", 3),
        ("Parking", "ada", 2),
        ("Parasols", "ada", 0),
        ("Party of the board", "bo", 4),
    ] {
        analytics.note_search(note(text, user, results));
    }
    analytics.write_pending().await;
    let asked = async |user: &str, typed: &str| analytics.asked_before(BASE, user, typed, 9).await.unwrap();
    let mut found = asked("ada", " PAR").await;
    found
        .iter_mut()
        .for_each(|text| *text = text.trim_end_matches('?').to_lowercase());
    found.sort_unstable();
    assert_eq!(
        found,
        ["parental leave", "parking"],
        "each once, and what found something"
    );
    assert_eq!(asked("bo", "par").await, ["Party of the board"]);
    assert_eq!(asked("ada", "%").await, [""; 0]);
    assert_eq!(
        analytics.asked_before(OTHER_BASE, "ada", "par", 9).await.unwrap(),
        [""; 0]
    );
    let anonymous = analytics_of_nobody(&folder);
    assert_eq!(
        anonymous.asked_before(BASE, "ada", "par", 9).await.unwrap(),
        [""; 0]
    );
}

fn analytics_of_nobody(folder: &TempDir) -> Analytics {
    let config = AnalyticsConfig {
        anonymous: true,
        ..AnalyticsConfig::default()
    };
    analytics(folder, config)
}

#[tokio::test]
async fn the_latest_comes_first_as_it_was_typed_last() {
    let folder = TempDir::new().unwrap();
    let analytics = kept(&folder);
    for (text, hour) in [("Parking", 0), ("Parental leave", 1), ("parking?", 2), ("Pay", 3)] {
        analytics.pending.add(note(text, "ada", 1), time(0, hour));
    }
    analytics.write_pending().await;
    let asked = async |limit| analytics.asked_before(BASE, "ada", "pa", limit).await.unwrap();
    assert_eq!(asked(9).await, ["Pay", "parking?", "Parental leave"]);
    assert_eq!(asked(2).await, ["Pay", "parking?"]);
}

#[tokio::test]
async fn nobody_is_reminded_of_what_is_2_000_questions_back() {
    let folder = TempDir::new().unwrap();
    let analytics = kept(&folder);
    let at = |number: i64| time(0, 0) + TimeDelta::seconds(number);
    analytics.pending.add(note("Parking", "ada", 1), at(0));
    analytics.pending.add(note("Parental leave", "ada", 1), at(1));
    for number in 2..2_001 {
        analytics.pending.add(note("Boats", "ada", 1), at(number));
    }
    // What isn't hers, or found nothing, doesn't count.
    for number in 0..1_000 {
        let somebody = ["ada", "bo"][number % 2];
        let results = number % 2;
        let later = at(3_000) + TimeDelta::milliseconds(number as i64);
        analytics.pending.add(note("Bees", somebody, results), later);
    }
    analytics.write_pending().await;
    let asked = async |typed: &str| analytics.asked_before(BASE, "ada", typed, 9).await.unwrap();
    assert_eq!(asked("par").await, ["Parental leave"]);
    assert_eq!(asked("b").await, ["Boats"]);
}

#[tokio::test]
async fn the_newest_questions_are_read_from_an_index_in_its_order() {
    let folder = TempDir::new().unwrap();
    let analytics = kept(&folder);
    let store = analytics.store().await.unwrap();
    let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {ASKED_BEFORE}")))
        .bind("ada")
        .bind(BASE.0)
        .bind("par")
        .bind(9)
        .fetch_all(&store.database.readers)
        .await
        .unwrap();
    let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
    let found: Vec<&str> = steps
        .iter()
        .map(String::as_str)
        .filter(|step| step.contains(" searches ") || step.contains("ORDER BY"))
        .collect();
    assert_eq!(
        found,
        [
            "SEARCH searches USING INDEX searches_by_asker (user_name=? AND knowledge_base=?)",
            // Of what is left of the newest.
            "USE TEMP B-TREE FOR ORDER BY",
        ],
        "{steps:#?}"
    );
}
