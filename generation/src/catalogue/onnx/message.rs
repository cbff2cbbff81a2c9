//! The messages of an ONNX file, as far as the rewriting looks into them.
//!
//! What it doesn't look into (types, most attributes, functions) is declared as bytes: a message within a
//! message is a run of bytes in the file, so it is kept as it came. And what is declared can lose nothing either:
//! [`Model::read`] refuses a file that it couldn't write again byte for byte.
//!
//! Numbers and names of the fields are those of `onnx.proto` (ONNX 1.23).

use prost::Message;

/// `TensorProto.DataType.FLOAT`.
pub(super) const FLOAT: i32 = 1;
/// `TensorProto.DataType.UINT8`.
pub(super) const UINT8: i32 = 2;
/// `TensorProto.DataType.INT8`.
pub(super) const INT8: i32 = 3;
/// `AttributeProto.AttributeType.INT`.
const INT: i32 = 2;
/// `AttributeProto.AttributeType.INTS`.
const INTS: i32 = 7;
/// `AttributeProto.AttributeType.GRAPH` and `GRAPHS`.
const GRAPH_TYPES: [i32; 2] = [5, 10];

/// `ModelProto`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Model {
    #[prost(int64, optional, tag = "1")]
    pub ir_version: Option<i64>,
    #[prost(string, optional, tag = "2")]
    pub producer_name: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub producer_version: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub domain: Option<String>,
    #[prost(int64, optional, tag = "5")]
    pub model_version: Option<i64>,
    #[prost(string, optional, tag = "6")]
    pub doc_string: Option<String>,
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSet>,
    #[prost(bytes = "vec", repeated, tag = "14")]
    pub metadata_props: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "20")]
    pub training_info: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "25")]
    pub functions: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "26")]
    pub configuration: Vec<Vec<u8>>,
}

impl Model {
    /// Reads a file, or says why it can't be read without a loss.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let model = Self::decode(bytes).map_err(|error| format!("it is no ONNX model: {error}"))?;
        if model.encode_to_vec() != bytes {
            return Err("it holds something that would be lost".to_owned());
        }
        Ok(model)
    }

    /// The file.
    pub fn write(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    /// The version of the standard operators.
    pub fn operators(&self) -> Result<i64, String> {
        self.opset_import
            .iter()
            .find(|set| set.domain.as_deref().unwrap_or_default().is_empty())
            .and_then(|set| set.version)
            .ok_or_else(|| "it doesn't say which operators it uses".to_owned())
    }
}

/// `OperatorSetIdProto`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OperatorSet {
    #[prost(string, optional, tag = "1")]
    pub domain: Option<String>,
    #[prost(int64, optional, tag = "2")]
    pub version: Option<i64>,
}

/// `GraphProto`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<Tensor>,
    #[prost(string, optional, tag = "10")]
    pub doc_string: Option<String>,
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<Value>,
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<Value>,
    #[prost(message, repeated, tag = "13")]
    pub value_info: Vec<Value>,
    #[prost(bytes = "vec", repeated, tag = "14")]
    pub quantization_annotation: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "15")]
    pub sparse_initializer: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "16")]
    pub metadata_props: Vec<Vec<u8>>,
}

/// `NodeProto`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    #[prost(string, optional, tag = "3")]
    pub name: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub op_type: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "5")]
    pub attribute: Vec<Vec<u8>>,
    #[prost(string, optional, tag = "6")]
    pub doc_string: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub domain: Option<String>,
    #[prost(string, optional, tag = "8")]
    pub overload: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub metadata_props: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "10")]
    pub device_configurations: Vec<Vec<u8>>,
}

impl Node {
    /// A standard operator.
    pub fn new<const I: usize, const O: usize>(operator: &str, input: [&str; I], output: [&str; O]) -> Self {
        Self {
            input: input.map(str::to_owned).to_vec(),
            output: output.map(str::to_owned).to_vec(),
            op_type: Some(operator.to_owned()),
            ..Self::default()
        }
    }

    /// The same with a whole number as an attribute.
    pub fn with(mut self, name: &str, value: i64) -> Self {
        let attribute = Attribute {
            name: Some(name.to_owned()),
            i: Some(value),
            kind: Some(INT),
            ..Attribute::default()
        };
        self.attribute.push(attribute.encode_to_vec());
        self
    }

    /// The same with whole numbers.
    pub fn with_list(mut self, name: &str, values: &[i64]) -> Self {
        let attribute = Attribute {
            name: Some(name.to_owned()),
            ints: values.to_vec(),
            kind: Some(INTS),
            ..Attribute::default()
        };
        self.attribute.push(attribute.encode_to_vec());
        self
    }

    /// Whether it is that standard operator, with as many inputs and one output.
    pub fn is(&self, operator: &str, inputs: usize) -> bool {
        self.op_type.as_deref() == Some(operator)
            && self.domain.as_deref().unwrap_or_default().is_empty()
            && self.input.len() == inputs
            && self.output.len() == 1
    }

    /// The whole number that is its attribute `name`.
    pub fn whole(&self, name: &str) -> Option<i64> {
        self.attributes()
            .find(|attribute| attribute.name.as_deref() == Some(name))
            .and_then(|attribute| attribute.i)
    }

    /// Whether an attribute is a graph of its own.
    pub fn has_subgraph(&self) -> bool {
        self.attributes()
            .any(|attribute| attribute.kind.is_some_and(|kind| GRAPH_TYPES.contains(&kind)))
    }

    fn attributes(&self) -> impl Iterator<Item = Attribute> {
        self.attribute
            .iter()
            .filter_map(|bytes| Attribute::decode(bytes.as_slice()).ok())
    }
}

/// What is read of an `AttributeProto`. Those that are kept are kept as bytes.
#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(int64, optional, tag = "3")]
    i: Option<i64>,
    #[prost(int64, repeated, packed = "false", tag = "8")]
    ints: Vec<i64>,
    #[prost(int32, optional, tag = "20")]
    kind: Option<i32>,
}

/// `ValueInfoProto`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Value {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub kind: Option<Vec<u8>>,
    #[prost(string, optional, tag = "3")]
    pub doc_string: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub metadata_props: Vec<Vec<u8>>,
}

/// `TensorProto`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Tensor {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    #[prost(int32, optional, tag = "2")]
    pub data_type: Option<i32>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub segment: Option<Vec<u8>>,
    #[prost(float, repeated, tag = "4")]
    pub float_data: Vec<f32>,
    #[prost(int32, repeated, tag = "5")]
    pub int32_data: Vec<i32>,
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub string_data: Vec<Vec<u8>>,
    #[prost(int64, repeated, tag = "7")]
    pub int64_data: Vec<i64>,
    #[prost(string, optional, tag = "8")]
    pub name: Option<String>,
    #[prost(bytes = "vec", optional, tag = "9")]
    pub raw_data: Option<Vec<u8>>,
    #[prost(double, repeated, tag = "10")]
    pub double_data: Vec<f64>,
    #[prost(uint64, repeated, tag = "11")]
    pub uint64_data: Vec<u64>,
    #[prost(string, optional, tag = "12")]
    pub doc_string: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "13")]
    pub external_data: Vec<Vec<u8>>,
    #[prost(int32, optional, tag = "14")]
    pub data_location: Option<i32>,
    #[prost(bytes = "vec", repeated, tag = "16")]
    pub metadata_props: Vec<Vec<u8>>,
}
