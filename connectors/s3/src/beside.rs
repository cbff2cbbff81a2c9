//! Which sidecar belongs to which object, told from a listing in the order of keys and without remembering it.
//!
//! The sidecar of `a` is `a.metadata.json`. Between the two in the order of bytes stand only keys that begin with `a`: so what
//! waits for its sidecar is always the beginning of the key that was listed last, and there are never more of them
//! than that key has bytes, whatever the bucket has. An object waits until a key comes that stands after its sidecar's.

use lectern_connector_sidecar::SUFFIX;

use crate::store::Listed;

/// The name of the object whose sidecar this is, if it is one's.
pub(crate) fn described_by(name: &str) -> Option<&str> {
    let described = name.strip_suffix(SUFFIX)?;
    // `.metadata.json` alone is a file of that name.
    (!described.is_empty() && !described.ends_with('/')).then_some(described)
}

/// An object, and its sidecar where there is one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pair {
    pub(crate) object: Listed,
    pub(crate) sidecar: Option<Listed>,
}

impl Pair {
    pub(crate) fn alone(object: Listed) -> Self {
        Self {
            object,
            sidecar: None,
        }
    }
}

/// The objects that wait for their sidecars.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    waiting: Vec<Listed>,
}

impl Beside {
    /// Has an object wait.
    pub(crate) fn wait(&mut self, object: Listed) {
        self.waiting.push(object);
    }

    /// The object that `sidecar` is about, where it waits for it.
    pub(crate) fn join(&mut self, sidecar: Listed) -> Result<Pair, Listed> {
        let described = described_by(&sidecar.name);
        let position = self
            .waiting
            .iter()
            .position(|waiting| Some(waiting.name.as_str()) == described);
        match position {
            Some(position) => Ok(Pair {
                object: self.waiting.remove(position),
                sidecar: Some(sidecar),
            }),
            None => Err(sidecar),
        }
    }

    /// Lets those go whose sidecars would have stood before `name`: there is none.
    pub(crate) fn release(&mut self, name: &str) -> impl Iterator<Item = Pair> + use<> {
        let is_past = |waiting: &Listed| name.as_bytes() > sidecar_of(&waiting.name).as_bytes();
        let (released, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(is_past);
        self.waiting = waiting;
        let released: Vec<Listed> = released;
        released.into_iter().map(Pair::alone)
    }

    /// Lets all go: the listing has ended.
    pub(crate) fn finish(&mut self) -> impl Iterator<Item = Pair> + use<> {
        std::mem::take(&mut self.waiting).into_iter().map(Pair::alone)
    }
}

/// The name of the sidecar of an object.
pub(crate) fn sidecar_of(name: &str) -> String {
    format!("{name}{SUFFIX}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn listed(name: &str) -> Listed {
        Listed {
            name: name.to_owned(),
            size_bytes: 1,
            modified_at: None,
            etag: None,
            is_archived: false,
        }
    }

    /// What comes of a listing: each object with whether it has a sidecar, what stands alone, and the most that waited.
    fn pairs(names: &BTreeSet<String>) -> (BTreeMap<String, bool>, BTreeSet<String>, usize) {
        let mut beside = Beside::default();
        let (mut found, mut alone, mut most) = (Vec::new(), BTreeSet::new(), 0);
        for name in names {
            found.extend(beside.release(name));
            if described_by(name).is_some() {
                match beside.join(listed(name)) {
                    Ok(pair) => found.push(pair),
                    Err(sidecar) => assert!(alone.insert(sidecar.name)),
                }
            } else {
                beside.wait(listed(name));
            }
            most = most.max(beside.waiting.len());
            assert!(
                beside
                    .waiting
                    .iter()
                    .all(|waiting| name.starts_with(&waiting.name))
            );
        }
        found.extend(beside.finish());
        let count = found.len();
        let found: BTreeMap<String, bool> = found
            .into_iter()
            .map(|pair| (pair.object.name, pair.sidecar.is_some()))
            .collect();
        assert_eq!(found.len(), count, "an object was given twice");
        (found, alone, most)
    }

    proptest! {
        #[test]
        fn every_object_is_given_once_and_with_its_sidecar(
            names in prop::collection::btree_set("[a/.\\-~]{1,4}(\\.metadata|\\.metadata\\.json){0,2}(/b)?", 0..40)
        ) {
            let names: BTreeSet<String> = names;
            let (found, alone, most) = pairs(&names);
            let longest = names.iter().map(String::len).max().unwrap_or(0);
            prop_assert!(most <= longest);
            for name in &names {
                match described_by(name) {
                    Some(described) => {
                        let is_joined = found.get(described) == Some(&true);
                        prop_assert_eq!(is_joined, !alone.contains(name), "{}", name);
                    }
                    None => {
                        let sidecar = sidecar_of(name);
                        // `a/.metadata.json` is a file in the folder `a/`.
                        let has_one = names.contains(&sidecar) && described_by(&sidecar).is_some();
                        prop_assert_eq!(found.get(name), Some(&has_one), "{}", name);
                    }
                }
            }
        }
    }

    #[test]
    fn a_sidecar_is_found_behind_many_keys_that_begin_alike() {
        let mut names: BTreeSet<String> = (0..10_000)
            .map(|number| format!("report-{number}/part.md"))
            .collect();
        names.extend(
            [
                "report",
                "report.metadata.json",
                "gone.metadata.json",
                "x/.metadata.json",
            ]
            .map(str::to_owned),
        );
        let (found, alone, most) = pairs(&names);
        assert_eq!((found["report"], found["report-7/part.md"]), (true, false));
        assert!(!found["x/.metadata.json"]);
        assert_eq!(alone, BTreeSet::from(["gone.metadata.json".to_owned()]));
        assert!(most <= 2, "{most}");
    }
}
