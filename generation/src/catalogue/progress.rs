//! How a pull tells what it is doing.

/// Told about every step of a pull. Called from several threads, and often: it must return at once.
pub trait PullProgress: Send + Sync {
    /// The fetching of `file` begins; it will have `total_bytes`.
    fn file_started(&self, file: &str, total_bytes: u64);

    /// So many bytes of `file` are here. The number may fall when a source is given up.
    fn file_advanced(&self, file: &str, done_bytes: u64);

    /// `file` is in its place, checked.
    fn file_finished(&self, file: &str);

    /// Something else that a person who waits wants to know, such as `requantising`.
    fn note(&self, message: &str);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl PullProgress for NoProgress {
    fn file_started(&self, _file: &str, _total_bytes: u64) {}
    fn file_advanced(&self, _file: &str, _done_bytes: u64) {}
    fn file_finished(&self, _file: &str) {}
    fn note(&self, _message: &str) {}
}
