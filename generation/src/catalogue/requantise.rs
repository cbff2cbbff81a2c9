//! Rewriting a GGUF model so that the engine is fast with it.
//!
//! The engine's CPU kernels know `Q4_0`, `Q8_0` and `Q2_K` to `Q6_K`; the rest goes through plain loops. Each
//! tensor of such a type is dequantised and quantised again as `Q8_0`, which holds 8 bits where there
//! were 4 or 5, so nothing is lost that matters. The other tensors and all the metadata stay.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use candle_core::Device;
use candle_core::quantized::gguf_file::{self, Content, Value};
use candle_core::quantized::{GgmlDType, QTensor};

use crate::error::Error;

/// `general.file_type` of a model that is mostly `Q8_0`, in the GGUF specification.
const FILE_TYPE_MOSTLY_Q8_0: u32 = 7;

/// Writes the model at `input` to `output` with its slow tensors as `Q8_0`. Holds the model in memory:
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

#[cfg(test)]
mod tests {
    use candle_core::Tensor;

    use super::*;

    #[test]
    fn slow_tensors_become_q8_0_and_everything_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let [input, output, again] = ["in", "out", "again"].map(|name| folder.path().join(name));
        let values = Tensor::arange(0_f32, 128.0, &Device::Cpu)
            .unwrap()
            .reshape((2, 64))
            .unwrap();
        let slow = QTensor::quantize(&values, GgmlDType::Q4_1).unwrap();
        let plain = QTensor::quantize(&values, GgmlDType::F32).unwrap();
        let (name, tokens) = (
            Value::String("tiny".to_owned()),
            Value::Array(vec![Value::String("a".to_owned())]),
        );
        let metadata = [("general.name", &name), ("tokenizer.ggml.tokens", &tokens)];
        let mut file = File::create(&input).unwrap();
        gguf_file::write(&mut file, &metadata, &[("slow", &slow), ("plain", &plain)]).unwrap();

        to_q8_0(&input, &output).unwrap();
        let mut reader = File::open(&output).unwrap();
        let content = Content::read(&mut reader).unwrap();
        assert_eq!(content.metadata["general.name"].to_string().unwrap(), "tiny");
        assert_eq!(
            content.metadata["tokenizer.ggml.tokens"].to_vec().unwrap().len(),
            1
        );
        assert_eq!(content.tensor_infos["slow"].ggml_dtype, GgmlDType::Q8_0);
        assert_eq!(content.tensor_infos["plain"].ggml_dtype, GgmlDType::F32);
        let rewritten = content
            .tensor(&mut reader, "slow", &Device::Cpu)
            .unwrap()
            .dequantize(&Device::Cpu)
            .unwrap();
        let before = slow.dequantize(&Device::Cpu).unwrap();
        let distance = (rewritten - before)
            .unwrap()
            .abs()
            .unwrap()
            .max_all()
            .unwrap()
            .to_scalar::<f32>()
            .unwrap();
        assert!(distance < 1.0, "{distance}");

        to_q8_0(&input, &again).unwrap();
        assert_eq!(std::fs::read(&output).unwrap(), std::fs::read(&again).unwrap());
    }
}
