//! Which fields of the payload the server looks up quickly.
//!
//! All knowledge bases share them. A number or a date gets one for its ranges when its name is first seen, up to
//! [`MOST_RANGES`]. Only the knowledge base has links in the graph: those of another field would run through all of
//! them.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use qdrant_client::qdrant::payload_index_params::IndexParams;
use qdrant_client::qdrant::{
    CreateFieldIndexCollectionBuilder, DatetimeIndexParamsBuilder, FieldType, FloatIndexParamsBuilder,
    IntegerIndexParamsBuilder, KeywordIndexParamsBuilder, UuidIndexParamsBuilder,
};

use super::super::payload::{DOCUMENT, MOST_RANGES, RangeField, TERMS};
use super::{KNOWLEDGE_BASE, ServerVectors};
use crate::acl_filter::{DENIED, READERS};
use crate::error::Error;

impl ServerVectors {
    /// Making an index that is there is no error.
    pub(super) async fn ensure_payload_indexes(&self) -> Result<(), Error> {
        let keyword = || KeywordIndexParamsBuilder::default().enable_hnsw(false);
        let terms = IntegerIndexParamsBuilder::new(true, false).on_disk(true);
        let document = UuidIndexParamsBuilder::default().on_disk(true);
        let tenant = KeywordIndexParamsBuilder::default().is_tenant(true);
        for (field, kind, params) in [
            (KNOWLEDGE_BASE, FieldType::Keyword, tenant.into()),
            (READERS, FieldType::Keyword, keyword().into()),
            (DENIED, FieldType::Keyword, keyword().into()),
            (TERMS, FieldType::Integer, terms.enable_hnsw(false).into()),
            (DOCUMENT, FieldType::Uuid, document.enable_hnsw(false).into()),
        ] {
            self.create_index(field, kind, params).await?;
        }
        Ok(())
    }

    /// Makes the indexes for ranges that this process doesn't know of, as far as there may be more.
    pub(super) async fn ensure_range_indexes(&self, fields: BTreeSet<RangeField>) -> Result<(), Error> {
        for field in fields {
            if !self.is_new_range(&field) {
                continue;
            }
            let (kind, params) = match field {
                RangeField::Number(_) => (
                    FieldType::Float,
                    FloatIndexParamsBuilder::new()
                        .on_disk(true)
                        .enable_hnsw(false)
                        .into(),
                ),
                RangeField::Date(_) => (
                    FieldType::Datetime,
                    DatetimeIndexParamsBuilder::default()
                        .on_disk(true)
                        .enable_hnsw(false)
                        .into(),
                ),
            };
            self.create_index(&field.path(), kind, params).await?;
            let mut ranges = self.ranges.lock().unwrap_or_else(PoisonError::into_inner);
            ranges.insert(field.path());
        }
        Ok(())
    }

    fn is_new_range(&self, field: &RangeField) -> bool {
        let ranges = self.ranges.lock().unwrap_or_else(PoisonError::into_inner);
        ranges.len() < MOST_RANGES && !ranges.contains(&field.path())
    }

    async fn create_index(&self, field: &str, kind: FieldType, params: IndexParams) -> Result<(), Error> {
        let request = CreateFieldIndexCollectionBuilder::new(&self.collection, field, kind)
            .field_index_params(params)
            .wait(true);
        self.client
            .create_field_index(request)
            .await
            .map_err(|error| self.failed("index a field", error))?;
        Ok(())
    }
}
