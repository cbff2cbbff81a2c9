//! Changing who may read a document, without a moment in which somebody reads what they may not.
//!
//! The recheck of every search reads the access list in the ledger; the copies in the indexes only spare it
//! work. So the ledger is always changed first, in both directions:
//!
//! * narrowed: from the commit on nobody reads it who may not, even if the indexes can't be reached;
//! * widened: from the commit on it may be read, and is found as soon as the indexes follow.
//!
//! The same commit raises `access_revision` of the document. Until the indexes hold that revision too
//! (`access_indexed`), the document is owed a visit by [`crate::collect`]; a crash in between is healed by the
//! next run.
//!
//! A new version with another access list is a change of both text and readers. Until it is visible, the
//! old text is shown to those only who may read both: [`intersection`].

use std::collections::BTreeSet;

use lectern_domain::{Acl, Principal};

/// An access list that permits only readers whom both lists permit. Where an exact one can't be written
/// (somebody who is in two groups), it permits fewer.
pub fn intersection(one: &Acl, other: &Acl) -> Acl {
    let everyone = |acl: &Acl| acl.allow.contains(&Principal::Everyone);
    let allow: BTreeSet<Principal> = match (everyone(one), everyone(other)) {
        // Whoever reads is also `everyone`, so the other list alone decides.
        (true, _) => other.allow.clone(),
        (_, true) => one.allow.clone(),
        _ => one.allow.intersection(&other.allow).cloned().collect(),
    };
    Acl {
        allow,
        deny: one.deny.union(&other.deny).cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn principals() -> impl Strategy<Value = BTreeSet<Principal>> {
        let all: Vec<Principal> = ["everyone", "user:a", "user:b", "group:x", "group:y"]
            .iter()
            .map(|name| name.parse().unwrap())
            .collect();
        btree_set(select(all), 0..4)
    }

    fn acls() -> impl Strategy<Value = Acl> {
        (principals(), principals()).prop_map(|(allow, deny)| Acl { allow, deny })
    }

    proptest! {
        #[test]
        fn the_intersection_permits_nobody_whom_one_list_refuses(
            one in acls(),
            other in acls(),
            mut reader in principals(),
        ) {
            reader.insert(Principal::Everyone);
            if intersection(&one, &other).permits(&reader) {
                prop_assert!(one.permits(&reader) && other.permits(&reader));
            }
        }

        #[test]
        fn the_intersection_with_everyone_is_the_other_list(acl in acls()) {
            prop_assert_eq!(intersection(&Acl::everyone(), &acl), acl.clone());
            let once = intersection(&acl, &acl);
            prop_assert_eq!(once, acl);
        }
    }
}
