//! `lectern eval compare` and `lectern eval runs`.

use anyhow::Result;
use clap::Args;

use super::super::context::Context;
use super::super::exit::Exit;
use super::super::output;
use crate::eval::asking::Way;
use crate::eval::compare::{Comparison, compare, differences};
use crate::eval::report;
use crate::eval::run::{Run, find, kept};

/// Compare two runs over the same questions, with confidence intervals
#[derive(Debug, Args)]
#[command(after_help = "\
The interval is that of a paired bootstrap: the questions are drawn again 10,000 times. Where it leaves out 0, the
difference is more than chance. Questions are the same where their words are. A run is a file of --save, or the name
of one that the data folder keeps (`lectern eval runs`).")]
pub struct CompareArguments {
    /// The run before
    #[arg(value_name = "BEFORE")]
    before: String,
    /// The run after
    #[arg(value_name = "AFTER")]
    after: String,
    /// Compare this way of searching alone [default: every way that both runs have]
    #[arg(long, value_name = "WAY")]
    way: Option<Way>,
    /// Compare --way with this way of the run before
    #[arg(long, value_name = "WAY", requires = "way")]
    before_way: Option<Way>,
    /// Where the draws of the questions begin
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
}

/// Compares, prints.
pub fn run(context: &Context, arguments: &CompareArguments) -> Result<Exit> {
    let before = Run::read(&find(&context.data, &arguments.before))?;
    let after = Run::read(&find(&context.data, &arguments.after))?;
    let pairs: Vec<(Way, Way)> = match arguments.way {
        Some(way) => vec![(arguments.before_way.unwrap_or(way), way)],
        None => {
            let both = before.ways.keys().filter(|way| after.ways.contains_key(way));
            both.map(|way| (*way, *way)).collect()
        }
    };
    let comparisons: Vec<Comparison> = pairs
        .into_iter()
        .map(|(was, is)| compare((&before, was), (&after, is), arguments.seed))
        .collect::<Result<_, _>>()?;
    tell_configurations(&before, &after);
    if context.json {
        output::json(&comparisons)?;
        return Ok(Exit::Done);
    }
    for comparison in &comparisons {
        show(comparison)?;
    }
    Ok(Exit::Done)
}

fn tell_configurations(before: &Run, after: &Run) {
    let differences = differences(&before.configuration, &after.configuration);
    if differences.is_empty() {
        output::note("Both runs have the same configuration.");
    } else {
        output::note(format!(
            "The configurations differ in {}.",
            differences.join(", ")
        ));
    }
}

fn show(comparison: &Comparison) -> Result<()> {
    let ways = if comparison.before == comparison.after {
        comparison.after.to_string()
    } else {
        format!("{} after {}", comparison.after, comparison.before)
    };
    output::line(format!(
        "{ways}: {} questions ({} in one run alone)",
        comparison.questions, comparison.unpaired
    ))?;
    let mut table = output::table(&report::COMPARISON_COLUMNS);
    report::fill_comparison(comparison, &mut table);
    output::align_right(&mut table, &[1, 2, 3, 4, 5, 6]);
    output::line(table.to_string())?;
    for change in &comparison.extremes {
        output::line(format!(
            "  {:.3} -> {:.3}  {}  {}",
            change.before, change.after, change.id, change.question
        ))?;
    }
    Ok(())
}

/// Lists the runs that the data folder keeps.
pub fn list(context: &Context) -> Result<Exit> {
    let mut rows = Vec::new();
    for path in kept(&context.data)? {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        rows.push((name, Run::read(&path)?));
    }
    if context.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(name, run)| {
                serde_json::json!({
                    "run": name,
                    "name": run.name,
                    "at": run.at,
                    "configuration_hash": run.configuration_hash,
                    "ways": report::run_json(run),
                })
            })
            .collect();
        output::json(&rows)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        output::note("No run is kept yet: `lectern eval --kb NAME --questions FILE` keeps one.");
        return Ok(Exit::Done);
    }
    let mut table = output::table(&["run", "configuration", "questions", "way", "figures"]);
    for (name, run) in &rows {
        let last = run.ways.iter().next_back();
        let figures = last.map(|(_, way)| {
            let figures = way
                .means
                .iter()
                .map(|(metric, mean)| format!("{metric} {mean:.3}"));
            figures.collect::<Vec<_>>().join(", ")
        });
        table.add_row([
            name.clone(),
            run.configuration_hash.get(..12).unwrap_or_default().to_owned(),
            run.questions.len().to_string(),
            last.map(|(way, _)| way.to_string()).unwrap_or_default(),
            figures.unwrap_or_default(),
        ]);
    }
    output::line(table.to_string())?;
    Ok(Exit::Done)
}
