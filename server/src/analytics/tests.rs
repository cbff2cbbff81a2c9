//! The rules of analytics, over real files.

mod asked_before;
mod meanwhile;

use std::path::Path;

use chrono::{NaiveDate, TimeDelta};
use lectern_domain::{ChunkId, DocumentId};
use lectern_retrieval::SearchMode;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;

const BASE: KnowledgeBaseId = KnowledgeBaseId(Uuid::from_u128(7));
const OTHER_BASE: KnowledgeBaseId = KnowledgeBaseId(Uuid::from_u128(8));

fn analytics(folder: &TempDir, config: AnalyticsConfig) -> Analytics {
    Analytics::new(folder.path().join("analytics.sqlite"), config)
}

fn kept(folder: &TempDir) -> Analytics {
    analytics(folder, AnalyticsConfig::default())
}

/// Of no knowledge base.
async fn ledger(folder: &TempDir) -> Ledger {
    let texts = Arc::new(lectern_ingest::TextStore::open(folder.path()).unwrap());
    let path = folder.path().join("ledger.sqlite");
    Ledger::open(&path, texts).await.unwrap()
}

fn note(text: &str, user: &str, results: usize) -> SearchNote {
    SearchNote {
        query_id: Uuid::now_v7(),
        knowledge_base: BASE,
        text: text.to_owned(),
        user: Some(user.to_owned()),
        kind: QueryKind::Search,
        mode: SearchMode::Hybrid,
        results,
        relevant: results > 0,
        took_ms: 1.0,
    }
}

/// `hour` o'clock, so many days after the first of March.
fn time(days: i64, hour: i64) -> DateTime<Utc> {
    let first = DateTime::from_timestamp(1_772_323_200, 0).unwrap();
    first + TimeDelta::days(days) + TimeDelta::hours(hour)
}

fn date(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, day).unwrap()
}

fn request(from: u32, to: u32) -> ReportRequest {
    ReportRequest::new((Some(date(from)), Some(date(to))), None, None, date(31))
}

impl Analytics {
    async fn reported(&self, base: KnowledgeBaseId, request: &ReportRequest) -> Report {
        self.write_pending().await;
        self.store().await.unwrap().report(base, request).await.unwrap()
    }

    async fn say(&self, query: Uuid, user: &str, said: &[(u128, FeedbackKind)]) -> Result<u64, PortError> {
        let items: Vec<Feedback> = said
            .iter()
            .map(|(chunk, kind)| Feedback {
                chunk: ChunkId(Uuid::from_u128(*chunk)),
                document: DocumentId(Uuid::from_u128(*chunk / 10)),
                kind: *kind,
            })
            .collect();
        let query = QueryRef {
            id: query,
            knowledge_base: BASE,
            user,
        };
        self.give_feedback(query, &items).await
    }
}

#[tokio::test]
async fn each_search_is_counted_once_on_its_day_and_in_its_group() {
    let folder = tempfile::tempdir().unwrap();
    let analytics = kept(&folder);
    let mut notes = vec![
        (note("Leave?", "ada", 3), time(0, 0)),
        (note("  leave", "bo", 3), time(0, 23)),
        (note("bees", "ada", 0), time(0, 12)),
        (note("boats", "ada", 2), time(2, 0)),
        (note("elsewhere", "ada", 2), time(2, 1)),
        (note("too early", "ada", 2), time(-1, 23)),
        (note("too late", "ada", 2), time(3, 0)),
    ];
    for (took_ms, (note, _)) in (1..).zip(&mut notes) {
        note.took_ms = f64::from(took_ms);
    }
    notes[3].0.relevant = false;
    notes[3].0.kind = QueryKind::Answer;
    notes[4].0.knowledge_base = OTHER_BASE;
    for (note, at) in &notes {
        assert!(analytics.pending.add(note.clone(), *at));
    }
    let clicked = notes[1].0.query_id;
    let two = [(31, FeedbackKind::Click), (32, FeedbackKind::Click)];
    assert_eq!(analytics.say(clicked, "bo", &two).await.unwrap(), 2);

    let report = analytics.reported(BASE, &request(1, 3)).await;
    let days: Vec<_> = report
        .days
        .iter()
        .map(|day| {
            let f = day.figures;
            (
                day.day,
                [
                    f.searches,
                    f.users,
                    f.no_results,
                    f.not_relevant,
                    f.with_click,
                    f.abandoned,
                ],
            )
        })
        .collect();
    assert_eq!(
        days,
        [
            (date(1), [3, 2, 1, 0, 1, 1]),
            (date(2), [0; 6]),
            (date(3), [1, 1, 0, 1, 0, 1])
        ]
    );
    let first = report.days[0].figures;
    assert_eq!(
        (first.click_through_rate, first.abandonment_rate),
        (Some(0.5), Some(0.5))
    );
    assert_eq!((first.took_ms_p50, first.took_ms_p95), (Some(2.0), Some(3.0)));
    assert_eq!((first.answers, report.days[2].figures.answers), (0, 1));
    assert_eq!(report.days[1].figures, Figures::default());
    let total = report.total;
    assert_eq!(
        (total.searches, total.users, total.with_click, total.abandoned),
        (4, 2, 1, 2)
    );
    assert_eq!(
        total.searches,
        total.no_results + total.with_click + total.abandoned
    );

    let texts = |list: &[QueryFigures]| -> Vec<(String, u64)> {
        list.iter()
            .map(|query| (query.text.trim().to_lowercase(), query.searches))
            .collect()
    };
    let listed = |text: &str, searches| (text.to_owned(), searches);
    assert_eq!(
        texts(&report.top_queries),
        [listed("leave?", 2), listed("bees", 1), listed("boats", 1)]
    );
    assert_eq!(
        texts(&report.top_without_results),
        [listed("bees", 1), listed("boats", 1)]
    );
    assert_eq!(
        texts(&report.top_without_click),
        [listed("boats", 1), listed("leave?", 1)]
    );
    let opened = &report.top_documents;
    assert_eq!((opened.len(), opened[0].clicks, opened[0].searches), (1, 2, 1));
}

#[tokio::test]
async fn feedback_counts_once_and_the_later_judgement_counts() {
    use FeedbackKind::{Click, NotRelevant, Relevant};
    let folder = tempfile::tempdir().unwrap();
    let analytics = kept(&folder);
    let asked = note("leave", "ada", 3);
    let query = asked.query_id;
    analytics.pending.add(asked, time(0, 0));
    assert_eq!(
        analytics
            .say(query, "ada", &[(1, Click), (1, Click), (1, Relevant)])
            .await
            .unwrap(),
        2
    );
    assert_eq!(
        analytics
            .say(query, "ada", &[(1, Click), (1, Relevant)])
            .await
            .unwrap(),
        0
    );
    assert_eq!(analytics.say(query, "ada", &[(1, NotRelevant)]).await.unwrap(), 1);
    let total = analytics.reported(BASE, &request(1, 1)).await.total;
    assert_eq!(
        (total.with_click, total.marked_relevant, total.marked_not_relevant),
        (1, 0, 1)
    );
}

#[tokio::test]
async fn only_who_asked_gives_feedback() {
    let folder = tempfile::tempdir().unwrap();
    let analytics = kept(&folder);
    let click = [(1, FeedbackKind::Click)];
    let (mine, mut elsewhere) = (note("leave", "ada", 3), note("leave", "ada", 3));
    elsewhere.knowledge_base = OTHER_BASE;
    let mut nameless = note("leave", "ada", 3);
    nameless.user = None;
    let ids = [&mine, &elsewhere, &nameless].map(|note| note.query_id);
    for note in [mine, elsewhere, nameless] {
        analytics.note_search(note);
    }
    for (query, user) in [(ids[0], "bo"), (ids[1], "ada"), (Uuid::now_v7(), "ada")] {
        let error = analytics.say(query, user, &click).await.unwrap_err();
        assert_eq!((error.kind, error.code), (ErrorKind::NotFound, "query_not_found"));
    }
    assert_eq!(analytics.say(ids[0], "ada", &click).await.unwrap(), 1);
    assert_eq!(analytics.say(ids[2], "bo", &click).await.unwrap(), 1);
}

#[tokio::test]
async fn a_search_never_waits_and_never_fails() {
    let folder = tempfile::tempdir().unwrap();
    let analytics = kept(&folder);
    for _ in 0..pending::MOST + 3 {
        analytics.note_search(note("leave", "ada", 1));
    }
    assert_eq!(analytics.pending.take().len(), pending::MOST);

    // A folder stands where the file should be.
    std::fs::create_dir(folder.path().join("analytics.sqlite")).unwrap();
    analytics.note_search(note("leave", "ada", 1));
    analytics.write_pending().await;
    assert!(
        analytics.pending.take().is_empty(),
        "what can't be written isn't held for ever"
    );
    assert!(analytics.erase_user("ada").await.is_err());
}

#[tokio::test]
async fn what_is_noted_is_written_before_the_end_and_nothing_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let analytics = Arc::new(kept(&folder));
    let writer = tokio::spawn(Arc::clone(&analytics).work());
    analytics.note_search(note("leave", "ada", 1));
    analytics.close().await;
    writer.await.unwrap();
    analytics.note_search(note("leave", "ada", 1));
    assert!(analytics.pending.take().is_empty());

    let today = ReportRequest::new((None, None), None, None, Utc::now().date_naive());
    assert_eq!(kept(&folder).reported(BASE, &today).await.total.searches, 1);
}

#[tokio::test]
async fn where_nothing_is_to_be_kept_nothing_is() {
    for config in [
        AnalyticsConfig {
            enabled: false,
            ..AnalyticsConfig::default()
        },
        AnalyticsConfig {
            keep_days: 0,
            ..AnalyticsConfig::default()
        },
    ] {
        let folder = tempfile::tempdir().unwrap();
        let nothing = Arc::new(analytics(&folder, config));
        nothing.note_search(note("leave", "ada", 1));
        assert_eq!(
            nothing.say(Uuid::now_v7(), "ada", &[]).await.unwrap_err().code,
            "analytics_disabled"
        );
        Arc::clone(&nothing).work().await;
        nothing.close().await;
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn names_are_left_out_where_that_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let config = AnalyticsConfig {
        anonymous: true,
        ..AnalyticsConfig::default()
    };
    let analytics = analytics(&folder, config);
    analytics.note_search(note("leave", "ada-lovelace", 1));
    analytics.close().await;
    assert_eq!(occurrences(folder.path(), "ada-lovelace"), 0);
    assert_ne!(occurrences(folder.path(), "leave"), 0);
}

#[tokio::test]
async fn what_is_too_old_is_erased() {
    let folder = tempfile::tempdir().unwrap();
    let config = AnalyticsConfig {
        keep_days: 2,
        ..AnalyticsConfig::default()
    };
    let analytics = analytics(&folder, config);
    for (text, at) in [
        ("yesteryear", time(0, 0)),
        ("yesterday", time(1, 0)),
        ("today", time(2, 0)),
    ] {
        analytics.pending.add(note(text, "ada", 1), at);
    }
    analytics.write_pending().await;
    analytics.expire(time(2, 1)).await;
    assert_eq!(analytics.reported(BASE, &request(1, 3)).await.total.searches, 2);
    assert_eq!(occurrences(folder.path(), "yesteryear"), 0);
}

#[tokio::test]
async fn a_knowledge_base_takes_what_was_asked_of_it_along() {
    let folder = tempfile::tempdir().unwrap();
    let analytics = kept(&folder);
    let mut elsewhere = note("bees", "ada", 1);
    elsewhere.knowledge_base = OTHER_BASE;
    for note in [note("boats", "ada", 1), elsewhere] {
        analytics.pending.add(note, time(0, 0));
    }
    analytics.write_pending().await;
    analytics.erase_knowledge_base(BASE).await;
    assert_eq!(analytics.reported(BASE, &request(1, 1)).await.total.searches, 0);
    assert_eq!(
        analytics
            .reported(OTHER_BASE, &request(1, 1))
            .await
            .total
            .searches,
        1
    );
    assert_eq!(occurrences(folder.path(), "boats"), 0);
}

/// Enough of it that pages are split and rows move about: that is what leaves copies behind.
#[tokio::test]
async fn nothing_is_left_of_what_is_erased() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |bound: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % bound
    };
    for round in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let analytics = kept(&folder);
        for _ in 0..100 {
            for _ in 0..20 {
                let user = ["ada", "bo", "cy"][next(3) as usize];
                let rest = "x ".repeat([5, 25, 150, 450][next(4) as usize]);
                let mut asked = note(&format!("{user}secret {rest}"), user, 1);
                asked.query_id =
                    Uuid::from_u128((u128::from(next(u64::MAX)) << 64) | u128::from(next(u64::MAX)));
                analytics.pending.add(asked, time(0, 0));
            }
            analytics.write_pending().await;
        }
        let before = occurrences(folder.path(), "adasecret");
        assert!(before > 500, "{before}");
        let erased = analytics.erase_user("ada").await.unwrap();
        assert_eq!(
            occurrences(folder.path(), "adasecret"),
            0,
            "round {round}, {erased:?}"
        );
        assert!(occurrences(folder.path(), "bosecret") > 500);
        let left = analytics.reported(BASE, &request(1, 1)).await.total;
        assert_eq!((left.searches + erased.searches, left.users), (2_000, 2));
        assert_eq!(analytics.erase_user("ada").await.unwrap(), Erased::default());
    }
}

/// How often a text stands in the files of a folder.
fn occurrences(folder: &Path, text: &str) -> usize {
    let files = std::fs::read_dir(folder).unwrap();
    let contents = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
    contents
        .map(|bytes| {
            bytes
                .windows(text.len())
                .filter(|window| *window == text.as_bytes())
                .count()
        })
        .sum()
}

#[tokio::test]
async fn a_report_has_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(&folder).await;
    let analytics = kept(&folder);
    let year = |from: i32, to: i32, limit| {
        let day = |year| NaiveDate::from_ymd_opt(year, 1, 1);
        ReportRequest::new((day(from), day(to)), None, limit, date(31))
    };
    for (request, code) in [
        (year(2024, 2026, None), "range_invalid"),
        (year(2026, 2024, None), "range_invalid"),
        (year(-260_000, 260_000, None), "range_invalid"),
        (year(2026, 2026, Some(0)), "limit_out_of_range"),
        (year(2026, 2026, Some(101)), "limit_out_of_range"),
    ] {
        let error = analytics.report(&ledger, BASE, &request).await.unwrap_err();
        assert_eq!((error.kind, error.code), (ErrorKind::Invalid, code));
    }
    let report = analytics
        .report(&ledger, BASE, &year(2024, 2024, None))
        .await
        .unwrap();
    assert_eq!((report.days.len(), report.keep_days), (1, 90));
    let usual = ReportRequest::new((None, None), None, None, date(31));
    assert_eq!(
        analytics.report(&ledger, BASE, &usual).await.unwrap().days.len(),
        30
    );
}
