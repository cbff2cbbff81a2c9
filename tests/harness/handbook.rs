//! The handbook in `examples/`, taken in once and served to all tests that only read.

use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use super::lectern::KB;
use super::{Outcome, Server, Workplace, repository};

/// A server over the handbook, and what its ingestion said.
pub struct Handbook {
    pub server: Server,
    pub ingestion: Outcome,
}

impl Handbook {
    /// The path of a route of the handbook's knowledge base.
    pub fn path(&self, rest: &str) -> String {
        format!("/knowledge-bases/{KB}/{rest}")
    }

    /// The whole answer to a question.
    pub fn answer(&self, question: &str) -> Value {
        let body = serde_json::json!({ "question": question, "stream": false });
        self.server.post(&self.path("answers"), &body).is(200).json()
    }
}

/// The handbook. The first who asks takes it in; whoever comes meanwhile waits.
pub fn handbook() -> &'static Handbook {
    static HANDBOOK: OnceLock<Handbook> = OnceLock::new();
    HANDBOOK.get_or_init(|| {
        let workplace = Workplace::new();
        let mut ingest = workplace.program();
        ingest
            .args(["--json", "ingest", "--kb", KB, "--create"])
            .arg(repository().join("examples"));
        let ingestion = Outcome::of(ingest).exits(0);
        let server = Server::start(&workplace);
        outlive(&server, workplace);
        Handbook { server, ingestion }
    })
}

/// A static value is never dropped. A shell that reads from this process sees it end, however it ends,
/// and puts away what it leaves behind.
fn outlive(server: &Server, workplace: Workplace) {
    let folder = workplace.into_folder();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "cat >/dev/null; kill -9 \"$0\"; rm -rf \"$1\""])
        .arg(server.process_id().to_string())
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let shell = shell.spawn().unwrap();
    // The pipe stays open for as long as this process lives.
    std::mem::forget(shell);
}
