//! Attachments: files within a file become documents of their own.
//!
//! What is attached to `mail.eml` as `plan.pdf` is the document `mail.eml!/plan.pdf`, with the readers and the
//! attributes of the mail and the attribute `attached_to`. It is compared, extracted and published like any
//! other, and may have attachments itself, [as deep as is set](crate::IngestSettings::attachment_depth). It stays for as long as what it is attached
//! to: an unchanged mail keeps its attachments without being read, a changed one loses those that it no longer
//! has with the publication of its new version, and one that is gone takes them along.

use std::collections::HashMap;

use futures::FutureExt;
use futures::future::BoxFuture;
use lectern_domain::ports::Fetched;
use lectern_domain::{Acl, Attachment, AttributeValue, DocumentId, DocumentStatus};

use super::FetchedDocument;
use super::compare::{Arrived, unchanged};
use crate::access;
use crate::error::Result;
use crate::ledger::{DocumentRef, KnownDocument, SourceMetadata};
use crate::run::Run;

/// The attribute that names the key of the document that this one is attached to.
const ATTACHED_TO: &str = "attached_to";

/// What is attached to a document, each as a document of its own. Of those too deep it is logged that they
/// were left out.
pub(crate) fn of(parent: &FetchedDocument, attachments: Vec<Attachment>, most_depth: usize) -> Vec<Arrived> {
    if parent.depth >= most_depth && !attachments.is_empty() {
        tracing::warn!(
            key = parent.document.key,
            count = attachments.len(),
            "attachments left out: they are attached more than {most_depth} deep"
        );
        return Vec::new();
    }
    let mut seen = HashMap::new();
    attachments
        .into_iter()
        .map(|attachment| {
            let name = unique(&mut seen, &attachment.name);
            attached(parent, attachment, &name)
        })
        .collect()
}

/// The name, or the name with a number where an attachment before it has the same.
fn unique(seen: &mut HashMap<String, u32>, name: &str) -> String {
    let mut candidate = name.to_owned();
    let mut number = seen.get(name).copied().unwrap_or(1);
    while seen.contains_key(&candidate) {
        number += 1;
        candidate = format!("{name} ({number})");
    }
    seen.insert(name.to_owned(), number);
    seen.entry(candidate.clone()).or_insert(1);
    candidate
}

fn attached(parent: &FetchedDocument, attachment: Attachment, name: &str) -> Arrived {
    let metadata = inherited(&parent.metadata, &parent.document.key, name);
    Arrived {
        document: DocumentRef {
            id: DocumentId::attached_to(parent.document.id, name),
            key: format!("{}!/{name}", parent.document.key),
            parent: Some(parent.document.id),
            push: None,
            ..parent.document.clone()
        },
        uri: metadata.uri,
        modified_at: metadata.modified_at,
        change_tag: None,
        depth: parent.depth + 1,
        fetched: Fetched {
            bytes: attachment.bytes.into(),
            file_name: attachment.name,
            media_type: attachment.media_type,
            title: None,
            acl: Some(metadata.acl),
            attributes: metadata.attributes,
        },
        share: std::sync::Arc::clone(&parent.share),
    }
}

/// What an attachment has from the document that it is attached to.
fn inherited(parent: &SourceMetadata, parent_key: &str, name: &str) -> SourceMetadata {
    let separator = match parent.uri.contains('#') {
        true => '/',
        false => '#',
    };
    let mut metadata = parent.clone();
    metadata.uri = format!("{}{separator}{}", parent.uri, fragment(name));
    metadata.attributes.insert(
        ATTACHED_TO.to_owned(),
        AttributeValue::Text(parent_key.to_owned()),
    );
    metadata
}

/// The name as a part of an address (RFC 3986): what isn't a letter, a digit or a plain sign is percent-encoded.
fn fragment(name: &str) -> String {
    let mut fragment = String::new();
    for character in name.chars() {
        if character.is_alphanumeric() || "-._~()+,".contains(character) {
            fragment.push(character);
        } else {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                fragment.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    fragment
}

/// Accounts for all that is attached to an unchanged document. Where the document's own metadata are others now,
/// so are theirs.
pub(crate) fn follow<'a>(
    run: &'a Run,
    parent: &'a DocumentRef,
    known: &'a KnownDocument,
    metadata: Option<&'a SourceMetadata>,
) -> BoxFuture<'a, Result<()>> {
    async move {
        if !known.has_attachments {
            return Ok(());
        }
        for attachment in run.parts.ledger.attachments(parent).await? {
            if let Some(known) = run.parts.ledger.known(attachment.id, run.job).await? {
                run.progress.update(|state| state.listed += 1);
                follow_one(run, parent, &attachment, &known, metadata).await?;
            }
        }
        Ok(())
    }
    .boxed()
}

async fn follow_one(
    run: &Run,
    parent: &DocumentRef,
    document: &DocumentRef,
    known: &KnownDocument,
    of_parent: Option<&SourceMetadata>,
) -> Result<()> {
    let prefix = format!("{}!/", parent.key);
    let name = document.key.strip_prefix(&prefix).unwrap_or(&document.key);
    let metadata = match of_parent {
        Some(of_parent) => inherited(of_parent, &parent.key, name),
        None => known.metadata.clone(),
    };
    if known.status == DocumentStatus::Indexed && known.has_current_version {
        unchanged(run, document, known, metadata.clone(), None).await?;
    } else {
        if known.metadata.acl != metadata.acl {
            run.parts.ledger.change_access(document.id, &metadata.acl).await?;
        }
        run.report_again(&document.key, known);
    }
    let metadata = of_parent.map(|_| &metadata);
    follow(run, document, known, metadata).await
}

/// Shows what is attached to a document to those only who may read it now and by `acl`.
pub(crate) fn narrow<'a>(run: &'a Run, parent: &'a DocumentRef, acl: &'a Acl) -> BoxFuture<'a, Result<()>> {
    async move {
        for document in run.parts.ledger.attachments(parent).await? {
            if let Some(known) = run.parts.ledger.known(document.id, run.job).await? {
                let both = access::intersection(&known.metadata.acl, acl);
                run.parts.ledger.change_access(document.id, &both).await?;
                narrow(run, &document, acl).await?;
            }
        }
        Ok(())
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attachments_of_one_name_are_told_apart_and_numbers_that_are_taken_are_left_out() {
        let mut seen = HashMap::new();
        let names = ["a.txt", "a.txt", "a.txt (2)", "a.txt", "b"];
        let unique: Vec<String> = names.iter().map(|name| unique(&mut seen, name)).collect();
        assert_eq!(unique, ["a.txt", "a.txt (2)", "a.txt (2) (2)", "a.txt (3)", "b"]);
    }

    #[test]
    fn a_name_becomes_a_part_of_an_address() {
        assert_eq!(fragment("plan für 50%/#1.pdf"), "plan%20für%2050%25%2F%231.pdf");
    }
}
