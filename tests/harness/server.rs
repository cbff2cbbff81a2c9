//! A server of one's own, on a free port, asked over HTTP, killed when the value goes.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{PATIENCE, Workplace};

/// A running server.
pub struct Server {
    child: Child,
    address: String,
    token: Option<String>,
    client: Client,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Starts one over the data folder of `workplace`, for the operator of this machine.
    pub fn start(workplace: &Workplace) -> Self {
        Self::launch(workplace.program(), None)
    }

    /// Starts one that asks for a token, and shows it.
    pub fn start_with_token(workplace: &Workplace, token: &str) -> Self {
        let mut command = workplace.program();
        command.env("LECTERN_API_TOKEN", token);
        Self::launch(command, Some(token.to_owned()))
    }

    /// Starts one with this program, which has its settings and lacks its arguments.
    pub fn launch(mut command: Command, token: Option<String>) -> Self {
        command
            .args(["serve", "--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (sender, lines) = channel();
        follow(child.stdout.take().unwrap(), Arc::clone(&log), sender.clone());
        follow(child.stderr.take().unwrap(), Arc::clone(&log), sender);
        let address = loop {
            let Ok(line) = lines.recv_timeout(PATIENCE) else {
                panic!("the server did not come up: {}", log.lock().unwrap());
            };
            if let Some((_, rest)) = line.split_once("Lectern serves http://") {
                break rest.split_whitespace().next().unwrap().to_owned();
            }
        };
        // Each server has a client of its own: no connection outlives the server that it led to.
        let client = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self {
            child,
            address,
            token,
            client,
            log,
        }
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The number that the system knows it by.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// What it has in memory that is no page of a file, in MiB; 0 where there is no `/proc`.
    pub fn own_memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process_id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or_default() / 1024
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Ends it as a crash does (SIGKILL), and waits until it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    /// The same, and the value stays, so that another server can take its place.
    pub fn end(&mut self) {
        // An error means that it is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Asks it to end as an operator does (SIGTERM), and waits until it has.
    pub fn end_well(&mut self) {
        let asked = Command::new("kill")
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        assert!(asked.success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// A request to be completed, with the token if there is one. An API path may leave out `/api/v1`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let prefix = if path.starts_with("/knowledge-bases") {
            "/api/v1"
        } else {
            ""
        };
        let request = self
            .client
            .request(method, format!("http://{}{prefix}{path}", self.address));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Asks with GET.
    pub fn get(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path))
    }

    /// Asks with POST and a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        send(self.request(Method::POST, path).json(body))
    }

    /// Asks with DELETE.
    pub fn delete(&self, path: &str) -> Reply {
        send(self.request(Method::DELETE, path))
    }

    /// The sum of a metric over its labels; 0 where it was never counted.
    pub fn metric(&self, name: &str) -> f64 {
        let page = self.get("/metrics").is(200).body;
        let values = page.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            (series.split('{').next()? == name).then(|| value.parse::<f64>().ok())?
        });
        values.sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            println!("the server said:\n{}", self.log());
        }
    }
}

/// Keeps what a stream says, line by line, so that the server never waits for a reader.
fn follow(stream: impl Read + Send + 'static, log: Arc<Mutex<String>>, lines: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut log = log.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
            drop(log);
            // Nobody listens once the server is up.
            drop(lines.send(line));
        }
    });
}

/// The runtime on which requests are sent. A test thread waits for it.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
    })
}

/// Sends a request and waits for the whole answer.
#[track_caller]
pub fn send(request: RequestBuilder) -> Reply {
    answer_to(request).unwrap_or_else(|error| panic!("no answer: {error:?}"))
}

/// The same; nothing where the server is gone before it has answered.
pub fn try_send(request: RequestBuilder) -> Option<Reply> {
    answer_to(request).ok()
}

fn answer_to(request: RequestBuilder) -> reqwest::Result<Reply> {
    runtime().block_on(async {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok::<_, reqwest::Error>(Reply {
            status,
            headers,
            body: response.text().await?,
        })
    })
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    /// The same, checked: it has this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// The body.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The same, checked: it is an error of the one shape, with this status and code, and names `named`.
    #[track_caller]
    pub fn fails(self, status: u16, code: &str, named: &str) -> Self {
        let reply = self.is(status);
        assert!(
            reply.header("content-type").starts_with("application/json"),
            "{:?}",
            reply.headers
        );
        let body = reply.json();
        let error = body["error"]
            .as_object()
            .unwrap_or_else(|| panic!("no error: {body}"));
        assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
        assert!(
            error
                .keys()
                .all(|key| ["code", "message", "hint"].contains(&key.as_str())),
            "{body}"
        );
        assert_eq!(error["code"], code, "{body}");
        assert!(
            error["message"].as_str().unwrap().contains(named),
            "{named:?} is not named: {body}"
        );
        reply
    }
}
