//! ONNX Runtime and nothing else: the speed that ingestion is compared with.
//!
//! It runs in a process of its own, because a process has one ONNX Runtime environment and fastembed
//! owns it in the other. What it gets is token ids, so tokenising costs it nothing; what it makes is
//! thrown away, so neither pooling nor storing does. Texts are sorted by length, so a batch wastes
//! little on padding. All of that favours the bare side.
//!
//! A request comes as JSON on standard input, the timings go as JSON to standard output.

use std::io::Read;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::Tensor;
use serde::{Deserialize, Serialize};

/// The hidden command of the child process.
pub const COMMAND: &str = "bench-bare";

/// How ONNX Runtime is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BareSetting {
    /// Sessions side by side, each on a thread of its own.
    pub sessions: usize,
    /// Threads within each session.
    pub threads: usize,
    /// Texts in one run of a session.
    pub batch: usize,
}

/// What to measure.
#[derive(Debug, Serialize, Deserialize)]
pub struct BareRequest {
    /// The shared library of ONNX Runtime.
    pub library: PathBuf,
    /// The model in ONNX form.
    pub model: PathBuf,
    /// The texts, as the model's tokens with the special ones.
    pub texts: Vec<Vec<u32>>,
    /// Measured one after the other.
    pub settings: Vec<BareSetting>,
}

/// How long one setting took for all texts, without loading the model.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct BareTiming {
    /// How ONNX Runtime was run.
    pub setting: BareSetting,
    /// The wall time.
    pub seconds: f64,
}

/// The settings that are worth trying on `cores` cores: every way to spread them over sessions and
/// threads that uses all of them, with batches from one to what everybody uses.
pub fn sweep(cores: usize) -> Vec<BareSetting> {
    let mut shapes = vec![(cores, 1), (1, cores)];
    if cores >= 4 {
        shapes.push((cores / 2, 2));
    }
    shapes.dedup();
    let batches = [1, 4, 8, 32];
    shapes
        .into_iter()
        .flat_map(|(sessions, threads)| {
            batches.map(|batch| BareSetting {
                sessions,
                threads,
                batch,
            })
        })
        .collect()
}

/// Runs `request` in a child process of this same binary.
pub async fn measure(request: &BareRequest) -> Result<Vec<BareTiming>> {
    use tokio::io::AsyncWriteExt;

    let program = std::env::current_exe().context("can't find the path of this program")?;
    let mut child = tokio::process::Command::new(program)
        .arg(COMMAND)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("can't start a process for bare ONNX Runtime")?;
    let mut input = child
        .stdin
        .take()
        .context("the child process has no standard input")?;
    input
        .write_all(&serde_json::to_vec(request)?)
        .await
        .context("can't send the texts to the child process")?;
    drop(input);
    let output = child
        .wait_with_output()
        .await
        .context("the child process was lost")?;
    ensure!(
        output.status.success(),
        "bare ONNX Runtime ended with {}",
        output.status
    );
    serde_json::from_slice(&output.stdout).context("the child process said something else than timings")
}

/// The child's side: reads a request, prints the timings.
pub fn run_child() -> Result<()> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut text)
        .context("can't read the request")?;
    let mut request: BareRequest = serde_json::from_str(&text).context("can't read the request")?;
    ensure!(
        request.library.is_file(),
        "there is no ONNX Runtime at {}",
        request.library.display()
    );
    request
        .texts
        .sort_by_key(|tokens| std::cmp::Reverse(tokens.len()));
    let environment = ort::init_from(&request.library)
        .with_context(|| format!("can't load {}", request.library.display()))?
        .build()?;
    let mut timings = Vec::with_capacity(request.settings.len());
    for setting in &request.settings {
        let sessions = (0..setting.sessions)
            .map(|_| open_session(&environment, &request, *setting))
            .collect::<Result<Vec<_>>>()?;
        let seconds = run_all(sessions, &request.texts, setting.batch)?;
        timings.push(BareTiming {
            setting: *setting,
            seconds,
        });
    }
    serde_json::to_writer(std::io::stdout().lock(), &timings).context("can't print the timings")
}

/// Opens a session and runs one text through it, so that what is done once isn't measured.
fn open_session(
    environment: &ort::environment::Environment,
    request: &BareRequest,
    setting: BareSetting,
) -> Result<Session> {
    let mut session = Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::All)
        .map_err(|error| anyhow!("{error}"))?
        .with_intra_threads(setting.threads)
        .map_err(|error| anyhow!("{error}"))?
        .commit_from_file(&request.model)
        .with_context(|| format!("can't load the model {}", request.model.display()))?;
    if let Some(text) = request.texts.first() {
        run_batch(&mut session, std::slice::from_ref(text))?;
    }
    Ok(session)
}

/// Runs all texts, each session on its own thread taking the next batch, and times it.
fn run_all(sessions: Vec<Session>, texts: &[Vec<u32>], batch: usize) -> Result<f64> {
    let batches: Vec<&[Vec<u32>]> = texts.chunks(batch.max(1)).collect();
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = sessions
            .into_iter()
            .map(|mut session| {
                let (next, batches) = (&next, &batches);
                scope.spawn(move || -> Result<()> {
                    while let Some(texts) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                        run_batch(&mut session, texts)?;
                    }
                    Ok(())
                })
            })
            .collect();
        for worker in workers {
            worker
                .join()
                .map_err(|_| anyhow!("a thread with a session panicked"))??;
        }
        Ok(())
    })?;
    Ok(started.elapsed().as_secs_f64())
}

/// Runs `texts` as one batch, padded to the longest.
fn run_batch(session: &mut Session, texts: &[Vec<u32>]) -> Result<()> {
    let length = texts.iter().map(Vec::len).max().unwrap_or(0);
    let size = texts.len() * length;
    let mut ids = Vec::with_capacity(size);
    let mut mask = Vec::with_capacity(size);
    for tokens in texts {
        let padding = length - tokens.len();
        ids.extend(
            tokens
                .iter()
                .map(|id| i64::from(*id))
                .chain(std::iter::repeat_n(0, padding)),
        );
        mask.extend(std::iter::repeat_n(1_i64, tokens.len()).chain(std::iter::repeat_n(0, padding)));
    }
    let shape = [texts.len(), length];
    let outputs = session.run(ort::inputs![
        "input_ids" => Tensor::from_array((shape, ids))?,
        "attention_mask" => Tensor::from_array((shape, mask))?,
        "token_type_ids" => Tensor::from_array((shape, vec![0_i64; size]))?,
    ])?;
    ensure!(outputs.len() > 0, "the model gave no output");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sweep_uses_every_core_in_every_setting_and_tries_none_twice() {
        for cores in [1, 2, 4, 8] {
            let settings = sweep(cores);
            assert!(
                settings
                    .iter()
                    .all(|setting| setting.sessions * setting.threads == cores)
            );
            for (index, setting) in settings.iter().enumerate() {
                assert!(
                    !settings[..index].contains(setting),
                    "{setting:?} twice on {cores} cores"
                );
            }
        }
        assert_eq!(sweep(2).len(), 8);
    }
}
