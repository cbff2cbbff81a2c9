//! What must never be said: `secret`.
//!
//! Every rule of the suite goes through [`Listening`], which has the connector of the fixture say everything twice: to the
//! rule, and to the [`Needles`], each of them a form in which a secret could be told. What the connector logs meanwhile is
//! heard by [`super::trace`].

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use futures::StreamExt;
use futures::stream::BoxStream;
use lectern_domain::PortError;
use lectern_domain::error::chain;
use lectern_domain::ports::{Connector, Cursor, Fetched, ListEvent, SourceItem};

use super::{Fixture, Outcome, Violation, ensure, trace};

const RULE: &str = "secret";
/// What is shorter stands in texts by chance.
const SHORTEST: usize = 8;

/// The forms in which secrets could be told: what is looked for in whatever is said, logged or stored.
#[derive(Debug)]
pub struct Needles(Vec<Vec<u8>>);

impl Needles {
    /// Each secret as it is, percent-encoded, in base64, at any place of a longer text, and with its quotation marks escaped.
    ///
    /// Fails where one has less than eight bytes: such a text stands in others by chance.
    pub fn of(secrets: &[String]) -> Result<Self, Violation> {
        let mut needles = BTreeSet::new();
        for secret in secrets {
            ensure(secret.len() >= SHORTEST, RULE, || {
                format!("a secret of the fixture has less than {SHORTEST} bytes")
            })?;
            needles.insert(secret.clone());
            needles.extend(percent_encoded(secret));
            needles.extend(in_base64(secret.as_bytes()));
            needles.insert(format!("{secret:?}").trim_matches('"').to_owned());
        }
        Ok(Self(needles.into_iter().map(String::into_bytes).collect()))
    }

    /// Whether one of them stands in a text.
    pub fn are_in(&self, text: &[u8]) -> bool {
        self.0.iter().any(|needle| {
            let mut windows = text.windows(needle.len());
            windows.any(|window| window == needle.as_slice())
        })
    }
}

/// What isn't a letter, a digit or `-._~` as `%XX` (RFC 3986), in both cases; and with `/`, or spaces as `+`, as queries have it.
fn percent_encoded(secret: &str) -> Vec<String> {
    let encode = |kept: &str, upper: bool| -> String {
        let encoded = secret.bytes().map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) => {
                char::from(byte).to_string()
            }
            byte if upper => format!("%{byte:02X}"),
            byte => format!("%{byte:02x}"),
        });
        encoded.collect()
    };
    let plain = ["-._~", "-._~/", "-._*"].map(|kept| [encode(kept, true), encode(kept, false)]);
    let mut forms: Vec<String> = plain.into_iter().flatten().collect();
    forms.extend(forms.clone().iter().map(|form| form.replace("%20", "+")));
    forms
}

/// In base64, in both alphabets, whatever stands before and behind it: what of it doesn't depend on that.
fn in_base64(secret: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let mut text = vec![0; before];
        text.extend_from_slice(secret);
        // Six bits are a character; the first ones, and the last one where it isn't full, belong to the neighbours too.
        let range = (before * 8).div_ceil(6)..text.len() * 8 / 6;
        for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            forms.extend(encoded.get(range.clone()).map(str::to_owned));
        }
    }
    forms
}

/// What was heard.
#[derive(Debug)]
struct Ear {
    needles: Arc<Needles>,
    /// Where a secret was told first; not what was said.
    told: Mutex<Option<String>>,
}

impl Ear {
    fn hear(&self, place: impl FnOnce() -> String, text: &[u8]) {
        if self.needles.are_in(text) {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            told.get_or_insert_with(place);
        }
    }

    fn hear_error(&self, place: &str, error: &PortError) {
        let said = format!("{error:?}\n{error}\n{}", chain(error));
        self.hear(|| format!("an error of {place}"), said.as_bytes());
    }

    fn hear_event(&self, event: &Result<ListEvent, PortError>) {
        match event {
            Err(error) => self.hear_error("a listing", error),
            Ok(event) => self.hear(|| "a listing".to_owned(), format!("{event:?}").as_bytes()),
        }
    }

    fn hear_document(&self, key: &str, fetched: &Result<Fetched, PortError>) {
        let fetched = match fetched {
            Err(error) => return self.hear_error("a fetch", error),
            Ok(fetched) => fetched,
        };
        let Fetched {
            bytes,
            file_name,
            media_type,
            title,
            acl,
            attributes,
        } = fetched;
        let place = || format!("the document {key:?}");
        self.hear(place, bytes);
        let said = format!("{file_name} {media_type:?} {title:?} {acl:?} {attributes:?}");
        self.hear(place, said.as_bytes());
    }
}

/// A fixture whose connector is listened to.
pub(super) struct Listening<'a> {
    connector: Overheard<'a>,
}

struct Overheard<'a> {
    fixture: &'a dyn Fixture,
    ear: Ear,
}

impl<'a> Listening<'a> {
    /// Listens from now on, to what is logged too.
    pub(super) fn new(fixture: &'a dyn Fixture) -> Result<Self, Violation> {
        let needles = Arc::new(Needles::of(&fixture.secrets())?);
        let ear = Ear {
            needles: Arc::clone(&needles),
            told: Mutex::default(),
        };
        if !needles.0.is_empty() {
            trace::listen_for(&needles)?;
        }
        Ok(Self {
            connector: Overheard { fixture, ear },
        })
    }

    /// Whether a secret was told.
    pub(super) fn secret(&self) -> Outcome {
        let ear = &self.connector.ear;
        if ear.needles.0.is_empty() {
            return Ok(());
        }
        ear.hear(
            || "the description".to_owned(),
            self.connector.describe().as_bytes(),
        );
        for shown in self.connector.fixture.shown() {
            ear.hear(|| "what is shown of the connector".to_owned(), shown.as_bytes());
        }
        let told = ear.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ensure(told.is_none(), RULE, || {
            format!("a secret is in {}", told.unwrap_or_default())
        })?;
        let logged = trace::told(&ear.needles);
        ensure(logged.is_none(), RULE, || {
            format!("a secret is logged by {}", logged.unwrap_or_default())
        })
    }
}

#[async_trait]
impl Fixture for Listening<'_> {
    fn connector(&self) -> &dyn Connector {
        &self.connector
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> String {
        self.connector.fixture.put(name, bytes).await
    }

    async fn remove(&self, name: &str) {
        self.connector.fixture.remove(name).await;
    }

    fn expected(&self, name: &str, bytes: &[u8]) -> Vec<u8> {
        self.connector.fixture.expected(name, bytes)
    }

    fn left_out(&self) -> Vec<&'static str> {
        self.connector.fixture.left_out()
    }

    async fn break_source(&self, way: usize) -> bool {
        self.connector.fixture.break_source(way).await
    }

    async fn mend(&self) {
        self.connector.fixture.mend().await;
    }
}

#[async_trait]
impl Connector for Overheard<'_> {
    fn describe(&self) -> String {
        self.fixture.connector().describe()
    }

    fn list(&self, since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>> {
        let events = self.fixture.connector().list(since);
        events.inspect(|event| self.ear.hear_event(event)).boxed()
    }

    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError> {
        let fetched = self.fixture.connector().fetch(item).await;
        self.ear.hear_document(&item.key, &fetched);
        fetched
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    const SECRET: &str = "k/+ey ü\"4711?>~";

    #[test]
    fn a_secret_is_heard_in_every_form() {
        let needles = Needles::of(&[SECRET.to_owned()]).unwrap();
        let told = |text: &str| needles.are_in(text.as_bytes());
        assert!(told(&format!("the key is {SECRET}.")));
        assert!(told(&format!("{:?}", [SECRET])));
        assert!(told(
            "https://a.example/?key=k%2F%2Bey%20%C3%BC%224711%3F%3E~&x=1"
        ));
        assert!(told("https://a.example/?key=k%2f%2bey+%c3%bc%224711%3f%3e%7e"));
        for before in ["", "a", "ab", "user:", "another"] {
            for after in ["", ".", "..", "..."] {
                let text = format!("{before}{SECRET}{after}");
                assert!(told(&STANDARD.encode(&text)), "{text}");
                assert!(told(&URL_SAFE.encode(&text)), "{text}");
            }
        }
        assert!(!told("the key is kept") && !told(""));
        assert_eq!(Needles::of(&["short".to_owned()]).unwrap_err().rule, RULE);
    }
}
