//! The smallest cross-encoder: its logit is the highest number of a token of question and passage.
//!
//! The model is written down as the messages of the ONNX format (fields as in `onnx.proto`), the vocabulary has
//! three words, `poor`, `fair` and `good`, whose numbers are higher the better they are.

use std::path::Path;

use lectern_retrieval::RerankerFiles;
use serde_json::json;

const FLOAT: u64 = 1;
const INT64: u64 = 7;

/// Writes the five files into `folder`.
pub fn write(folder: &Path, onnx_runtime: &Path) -> RerankerFiles {
    let text = |name: &str, value: serde_json::Value| {
        let path = folder.join(name);
        std::fs::write(&path, value.to_string()).unwrap();
        path
    };
    let model = folder.join("model.onnx");
    std::fs::write(&model, highest_token()).unwrap();
    RerankerFiles {
        model,
        tokenizer: text("tokenizer.json", tokenizer()),
        config: text("config.json", json!({ "pad_token_id": 0 })),
        special_tokens_map: text("special_tokens_map.json", json!({})),
        tokenizer_config: text(
            "tokenizer_config.json",
            json!({ "model_max_length": 512, "pad_token": "[PAD]" }),
        ),
        onnx_runtime: onnx_runtime.to_owned(),
    }
}

fn tokenizer() -> serde_json::Value {
    let sequence = |id: &str, type_id: u32| json!({ "Sequence": { "id": id, "type_id": type_id } });
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [],
        "normalizer": { "type": "Lowercase" },
        "pre_tokenizer": { "type": "Whitespace" },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [sequence("A", 0)],
            "pair": [sequence("A", 0), sequence("B", 1)],
            "special_tokens": {},
        },
        "decoder": null,
        "model": {
            "type": "WordLevel",
            "vocab": { "[PAD]": 0, "[UNK]": 1, "poor": 2, "fair": 3, "good": 4 },
            "unk_token": "[UNK]",
        },
    })
}

/// `logits = ReduceMax(Cast(input_ids, float), axis 1)`.
fn highest_token() -> Vec<u8> {
    let to_float = [text(1, "to"), number(3, FLOAT), number(20, 2)].concat();
    let over_tokens = [text(1, "axes"), number(8, 1), number(20, 7)].concat();
    let graph = [
        message(1, &node("Cast", "input_ids", "numbers", &to_float)),
        message(1, &node("ReduceMax", "numbers", "logits", &over_tokens)),
        text(2, "highest_token"),
        message(
            11,
            &value("input_ids", INT64, &[dimension("batch"), dimension("tokens")]),
        ),
        message(
            11,
            &value(
                "attention_mask",
                INT64,
                &[dimension("batch"), dimension("tokens")],
            ),
        ),
        message(12, &value("logits", FLOAT, &[dimension("batch"), number(1, 1)])),
    ];
    let operators = message(8, &number(2, 13));
    [number(1, 8), operators, message(7, &graph.concat())].concat()
}

fn node(operator: &str, input: &str, output: &str, attribute: &[u8]) -> Vec<u8> {
    [
        text(1, input),
        text(2, output),
        text(4, operator),
        message(5, attribute),
    ]
    .concat()
}

fn value(name: &str, kind: u64, dimensions: &[Vec<u8>]) -> Vec<u8> {
    let shape: Vec<u8> = dimensions
        .iter()
        .flat_map(|dimension| message(1, dimension))
        .collect();
    let tensor = [number(1, kind), message(2, &shape)].concat();
    [text(1, name), message(2, &message(1, &tensor))].concat()
}

fn dimension(name: &str) -> Vec<u8> {
    text(2, name)
}

/// A field with a number.
fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

/// A field with a text.
fn text(field: u64, value: &str) -> Vec<u8> {
    message(field, value.as_bytes())
}

/// A field with a message.
fn message(field: u64, value: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
