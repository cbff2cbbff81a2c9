//! What comes into a product, as integers: each row (the numbers of one token) with a scale of its own.
//!
//! ```text
//! x -> ReduceMax, ReduceMin -> the largest amount in each row / 127, which is the row's scale
//! x -> Div(scale) -> QuantizeLinear(1, 128)
//! ```
//!
//! The operator that the standard has for it, `DynamicQuantizeLinear`, gives one scale to all of a batch, and one
//! token with a large number then costs all others their precision. Source: Yao et al., "`ZeroQuant`", 2022,
//! section 4.1 (token-wise quantisation).

use super::message::{FLOAT, Graph, Node, Tensor, UINT8};

/// The integer that stands for 0 in every row.
pub(super) const ZERO: &str = "row_zero";
/// The integer of `ZERO`.
const ZERO_VALUE: u8 = 128;
/// From the largest amount in a row to its scale: there are 127 steps on each side of the zero.
const STEP: (&str, f32) = ("row_step", 1.0 / 127.0);
/// The least amount that a row is taken to have, so that one of zeros isn't divided by zero.
const LEAST: (&str, f32) = ("row_least", 1e-12);
/// The scale of what was scaled before.
const ONE: (&str, f32) = ("row_one", 1.0);

/// The names of the integers that stand for the rows of `x`, and of their scales.
pub(super) fn parts_of(x: &str) -> [String; 2] {
    ["quantized", "scale"].map(|part| format!("{x}_{part}"))
}

/// From `x` to its parts.
pub(super) fn quantised(x: &str) -> Vec<Node> {
    let [integers, scale] = parts_of(x);
    let [most, least, amount, larger, scaled] =
        ["most", "least", "least_amount", "largest", "scaled"].map(|part| format!("{x}_{part}"));
    vec![
        Node::new("ReduceMax", [x], [&most]).with_list("axes", &[-1]),
        Node::new("ReduceMin", [x], [&least]).with_list("axes", &[-1]),
        Node::new("Neg", [&least], [&amount]),
        Node::new("Max", [most.as_str(), &amount, LEAST.0], [&larger]),
        Node::new("Mul", [larger.as_str(), STEP.0], [&scale]),
        Node::new("Div", [x, &scale], [&scaled]),
        Node::new("QuantizeLinear", [scaled.as_str(), ONE.0, ZERO], [&integers]),
    ]
}

/// Adds what [`quantised`] reads, once a graph.
pub(super) fn add_constants(graph: &mut Graph) {
    let scalar = |name: &str, data_type, bytes: &[u8]| Tensor {
        name: Some(name.to_owned()),
        data_type: Some(data_type),
        raw_data: Some(bytes.to_vec()),
        ..Tensor::default()
    };
    let floats = [STEP, LEAST, ONE].map(|(name, value)| scalar(name, FLOAT, &value.to_le_bytes()));
    graph.initializer.extend(floats);
    graph.initializer.push(scalar(ZERO, UINT8, &[ZERO_VALUE]));
}
