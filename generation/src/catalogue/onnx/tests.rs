//! The rewriting on small graphs, and on the real model where `LECTERN_TEST_MODELS` names a folder with it.

use std::path::PathBuf;

use super::message::{FLOAT, Graph, INT8, Node, OperatorSet, Tensor, UINT8, Value};
use super::*;
use crate::catalogue::wheel::hash_file;
use crate::catalogue::{Catalogue, ModelName, Rewrite};

fn value(name: &str) -> Value {
    Value {
        name: Some(name.to_owned()),
        ..Value::default()
    }
}

fn constant(name: &str, data_type: i32, dims: &[i64], bytes: Vec<u8>) -> Tensor {
    Tensor {
        name: Some(name.to_owned()),
        data_type: Some(data_type),
        dims: dims.to_vec(),
        raw_data: Some(bytes),
        ..Tensor::default()
    }
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// `Softmax` behind its guard, then a packed product of two rows and three columns, then a GELU.
fn small() -> Model {
    let graph = Graph {
        node: vec![
            Node::new("Cast", ["w_q"], ["w_f"]).with("to", i64::from(FLOAT)),
            Node::new("Mul", ["w_f", "w_scale"], ["w"]),
            Node::new("Softmax", ["in"], ["s"]),
            Node::new("IsNaN", ["s"], ["s_nan"]),
            Node::new("Where", ["s_nan", "zero", "s"], ["x"]),
            Node::new("MatMul", ["x", "w"], ["y"]),
            Node::new("Div", ["y", "root"], ["d"]),
            Node::new("Erf", ["d"], ["e"]),
            Node::new("Add", ["e", "one"], ["a"]),
            Node::new("Mul", ["half", "a"], ["h"]),
            Node::new("Mul", ["y", "h"], ["out"]),
        ],
        initializer: vec![
            constant("w_q", INT8, &[2, 3], vec![0x80, 0, 1, 0x7f, 0xff, 2]),
            constant("w_scale", FLOAT, &[1, 3], floats(&[0.5, 1.0, 2.0])),
            constant("zero", FLOAT, &[], floats(&[0.0])),
            constant("one", FLOAT, &[], floats(&[1.0])),
            constant("half", FLOAT, &[], floats(&[0.5])),
            constant("root", FLOAT, &[], floats(&[std::f32::consts::SQRT_2])),
        ],
        input: vec![value("in")],
        output: vec![value("out")],
        value_info: vec![value("w"), value("y")],
        ..Graph::default()
    };
    Model {
        ir_version: Some(10),
        graph: Some(graph),
        opset_import: vec![OperatorSet {
            domain: Some(String::new()),
            version: Some(17),
        }],
        ..Model::default()
    }
}

fn rewritten(weights: IntegerWeights) -> Graph {
    let mut model = small();
    rewrite(&mut model, weights).unwrap();
    model.graph.unwrap()
}

fn listed(graph: &Graph) -> Vec<String> {
    let line = |node: &Node| {
        let operator = node.op_type.as_deref().unwrap();
        format!(
            "{operator}({}) -> {}",
            node.input.join(", "),
            node.output.join(", ")
        )
    };
    graph.node.iter().map(line).collect()
}

#[test]
fn a_packed_product_a_guard_and_a_gelu_become_what_the_runtime_is_fast_with() {
    let graph = rewritten(IntegerWeights::Signed);
    assert_eq!(
        listed(&graph),
        [
            "Softmax(in) -> s",
            "ReduceMax(s) -> x_most",
            "ReduceMin(s) -> x_least",
            "Neg(x_least) -> x_least_amount",
            "Max(x_most, x_least_amount, row_least) -> x_largest",
            "Mul(x_largest, row_step) -> x_scale",
            "Div(s, x_scale) -> x_scaled",
            "QuantizeLinear(x_scaled, row_one, row_zero) -> x_quantized",
            "MatMulInteger(x_quantized, w_q, row_zero) -> y_integers",
            "Cast(y_integers) -> y_floats",
            "Mul(y_floats, w_scale) -> y_columns",
            "Mul(y_columns, x_scale) -> y",
            "Div(y, root) -> d",
            "Erf(d) -> e",
            "Add(e, one) -> a",
            "Mul(y, a) -> h",
            "Mul(h, half) -> out",
        ]
    );
    let constants: Vec<&str> = graph.initializer.iter().map(Tensor::name).collect();
    assert_eq!(
        constants,
        [
            "w_q",
            "w_scale",
            "one",
            "half",
            "root",
            "row_step",
            "row_least",
            "row_one",
            "row_zero"
        ]
    );
    assert!(graph.value_info.is_empty());
}

#[test]
fn unsigned_weights_are_the_signed_ones_and_128() {
    let graph = rewritten(IntegerWeights::Unsigned);
    let weights = &graph.initializer[0];
    assert_eq!(weights.data_type, Some(UINT8));
    assert_eq!(weights.raw_data.as_deref().unwrap(), [0, 128, 129, 255, 127, 130]);
    assert_eq!(
        listed(&graph)[8],
        "MatMulInteger(x_quantized, w_q, row_zero, packed_weight_zero_point) -> y_integers"
    );
}

#[test]
fn a_look_up_unpacks_the_rows_that_it_found() {
    let mut model = small();
    let graph = model.graph.as_mut().unwrap();
    graph.initializer.extend([
        constant("t_q", INT8, &[2, 1], vec![1, 2]),
        constant("t_scale", FLOAT, &[2, 1], floats(&[1.0, 2.0])),
    ]);
    let look_up = [
        Node::new("Cast", ["t_q"], ["t_f"]).with("to", i64::from(FLOAT)),
        Node::new("Mul", ["t_f", "t_scale"], ["t"]),
        Node::new("Gather", ["t", "rows"], ["in"]),
    ];
    graph.node.splice(0..0, look_up);
    graph.input = vec![value("rows")];
    rewrite(&mut model, IntegerWeights::Signed).unwrap();
    assert_eq!(
        listed(&model.graph.unwrap())[..4],
        [
            "Gather(t_q, rows) -> in_packed",
            "Cast(in_packed) -> in_floats",
            "Gather(t_scale, rows) -> in_scale",
            "Mul(in_floats, in_scale) -> in",
        ]
    );
}

#[test]
fn what_cannot_be_kept_or_is_of_another_kind_is_refused() {
    let bytes = small().write();
    assert_eq!(Model::read(&bytes).unwrap(), small());
    // A field that isn't known here: number 15, a whole number.
    let with_more = [bytes.as_slice(), &[0x78, 1]].concat();
    assert_eq!(
        Model::read(&with_more).unwrap_err(),
        "it holds something that would be lost"
    );
    assert!(
        Model::read(&bytes[..bytes.len() / 2])
            .unwrap_err()
            .starts_with("it is no ONNX model")
    );

    let refused = |change: fn(&mut Model)| {
        let mut model = small();
        change(&mut model);
        rewrite(&mut model, IntegerWeights::Signed).unwrap_err()
    };
    let refusals = [
        refused(|model| model.graph = None),
        refused(|model| model.opset_import[0].version = Some(10)),
        refused(|model| model.opset_import.clear()),
        refused(|model| model.graph.as_mut().unwrap().node[5].op_type = Some("Gemm".to_owned())),
        refused(|model| model.graph.as_mut().unwrap().node[5].domain = Some("someone".to_owned())),
        refused(|model| {
            // An attribute of the type GRAPH.
            model.graph.as_mut().unwrap().node[2]
                .attribute
                .push(vec![0xa0, 1, 5]);
        }),
        refused(|model| model.graph.as_mut().unwrap().output.push(value("nowhere"))),
    ];
    assert_refusals(&refusals);
}

fn assert_refusals(refusals: &[String]) {
    assert_eq!(
        refusals,
        [
            "it has no graph",
            "its operators are those of version 10, and 11 to 17 are known",
            "it doesn't say which operators it uses",
            "it has no product with packed weights of 8 bits",
            "it has no product with packed weights of 8 bits",
            "its node \"\" has a graph of its own",
            "its output \"nowhere\" would not be made",
        ]
    );
}

#[test]
fn weights_that_are_used_twice_stay_as_they_are() {
    let mut model = small();
    let graph = model.graph.as_mut().unwrap();
    graph.node.push(Node::new("MatMul", ["x", "w"], ["z"]));
    graph.output.push(value("z"));
    let error = rewrite(&mut model, IntegerWeights::Unsigned).unwrap_err();
    assert_eq!(error, "it has no product with packed weights of 8 bits");
}

/// The packaged model, or `None`, said aloud, where this machine hasn't got it.
fn packaged() -> Option<PathBuf> {
    let file = std::env::var_os("LECTERN_TEST_MODELS")
        .map(|models| {
            PathBuf::from(models)
                .join(ModelName::FLOAT_EMBEDDER.as_str())
                .join("model.onnx")
        })
        .filter(|file| file.is_file());
    if file.is_none() {
        println!(
            "SKIPPED: no packaged embedder (set LECTERN_TEST_MODELS to a folder made by `lectern models pull`)"
        );
    }
    file
}

#[test]
fn the_packaged_model_loses_nothing_and_always_becomes_the_same_file() {
    let Some(packaged) = packaged() else { return };
    let bytes = fs::read(&packaged).unwrap();
    let model = Model::read(&bytes).unwrap();
    assert_eq!(model.write(), bytes);

    let folder = tempfile::tempdir().unwrap();
    for weights in [IntegerWeights::Signed, IntegerWeights::Unsigned] {
        let output = folder.path().join("out.onnx");
        to_integers(&packaged, &output, weights).unwrap();
        let (sha256, _) = hash_file(&output).unwrap();
        let catalogue = Catalogue::with_weights(weights);
        let entry = catalogue.find(ModelName::EMBEDDER.as_str()).unwrap();
        let expected = entry.files.iter().find_map(|file| match &file.rewrite {
            Rewrite::Integers { sha256, .. } => Some(sha256.as_str()),
            _ => None,
        });
        assert_eq!(expected, Some(sha256.as_str()), "{weights:?}");
        let rewritten = Model::read(&fs::read(&output).unwrap()).unwrap().graph.unwrap();
        let count = |operator: &str| {
            let is_one = |node: &&Node| node.op_type.as_deref() == Some(operator);
            rewritten.node.iter().filter(is_one).count()
        };
        // Six layers, each with six products and four different left sides; two products of attention each stay.
        let counts = ["MatMulInteger", "QuantizeLinear", "MatMul", "IsNaN"].map(count);
        assert_eq!(counts, [36, 24, 12, 0]);
    }
}
