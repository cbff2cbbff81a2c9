//! A bucket in memory behind HTTP, which a test fills, changes and breaks. It speaks as much of S3 as is read: pages of
//! `ListObjectsV2`, objects, tags. It looks at no signature; the real servers of the suite do.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The name of the bucket.
pub const BUCKET: &str = "shelf";
/// Keys of a page, where nothing else is said.
const PAGE: usize = 1000;
/// What its clock says: long after everything that is here was put.
const NOW: &str = "Sun, 01 Nov 2026 12:00:00 GMT";

/// An object, and what is known about it.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    pub bytes: Vec<u8>,
    pub etag: String,
    /// RFC 3339, in whole seconds.
    pub modified: String,
    pub storage_class: String,
    pub headers: Vec<(String, String)>,
    pub tags: Vec<(String, String)>,
    /// The customer's key that a reader has to show.
    pub customer_key: Option<String>,
}

type BeforeGet = Box<dyn FnMut(&str, &mut BTreeMap<String, Stored>) + Send>;

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Stored>,
    /// So many more objects that are nowhere in memory: `numbered/0000000.md` and so on.
    numbered: usize,
    puts: u64,
    /// What was asked for, in order: `list`, `get KEY`, `tags KEY`.
    requests: Vec<String>,
    /// Keys of a page.
    page: Option<usize>,
    /// Requests that came with a signature and the token of a session.
    signed: usize,
    /// What every request is answered with.
    refusal: Option<(u16, &'static str)>,
    /// The page that is refused, counted from 0, and what it is answered with.
    broken_page: Option<(usize, u16, String)>,
    /// Whether answers come by single bytes.
    drips: bool,
    /// Called before each answer to a `get`.
    before_get: Option<BeforeGet>,
}

/// A server of one bucket. It ends with the process.
#[derive(Clone)]
pub struct Shelf {
    endpoint: String,
    state: Arc<Mutex<State>>,
}

impl Shelf {
    /// An empty one.
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shelf = Self { endpoint, state };
        let serving = shelf.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.converse(stream));
            }
        });
        shelf
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an object there. Each is a minute newer than the one before, and all are from long ago.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        let mut state = self.state();
        state.puts += 1;
        let puts = state.puts;
        let minutes = puts % (60 * 24 * 28);
        let stored = Stored {
            bytes: bytes.to_vec(),
            etag: format!("\"{puts:032x}\""),
            modified: format!(
                "2026-01-{:02}T{:02}:{:02}:00.000Z",
                1 + minutes / 1440,
                minutes / 60 % 24,
                minutes % 60
            ),
            storage_class: "STANDARD".to_owned(),
            ..Stored::default()
        };
        state.objects.insert(key.to_owned(), stored);
    }

    pub fn remove(&self, key: &str) {
        self.state().objects.remove(key);
    }

    pub fn change(&self, key: &str, change: impl FnOnce(&mut Stored)) {
        change(self.state().objects.get_mut(key).unwrap());
    }

    /// Lists so many more objects that take no memory here.
    pub fn number(&self, count: usize) {
        self.state().numbered = count;
    }

    /// Gives so many keys on a page from now on.
    pub fn page(&self, keys: usize) {
        self.state().page = Some(keys);
    }

    /// How many requests came with a signature and the token of a session.
    pub fn signed(&self) -> usize {
        self.state().signed
    }

    /// Refuses everything with this from now on.
    pub fn refuse(&self, status: u16, code: &'static str) {
        self.state().refusal = Some((status, code));
    }

    /// Answers as it should again.
    pub fn mend(&self) {
        let mut state = self.state();
        state.refusal = None;
        state.broken_page = None;
    }

    /// Sends the body of each answer a byte at a time from now on, far too slowly to come to its end.
    pub fn drip(&self) {
        self.state().drips = true;
    }

    pub fn break_page(&self, page: usize, status: u16, body: &str) {
        self.state().broken_page = Some((page, status, body.to_owned()));
    }

    pub fn before_get(&self, act: impl FnMut(&str, &mut BTreeMap<String, Stored>) + Send + 'static) {
        self.state().before_get = Some(Box::new(act));
    }

    /// What was asked for since the last time.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state().requests)
    }

    /// Answers one request after the other, until the client has enough.
    fn converse(&self, stream: TcpStream) {
        // Else the body of each answer waits until its head is acknowledged, 40 ms on Linux.
        stream.set_nodelay(true).unwrap();
        let Ok(mut answers) = stream.try_clone() else {
            return;
        };
        let mut requests = BufReader::new(stream);
        while let Some((target, headers)) = read_request(&mut requests) {
            let (status, headers, body) = self.answer(&target, &headers);
            let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
            write!(head, "Date: {NOW}\r\n").unwrap();
            for (name, value) in headers {
                write!(head, "{name}: {value}\r\n").unwrap();
            }
            head.push_str("\r\n");
            let drips = self.state().drips;
            let sent = answers.write_all(head.as_bytes()).and_then(|()| match drips {
                true => drip(&mut answers, &body),
                false => answers.write_all(&body),
            });
            if sent.is_err() {
                return;
            }
        }
    }

    fn answer(&self, target: &str, headers: &BTreeMap<String, String>) -> Answer {
        let shown = ["authorization", "x-amz-security-token"].map(|name| headers.contains_key(name));
        self.state().signed += usize::from(shown == [true; 2]);
        if let Some((status, code)) = self.state().refusal {
            return refusal(status, code);
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query: BTreeMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), decode(value)))
            .collect();
        let Some(path) = path.strip_prefix(&format!("/{BUCKET}")) else {
            return refusal(404, "NoSuchBucket");
        };
        match path.strip_prefix('/').filter(|key| !key.is_empty()) {
            None => self.list(&query),
            Some(key) if query.contains_key("tagging") => self.tags(&decode(key)),
            Some(key) => self.get(&decode(key), headers),
        }
    }

    fn list(&self, query: &BTreeMap<String, String>) -> Answer {
        let mut state = self.state();
        let pages = state.requests.iter().filter(|request| *request == "list").count();
        state.requests.push("list".to_owned());
        if let Some((page, status, body)) = &state.broken_page
            && *page == pages
        {
            return (*status, Vec::new(), body.clone().into_bytes());
        }
        let keys = state.page.unwrap_or(PAGE);
        let prefix = query.get("prefix").map_or("", String::as_str);
        let after = query.get("continuation-token").map_or("", String::as_str);
        let stored = state
            .objects
            .range::<str, _>((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded))
            .filter(|(key, _)| key.starts_with(prefix))
            .map(|(key, stored)| (key.clone(), stored.clone()));
        let first = match after
            .strip_prefix("numbered/")
            .and_then(|rest| rest.strip_suffix(".md"))
        {
            Some(number) => number.parse::<usize>().unwrap() + 1,
            None if after < "numbered/" => 0,
            None => state.numbered,
        };
        let numbered = (first..state.numbered).map(|number| (numbered_key(number), numbered_object(number)));
        let mut page: Vec<(String, Stored)> = stored.take(keys + 1).chain(numbered.take(keys + 1)).collect();
        page.sort_by(|one, two| one.0.cmp(&two.0));
        let is_truncated = page.len() > keys;
        page.truncate(keys);
        let mut xml =
            format!("<ListBucketResult><Name>{BUCKET}</Name><IsTruncated>{is_truncated}</IsTruncated>");
        if is_truncated {
            let last = escape(&page.last().unwrap().0);
            write!(xml, "<NextContinuationToken>{last}</NextContinuationToken>").unwrap();
        }
        for (key, stored) in page {
            write!(
                xml,
                "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size>\
                 <StorageClass>{}</StorageClass></Contents>",
                escape(&key),
                stored.modified,
                escape(&stored.etag),
                stored.bytes.len(),
                stored.storage_class
            )
            .unwrap();
        }
        xml.push_str("</ListBucketResult>");
        (200, Vec::new(), xml.into_bytes())
    }

    fn tags(&self, key: &str) -> Answer {
        let mut state = self.state();
        state.requests.push(format!("tags {key}"));
        let Some(stored) = state.objects.get(key) else {
            return refusal(404, "NoSuchKey");
        };
        let mut xml = "<Tagging><TagSet>".to_owned();
        for (key, value) in &stored.tags {
            write!(
                xml,
                "<Tag><Key>{}</Key><Value>{}</Value></Tag>",
                escape(key),
                escape(value)
            )
            .unwrap();
        }
        xml.push_str("</TagSet></Tagging>");
        (200, Vec::new(), xml.into_bytes())
    }

    fn get(&self, key: &str, headers: &BTreeMap<String, String>) -> Answer {
        let mut state = self.state();
        state.requests.push(format!("get {key}"));
        if let Some(mut act) = state.before_get.take() {
            act(key, &mut state.objects);
            state.before_get = Some(act);
        }
        let number = key
            .strip_prefix("numbered/")
            .and_then(|rest| rest.strip_suffix(".md"));
        let stored = match number.and_then(|number| number.parse().ok()) {
            Some(number) if number < state.numbered => numbered_object(number),
            _ => match state.objects.get(key) {
                Some(stored) => stored.clone(),
                None => return refusal(404, "NoSuchKey"),
            },
        };
        if let Some(customer_key) = &stored.customer_key {
            let shown = headers.get("x-amz-server-side-encryption-customer-key");
            if shown != Some(customer_key) {
                return refusal(400, "InvalidRequest");
            }
        }
        let mut headers = stored.headers;
        headers.push(("ETag".to_owned(), stored.etag));
        (200, headers, stored.bytes)
    }
}

/// Sends a byte whenever the client has said nothing for a moment. Fails as soon as it hangs up.
fn drip(to: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    to.set_read_timeout(Some(Duration::from_millis(5)))?;
    for byte in bytes {
        to.write_all(&[*byte])?;
        match to.read(&mut [0]) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            _ => return Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
    to.set_read_timeout(None)
}

type Answer = (u16, Vec<(String, String)>, Vec<u8>);

fn refusal(status: u16, code: &str) -> Answer {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>");
    (status, Vec::new(), body.into_bytes())
}

fn numbered_key(number: usize) -> String {
    format!("numbered/{number:07}.md")
}

fn numbered_object(number: usize) -> Stored {
    Stored {
        bytes: format!("Document number {number}.").into_bytes(),
        etag: format!("\"{number:032x}\""),
        modified: "2026-01-01T00:00:00.000Z".to_owned(),
        storage_class: "STANDARD".to_owned(),
        ..Stored::default()
    }
}

/// The target and the headers, in lower case, of the next request.
pub fn read_request(from: &mut impl BufRead) -> Option<(String, BTreeMap<String, String>)> {
    let mut first = String::new();
    from.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let target = first.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length: u64 = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = Vec::new();
    from.by_ref().take(length).read_to_end(&mut body).ok()?;
    Some((target, headers))
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        bytes.push(u8::from_str_radix(&after[..2], 16).unwrap());
        rest = &after[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).unwrap()
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            character if character.is_control() => {
                write!(escaped, "&#{};", u32::from(character)).unwrap();
            }
            character => escaped.push(character),
        }
    }
    escaped
}
