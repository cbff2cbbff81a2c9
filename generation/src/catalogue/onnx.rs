//! Rewriting an embedder in ONNX form so that it computes with the integers that it is packed in.
//!
//! Such a model has weights of 8 bits and a scale for each column, and unpacks them to floats before every
//! product: small on the disk, and as slow as if nothing were packed. What is done here, in this order:
//!
//! 1. [`matmul`]: a product with packed weights becomes one of integers. What comes in is quantised when it
//!    comes, each token by itself ([`rows`]), the product is exact (`MatMulInteger`), and the scales are put in last.
//! 2. [`gather`]: a look-up in a packed table unpacks the rows that it found and not the whole table.
//! 3. [`elementwise`]: two things that change no number but keep the runtime from its fast paths.
//! 4. [`graph::sweep`]: what nobody reads any more goes, and so do remarks that mislead the runtime.
//!
//! Only operators of the ONNX standard are written; the runtime fuses some. For all-MiniLM-L6-v2 and texts of
//! 190 tokens on one core with VNNI, ONNX Runtime 1.31.1: 2.4 times the texts per second at a mean cosine of 0.998
//! to the vectors before; 39 MB for a session where it was 127. With one scale for all tokens it would be 2.8 times
//! at 0.996, and nDCG@10 would lose five times as much. The runtime's own fused attention and
//! normalisation were slower than its plain operators, and its products with weights of 8 bits in blocks
//! (`MatMulNBits`) nearer (0.9998) at half the gain.
//!
//! Bytes are rewritten without a float being computed, so the same file comes out on every machine.

use std::fs;
use std::io::Write;
use std::ops::RangeInclusive;
use std::path::Path;

use crate::error::Error;

mod message;
mod graph;
mod rows;
mod matmul;
mod gather;
mod elementwise;
#[cfg(test)]
mod tests;

use message::Model;

/// The versions of the standard operators that all that is written is right in. From 18 on the axes of a
/// reduction are an input.
const OPERATORS: RangeInclusive<i64> = 11..=17;

/// How the weights of a product of integers are written. The sums are the same to the last bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntegerWeights {
    /// -128 to 127, as they come. The fast one, where it is right.
    Signed,
    /// 0 to 255, with 128 as the zero.
    Unsigned,
}

impl IntegerWeights {
    /// The right one for this processor. One for x86-64 without VNNI adds the products of two unsigned and two
    /// signed bytes in 16 bits, and what doesn't fit is cut off. With unsigned weights there is no such instruction,
    /// and nothing is cut off.
    pub fn for_this_machine() -> Self {
        #[cfg(target_arch = "x86_64")]
        if !std::arch::is_x86_feature_detected!("avx512vnni")
            && !std::arch::is_x86_feature_detected!("avxvnni")
        {
            return Self::Unsigned;
        }
        Self::Signed
    }
}

/// Writes the model at `input` to `output` with its products as integers. Holds the model in memory twice.
///
/// # Errors
/// [`Error::Io`], and [`Error::Onnx`] for a model that isn't of that kind, or that holds something which
/// can't be kept.
pub fn to_integers(input: &Path, output: &Path, weights: IntegerWeights) -> Result<(), Error> {
    let unusable = |reason| Error::Onnx {
        path: input.to_owned(),
        reason,
    };
    let bytes = fs::read(input).map_err(Error::io("read", input))?;
    let mut model = Model::read(&bytes).map_err(unusable)?;
    rewrite(&mut model, weights).map_err(unusable)?;
    let mut file = fs::File::create(output).map_err(Error::io("created", output))?;
    file.write_all(&model.write())
        .and_then(|()| file.sync_all())
        .map_err(Error::io("written", output))
}

/// All steps. The error is the reason.
fn rewrite(model: &mut Model, weights: IntegerWeights) -> Result<(), String> {
    let version = model.operators()?;
    if !OPERATORS.contains(&version) {
        let (first, last) = (OPERATORS.start(), OPERATORS.end());
        return Err(format!(
            "its operators are those of version {version}, and {first} to {last} are known"
        ));
    }
    let graph = model.graph.as_mut().ok_or("it has no graph")?;
    graph::refuse_subgraphs(graph)?;
    if matmul::on_integers(graph, weights) == 0 {
        return Err("it has no product with packed weights of 8 bits".to_owned());
    }
    gather::before_unpacking(graph);
    elementwise::without_guards(graph);
    elementwise::fusible_gelus(graph);
    graph::sweep(graph);
    graph::check(graph)
}
