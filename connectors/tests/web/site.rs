//! A web site in memory behind HTTP, which a test fills, changes and breaks. It notes what it is asked for and how much it
//! sends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use futures::stream;

/// What an address is answered with.
#[derive(Clone, Debug)]
pub struct Page {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Page {
    pub fn new(media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: vec![("Content-Type".to_owned(), media_type.to_owned())],
            body: body.into(),
        }
    }

    pub fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::new("text/html; charset=utf-8", body)
    }

    /// A page with these links.
    pub fn of_links<T: AsRef<str>>(links: impl IntoIterator<Item = T>) -> Self {
        let links = links
            .into_iter()
            .map(|link| format!("<p><a href=\"{}\">more</a>\n", link.as_ref()));
        Self::html(format!(
            "<!doctype html><title>A page</title>{}",
            links.collect::<String>()
        ))
    }

    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::new("text/plain", "")
        }
    }

    pub fn moved(to: &str) -> Self {
        Self::status(301).with("Location", to)
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Named by the hash of its content.
    pub fn tagged(self) -> Self {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in &self.body {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self.with("ETag", &format!("\"{hash:016x}\""))
    }
}

/// A request that was answered.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub status: u16,
    pub bytes: usize,
}

type Answerer = Box<dyn FnMut(&str) -> Option<Page> + Send>;

#[derive(Default)]
struct State {
    pages: BTreeMap<String, Page>,
    asked: Vec<Asked>,
    answerer: Option<Answerer>,
    breaks_off: bool,
}

/// A site on a port of its own. It ends with the process, or when it is stopped.
#[derive(Clone)]
pub struct Site {
    address: String,
    state: Arc<Mutex<State>>,
    server: ServerHandle,
}

impl Site {
    /// An empty one.
    pub fn new() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let data = web::Data::from(Arc::clone(&state));
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let make = move || App::new().app_data(data.clone()).default_service(web::to(answer));
            let server = HttpServer::new(make).workers(1).disable_signals();
            let server = server.bind(("127.0.0.1", 0)).unwrap();
            let address = format!("http://{}", server.addrs()[0]);
            actix_web::rt::System::new().block_on(async move {
                let running = server.run();
                tell.send((address, running.handle())).unwrap();
                running.await.unwrap();
            });
        });
        let (address, server) = told.recv().unwrap();
        Self {
            address,
            state,
            server,
        }
    }

    /// Scheme, host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The port, behind a colon.
    pub fn port(&self) -> &str {
        &self.address[self.address.rfind(':').unwrap()..]
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a page under a path, which may have a query.
    pub fn put(&self, path: &str, page: Page) {
        self.state().pages.insert(path.to_owned(), page);
    }

    pub fn remove(&self, path: &str) {
        self.state().pages.remove(path);
    }

    /// Asked before the pages are looked at.
    pub fn answer_with(&self, answerer: impl FnMut(&str) -> Option<Page> + Send + 'static) {
        self.state().answerer = Some(Box::new(answerer));
    }

    /// Looks at the pages alone again, and sends them whole.
    pub fn mend(&self) {
        let mut state = self.state();
        state.answerer = None;
        state.breaks_off = false;
    }

    /// Hangs up in the middle of each answer.
    pub fn break_off(&self) {
        self.state().breaks_off = true;
    }

    /// What was asked for since the last time.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state().asked)
    }

    /// Only the paths of it.
    pub fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }

    /// Answers nobody any more.
    pub fn stop(&self) {
        futures::executor::block_on(self.server.stop(false));
    }
}

async fn answer(request: HttpRequest, state: web::Data<Mutex<State>>) -> HttpResponse {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let path = request.uri().path_and_query().unwrap().as_str().to_owned();
    let header = |name: &str| request.headers().get(name)?.to_str().ok().map(str::to_owned);
    let special = state.answerer.as_mut().and_then(|answerer| answerer(&path));
    let page = special.or_else(|| state.pages.get(&path).cloned());
    let mut page = page.unwrap_or_else(|| Page::status(404));
    let told = |name: &str| {
        let pair = page
            .headers
            .iter()
            .find(|(told, _)| told.eq_ignore_ascii_case(name));
        pair.map(|(_, value)| value.clone())
    };
    let is_same = match (told("etag"), told("last-modified")) {
        (Some(etag), _) => header("if-none-match") == Some(etag),
        (None, Some(modified)) => header("if-modified-since") == Some(modified),
        (None, None) => false,
    };
    if page.status == 200 && is_same {
        page.status = 304;
        page.body.clear();
    }
    let headers = request.headers().iter();
    let asked = Asked {
        path,
        headers: headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        status: page.status,
        bytes: page.body.len(),
    };
    state.asked.push(asked);
    let mut response = HttpResponse::build(StatusCode::from_u16(page.status).unwrap());
    for (name, value) in page.headers {
        response.append_header((name, value));
    }
    if state.breaks_off {
        let length = page.body.len() as u64;
        let cut = stream::iter([
            Ok(web::Bytes::from(page.body)),
            Err(std::io::Error::other("hung up")),
        ]);
        return response.no_chunking(length + 1).streaming(cut);
    }
    response.body(page.body)
}
