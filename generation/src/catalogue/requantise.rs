//! Rewriting a GGUF model so that the engine is fast with it.
//!
//! The engine's CPU kernels know Q4_0, Q8_0 and Q2_K to Q6_K; the rest goes through plain loops. Each
//! tensor of such a type is dequantised and quantised again as Q8_0, which holds 8 bits where there
//! were 4 or 5, so nothing is lost that matters. The other tensors and all the metadata stay.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use candle_core::Device;
use candle_core::quantized::gguf_file::{self, Content, Value};
use candle_core::quantized::{GgmlDType, QTensor};

use crate::error::Error;

/// `general.file_type` of a model that is mostly Q8_0, in the GGUF specification.
const FILE_TYPE_MOSTLY_Q8_0: u32 = 7;

/// Writes the model at `input` to `output` with its slow tensors as Q8_0. Holds the model in memory:
/// meant for small ones.
///
/// # Errors
/// [`Error::Gguf`], [`Error::Io`].
pub fn to_q8_0(input: &Path, output: &Path) -> Result<(), Error> {
    let unreadable = |action| {
        move |source: candle_core::Error| Error::Gguf {
            action,
            path: input.to_owned(),
            source: Box::new(source),
        }
    };
    let mut reader = BufReader::new(File::open(input).map_err(Error::io("opened", input))?);
    let content = Content::read(&mut reader).map_err(unreadable("read"))?;
    let tensors = requantised(&content, &mut reader).map_err(unreadable("requantised"))?;
    let metadata = metadata_of(&content);

    let mut writer = BufWriter::new(File::create(output).map_err(Error::io("created", output))?);
    let metadata: Vec<_> = metadata
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(name, tensor)| (name.as_str(), tensor))
        .collect();
    gguf_file::write(&mut writer, &metadata, &tensors).map_err(|source| Error::Gguf {
        action: "written",
        path: output.to_owned(),
        source: Box::new(source),
    })?;
    writer.flush().map_err(Error::io("written", output))?;
    writer.get_ref().sync_all().map_err(Error::io("written", output))
}

fn requantised(
    content: &Content,
    reader: &mut BufReader<File>,
) -> candle_core::Result<Vec<(String, QTensor)>> {
    let mut names: Vec<&String> = content.tensor_infos.keys().collect();
    // The order in a hash table is another one each time; the same input must give the same file.
    names.sort();
    let mut tensors = Vec::with_capacity(names.len());
    for name in names {
        let tensor = content.tensor(reader, name, &Device::Cpu)?;
        let tensor = match tensor.dtype() {
            GgmlDType::Q4_1 | GgmlDType::Q5_0 | GgmlDType::Q5_1 | GgmlDType::Q8_1 => {
                QTensor::quantize(&tensor.dequantize(&Device::Cpu)?, GgmlDType::Q8_0)?
            }
            _ => tensor,
        };
        tensors.push((name.clone(), tensor));
    }
    Ok(tensors)
}

fn metadata_of(content: &Content) -> Vec<(String, Value)> {
    let mut metadata: Vec<_> = content
        .metadata
        .iter()
        .map(|(name, value)| match name.as_str() {
            "general.file_type" => (name.clone(), Value::U32(FILE_TYPE_MOSTLY_Q8_0)),
            _ => (name.clone(), value.clone()),
        })
        .collect();
    metadata.sort_by(|(one, _), (other, _)| one.cmp(other));
    metadata
}
