//! Two shapes of element-by-element work that exporters write and that cost time for nothing.

use std::collections::HashMap;

use super::graph::{Index, replace};
use super::message::{Graph, Node};

/// Takes out the guard behind a softmax, `Where(IsNaN(s), 0, s)`: two passes over a matrix of tokens by tokens
/// for each head. Only a row in which every token is masked has no sum, and a text has at least the two tokens
/// that stand around it.
pub(super) fn without_guards(graph: &mut Graph) {
    let index = Index::of(graph);
    let guarded: HashMap<String, String> = graph
        .node
        .iter()
        .filter_map(|node| guard(&index, node))
        .map(|(guarded, softmax)| (guarded.to_owned(), softmax.to_owned()))
        .collect();
    for name in graph.node.iter_mut().flat_map(|node| &mut node.input) {
        if let Some(softmax) = guarded.get(name) {
            name.clone_from(softmax);
        }
    }
}

/// What a guard makes, and the softmax that it guards.
fn guard<'g>(index: &Index<'g>, node: &'g Node) -> Option<(&'g str, &'g str)> {
    let ([is_nan, _, otherwise], [guarded]) = (node.input.as_slice(), node.output.as_slice()) else {
        return None;
    };
    let test = index
        .made_by(is_nan, "IsNaN", 1)
        .filter(|_| node.is("Where", 3))?;
    let softmax = index.made_by(otherwise, "Softmax", 1)?;
    (test.input == softmax.output).then_some((guarded, otherwise))
}

/// Writes `x * (half * (1 + erf(x / root)))` as `(x * (1 + erf(x / root))) * half`, which the runtime knows as the
/// GELU and computes in one pass.
pub(super) fn fusible_gelus(graph: &mut Graph) {
    let index = Index::of(graph);
    let mut rewritten: HashMap<usize, Vec<Node>> = HashMap::new();
    for (number, node) in graph.node.iter().enumerate() {
        let Some(inner) = halved(&index, node, number) else {
            continue;
        };
        let ([x, inner_name], [half, sum], [gelu]) = (
            node.input.as_slice(),
            inner.input.as_slice(),
            node.output.as_slice(),
        ) else {
            continue;
        };
        // What was the inner product is made here, where it is read, and nowhere else.
        rewritten.insert(
            number,
            vec![
                Node::new("Mul", [x, sum], [inner_name]),
                Node::new("Mul", [inner_name, half], [gelu]),
            ],
        );
    }
    let replaced: Vec<String> = rewritten
        .values()
        .filter_map(|nodes| nodes.first()?.output.first().cloned())
        .collect();
    for (number, node) in graph.node.iter().enumerate() {
        let is_inner = node.output.iter().any(|name| replaced.contains(name));
        if is_inner && !rewritten.contains_key(&number) {
            rewritten.insert(number, Vec::new());
        }
    }
    replace(graph, rewritten);
}

/// The inner product of a GELU, where `node` is the outer one and its only reader.
fn halved<'g>(index: &Index<'g>, node: &'g Node, number: usize) -> Option<&'g Node> {
    let [x, inner_name] = node.input.as_slice() else {
        return None;
    };
    let inner = index
        .made_by(inner_name, "Mul", 2)
        .filter(|_| node.is("Mul", 2) && index.readers(inner_name) == [number])?;
    let [half, sum] = inner.input.as_slice() else {
        return None;
    };
    index.tensor(half).filter(|half| half.dims.is_empty())?;
    let sum = index.made_by(sum, "Add", 2)?;
    let erf = sum.input.iter().find_map(|name| index.made_by(name, "Erf", 1))?;
    let quotient = index.made_by(erf.input.first()?, "Div", 2)?;
    (quotient.input.first() == Some(x)).then_some(inner)
}
