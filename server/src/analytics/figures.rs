//! What is counted of the searches of a day, or of many.
//!
//! Each search is in one of three groups, so they add up: `searches = no_results + with_click + abandoned`. Feedback belongs to
//! the day of its search, also where it comes after midnight.

use lectern_domain::{KnowledgeBaseId, PortError};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder, Sqlite, SqliteConnection};
use utoipa::ToSchema;

use super::note::QueryKind;
use super::store::failed;

/// What is counted of the searches of some time. `searches = no_results + with_click + abandoned`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Figures {
    /// Searches, and questions that were answered or not.
    pub searches: u64,
    /// Those of them that asked for an answer.
    pub answers: u64,
    /// How many people asked, as far as their names are kept.
    pub users: u64,
    /// Nothing was found.
    pub no_results: u64,
    /// Something was found, and nothing that is about what was asked.
    pub not_relevant: u64,
    /// Something was found, and at least one passage of it was opened.
    pub with_click: u64,
    /// Something was found, and none of it was opened. An answer may have told enough.
    pub abandoned: u64,
    /// `with_click` of those that found something, from 0 to 1; none where there are none.
    pub click_through_rate: Option<f64>,
    /// `abandoned` of those that found something, from 0 to 1; none where there are none.
    pub abandonment_rate: Option<f64>,
    /// Passages that somebody said help.
    pub marked_relevant: u64,
    /// Passages that somebody said don't.
    pub marked_not_relevant: u64,
    /// Half of them took no longer until their passages were found, in milliseconds.
    pub took_ms_p50: Option<f64>,
    /// 95 of 100 took no longer.
    pub took_ms_p95: Option<f64>,
}

/// The searches that are counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) base: KnowledgeBaseId,
    /// Days since 1970, the last one included.
    pub(super) days: (i64, i64),
    pub(super) kind: Option<QueryKind>,
}

impl Counted {
    /// Adds the condition on `s`, the searches.
    pub(super) fn push_to(self, query: &mut QueryBuilder<Sqlite>) {
        query.push(" s.knowledge_base = ").push_bind(self.base.0);
        query.push(" AND s.day BETWEEN ").push_bind(self.days.0);
        query.push(" AND ").push_bind(self.days.1);
        if let Some(kind) = self.kind {
            query.push(" AND s.kind = ").push_bind(kind.as_str());
        }
    }
}

/// How figures are put together.
#[derive(Clone, Copy, Debug)]
pub(super) enum Period {
    /// Each day by itself.
    Day,
    /// All days as one, which is day 0.
    Whole,
}

#[derive(FromRow)]
struct Row {
    period: i64,
    searches: i64,
    answers: i64,
    users: i64,
    no_results: i64,
    not_relevant: i64,
    with_click: i64,
    marked_relevant: i64,
    marked_not_relevant: i64,
    took_ms_p50: Option<f64>,
    took_ms_p95: Option<f64>,
}

/// The figures of each period that has a search, with its day since 1970. Costs a walk through all searches of the days.
pub(super) async fn figures(
    connection: &mut SqliteConnection,
    counted: Counted,
    period: Period,
) -> Result<Vec<(i64, Figures)>, PortError> {
    let period = match period {
        Period::Day => "s.day",
        Period::Whole => "0",
    };
    // The percentiles are those of the nearest rank: the smallest that so many in a hundred don't exceed.
    let mut query = QueryBuilder::new(format!(
        "SELECT period, COUNT(*) AS searches,
                COUNT(*) FILTER (WHERE kind = 'answer') AS answers,
                COUNT(DISTINCT user_name) AS users,
                COUNT(*) FILTER (WHERE results = 0) AS no_results,
                COUNT(*) FILTER (WHERE results > 0 AND relevant = 0) AS not_relevant,
                COUNT(*) FILTER (WHERE results > 0 AND clicks > 0) AS with_click,
                CAST(SUM(marked_relevant) AS BIGINT) AS marked_relevant,
                CAST(SUM(marked_not_relevant) AS BIGINT) AS marked_not_relevant,
                MAX(took_ms) FILTER (WHERE place = (of_all + 1) / 2) AS took_ms_p50,
                MAX(took_ms) FILTER (WHERE place = (of_all * 95 + 99) / 100) AS took_ms_p95
         FROM (SELECT s.kind, s.user_name, s.results, s.relevant, s.took_ms, {period} AS period,
                      ROW_NUMBER() OVER (PARTITION BY {period} ORDER BY s.took_ms) AS place,
                      COUNT(*) OVER (PARTITION BY {period}) AS of_all,
                      {} AS clicks, {} AS marked_relevant, {} AS marked_not_relevant
               FROM searches s WHERE",
        feedback_of("click"),
        feedback_of("relevant"),
        feedback_of("not_relevant"),
    ));
    counted.push_to(&mut query);
    query.push(") AS counted GROUP BY period ORDER BY period");
    let rows: Vec<Row> = query
        .build_query_as()
        .fetch_all(connection)
        .await
        .map_err(failed("count searches"))?;
    Ok(rows.into_iter().map(|row| (row.period, row.into())).collect())
}

/// How much feedback of a kind the search `s` has.
pub(super) fn feedback_of(kind: &'static str) -> String {
    format!("(SELECT COUNT(*) FROM feedback f WHERE f.query_id = s.query_id AND f.kind = '{kind}')")
}

/// What SQLite counted; never below 0.
pub(super) fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

impl From<Row> for Figures {
    fn from(row: Row) -> Self {
        let [searches, no_results, with_click] = [row.searches, row.no_results, row.with_click].map(count);
        let with_results = searches - no_results;
        let abandoned = with_results - with_click;
        let share = |part: u64| (with_results > 0).then(|| part as f64 / with_results as f64);
        Self {
            searches,
            answers: count(row.answers),
            users: count(row.users),
            no_results,
            not_relevant: count(row.not_relevant),
            with_click,
            abandoned,
            click_through_rate: share(with_click),
            abandonment_rate: share(abandoned),
            marked_relevant: count(row.marked_relevant),
            marked_not_relevant: count(row.marked_not_relevant),
            took_ms_p50: row.took_ms_p50,
            took_ms_p95: row.took_ms_p95,
        }
    }
}
