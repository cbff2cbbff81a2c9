//! Look-ups in packed tables.
//!
//! ```text
//! Gather(Mul(Cast(table), scale), rows)
//!
//! Mul(Cast(Gather(table, rows)), Gather(scale, rows))
//! ```
//!
//! The numbers are the same to the last bit; what is saved is a table of floats, four times the packed one, that
//! each session would hold.

use std::collections::HashMap;

use super::graph::{Index, replace};
use super::message::{FLOAT, Graph, Node};

/// Rewrites every look-up of whole rows in a packed table with a scale for each row.
pub(super) fn before_unpacking(graph: &mut Graph) {
    let index = Index::of(graph);
    let rewritten: HashMap<usize, Vec<Node>> = graph
        .node
        .iter()
        .enumerate()
        .filter_map(|(number, node)| Some((number, look_up(&index, node)?)))
        .collect();
    replace(graph, rewritten);
}

fn look_up(index: &Index<'_>, node: &Node) -> Option<Vec<Node>> {
    let ([table, rows], [found]) = (node.input.as_slice(), node.output.as_slice()) else {
        return None;
    };
    let is_of_rows = node.is("Gather", 2) && node.whole("axis").unwrap_or(0) == 0;
    let packed = index.packed(table).filter(|_| is_of_rows)?;
    if packed.scale.dims != [*packed.values.dims.first()?, 1] {
        return None;
    }
    let [integers, floats, scale] = ["packed", "floats", "scale"].map(|part| format!("{found}_{part}"));
    Some(vec![
        Node::new("Gather", [packed.values.name(), rows], [&integers]).with("axis", 0),
        Node::new("Cast", [&integers], [&floats]).with("to", i64::from(FLOAT)),
        Node::new("Gather", [packed.scale.name(), rows], [&scale]).with("axis", 0),
        Node::new("Mul", [&floats, &scale], [found]),
    ])
}
