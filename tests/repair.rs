//! What a lost or damaged file breaks is found by `fsck`, and mended without the source.

use std::path::{Path, PathBuf};

use crate::harness::Workplace;

/// Three documents, taken in, and their folder gone.
fn taken_in() -> Workplace {
    let lectern = Workplace::new();
    lectern.write("bees.md", "# Bees\n\nA worker bee lives about six weeks.\n");
    lectern.write(
        "hives.md",
        "# Hives\n\nThe hive behind the orchard is called Theodora.\n",
    );
    lectern.write("honey.md", "# Honey\n\nThe honey of the heath is called Erica.\n");
    lectern.ingest().exits(0);
    lectern.assert_sound();
    let away = lectern.elsewhere("away");
    std::fs::rename(lectern.documents(), away).unwrap();
    lectern
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn assert_all_found(lectern: &Workplace) {
    assert_eq!(lectern.found("Theodora"), ["hives.md"]);
    for mode in ["vector", "hybrid"] {
        let passages = lectern.search(mode, "How long does a bee live?");
        assert!(
            passages[0]["text"].as_str().unwrap().contains("six weeks"),
            "{mode}: {passages:#?}"
        );
    }
    lectern.assert_sound();
}

#[test]
fn an_index_that_is_lost_is_made_anew() {
    for index in ["words", "vectors"] {
        let lectern = taken_in();
        std::fs::remove_dir_all(lectern.data().join(index)).unwrap();
        let broken = lectern.run(["fsck"]).exits(6).json();
        assert_eq!(broken["clean"], false, "{broken:#}");
        let repaired = lectern.run(["fsck", "--repair"]).exits(0).json();
        assert_eq!(repaired["clean"], true, "{repaired:#}");
        assert_eq!(
            repaired["repairs"][0][format!("{index}_written")],
            3,
            "{repaired:#}"
        );
        assert_eq!(
            repaired["repairs"][0]["waiting_for_vectors"], 0,
            "nothing is embedded again: {repaired:#}"
        );
        assert_all_found(&lectern);
    }
}

#[test]
fn an_index_whose_files_are_damaged_is_made_anew() {
    for index in ["words", "vectors"] {
        let lectern = taken_in();
        for file in files_below(&lectern.data().join(index)) {
            std::fs::write(file, "this is no index").unwrap();
        }
        lectern.type_in(&["fsck"]).exits(6);
        let repaired = lectern.type_in(&["fsck", "--repair"]).exits(0).stdout;
        assert!(
            repaired.contains(&format!("the index of {index} was made anew")),
            "{repaired}"
        );
        assert_all_found(&lectern);
    }
}

#[test]
fn a_stored_text_that_is_damaged_is_named_and_read_again_from_its_source() {
    let lectern = taken_in();
    let texts = files_below(&lectern.data().join("texts"));
    let holds = |text: &&PathBuf| std::fs::read_to_string(text).is_ok_and(|text| text.contains("Theodora"));
    let hives: Vec<&PathBuf> = texts.iter().filter(holds).collect();
    assert_eq!((texts.len(), hives.len()), (3, 1));
    std::fs::write(hives[0], "not what was stored").unwrap();
    lectern.run(["fsck"]).exits(6);

    // Told by its exit code too: something waits for the source.
    let repaired = lectern.run(["fsck", "--repair"]).exits(6).json();
    assert_eq!(repaired["clean"], true, "{repaired:#}");
    let lost = repaired["repairs"][0]["lost_texts"].as_array().unwrap();
    assert_eq!(lost.len(), 1, "{repaired:#}");
    assert!(lost[0].as_str().unwrap().ends_with("hives.md"), "{repaired:#}");
    lectern.run(["fsck"]).exits(0);
    assert_eq!(
        lectern.found("Theodora"),
        [""; 0],
        "what can't be shown isn't found"
    );
    assert_eq!(lectern.found("Erica"), ["honey.md"]);

    std::fs::rename(lectern.elsewhere("away"), lectern.documents()).unwrap();
    lectern.ingest().exits(0);
    assert_all_found(&lectern);
}

#[test]
fn where_nothing_is_wrong_nothing_is_changed() {
    let lectern = taken_in();
    let repaired = lectern.type_in(&["fsck", "--repair"]).exits(0).stdout;
    assert!(
        repaired.contains("nothing to mend") && repaired.contains("clean"),
        "{repaired}"
    );
    assert_all_found(&lectern);
}
