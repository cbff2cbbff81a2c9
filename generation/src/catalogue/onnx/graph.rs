//! Finding one's way in a graph: who makes a value, who reads it, and what becomes of the values that nobody
//! reads.

use std::collections::{HashMap, HashSet};

use super::message::{FLOAT, Graph, INT8, Node, Tensor};

/// Weights of 8 bits with their scales, which are unpacked to floats by a cast and a multiplication.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed<'g> {
    /// The integers, in two dimensions.
    pub values: &'g Tensor,
    /// The scales, as floats.
    pub scale: &'g Tensor,
}

/// Who makes and who reads each value of a graph.
pub(super) struct Index<'g> {
    makers: HashMap<&'g str, &'g Node>,
    readers: HashMap<&'g str, Vec<usize>>,
    tensors: HashMap<&'g str, &'g Tensor>,
}

impl<'g> Index<'g> {
    pub fn of(graph: &'g Graph) -> Self {
        let mut readers: HashMap<&str, Vec<usize>> = HashMap::new();
        for (number, node) in graph.node.iter().enumerate() {
            for name in &node.input {
                readers.entry(name).or_default().push(number);
            }
        }
        let makers = graph
            .node
            .iter()
            .flat_map(|node| node.output.iter().map(move |name| (name.as_str(), node)));
        let tensors = graph.initializer.iter().map(|tensor| (tensor.name(), tensor));
        Self {
            makers: makers.collect(),
            readers,
            tensors: tensors.collect(),
        }
    }

    /// The node that makes `name`, if it is that operator with as many inputs.
    pub fn made_by(&self, name: &str, operator: &str, inputs: usize) -> Option<&'g Node> {
        self.makers
            .get(name)
            .copied()
            .filter(|node| node.is(operator, inputs))
    }

    /// The constant called `name`.
    pub fn tensor(&self, name: &str) -> Option<&'g Tensor> {
        self.tensors.get(name).copied()
    }

    /// The numbers of the nodes that read `name`.
    pub fn readers(&self, name: &str) -> &[usize] {
        self.readers.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The packed weights that are unpacked to `name`.
    pub fn packed(&self, name: &str) -> Option<Packed<'g>> {
        let unpack = self.made_by(name, "Mul", 2)?;
        let [floats, scale] = unpack.input.as_slice() else {
            return None;
        };
        let cast = self.made_by(floats, "Cast", 1)?;
        let values = self.tensor(cast.input.first()?)?;
        let scale = self.tensor(scale)?;
        let length: i64 = values.dims.iter().product();
        let is_whole = values.raw_data.as_ref().map(Vec::len) == usize::try_from(length).ok();
        let is_packed = cast.whole("to") == Some(i64::from(FLOAT))
            && values.data_type == Some(INT8)
            && values.dims.len() == 2
            && is_whole
            && scale.data_type == Some(FLOAT);
        is_packed.then_some(Packed { values, scale })
    }
}

/// Puts other nodes in the place of some.
pub(super) fn replace(graph: &mut Graph, mut others: HashMap<usize, Vec<Node>>) {
    let nodes = std::mem::take(&mut graph.node);
    graph.node = nodes
        .into_iter()
        .enumerate()
        .flat_map(|(number, node)| others.remove(&number).unwrap_or_else(|| vec![node]))
        .collect();
}

/// Refuses a graph with graphs in it: who reads what can't be seen from outside of those.
pub(super) fn refuse_subgraphs(graph: &Graph) -> Result<(), String> {
    match graph.node.iter().find(|node| node.has_subgraph()) {
        Some(node) => Err(format!(
            "its node {:?} has a graph of its own",
            node.name.as_deref().unwrap_or_default()
        )),
        None => Ok(()),
    }
}

/// Takes out the nodes and constants that nobody reads any more, and what is said of the values in between: the
/// runtime works it out by itself. Where the file says it too, the runtime fuses every sum with the normalisation
/// behind it, into an operator that takes five times as long (ONNX Runtime 1.31.1).
pub(super) fn sweep(graph: &mut Graph) {
    loop {
        let read = names_read(graph);
        let before = graph.node.len();
        graph
            .node
            .retain(|node| node.output.iter().any(|name| read.contains(name)));
        if graph.node.len() == before {
            graph.initializer.retain(|tensor| read.contains(tensor.name()));
            break;
        }
    }
    graph.value_info.clear();
}

fn names_read(graph: &Graph) -> HashSet<String> {
    graph
        .node
        .iter()
        .flat_map(|node| node.input.iter().cloned())
        .chain(graph.output.iter().filter_map(|value| value.name.clone()))
        .collect()
}

/// Makes sure that every value is made once, and before it is read.
pub(super) fn check(graph: &Graph) -> Result<(), String> {
    let given = graph.input.iter().filter_map(|value| value.name.as_deref());
    let mut made: HashSet<&str> = given.collect();
    for tensor in &graph.initializer {
        made.insert(tensor.name());
    }
    for node in &graph.node {
        // An empty name stands for an input that is left out.
        if let Some(name) = node
            .input
            .iter()
            .find(|name| !name.is_empty() && !made.contains(name.as_str()))
        {
            return Err(format!("its value {name:?} would be read before it is made"));
        }
        for name in &node.output {
            if !name.is_empty() && !made.insert(name) {
                return Err(format!("its value {name:?} would be made twice"));
            }
        }
    }
    let mut outputs = graph.output.iter().filter_map(|value| value.name.as_deref());
    match outputs.find(|name| !made.contains(name)) {
        Some(name) => Err(format!("its output {name:?} would not be made")),
        None => Ok(()),
    }
}
