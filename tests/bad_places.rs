//! Disks, data folders and model files in a bad state: the error says which and what to do, and what was there
//! before still is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::harness::lectern::{KB, Outcome, file_names};
use crate::harness::{Server, Workplace, models};

#[test]
fn a_second_process_is_told_which_folder_is_in_use() {
    let lectern = Workplace::new();
    lectern.write("one.md", "The heron stands in the reeds.\n");
    lectern.ingest().exits(0);
    let server = Server::start(&lectern);
    let folder = lectern.data().canonicalize().unwrap();
    let folder = folder.to_str().unwrap();
    lectern.run(["kb", "list"]).fails(5, "data_folder_in_use", folder);
    lectern.ingest().fails(5, "data_folder_in_use", folder);
    lectern
        .run(["serve", "--port", "0"])
        .fails(5, "data_folder_in_use", folder);

    // The first one didn't notice.
    let body = serde_json::json!({ "text": "heron", "mode": "lexical" });
    let found = server
        .post(&format!("/knowledge-bases/{KB}/search"), &body)
        .is(200)
        .json();
    assert_eq!(found["passages"].as_array().unwrap().len(), 1);
    server.kill();
    assert_eq!(lectern.found("heron"), ["one.md"]);
}

#[test]
fn a_flipped_byte_in_a_model_is_found_and_named() {
    let lectern = Workplace::new();
    lectern.write("one.md", "The cooper makes barrels of oak.\n");
    lectern.ingest().exits(0);
    let damaged = lectern.elsewhere("models");
    let file = models::copy_of_embedder(models::EMBEDDER, &damaged);
    let lectern = lectern.using_models(&damaged);
    lectern.run(["models", "verify"]).exits(0);

    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&file, bytes).unwrap();

    let verified = lectern.run(["models", "verify"]).exits(6).json();
    let files = verified["files"].as_array().unwrap();
    let bad: Vec<&str> = files
        .iter()
        .filter(|entry| !entry["file"].to_string().contains("intact"))
        .map(|entry| entry["model"].as_str().unwrap())
        .collect();
    assert_eq!(bad, [models::EMBEDDER], "{verified:#}");
    assert_eq!(verified["intact"], false);

    let named = file.to_str().unwrap();
    lectern
        .run(["search", "--kb", KB, "barrels"])
        .fails(1, "model_corrupt", named);
    lectern.write("two.md", "A second one.\n");
    lectern.ingest().fails(1, "model_corrupt", named);
    // Words are found without a model.
    assert_eq!(lectern.found("barrels"), ["one.md"]);

    // With the right model again, all is as it was, and goes on.
    let lectern = lectern.using_models(models::folder());
    assert_eq!(lectern.ingest().exits(0).counts().new, 1);
    assert_eq!(lectern.search("hybrid", "who makes barrels?").len(), 2);
    lectern.assert_sound();
}

#[test]
fn a_missing_model_is_an_error_with_its_name_and_the_remedy() {
    let lectern = Workplace::new();
    lectern.write("one.md", "The cooper makes barrels of oak.\n");
    let empty = lectern.elsewhere("models");
    let lectern = lectern.using_models(&empty);
    let failed = lectern.ingest().fails(1, "model_missing", models::EMBEDDER);
    assert!(failed.stderr.contains("lectern models pull"), "{}", failed.stderr);
}

#[test]
fn a_knowledge_base_keeps_to_the_embedder_that_it_was_made_with() {
    // As a Lectern made it that knew the float model alone, with a folder of models that has no other.
    let older = Workplace::with_settings(
        "[generation]\nmodel = \"extractive\"\n[models]\nembedder = \"all-minilm-l6-v2\"\n",
    );
    let models = older.elsewhere("models");
    models::copy_of_embedder(models::FLOAT_EMBEDDER, &models);
    let older = older.using_models(&models);
    older.write("one.md", "The cooper makes barrels of oak.\n");
    older.ingest().exits(0);

    // The default is another one now, and what is there goes on: taking in, finding, checking.
    fs::write(
        older.data().join("lectern.toml"),
        "[generation]\nmodel = \"extractive\"\n",
    )
    .unwrap();
    older.write("two.md", "The smith makes nails of iron.\n");
    assert_eq!(older.ingest().exits(0).counts().new, 1);
    let found = file_names(&older.search("vector", "who makes barrels?"));
    assert_eq!(found[0], "one.md");
    older.assert_sound();
    let listed = older.run(["kb", "list"]).exits(0).json();
    assert_eq!(
        listed["knowledge_bases"][0]["embedding_model"],
        models::FLOAT_EMBEDDER
    );

    // A new one gets the default, and is told what is missing for it.
    older
        .run([
            "ingest",
            "--kb",
            "new",
            "--create",
            older.documents().to_str().unwrap(),
        ])
        .fails(1, "model_missing", models::EMBEDDER);
    // It can be made of what is there, without a network.
    older.run(["models", "pull", models::EMBEDDER]).exits(0);
    older
        .run([
            "ingest",
            "--kb",
            "new",
            "--create",
            older.documents().to_str().unwrap(),
        ])
        .exits(0);
    let listed = older.run(["kb", "list"]).exits(0).json();
    let made = listed["knowledge_bases"].as_array().unwrap();
    let new = made.iter().find(|base| base["name"] == "new").unwrap();
    assert_eq!(new["embedding_model"], models::EMBEDDER);
}

#[test]
fn a_knowledge_base_is_made_with_the_embedder_that_is_named() {
    const MULTILINGUAL: &str = "multilingual-e5-small-int8";
    let lectern = Workplace::new();
    lectern
        .run(["kb", "create", KB, "--embedder", "gpt"])
        .fails(2, "embedder_unknown", MULTILINGUAL);
    lectern
        .run(["kb", "create", KB, "--embedder", MULTILINGUAL])
        .exits(0);
    let listed = lectern.run(["kb", "list"]).exits(0).json();
    assert_eq!(listed["knowledge_bases"][0]["embedding_model"], MULTILINGUAL);
    assert_eq!(listed["knowledge_bases"][0]["dimensions"], 384);

    // Its model isn't here: no other makes its vectors, or those of a question.
    let english = lectern.elsewhere("models-in-english");
    models::copy_of_embedder(models::EMBEDDER, &english);
    let lectern = lectern.using_models(&english);
    lectern.write("one.md", "Der Böttcher macht Fässer aus Eiche.\n");
    lectern.ingest().fails(1, "model_missing", MULTILINGUAL);
    lectern
        .run(["search", "--kb", KB, "--mode", "vector", "barrels"])
        .fails(1, "model_missing", MULTILINGUAL);
}

#[test]
fn models_are_taken_from_a_folder_where_nothing_else_can_be_reached() {
    let lectern = Workplace::new();
    let (stick, empty) = (lectern.elsewhere("stick"), lectern.elsewhere("models"));
    models::copy_of_embedder(models::FLOAT_EMBEDDER, &stick);
    let lectern = lectern.using_models(&empty);
    let pull = |from: &Path| {
        let mut command = lectern.program();
        command.args(["--json", "models", "pull", models::EMBEDDER, "onnxruntime"]);
        command.arg("--from").arg(from);
        command
            .env("PIP_NO_INDEX", "1")
            .env("HF_ENDPOINT", "http://127.0.0.1:9");
        Outcome::of(command)
    };
    // The files lie under the name of another model there.
    let failed = pull(&stick).fails(3, "model_file_not_in_folder", "model.onnx");
    let wanted = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6";
    assert!(failed.stderr.contains(wanted) && failed.stderr.contains("--from FOLDER"));
    fs::rename(stick.join(models::FLOAT_EMBEDDER), stick.join(models::EMBEDDER)).unwrap();
    let pulled = pull(&stick).exits(0).json();
    assert_eq!(pulled["fetched"].as_array().unwrap().len(), 2);

    lectern.run(["models", "verify"]).exits(0);
    lectern.write("one.md", "The cooper makes barrels of oak.\n");
    lectern.ingest().exits(0);
    assert_eq!(
        file_names(&lectern.search("vector", "who makes barrels?")),
        ["one.md"]
    );
}

#[test]
fn a_model_that_cannot_be_fetched_can_be_brought() {
    let lectern = Workplace::new();
    let empty = lectern.elsewhere("models");
    let lectern = lectern.using_models(&empty);
    let mut command = lectern.program();
    command.args(["--json", "models", "pull", "multilingual-e5-small-int8"]);
    command.env("HF_ENDPOINT", "http://127.0.0.1:9");
    let failed = Outcome::of(command).fails(1, "hub_failed", "127.0.0.1:9");
    for told in [
        "http://127.0.0.1:9/Xenova/multilingual-e5-small/resolve/761b726dd34fb83930e26aab4e9ac3899aa1fa78/tokenizer.json",
        "onnx/model_quantized.onnx",
        "f80102d3f2a1229f387d3c81909990d8945513e347b0eab049f7de3c6f98c193",
        "118308185 bytes",
        "lectern models pull multilingual-e5-small-int8 --from FOLDER",
    ] {
        assert!(failed.stderr.contains(told), "{told} isn't in {}", failed.stderr);
    }
}

#[test]
fn a_data_folder_that_cannot_be_used_is_named() {
    let lectern = Workplace::new();
    let file = lectern.elsewhere("a-file");
    fs::write(&file, "not a folder").unwrap();
    let file = file.to_str().unwrap();
    lectern
        .run(["kb", "list", "--data", file])
        .fails(2, "data_folder_unusable", file);
    assert_eq!(fs::read_to_string(file).unwrap(), "not a folder");
}

#[test]
fn documents_are_readable_by_their_owner_alone() {
    let lectern = Workplace::new();
    let data = lectern.elsewhere("new-data");
    lectern
        .run(["kb", "create", KB, "--data", data.to_str().unwrap()])
        .exits(0);
    let mode = fs::metadata(data).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "others may read the data folder: {mode:o}");
}
