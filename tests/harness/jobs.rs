//! A job of a source: asked for over HTTP, followed until there is what a test waits for.

use serde_json::{Value, json};
use uuid::Uuid;

use super::lectern::KB;
use super::{Server, until};

/// A job that was asked for.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    server: &'a Server,
    id: Uuid,
}

impl<'a> Job<'a> {
    /// Asks for a sync of `source`.
    pub fn sync(server: &'a Server, source: &str) -> Self {
        let path = format!("/knowledge-bases/{KB}/sources/{source}/sync");
        let asked = server.post(&path, &json!({})).is(202).json();
        let id = asked["job"]["id"].as_str().unwrap().parse().unwrap();
        Self { server, id }
    }

    /// A job that was asked for before, perhaps of another process.
    pub fn of(server: &'a Server, id: Uuid) -> Self {
        Self { server, id }
    }

    pub fn id(self) -> Uuid {
        self.id
    }

    /// The job as it is.
    pub fn now(self) -> Value {
        self.server.get(&self.path()).is(200).json()["job"].clone()
    }

    fn path(self) -> String {
        format!("/knowledge-bases/{KB}/ingestions/{}", self.id)
    }

    /// The job as it is when `is_enough` says so. It waits as long as something goes on, however long all of it takes.
    pub fn follow(self, mut is_enough: impl FnMut(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        loop {
            let now = until("a job to go on", || {
                let now = self.now();
                (now["progress"] != last || !now["ended_at"].is_null()).then_some(now)
            });
            if is_enough(&now) {
                return now;
            }
            assert!(now["ended_at"].is_null(), "{now:#}");
            last = now["progress"].clone();
        }
    }

    /// The job when it has ended, however that was.
    pub fn ended(self) -> Value {
        self.follow(|job| !job["ended_at"].is_null())
    }

    /// Stops it, if it hasn't ended. Gives it when it has.
    pub fn stop(self) -> Value {
        self.server.delete(&self.path()).is(202);
        self.ended()
    }
}
