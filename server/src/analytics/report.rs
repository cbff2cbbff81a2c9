//! The report: figures by day, figures of all days, and lists.

use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use lectern_domain::{ErrorKind, KnowledgeBaseId, PortError};
use lectern_ingest::Ledger;
use serde::Serialize;
use utoipa::ToSchema;

use super::figures::{Counted, Figures, Period, figures};
use super::lists::{Asked, DocumentFigures, QueryFigures, documents, queries};
use super::note::QueryKind;
use super::store::{Store, failed};

/// The most days of a report: a leap year.
const MOST_DAYS: i64 = 366;
/// The days of a report where it isn't said.
const DEFAULT_DAYS: u64 = 30;
/// The longest lists.
const MOST_LISTED: u32 = 100;
/// How long lists are where it isn't said.
const DEFAULT_LISTED: u32 = 10;

/// What a report is about.
#[derive(Clone, Copy, Debug)]
pub struct ReportRequest {
    from: NaiveDate,
    to: NaiveDate,
    kind: Option<QueryKind>,
    limit: u32,
}

/// Figures of a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct DayFigures {
    /// The day, in UTC.
    pub day: NaiveDate,
    /// What is counted of it.
    #[serde(flatten)]
    pub figures: Figures,
}

/// What was asked of a knowledge base, and what was opened of what was found.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Report {
    /// The first day, in UTC.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// How many days a search is kept; 0 where nothing new is. Days before that are empty.
    pub keep_days: u32,
    /// All days together: who asked on two of them is counted once.
    pub total: Figures,
    /// Each day from the first to the last.
    pub days: Vec<DayFigures>,
    /// What was asked most.
    pub top_queries: Vec<QueryFigures>,
    /// What was asked most of that for which nothing was found, or nothing relevant; the figures are those of such searches.
    pub top_without_results: Vec<QueryFigures>,
    /// What was asked most of that for which something was found and nothing opened; the figures are those of such searches.
    pub top_without_click: Vec<QueryFigures>,
    /// What was opened most.
    pub top_documents: Vec<DocumentFigures>,
}

impl ReportRequest {
    /// A report of these days, both included. What isn't said is 30 days until `today`, searches and answers, lists of 10.
    pub fn new(
        (from, to): (Option<NaiveDate>, Option<NaiveDate>),
        kind: Option<QueryKind>,
        limit: Option<u32>,
        today: NaiveDate,
    ) -> Self {
        let to = to.unwrap_or_else(|| from.map_or(today, |from| today.max(from)));
        let before = to.checked_sub_days(Days::new(DEFAULT_DAYS - 1)).unwrap_or(to);
        Self {
            from: from.unwrap_or(before),
            to,
            kind,
            limit: limit.unwrap_or(DEFAULT_LISTED),
        }
    }

    pub(super) fn check(&self) -> Result<(), PortError> {
        let days = (self.to - self.from).num_days() + 1;
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(PortError::new(
                ErrorKind::Invalid,
                "range_invalid",
                format!(
                    "a report from {} to {} has {days} days, and must have 1 to {MOST_DAYS}",
                    self.from, self.to
                ),
            ));
        }
        if !(1..=MOST_LISTED).contains(&self.limit) {
            return Err(PortError::new(
                ErrorKind::Invalid,
                "limit_out_of_range",
                format!(
                    "lists of {} are not made: it must be 1 to {MOST_LISTED}",
                    self.limit
                ),
            ));
        }
        Ok(())
    }
}

impl Store {
    /// The report, of one moment. Documents have no titles yet.
    pub(super) async fn report(
        &self,
        base: KnowledgeBaseId,
        request: &ReportRequest,
    ) -> Result<Report, PortError> {
        let counted = Counted {
            base,
            days: (number_of(request.from), number_of(request.to)),
            kind: request.kind,
        };
        let limit = request.limit;
        let readers = &self.database.readers;
        let mut moment = readers.begin().await.map_err(failed("begin a report"))?;
        let total = figures(&mut moment, counted, Period::Whole).await?;
        let by_day = figures(&mut moment, counted, Period::Day).await?;
        let report = Report {
            from: request.from,
            to: request.to,
            keep_days: 0,
            total: total.first().map(|(_, figures)| *figures).unwrap_or_default(),
            days: every_day(request, by_day.into_iter().collect()),
            top_queries: queries(&mut moment, counted, Asked::Any, limit).await?,
            top_without_results: queries(&mut moment, counted, Asked::WithoutResults, limit).await?,
            top_without_click: queries(&mut moment, counted, Asked::WithoutClick, limit).await?,
            top_documents: documents(&mut moment, counted, limit).await?,
        };
        moment.commit().await.map_err(failed("end a report"))?;
        Ok(report)
    }
}

impl Report {
    /// Gives documents their titles.
    pub(super) async fn name_documents(
        &mut self,
        ledger: &Ledger,
        base: KnowledgeBaseId,
    ) -> Result<(), PortError> {
        for listed in &mut self.top_documents {
            match ledger.document(base, listed.document).await {
                Ok(document) => {
                    listed.title = Some(document.title);
                    listed.uri = Some(document.uri);
                }
                Err(lectern_ingest::Error::NoDocument { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// A day without a search has zeros.
fn every_day(request: &ReportRequest, figures: HashMap<i64, Figures>) -> Vec<DayFigures> {
    let days = request.from.iter_days().take_while(|day| *day <= request.to);
    days.map(|day| DayFigures {
        day,
        figures: figures.get(&number_of(day)).copied().unwrap_or_default(),
    })
    .collect()
}

/// Days since 1970.
fn number_of(day: NaiveDate) -> i64 {
    (day - DateTime::<Utc>::UNIX_EPOCH.date_naive()).num_days()
}
