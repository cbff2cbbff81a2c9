//! Products with packed weights, on integers.
//!
//! ```text
//! x -> MatMul(x, Mul(Cast(weights), scale))
//!
//! x -> rows as integers -> MatMulInteger(weights) -> Cast -> Mul(scale) -> Mul(scale of each row)
//! ```
//!
//! The weights are not rounded again: they are the same integers. What is lost is the precision of `x`, each row of
//! which gets 255 steps ([`super::rows`]).

use std::collections::{HashMap, HashSet};

use super::IntegerWeights;
use super::graph::{Index, Packed, replace};
use super::message::{FLOAT, Graph, Node, Tensor, UINT8};
use super::rows;

/// The name of the constant that is the zero of unsigned weights.
const WEIGHT_ZERO: &str = "packed_weight_zero_point";

/// Rewrites every product whose right side is packed, with a scale for each column, and used nowhere else.
/// Tells how many there were.
pub(super) fn on_integers(graph: &mut Graph, weights: IntegerWeights) -> usize {
    let index = Index::of(graph);
    let mut quantised: HashSet<&str> = HashSet::new();
    let mut rewritten: HashMap<usize, Vec<Node>> = HashMap::new();
    let mut used: HashSet<String> = HashSet::new();
    for (number, node) in graph.node.iter().enumerate() {
        let Some((x, packed)) = product(&index, node) else {
            continue;
        };
        let mut nodes = Vec::new();
        if quantised.insert(x) {
            nodes.extend(rows::quantised(x));
        }
        nodes.extend(product_of_integers(x, packed, &node.output, weights));
        rewritten.insert(number, nodes);
        used.insert(packed.values.name().to_owned());
    }
    let count = rewritten.len();
    replace(graph, rewritten);
    if count > 0 {
        rows::add_constants(graph);
    }
    if weights == IntegerWeights::Unsigned && count > 0 {
        make_unsigned(graph, &used);
    }
    count
}

/// The left side of a product whose right side is packed, and the right side.
fn product<'g>(index: &Index<'g>, node: &'g Node) -> Option<(&'g str, Packed<'g>)> {
    let [x, unpacked] = node.input.as_slice() else {
        return None;
    };
    let packed = index.packed(unpacked).filter(|_| node.is("MatMul", 2))?;
    let columns = packed.values.dims.last()?;
    let is_by_column = packed.scale.dims == [1, *columns];
    let is_used_once = index.readers(unpacked).len() == 1 && index.readers(packed.values.name()).len() == 1;
    (is_by_column && is_used_once).then_some((x.as_str(), packed))
}

fn product_of_integers(x: &str, packed: Packed<'_>, output: &[String], weights: IntegerWeights) -> Vec<Node> {
    let [integers, row_scale] = rows::parts_of(x);
    let output = output.first().map(String::as_str).unwrap_or_default();
    let [sums, floats, columns] = ["integers", "floats", "columns"].map(|part| format!("{output}_{part}"));
    let mut product = Node::new(
        "MatMulInteger",
        [&integers, packed.values.name(), rows::ZERO],
        [&sums],
    );
    if weights == IntegerWeights::Unsigned {
        product.input.push(WEIGHT_ZERO.to_owned());
    }
    vec![
        product,
        Node::new("Cast", [&sums], [&floats]).with("to", i64::from(FLOAT)),
        Node::new("Mul", [&floats, packed.scale.name()], [&columns]),
        Node::new("Mul", [&columns, &row_scale], [output]),
    ]
}

/// Adds 128 to every weight of the tensors called `names`, and makes the constant that takes it off again.
fn make_unsigned(graph: &mut Graph, names: &HashSet<String>) {
    for tensor in &mut graph.initializer {
        if !names.contains(tensor.name()) {
            continue;
        }
        tensor.data_type = Some(UINT8);
        for byte in tensor.raw_data.iter_mut().flatten() {
            // The same as adding 128 to a signed byte and taking the sum as unsigned.
            *byte ^= 0x80;
        }
    }
    graph.initializer.push(Tensor {
        name: Some(WEIGHT_ZERO.to_owned()),
        data_type: Some(UINT8),
        raw_data: Some(vec![0x80]),
        ..Tensor::default()
    });
}
