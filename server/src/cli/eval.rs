//! `lectern eval`: measures the search against questions whose answers are known.

mod compare;
mod knowledge_base;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use lectern_domain::{ErrorKind, PortError};

use self::knowledge_base::{Subject, take_in};
use super::context::Context;
use super::exit::Exit;
use super::output;
use crate::auth::Caller;
use crate::compose::Lectern;
use crate::eval::asking::{Asked, Way};
use crate::eval::gate::Gate;
use crate::eval::layouts::EvalSet;
use crate::eval::questions::{self, Question};
use crate::eval::report;
use crate::eval::run::Run;

/// Measures how well the search finds what people judged to be right.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
DIR is a data set from outside, taken into a temporary knowledge base through the ordinary pipeline: BEIR's layout
(corpus.jsonl, queries.jsonl, qrels.tsv), the chunking evaluation (corpora/, questions_df.csv), ARAGOG
(papers_for_questions/), or any folder of documents with --questions. With --kb a knowledge base that people use is
asked, as it is; its runs are kept in the data folder.

FILE has a JSON object in each line: a question and what it expects.
  {\"question\": \"How long is parental leave?\", \"documents\": [\"hr/leave.md\"], \"texts\": [\"twenty weeks\"]}
  {\"id\": \"q2\", \"question\": \"...\", \"documents\": [{\"uri\": \"https://wiki/a\", \"grade\": 2}, \"https://wiki/b\"]}
  {\"question\": \"...\", \"spans\": [{\"document\": \"a.md\", \"start\": 120, \"end\": 180}]}
A document is named by its address, or by the end of it. Spans count bytes of the extracted text.

Measured of documents, as trec_eval does: ndcg@10 with the grade as gain, recall@10, recall@100, map of the first
100, mrr@10; hit@1 and hit@3. Of texts and spans: the part that stands in the first 1, 3, 5 passages (text@1, span@1
and so on). Times are those of an ordinary search for ten passages, in milliseconds, with the embedding of
the question. `reranked` is there where `[retrieval] reranker` is set.

Examples:
  lectern eval ~/beir/scifact
  lectern eval ~/beir/scifact --json | jq '.hybrid[\"ndcg@10\"]'
  lectern eval --kb handbook --questions questions.jsonl --gate ndcg@10=0.40 --gate lexical:hit@1=0.5
  lectern eval ~/papers --questions questions.jsonl --in /var/tmp/papers --save before.json
  lectern eval compare before.json after.json
  lectern eval compare after.json after.json --before-way vector --way hybrid"
)]
pub struct EvalArguments {
    #[command(subcommand)]
    what: Option<EvalKind>,
    /// A data set, or a folder of documents
    #[arg(value_name = "DIR", required_unless_present = "kb", conflicts_with = "kb")]
    folder: Option<PathBuf>,
    /// Ask this knowledge base, by name or id
    #[arg(long, value_name = "NAME", requires = "questions")]
    kb: Option<String>,
    /// Questions with what they expect
    #[arg(long, value_name = "FILE")]
    questions: Option<PathBuf>,
    /// Keep the temporary data folder, and say where it is
    #[arg(long, conflicts_with = "kb")]
    keep: bool,
    /// Take the documents into this folder and keep it: another time only what changed is taken in
    #[arg(long = "in", value_name = "FOLDER", conflicts_with_all = ["kb", "keep"])]
    place: Option<PathBuf>,
    /// Write the run to this file, to compare it later
    #[arg(long, value_name = "RUN.json")]
    save: Option<PathBuf>,
    /// Measure this way of searching alone: lexical, vector, hybrid, reranked; can be given several times
    #[arg(long, value_name = "WAY")]
    way: Vec<Way>,
    /// End with 8 where less than this was reached, in the search that people get or in the way that is named; can be
    /// given several times
    #[arg(long, value_name = "[WAY:]METRIC=LEAST")]
    gate: Vec<Gate>,
}

#[derive(Debug, Subcommand)]
enum EvalKind {
    Compare(compare::CompareArguments),
    /// List the runs that the data folder keeps, oldest first
    Runs,
}

/// Ingests where that is asked for, asks, keeps, prints.
pub async fn run(context: &Context, arguments: EvalArguments) -> Result<Exit> {
    match (&arguments.what, &arguments.kb) {
        (Some(EvalKind::Compare(compared)), _) => compare::run(context, compared),
        (Some(EvalKind::Runs), _) => compare::list(context),
        (None, Some(name)) => of_knowledge_base(context, &arguments, name).await,
        (None, None) => of_folder(context, &arguments).await,
    }
}

async fn of_knowledge_base(context: &Context, arguments: &EvalArguments, name: &str) -> Result<Exit> {
    let file = arguments.questions.as_deref().context("no questions")?;
    let questions = questions::read(file)?;
    let lectern = context.open().await?;
    let subject = Subject::known(&lectern, name).await?;
    let run = ask(&lectern, &subject, &questions, &arguments.way).await?;
    let place = run.place_in(&context.data);
    run.write(&place)?;
    output::note(format!("Kept as {}", place.display()));
    finish(context, arguments, &run)
}

async fn of_folder(context: &Context, arguments: &EvalArguments) -> Result<Exit> {
    let folder = arguments.folder.as_deref().context("no folder")?;
    let set = EvalSet::read(folder, arguments.questions.as_deref())?;
    let mut temporary = None;
    let place: &Path = match &arguments.place {
        Some(place) => place,
        None => {
            let mut made = tempfile::Builder::new()
                .prefix("lectern-eval-")
                .tempdir()
                .context("can't make a temporary folder")?;
            made.disable_cleanup(arguments.keep);
            temporary.insert(made).path()
        }
    };
    let lectern = context.open_elsewhere(place).await?;
    let name = std::path::absolute(folder).ok().and_then(|path| {
        let name = path.file_name()?;
        Some(name.to_string_lossy().into_owned())
    });
    let mut subject = take_in(context, &lectern, &set.corpus).await?;
    subject.name = name.unwrap_or(subject.name);
    let run = ask(&lectern, &subject, &set.questions, &arguments.way).await?;
    let exit = finish(context, arguments, &run)?;
    if arguments.keep {
        output::note(format!("Kept in {}", place.display()));
    }
    Ok(exit)
}

/// Asks every question in every way that is wanted.
async fn ask(lectern: &Lectern, subject: &Subject, questions: &[Question], wanted: &[Way]) -> Result<Run> {
    let mut run = Run::new(
        subject.name.clone(),
        subject.configuration.clone(),
        subject.corpus,
    );
    let texts = questions
        .iter()
        .map(|question| (question.id.clone(), question.text.clone()));
    run.questions = texts.collect();
    let scope = Caller::at_the_terminal().read_scope();
    let asked = Asked {
        searcher: &lectern.searcher,
        scope: &scope,
        knowledge_base: subject.knowledge_base,
    };
    let there = Way::all(lectern.searcher.reranks());
    if let Some(missing) = wanted.iter().find(|way| !there.contains(way)) {
        let message = format!("there is no {missing} search here: set [retrieval] reranker in lectern.toml");
        return Err(PortError::new(ErrorKind::Invalid, "eval_way_missing", message).into());
    }
    let is_wanted = |way: &Way| wanted.is_empty() || wanted.contains(way);
    for way in there.into_iter().filter(is_wanted) {
        run.ways.insert(way, asked.all(questions, way).await?);
    }
    Ok(run)
}

/// Writes the run where that is asked for, prints it, and holds it against the gates.
fn finish(context: &Context, arguments: &EvalArguments, run: &Run) -> Result<Exit> {
    if let Some(path) = &arguments.save {
        run.write(path)?;
    }
    if context.json {
        output::json(&report::run_json(run))?;
    } else {
        show(run)?;
    }
    let failures: Vec<String> = arguments
        .gate
        .iter()
        .filter_map(|gate| gate.failure(run))
        .collect();
    for failure in &failures {
        output::note(format!("Below the gate {failure}"));
    }
    Ok(if failures.is_empty() {
        Exit::Done
    } else {
        Exit::BelowGate
    })
}

fn show(run: &Run) -> Result<()> {
    let corpus = run.corpus;
    output::line(format!(
        "{}: {} documents in {} chunks, taken in within {:.1} s ({} left out); {} questions; configuration {}",
        run.name,
        corpus.documents,
        corpus.chunks,
        corpus.ingest_s,
        corpus.left_out,
        run.questions.len(),
        run.configuration_hash.get(..12).unwrap_or_default(),
    ))?;
    let columns = report::run_columns(run);
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = output::table(&names);
    report::fill_run(run, &mut table);
    let numbers: Vec<usize> = (1..columns.len()).collect();
    output::align_right(&mut table, &numbers);
    output::line(table.to_string())
}
