//! Who may read documents: changed in one transaction, from which on every search goes by it. The indexes follow
//! ([`crate::access`]).

use lectern_domain::{Acl, DocumentId, SourceId};
use sqlx::{Sqlite, Transaction};
use uuid::Uuid;

use super::{Ledger, commit, rows};
use crate::access;
use crate::error::{Error, Result};

const ACTION: &str = "change who may read a document";

impl Ledger {
    /// Lets only those read a document, from now on. Where they are others than before, it is read again, whatever its
    /// source says of it then.
    pub(crate) async fn change_access(&self, document: DocumentId, acl: &Acl) -> Result<()> {
        let mut transaction = self.begin().await?;
        change(&mut transaction, document, acl).await?;
        commit(transaction, ACTION).await
    }

    /// Shows the documents whose keys begin with `prefix`, from now on, to those only who may read them by `acl` too.
    pub(crate) async fn narrow_under(&self, source: SourceId, prefix: &str, acl: &Acl) -> Result<()> {
        let mut transaction = self.begin().await?;
        let known: Vec<(Uuid, String)> = sqlx::query_as(
            "SELECT id, acl FROM documents
             WHERE source = $1 AND deleted = 0 AND document_key >= $2 AND document_key < $3",
        )
        .bind(source.0)
        .bind(prefix)
        .bind(format!("{prefix}{}", char::MAX))
        .fetch_all(&mut *transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
        for (id, before) in known {
            let before: Acl = rows::from_json("access list", &before)?;
            let both = access::intersection(&before, acl);
            change(&mut transaction, DocumentId(id), &both).await?;
        }
        commit(transaction, ACTION).await
    }
}

async fn change(
    transaction: &mut Transaction<'static, Sqlite>,
    document: DocumentId,
    acl: &Acl,
) -> Result<()> {
    sqlx::query(
        "UPDATE documents SET acl = $2, access_revision = access_revision + 1, change_tag = NULL
         WHERE id = $1 AND acl <> $2",
    )
    .bind(document.0)
    .bind(rows::to_json("access list", acl)?)
    .execute(&mut **transaction)
    .await
    .map_err(Error::ledger(ACTION))?;
    Ok(())
}
