//! Random changes, syncs, stops, crashes and restarts against a plain map of what has to be visible.

use std::collections::BTreeMap;

use lectern_domain::{Acl, Attributes, ErrorKind, Principal};
use proptest::prelude::*;
use proptest::sample::select;

use super::desk::Desk;
use super::faults::{self, Fault};
use crate::{Cancellation, Ingestion, Progress, PushedDocument};

#[derive(Clone, Debug)]
enum Step {
    Put {
        key: u8,
        words: u16,
        readers: Option<u8>,
    },
    Take {
        key: u8,
    },
    Push {
        key: u8,
        words: u16,
        readers: Option<u8>,
    },
    Remove {
        key: u8,
    },
    Process,
    Sync,
    /// A sync with a fault at one of the calls of an index, then a new process.
    Crash {
        call: usize,
        fault: Fault,
        power_cut: bool,
    },
    Restart,
}

fn steps() -> impl Strategy<Value = Step> {
    let key = 0..4_u8;
    let readers = || prop::option::of(0..3_u8);
    prop_oneof![
        4 => (key.clone(), 1..90_u16, readers()).prop_map(|(key, words, readers)| Step::Put { key, words, readers }),
        2 => key.clone().prop_map(|key| Step::Take { key }),
        3 => (key.clone(), 1..90_u16, readers()).prop_map(|(key, words, readers)| Step::Push { key, words, readers }),
        1 => key.prop_map(|key| Step::Remove { key }),
        3 => Just(Step::Process),
        4 => Just(Step::Sync),
        2 => (0..16_usize, select(&faults::ALL[..]), any::<bool>())
            .prop_map(|(call, fault, power_cut)| Step::Crash { call, fault, power_cut }),
        1 => Just(Step::Restart),
    ]
}

fn text(words: u16) -> String {
    let words: Vec<String> = (0..words)
        .map(|word| {
            if word % 9 == 8 {
                format!("w{word}.\n\n")
            } else {
                format!("w{word} ")
            }
        })
        .collect();
    words.concat().trim_end().to_owned()
}

fn acl(readers: Option<u8>) -> Option<Acl> {
    readers.map(|readers| match readers {
        0 => Acl::everyone(),
        1 => Acl::allowing([Principal::User("ada".to_owned())]),
        _ => Acl::allowing([Principal::Group("staff".to_owned())]),
    })
}

type Visible = BTreeMap<String, (String, Acl)>;

/// The desk, and what has to be visible of the pushed documents.
struct World {
    desk: Desk,
    waiting: Visible,
    pushed: Visible,
    synced: Visible,
}

impl World {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Put { key, words, readers } => {
                self.desk
                    .shelf
                    .put_for(&format!("s{key}"), &text(words), acl(readers));
            }
            Step::Take { key } => self.desk.shelf.take(&format!("s{key}")),
            Step::Push { key, words, readers } => {
                self.push(&format!("p{key}"), text(words), acl(readers)).await
            }
            Step::Remove { key } => self.remove(&format!("p{key}")).await,
            Step::Process => self.process().await,
            Step::Sync => self.sync().await,
            Step::Crash {
                call,
                fault,
                power_cut,
            } => self.crash(call, fault, power_cut).await,
            Step::Restart => self.restart().await,
        }
    }

    async fn push(&mut self, key: &str, text: String, acl: Option<Acl>) {
        let pushed = PushedDocument {
            key: key.to_owned(),
            title: None,
            uri: None,
            media_type: None,
            file_name: None,
            bytes: text.clone().into_bytes().into(),
            acl: acl.clone(),
            attributes: Attributes::new(),
        };
        self.desk
            .ingestion
            .push(&self.desk.knowledge_base, pushed)
            .await
            .unwrap();
        self.waiting
            .insert(key.to_owned(), (text, acl.unwrap_or_else(Acl::everyone)));
    }

    async fn remove(&mut self, key: &str) {
        let id = Ingestion::pushed_document_id(self.desk.knowledge_base.id, key);
        let removed = self.desk.ingestion.remove(&self.desk.knowledge_base, id).await;
        let waited = self.waiting.remove(key).is_some();
        let was_visible = self.pushed.remove(key).is_some();
        assert_eq!(removed.is_ok(), waited || was_visible);
    }

    async fn process(&mut self) {
        let report = self
            .desk
            .ingestion
            .process_pending(&self.desk.knowledge_base)
            .await
            .unwrap();
        assert_eq!(report.counts.scanned as usize, self.waiting.len());
        self.pushed.append(&mut self.waiting);
        self.check().await;
    }

    async fn sync(&mut self) {
        let shelf = self.desk.on_shelf();
        let gone = self.synced.keys().filter(|key| !shelf.contains_key(*key)).count();
        let new = shelf.keys().filter(|key| !self.synced.contains_key(*key)).count();
        let counts = self.desk.sync_complete().await;
        assert_eq!((counts.new as usize, counts.deleted as usize), (new, gone));
        self.synced = shelf;
        self.check().await;
    }

    async fn crash(&mut self, call: usize, fault: Fault, power_cut: bool) {
        let desk = &self.desk;
        desk.faults.plan(call, fault, ErrorKind::Unavailable);
        let (progress, cancel) = (Progress::new(), Cancellation::new());
        tokio::select! {
            report = desk.ingestion.sync(
                &desk.knowledge_base, &desk.source, desk.shelf.clone(), progress, cancel) => { report.ok(); }
            () = desk.faults.hung() => {}
        }
        desk.faults.clear();
        if power_cut {
            desk.vectors.lose_uncommitted();
            desk.words.lose_uncommitted();
        }
        self.restart().await;
        self.desk.sync_complete().await;
        self.synced = self.desk.on_shelf();
        self.check().await;
    }

    async fn restart(&mut self) {
        self.desk.reopen().await;
        let report = self.desk.ingestion.recover().await.unwrap();
        assert_eq!(report.pushes_wait, !self.waiting.is_empty());
        self.desk.assert_clean().await;
    }

    /// What is visible is what was synced and what was pushed, each with its readers. Readers of a document
    /// that waits for its next version may be fewer.
    async fn check(&self) {
        let visible = self.desk.visible().await;
        let expected: Vec<&String> = self.synced.keys().chain(self.pushed.keys()).collect();
        assert_eq!(visible.len(), expected.len());
        for (key, (text, acl)) in self.synced.iter().chain(&self.pushed) {
            let (found, readers) = &visible[key];
            assert_eq!(found, text, "{key}");
            if !self.waiting.contains_key(key) {
                assert_eq!(readers, acl, "{key}");
            }
        }
    }
}

async fn follow(steps: Vec<Step>) {
    let mut world = World {
        desk: Desk::new().await,
        waiting: Visible::new(),
        pushed: Visible::new(),
        synced: Visible::new(),
    };
    for step in steps {
        world.take(step).await;
    }
    world.process().await;
    world.sync().await;
    world.desk.assert_clean().await;
    assert_eq!(world.desk.fsck().await.unreferenced_files, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_visible_is_always_what_the_model_says(steps in prop::collection::vec(steps(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follow(steps));
    }
}
