//! A bad way to a bucket: a proxy that throttles, breaks connections off, cuts bodies and changes `ETag`s, by a seed.

use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What was done to so many answers.
#[derive(Debug, Default)]
pub struct Damage {
    pub throttled: AtomicU64,
    pub dropped: AtomicU64,
    pub cut: AtomicU64,
    pub retagged: AtomicU64,
    pub passed: AtomicU64,
}

/// The proxy. It ends with the process.
pub struct Proxy {
    pub endpoint: String,
    pub damage: Arc<Damage>,
    /// What every request is answered with, in the place of what is behind.
    refusal: Arc<Mutex<Option<(u16, &'static str)>>>,
}

impl Proxy {
    /// A way to `upstream` (`http://127.0.0.1:PORT`).
    pub fn new(upstream: &str, seed: u64) -> Self {
        println!("the seed of the proxy is {seed}");
        let upstream = upstream.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let damage = Arc::new(Damage::default());
        let dice = Arc::new(AtomicU64::new(seed | 1));
        let refusal = Arc::new(Mutex::new(None));
        let (done, refused) = (Arc::clone(&damage), Arc::clone(&refusal));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (upstream, dice, done) = (upstream.clone(), Arc::clone(&dice), Arc::clone(&done));
                let refusal = *refused.lock().unwrap();
                std::thread::spawn(move || match refusal {
                    Some((status, body)) => refuse(client, status, body),
                    None => pass(client, &upstream, &dice, &done),
                });
            }
        });
        Self {
            endpoint,
            damage,
            refusal,
        }
    }

    /// Answers every request with this from now on; with nothing, passes them on again.
    pub fn refuse(&self, refusal: Option<(u16, &'static str)>) {
        *self.refusal.lock().unwrap() = refusal;
    }
}

/// The next number below 100 (Marsaglia's xorshift).
fn throw(dice: &AtomicU64) -> u64 {
    let step = |mut state: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^ (state << 17)
    };
    let before = dice.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |state| Some(step(state)));
    (step(before.unwrap()) >> 11) % 100
}

fn refuse(mut client: TcpStream, status: u16, body: &str) {
    if read_head(&mut client).is_some() {
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
        client.write_all(answer.as_bytes()).unwrap_or_default();
    }
}

/// One request on each connection: the answer says that no other is waited for.
fn pass(mut client: TcpStream, upstream: &str, dice: &AtomicU64, damage: &Damage) {
    let Some(request) = read_head(&mut client) else {
        return;
    };
    let fate = throw(dice);
    let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::SeqCst);
    if fate < 30 {
        count(&damage.throttled);
        let body = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
        let length = body.len();
        let answer = format!("HTTP/1.1 503 X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
        client.write_all(answer.as_bytes()).unwrap_or_default();
        return;
    }
    if fate < 35 {
        count(&damage.dropped);
        return;
    }
    let Some(mut answer) = forward(&request, upstream) else {
        return;
    };
    let head_end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap()
        + 4;
    if fate < 45 && answer.len() > head_end {
        count(&damage.cut);
        answer.truncate(head_end + (answer.len() - head_end) / 2);
    } else if fate < 60 {
        count(&damage.retagged);
        let head = String::from_utf8_lossy(&answer[..head_end]).into_owned();
        let lines = head
            .split("\r\n")
            .map(|line| match line.to_lowercase().starts_with("etag:") {
                true => format!("ETag: \"{fate:032x}\""),
                false => line.to_owned(),
            });
        let mut changed = lines.collect::<Vec<_>>().join("\r\n").into_bytes();
        changed.extend_from_slice(&answer[head_end..]);
        answer = changed;
    } else {
        count(&damage.passed);
    }
    client.write_all(&answer).unwrap_or_default();
}

/// The request line and the headers as they came; none of the requests has a body.
fn read_head(client: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let mut byte = [0];
    let mut client = BufReader::new(client);
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    Some(head)
}

/// The whole answer of the server behind, marked as the last one on its connection.
fn forward(request: &[u8], upstream: &str) -> Option<Vec<u8>> {
    let mut server = TcpStream::connect(upstream).ok()?;
    let end = request.len() - 2;
    server.write_all(&request[..end]).ok()?;
    server.write_all(b"Connection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    let mut reader = BufReader::new(server);
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        reader.read_exact(&mut byte).ok()?;
        answer.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&answer).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    match length {
        Some(length) => reader.take(length).read_to_end(&mut answer).ok()?,
        None => reader.read_to_end(&mut answer).ok()?,
    };
    let end = head.len() - 2;
    let is_marked = head.contains("connection: close");
    if !is_marked {
        answer.splice(end..end, *b"Connection: close\r\n");
    }
    Some(answer)
}

impl Proxy {
    /// That every damage was done, and how often.
    pub fn assert_bad(&self) {
        let Damage {
            throttled,
            dropped,
            cut,
            retagged,
            passed,
        } = &*self.damage;
        let counts = [throttled, dropped, cut, retagged, passed].map(|count| count.load(Ordering::SeqCst));
        println!("throttled, dropped, cut, retagged, passed: {counts:?}");
        assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
        let all: u64 = counts.iter().sum();
        assert!(counts[0] * 100 > all * 20, "{counts:?}");
    }
}
