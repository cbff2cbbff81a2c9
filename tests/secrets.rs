//! A secret is used and never kept: sources of a bucket are made with keys from the environment and from files, over the command
//! line and over HTTP, are synced, refused and removed; and no file of the data folder, no answer, no figure and no line of
//! the log has one of them. A secret that is written into a configuration is refused, and not repeated.

use std::fs;
use std::path::Path;
use std::process::Command;

use lectern_connectors::conformance::Needles;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::lectern::KB;
use crate::harness::server::{Reply, send};
use crate::harness::{Outcome, Server, Workplace, until};
use crate::s3::shelf::{BUCKET, Shelf};

/// What is named in the configurations, and what is there. The last one is 32 bytes in base64.
const PLACES: [&str; 4] = [
    "READER_ID",
    "READER_SECRET",
    "READER_TOKEN",
    "READER_CUSTOMER_KEY",
];
const IN_VARIABLES: [&str; 4] = [
    "AKIAENVIRONMENT4711",
    "environment/secret+4711",
    "environment/token+4711==",
    "ZW52aXJvbm1lbnQta2V5LTEyMzQ1Njc4OTAtYWJjZGU=",
];
const IN_FILES: [&str; 4] = [
    "AKIAFILE4712FILE",
    "file/secret+4712",
    "file/token+4712==",
    "ZmlsZS1rZXktMTIzNDU2Nzg5MC1hYmNkZWZnaGlqa2w=",
];
/// Written where it doesn't belong.
const PLAIN: &str = "plain-secret+4713";

/// What was said and stored.
struct Witness {
    needles: Needles,
    looked_at: usize,
}

impl Witness {
    fn new() -> Self {
        let secrets = [&IN_VARIABLES[..], &IN_FILES, &[PLAIN]].concat();
        let secrets: Vec<String> = secrets.into_iter().map(str::to_owned).collect();
        Self {
            needles: Needles::of(&secrets).unwrap(),
            looked_at: 0,
        }
    }

    #[track_caller]
    fn look(&mut self, what: &str, text: &[u8]) {
        self.looked_at += 1;
        assert!(!self.needles.are_in(text), "{what} has a secret in it");
    }

    #[track_caller]
    fn hear(&mut self, outcome: Outcome) -> Outcome {
        self.look(
            "a command",
            format!("{}\n{}", outcome.stdout, outcome.stderr).as_bytes(),
        );
        outcome
    }

    #[track_caller]
    fn read(&mut self, reply: Reply) -> Reply {
        self.look(
            "an answer",
            format!("{:?}\n{}", reply.headers, reply.body).as_bytes(),
        );
        reply
    }

    /// Every file of a folder.
    fn search(&mut self, folder: &Path) {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.search(&path);
            } else if path.is_file() {
                self.look(&path.display().to_string(), &fs::read(&path).unwrap());
            }
        }
    }
}

/// The program with the secrets in its environment, and all that it can say.
fn program(lectern: &Workplace) -> Command {
    let mut command = lectern.program();
    for (name, value) in PLACES.iter().zip(IN_VARIABLES) {
        command.env(name, value);
    }
    command.env(
        "LECTERN_LOG",
        "debug,lectern_connector_s3=trace,lectern_connector_remote=trace,hyper_util=trace,reqwest=trace",
    );
    command
}

/// A bucket with one document, encrypted with the customer's key.
fn bucket(customer_key: &str) -> Shelf {
    let shelf = Shelf::new();
    shelf.put(
        "lease.md",
        b"# Lease\n\nThe cellar is let to the violin maker Ansgar.\n",
    );
    shelf.change("lease.md", |stored| {
        stored.customer_key = Some(customer_key.to_owned())
    });
    shelf
}

/// The configuration of its source, with `places` for the four secrets.
fn config(shelf: &Shelf, places: [Value; 4]) -> Value {
    let [id, secret, token, customer_key] = places;
    json!({
        "kind": "s3", "buckets": [BUCKET], "endpoint": shelf.endpoint(), "allow_http": true, "customer_key": customer_key,
        "credentials": {"from": "key", "id": id, "secret": secret, "token": token}, "sidecars": false,
    })
}

fn variables() -> [Value; 4] {
    PLACES.map(|name| json!({ "variable": name }))
}

fn files(lectern: &Workplace) -> [Value; 4] {
    let mut places = PLACES.iter().zip(IN_FILES);
    [(); 4].map(|()| {
        let (name, secret) = places.next().unwrap();
        let path = lectern.elsewhere(name);
        fs::write(&path, format!("{secret}\n")).unwrap();
        json!({ "file": path })
    })
}

fn path(rest: &str) -> String {
    format!("/knowledge-bases/{KB}/{rest}")
}

/// Makes a source over the command line, syncs it, has it refused, and looks at all that is told of it.
fn at_the_terminal(lectern: &Workplace, witness: &mut Witness, name: &str, shelf: &Shelf, config: &Value) {
    let file = lectern.elsewhere("bucket.json");
    fs::write(&file, config.to_string()).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = program(lectern);
        command.args(arguments);
        Outcome::of(command)
    };
    let file = file.to_str().unwrap();
    let add = [
        "source", "add", "--create", "--kb", KB, "--name", name, "--config", file,
    ];
    witness.hear(run(&add).exits(0));
    let again = [&["--json"], &add[..], &["--replace"]].concat();
    let added = witness.hear(run(&again).exits(0)).json();
    assert_eq!(
        added["source"]["config"]["credentials"], config["credentials"],
        "the places are shown"
    );
    let signed = shelf.signed();
    let synced = witness.hear(run(&["--json", "source", "sync", "--kb", KB, name]).exits(0));
    assert_eq!(synced.counts().new, 1);
    assert!(shelf.signed() > signed, "the key was used");
    shelf.refuse(403, "SignatureDoesNotMatch");
    let refused = witness.hear(run(&["source", "sync", "--kb", KB, name]));
    assert_ne!(refused.code, 0);
    shelf.mend();
    for arguments in [
        vec!["--json", "source", "list", "--kb", KB],
        vec!["source", "list", "--kb", KB],
        vec!["--json", "source", "status", "--kb", KB, name],
        vec!["--json", "source", "history", "--kb", KB, name],
        vec!["--json", "search", "--kb", KB, "violin maker"],
    ] {
        witness.hear(run(&arguments).exits(0));
    }
}

/// The same over HTTP.
fn over_http(server: &Server, witness: &mut Witness, name: &str, shelf: &Shelf, config: &Value) {
    let body = json!({ "name": name, "config": config });
    let made = witness.read(server.post(&path("sources"), &body).is(201)).json();
    assert_eq!(
        made["source"]["config"]["credentials"], config["credentials"],
        "the places are shown"
    );
    let signed = shelf.signed();
    for state in ["complete", "failed"] {
        let asked = witness.read(
            server
                .post(&path(&format!("sources/{name}/sync")), &json!({}))
                .is(202),
        );
        let job = path(&format!(
            "ingestions/{}",
            asked.json()["job"]["id"].as_str().unwrap()
        ));
        let ended = until("a job to end", || {
            let job = server.get(&job).is(200);
            (!job.json()["job"]["ended_at"].is_null()).then_some(job)
        });
        assert_eq!(ended.json()["job"]["state"], state, "{}", ended.body);
        witness.read(ended);
        witness.read(server.get(&format!("{job}/events")).is(200));
        shelf.refuse(403, "SignatureDoesNotMatch");
    }
    assert!(shelf.signed() > signed, "the key was used");
    shelf.mend();
    for rest in ["sources", &format!("sources/{name}"), "ingestions", "documents"] {
        witness.read(server.get(&path(rest)).is(200));
    }
    witness.read(server.get("/metrics").is(200));
}

#[test]
fn a_secret_is_in_no_file_no_answer_and_no_log() {
    let lectern = Workplace::new();
    let mut witness = Witness::new();
    let (of_variables, of_files) = (bucket(IN_VARIABLES[3]), bucket(IN_FILES[3]));
    let in_variables = config(&of_variables, variables());
    let in_files = config(&of_files, files(&lectern));
    at_the_terminal(
        &lectern,
        &mut witness,
        "terminal-variables",
        &of_variables,
        &in_variables,
    );
    at_the_terminal(&lectern, &mut witness, "terminal-files", &of_files, &in_files);
    witness.search(&lectern.data());

    let mut server = Server::launch(program(&lectern), None);
    over_http(
        &server,
        &mut witness,
        "http-variables",
        &of_variables,
        &in_variables,
    );
    over_http(&server, &mut witness, "http-files", &of_files, &in_files);
    let request = server.request(Method::GET, "/api/openapi.json");
    witness.read(send(request));
    witness.search(&lectern.data());
    server.end_well();
    let log = server.log();
    assert!(
        log.contains("DEBUG") && log.contains("lectern"),
        "the log says little: {log}"
    );
    witness.look("the log", log.as_bytes());
    witness.search(&lectern.data());
    println!("{} texts and files looked at", witness.looked_at);
}

/// Configurations that have a secret in them, each in another place.
fn written_plainly(shelf: &Shelf) -> Vec<Value> {
    let of = |at: usize, place: Value| {
        let mut places = variables();
        places[at] = place;
        config(shelf, places)
    };
    let bucket =
        |bucket: String| json!({"kind": "s3", "buckets": [bucket], "credentials": {"from": "anonymous"}});
    let mut configs = vec![
        json!({"kind": "s3", "buckets": [BUCKET], "access_key": PLAIN}),
        json!({"kind": "s3", "buckets": [BUCKET], "credentials": PLAIN}),
        json!({"kind": "s3", "buckets": [BUCKET], "credentials": {"from": "key", "access_key_id": "A", "secret_access_key": PLAIN}}),
        json!({"kind": "s3", "buckets": [BUCKET], "endpoint": format!("https://reader:{PLAIN}@minio.example")}),
        json!({"kind": "s3", "buckets": [BUCKET], "endpoint": format!("https://minio.example/?sig={PLAIN}")}),
        json!({"kind": "s3", "buckets": [BUCKET], "acl_file": format!("s3://{BUCKET}/acl.json?X-Amz-Signature={PLAIN}")}),
        bucket(format!("s3://{PLAIN}@{BUCKET}")),
        bucket(format!("https://{BUCKET}.s3.example/?X-Amz-Signature={PLAIN}")),
        bucket(format!("s3://{BUCKET}/docs?X-Amz-Signature={PLAIN}")),
        bucket(format!("az://{BUCKET}/docs?sv=2024&sig={PLAIN}")),
        json!({"kind": "slack", "export": format!("https://files.slack.com/export.zip?token={PLAIN}")}),
        json!({"kind": "slack", "export": "/srv/slack.zip", "workspace_url": format!("https://ada:{PLAIN}@acme.slack.com")}),
    ];
    for at in 0..4 {
        for place in [
            json!(PLAIN),
            json!({"variable": PLAIN}),
            json!({"value": PLAIN}),
            json!({"file": PLAIN}),
        ] {
            configs.push(of(at, place));
        }
    }
    configs
}

#[test]
fn a_secret_in_a_configuration_is_refused_and_not_repeated() {
    let lectern = Workplace::new();
    let mut witness = Witness::new();
    lectern.run(["kb", "create", KB]).exits(0);
    let shelf = Shelf::new();
    let server = Server::launch(program(&lectern), None);
    let configs = written_plainly(&shelf);
    for config in &configs {
        let body = json!({ "name": "plain", "config": config });
        let refused = witness.read(server.post(&path("sources"), &body));
        assert!(
            [400, 403, 404].contains(&refused.status),
            "{}: {}",
            refused.status,
            refused.body
        );
    }
    assert_eq!(server.get(&path("sources")).is(200).json()["sources"], json!([]));
    witness.look("the log", server.log().as_bytes());
    server.kill();

    let file = lectern.elsewhere("plain.json");
    for config in &configs {
        fs::write(&file, config.to_string()).unwrap();
        let mut add = program(&lectern);
        add.args(["source", "add", "--kb", KB, "--name", "plain", "--config"])
            .arg(&file);
        assert_ne!(witness.hear(Outcome::of(add)).code, 0, "it was taken");
    }
    // A slip in TOML is told without its line.
    let toml = lectern.elsewhere("plain.toml");
    fs::write(&toml, format!("kind = \"s3\"\nsecret = {PLAIN}\n")).unwrap();
    let mut add = program(&lectern);
    add.args(["source", "add", "--kb", KB, "--config"]).arg(&toml);
    let refused = witness.hear(Outcome::of(add));
    assert!(
        refused.code != 0 && refused.stderr.contains("line 2"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        lectern.run(["source", "list", "--kb", KB]).exits(0).json()["sources"],
        json!([])
    );
    witness.search(&lectern.data());
}
