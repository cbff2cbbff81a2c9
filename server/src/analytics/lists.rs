//! The lists of a report: what is asked most, what isn't found, what isn't opened, and which documents are.

use lectern_domain::{DocumentId, PortError};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder, SqliteConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::figures::{Counted, count, feedback_of};
use super::store::failed;

/// A question, however it was typed, and how its searches went.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct QueryFigures {
    /// As somebody typed it.
    pub text: String,
    /// Searches for it.
    pub searches: u64,
    /// How many people asked it, as far as their names are kept.
    pub users: u64,
    /// Nothing was found.
    pub no_results: u64,
    /// Something was found, and nothing that is about what was asked.
    pub not_relevant: u64,
    /// At least one passage was opened.
    pub with_click: u64,
}

/// A document, and how often it was opened.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DocumentFigures {
    /// The document.
    #[schema(value_type = Uuid)]
    pub document: DocumentId,
    /// Its title; none where it isn't there any more.
    pub title: Option<String>,
    /// Where a person finds the original.
    pub uri: Option<String>,
    /// How many passages of it were opened.
    pub clicks: u64,
    /// By how many searches.
    pub searches: u64,
}

/// Which searches a list is of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    /// All.
    Any,
    /// Those that found nothing that is about what was asked.
    WithoutResults,
    /// Those that found something of which nothing was opened.
    WithoutClick,
}

impl Asked {
    fn condition(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::WithoutResults => " WHERE results = 0 OR relevant = 0",
            Self::WithoutClick => " WHERE results > 0 AND clicks = 0",
        }
    }
}

#[derive(FromRow)]
struct QueryRow {
    text: String,
    searches: i64,
    users: i64,
    no_results: i64,
    not_relevant: i64,
    with_click: i64,
}

/// The questions that are asked most, first those with the most searches.
pub(super) async fn queries(
    connection: &mut SqliteConnection,
    counted: Counted,
    asked: Asked,
    limit: u32,
) -> Result<Vec<QueryFigures>, PortError> {
    let mut query = QueryBuilder::new(format!(
        "SELECT MAX(text) AS text, COUNT(*) AS searches, COUNT(DISTINCT user_name) AS users,
                COUNT(*) FILTER (WHERE results = 0) AS no_results,
                COUNT(*) FILTER (WHERE results > 0 AND relevant = 0) AS not_relevant,
                COUNT(*) FILTER (WHERE results > 0 AND clicks > 0) AS with_click
         FROM (SELECT s.text, s.normalised, s.user_name, s.results, s.relevant, {} AS clicks FROM searches s WHERE",
        feedback_of("click"),
    ));
    counted.push_to(&mut query);
    query.push(") AS counted").push(asked.condition());
    query
        .push(" GROUP BY normalised ORDER BY searches DESC, normalised LIMIT ")
        .push_bind(i64::from(limit));
    let rows: Vec<QueryRow> = query
        .build_query_as()
        .fetch_all(connection)
        .await
        .map_err(failed("list what was asked"))?;
    Ok(rows.into_iter().map(QueryFigures::from).collect())
}

impl From<QueryRow> for QueryFigures {
    fn from(row: QueryRow) -> Self {
        Self {
            text: row.text,
            searches: count(row.searches),
            users: count(row.users),
            no_results: count(row.no_results),
            not_relevant: count(row.not_relevant),
            with_click: count(row.with_click),
        }
    }
}

/// The documents that were opened most, first those with the most clicks. They have no titles yet.
pub(super) async fn documents(
    connection: &mut SqliteConnection,
    counted: Counted,
    limit: u32,
) -> Result<Vec<DocumentFigures>, PortError> {
    let mut query = QueryBuilder::new(
        "SELECT f.document, COUNT(*) AS clicks, COUNT(DISTINCT f.query_id) AS searches
         FROM searches s JOIN feedback f ON f.query_id = s.query_id WHERE f.kind = 'click' AND",
    );
    counted.push_to(&mut query);
    query
        .push(" GROUP BY f.document ORDER BY clicks DESC, searches DESC, f.document LIMIT ")
        .push_bind(i64::from(limit));
    let rows: Vec<(Uuid, i64, i64)> = query
        .build_query_as()
        .fetch_all(connection)
        .await
        .map_err(failed("list what was opened"))?;
    let figures = rows
        .into_iter()
        .map(|(document, clicks, searches)| DocumentFigures {
            document: DocumentId(document),
            title: None,
            uri: None,
            clicks: count(clicks),
            searches: count(searches),
        });
    Ok(figures.collect())
}
