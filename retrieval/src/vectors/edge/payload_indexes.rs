//! Which fields of the payload the engine looks up quickly.
//!
//! Four are always there. A number or a date gets one for its ranges when its name is first seen, up to
//! [`MOST_RANGES`], before the points that have it are written: a graph that is built later gets the links
//! that keep a filtered search accurate. Those of attributes lie on disk, mapped, once the engine has optimised.

use qdrant_edge::{
    CreateIndex, DatetimeIndexParams, FieldIndexOperations, FloatIndexParams, IntegerIndexParams, JsonPath,
    PayloadFieldSchema, PayloadSchemaParams, PayloadSchemaType, UpdateOperation, UuidIndexParams,
};

use super::super::payload::{DOCUMENT, MOST_RANGES, RangeField, TERMS};
use super::conditions;
use super::engine::Engine;
use crate::acl_filter::{DENIED, READERS, edge_path};
use crate::error::Error;

/// The fields that every knowledge base has an index of.
fn always() -> [(&'static str, PayloadFieldSchema); 4] {
    let keyword = || PayloadFieldSchema::FieldType(PayloadSchemaType::Keyword);
    let document = UuidIndexParams {
        on_disk: Some(true),
        enable_hnsw: Some(false),
        ..UuidIndexParams::default()
    };
    let terms = IntegerIndexParams {
        lookup: Some(true),
        range: Some(false),
        on_disk: Some(true),
        ..IntegerIndexParams::default()
    };
    [
        (READERS, keyword()),
        (DENIED, keyword()),
        (
            DOCUMENT,
            PayloadFieldSchema::FieldParams(PayloadSchemaParams::Uuid(document)),
        ),
        (
            TERMS,
            PayloadFieldSchema::FieldParams(PayloadSchemaParams::Integer(terms)),
        ),
    ]
}

/// A range is searched without links of its own: they would cost as much as the graph.
fn of_range(field: &RangeField) -> PayloadFieldSchema {
    PayloadFieldSchema::FieldParams(match field {
        RangeField::Number(_) => PayloadSchemaParams::Float(FloatIndexParams {
            on_disk: Some(true),
            enable_hnsw: Some(false),
            ..FloatIndexParams::default()
        }),
        RangeField::Date(_) => PayloadSchemaParams::Datetime(DatetimeIndexParams {
            on_disk: Some(true),
            enable_hnsw: Some(false),
            ..DatetimeIndexParams::default()
        }),
    })
}

impl Engine {
    /// Makes the indexes that aren't there, those of an earlier version among them.
    pub(super) fn ensure_payload_indexes(&self) -> Result<(), Error> {
        for (field, schema) in always() {
            self.ensure_index(edge_path(field)?, schema)?;
        }
        Ok(())
    }

    /// Makes the indexes for ranges that aren't there, as far as there may be more.
    pub(super) fn ensure_range_indexes<'a>(
        &self,
        fields: impl IntoIterator<Item = &'a RangeField>,
    ) -> Result<(), Error> {
        for field in fields {
            let path = conditions::path(field)?;
            if self.has_index(&path) || self.range_index_count() >= MOST_RANGES {
                continue;
            }
            self.ensure_index(path, of_range(field))?;
        }
        Ok(())
    }

    fn ensure_index(&self, path: JsonPath, schema: PayloadFieldSchema) -> Result<(), Error> {
        if self.has_index(&path) {
            return Ok(());
        }
        let create = FieldIndexOperations::CreateIndex(CreateIndex {
            field_name: path.clone(),
            field_schema: Some(schema),
        });
        self.update("index a field", UpdateOperation::FieldIndexOperation(create))?;
        self.note_index(path);
        Ok(())
    }
}
