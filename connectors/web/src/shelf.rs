//! Pages that a listing has read just now, kept until they are fetched.
//!
//! A fetch asks the site whether the page is still the same, and takes the content from here where it is: so it comes over the
//! network once. [`MAX_BYTES`] are kept, the newest; a page that the site gives no validators for isn't kept at all.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::exchange::Head;

const MAX_BYTES: usize = 32 << 20;
/// What a page takes beside its content, or a little more.
const OVERHEAD_BYTES: usize = 1024;

/// A page as it came.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) head: Head,
    pub(crate) body: Bytes,
}

#[derive(Debug, Default)]
struct Pages {
    /// Each with its number.
    pages: HashMap<String, (u64, Kept)>,
    /// Oldest first; those that were taken since are still here.
    order: VecDeque<(u64, String)>,
    count: u64,
    bytes: usize,
}

/// The pages that are kept.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pages: Mutex<Pages>,
}

impl Shelf {
    pub(crate) fn put(&self, url: &str, head: &Head, body: &Bytes) {
        if head.validators.is_empty() || body.len() > MAX_BYTES / 4 {
            return;
        }
        let mut pages = self.pages();
        pages.take(url);
        pages.bytes += body.len() + OVERHEAD_BYTES;
        pages.count += 1;
        let number = pages.count;
        pages.order.push_back((number, url.to_owned()));
        let kept = Kept {
            head: head.clone(),
            body: body.clone(),
        };
        pages.pages.insert(url.to_owned(), (number, kept));
        while pages.bytes > MAX_BYTES || pages.order.len() > 2 * pages.pages.len() + 16 {
            let Some(oldest) = pages.order.pop_front() else {
                return;
            };
            let (number, url) = oldest;
            if pages.pages.get(&url).is_some_and(|(kept, _)| *kept == number) {
                pages.take(&url);
            }
        }
    }

    pub(crate) fn take(&self, url: &str) -> Option<Kept> {
        self.pages().take(url)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn take(&mut self, url: &str) -> Option<Kept> {
        let (_, kept) = self.pages.remove(url)?;
        self.bytes -= kept.body.len() + OVERHEAD_BYTES;
        Some(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Validators;

    #[test]
    fn the_newest_are_kept_and_their_bytes_are_bounded() {
        let head = Head {
            validators: Validators {
                etag: Some("\"1\"".to_owned()),
                modified: None,
            },
            ..Head::default()
        };
        let shelf = Shelf::default();
        let body = Bytes::from(vec![0; 1 << 20]);
        for round in 0..3 {
            for number in 0..40 {
                shelf.put(&number.to_string(), &head, &body);
            }
            assert!(
                shelf.pages().bytes <= MAX_BYTES && shelf.pages().order.len() < 200,
                "{round}"
            );
        }
        assert!(shelf.take("39").is_some() && shelf.take("39").is_none() && shelf.take("0").is_none());
        shelf.put("plain", &Head::default(), &body);
        shelf.put("large", &head, &Bytes::from(vec![0; MAX_BYTES]));
        assert!(shelf.take("plain").is_none() && shelf.take("large").is_none());
    }
}
