//! `lectern analytics`: what was asked of a knowledge base, and what was opened; and erasing what somebody asked.

use anyhow::{Result, bail};
use chrono::{NaiveDate, Utc};
use clap::{Args, Subcommand};
use serde_json::json;

use super::context::Context;
use super::exit::Exit;
use super::output;
use crate::analytics::{DocumentFigures, Figures, QueryFigures, Report, ReportRequest};
use crate::compose::Lectern;

/// Shows what was asked of a knowledge base, by day, and what was opened; and erases it by user.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Counted is what was asked over HTTP and on the page. Days are those of UTC, and without --from and --to the last 30.

  searches      searches and questions; `answers` are those that asked for an answer
  users         how many people asked, as far as names are kept
  no results    nothing was found
  not relevant  something was found, and nothing that is about what was asked
  clicked       something was found, and at least one passage of it was opened
  abandoned     something was found, and nothing of it was opened
  rate          clicked, of those that found something
  p50, p95      milliseconds until the passages were there, for half and for 95 of 100

searches = no results + clicked + abandoned. What is kept, for how long and with whose name is set in [analytics] of
lectern.toml: `enabled`, `keep_days`, `anonymous`. A running server holds the data folder; ask it then:
GET /api/v1/knowledge-bases/NAME/analytics, DELETE /api/v1/analytics/users/NAME.

Examples:
  lectern analytics --kb papers
  lectern analytics --kb papers --from 2026-11-01 --to 2026-11-30 --json
  lectern analytics erase --user ada")]
pub struct AnalyticsArguments {
    #[command(subcommand)]
    action: Option<AnalyticsAction>,
    /// The knowledge base, by name or id
    #[arg(long, value_name = "NAME", required = true)]
    kb: Option<String>,
    /// The first day [default: 29 days before the last]
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<NaiveDate>,
    /// The last day [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<NaiveDate>,
    /// How long the lists are at most, 1 to 100 [default: 10]
    #[arg(long, value_name = "N")]
    top: Option<u32>,
}

#[derive(Debug, Subcommand)]
enum AnalyticsAction {
    /// Erase what somebody asked and opened, in every knowledge base; no file has a word of it afterwards
    Erase {
        /// The name of who asked (`operator` for whoever uses the server without an account)
        #[arg(long, value_name = "NAME")]
        user: String,
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Does what is asked.
pub async fn run(context: &Context, arguments: AnalyticsArguments) -> Result<Exit> {
    if let Some(AnalyticsAction::Erase { user, yes }) = arguments.action {
        return erase(context, &user, yes).await;
    }
    let Some(name) = &arguments.kb else {
        bail!("--kb says of which knowledge base");
    };
    let days = (arguments.from, arguments.to);
    let request = ReportRequest::new(days, None, arguments.top, Utc::now().date_naive());
    let lectern = context.open().await?;
    let report = report(&lectern, name, &request).await?;
    if context.json {
        output::json(&report)?;
    } else {
        show(&report)?;
    }
    Ok(Exit::Done)
}

async fn report(lectern: &Lectern, name: &str, request: &ReportRequest) -> Result<Report> {
    let base = lectern.ledger.knowledge_base(name).await?;
    let report = lectern.analytics.report(&lectern.ledger, base.id, request).await;
    lectern.analytics.close().await;
    Ok(report?)
}

async fn erase(context: &Context, user: &str, yes: bool) -> Result<Exit> {
    let lectern = context.open().await?;
    let question = format!("Erase everything that is kept of what {user} asked and opened?");
    if !yes && !output::confirmed(&question)? {
        output::note("Nothing was erased.");
        return Ok(Exit::Done);
    }
    let erased = lectern.analytics.erase_user(user).await;
    lectern.analytics.close().await;
    let erased = erased?;
    if context.json {
        output::json(&json!({ "erased": erased }))?;
    } else {
        output::line(format!(
            "Erased {} searches of {user}, and what was done with their results {} times.",
            erased.searches, erased.feedback
        ))?;
    }
    Ok(Exit::Done)
}

fn show(report: &Report) -> Result<()> {
    if report.total.searches == 0 {
        output::note(format!(
            "Nothing was asked from {} to {}.",
            report.from, report.to
        ));
        return Ok(());
    }
    output::line(by_day(report))?;
    for (title, queries) in [
        ("Asked most", &report.top_queries),
        (
            "Asked most, with nothing relevant found",
            &report.top_without_results,
        ),
        ("Asked most, with nothing opened", &report.top_without_click),
    ] {
        if !queries.is_empty() {
            output::line(format!("\n{title}\n{}", of_queries(queries)))?;
        }
    }
    if !report.top_documents.is_empty() {
        let documents = of_documents(&report.top_documents);
        output::line(format!("\nOpened most\n{documents}"))?;
    }
    Ok(())
}

/// Days without a search are left out.
fn by_day(report: &Report) -> String {
    let mut table = output::table(&[
        "day",
        "searches",
        "answers",
        "users",
        "no results",
        "not relevant",
        "clicked",
        "abandoned",
        "rate",
        "p50 ms",
        "p95 ms",
    ]);
    let days = report.days.iter().filter(|day| day.figures.searches > 0);
    let days = days.map(|day| (day.day.to_string(), &day.figures));
    for (name, figures) in days.chain([("all".to_owned(), &report.total)]) {
        table.add_row(row(name, figures));
    }
    output::align_right(&mut table, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    table.to_string()
}

fn row(name: String, figures: &Figures) -> Vec<String> {
    let share = |rate: Option<f64>| rate.map_or("-".to_owned(), |rate| format!("{:.0} %", rate * 100.0));
    let time = |ms: Option<f64>| ms.map_or("-".to_owned(), |ms| format!("{ms:.1}"));
    let mut row = vec![name];
    row.extend(
        [
            figures.searches,
            figures.answers,
            figures.users,
            figures.no_results,
            figures.not_relevant,
            figures.with_click,
            figures.abandoned,
        ]
        .map(|count| count.to_string()),
    );
    row.push(share(figures.click_through_rate));
    row.extend([time(figures.took_ms_p50), time(figures.took_ms_p95)]);
    row
}

fn of_queries(queries: &[QueryFigures]) -> String {
    let columns = [
        "searches",
        "users",
        "no results",
        "not relevant",
        "clicked",
        "question",
    ];
    let mut table = output::table(&columns);
    for query in queries {
        let counts = [
            query.searches,
            query.users,
            query.no_results,
            query.not_relevant,
            query.with_click,
        ];
        let mut row: Vec<String> = counts.iter().map(ToString::to_string).collect();
        // A question may have lines, and a terminal no use for their control characters.
        row.push(query.text.split(char::is_control).collect::<Vec<_>>().join(" "));
        table.add_row(row);
    }
    output::align_right(&mut table, &[0, 1, 2, 3, 4]);
    table.to_string()
}

fn of_documents(documents: &[DocumentFigures]) -> String {
    let mut table = output::table(&["clicks", "searches", "document"]);
    for listed in documents {
        let title = listed.title.clone();
        table.add_row([
            listed.clicks.to_string(),
            listed.searches.to_string(),
            title.unwrap_or_else(|| format!("{} (deleted)", listed.document)),
        ]);
    }
    output::align_right(&mut table, &[0, 1]);
    table.to_string()
}
