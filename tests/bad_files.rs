//! Files that can't be read. Each is told with its name, a stable code and a reason; its neighbours are taken
//! in, and what was found before still is.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use crate::harness::lectern::Counts;
use crate::harness::pdf::Pdf;
use crate::harness::{Outcome, Workplace, is_superuser, skipped};

/// A place where something is found already, and stays to be found.
fn with_neighbour(settings: &str) -> Workplace {
    let lectern = Workplace::with_settings(settings);
    lectern.write(
        "before.md",
        "# Before\n\nThe lighthouse keeper is called Wenzeslaus.\n",
    );
    lectern.ingest().exits(0);
    lectern.write(
        "neighbour.md",
        "# Neighbour\n\nThe orrery was mended by Philippa.\n",
    );
    lectern
}

/// Both neighbours are found, and nothing is amiss.
#[track_caller]
fn assert_neighbours_unharmed(lectern: &Workplace) {
    assert_eq!(lectern.found("Wenzeslaus"), ["before.md"]);
    assert_eq!(lectern.found("Philippa"), ["neighbour.md"]);
    lectern.assert_sound();
}

#[test]
fn an_empty_file_is_skipped() {
    let lectern = with_neighbour("");
    lectern.write("empty.md", "");
    lectern.write("blank.txt", " \n\t\n\n");
    let ingestion = lectern.ingest().exits(0);
    assert_eq!(
        ingestion.counts(),
        Counts {
            new: 1,
            unchanged: 1,
            skipped: 2,
            ..Counts::default()
        }
    );
    for key in ["empty.md", "blank.txt"] {
        let (code, reason) = ingestion.problem(key);
        assert_eq!(code, "empty_file");
        assert!(reason.contains("empty"), "{reason}");
    }
    assert_neighbours_unharmed(&lectern);
}

#[test]
fn a_file_over_the_limit_is_skipped_without_being_read() {
    let lectern = with_neighbour("[ingestion]\nmax_file_mib = 1\n");
    lectern.write("long.txt", "a line that says little\n".repeat(60_000));
    let ingestion = lectern.ingest().exits(0);
    assert_eq!(
        ingestion.counts(),
        Counts {
            new: 1,
            unchanged: 1,
            skipped: 1,
            ..Counts::default()
        }
    );
    let (code, reason) = ingestion.problem("long.txt");
    assert_eq!(code, "too_large");
    assert!(
        reason.contains("1440000") && reason.contains("1048576"),
        "{reason}"
    );
    assert_neighbours_unharmed(&lectern);
}

#[test]
fn a_file_of_100_megabytes_is_skipped_by_the_default_limit() {
    let lectern = with_neighbour("");
    let huge = File::create(lectern.documents().join("huge.md")).unwrap();
    huge.set_len(100 * 1024 * 1024).unwrap();
    let ingestion = lectern.ingest().exits(0);
    assert_eq!(ingestion.problem("huge.md").0, "too_large");
    assert_neighbours_unharmed(&lectern);
}

#[test]
fn pdfs_that_cannot_be_read_fail_each_for_its_reason() {
    let lectern = with_neighbour("");
    let good = Pdf::page("The ferry leaves from quay seventeen at dawn, and comes back in the evening.");
    let bytes = good.bytes();
    lectern.write("good.pdf", &bytes);
    lectern.write("encrypted.pdf", good.encrypted().bytes());
    lectern.write("truncated.pdf", &bytes[..bytes.len() / 3]);
    lectern.write("scanned.pdf", Pdf::with_content(b"0 0 612 792 re f", "").bytes());
    lectern.write("named.pdf", [0, 1, 2, 255, 254, 253, 0, 0].repeat(100));
    let ingestion = lectern.ingest().exits(4);
    assert_eq!(
        ingestion.counts(),
        Counts {
            new: 2,
            unchanged: 1,
            failed: 4,
            ..Counts::default()
        }
    );
    for (key, code, words) in [
        ("encrypted.pdf", "pdf_encrypted", "password"),
        ("truncated.pdf", "pdf_damaged", "truncated"),
        ("scanned.pdf", "no_text_layer", "1 page"),
        ("named.pdf", "pdf_damaged", "PDF"),
    ] {
        let (found, reason) = ingestion.problem(key);
        assert_eq!(found, code, "{key}: {reason}");
        assert!(reason.contains(words), "{key}: {reason}");
        assert!(reason.contains(key), "the reason doesn't name {key}: {reason}");
    }
    assert_eq!(lectern.found("quay seventeen"), ["good.pdf"]);
    assert_neighbours_unharmed(&lectern);
}

#[test]
fn rubbish_with_a_good_name_fails() {
    let lectern = with_neighbour("");
    let rubbish: Vec<u8> = (0..4096_u32)
        .map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    lectern.write("rubbish.md", rubbish);
    let ingestion = lectern.ingest().exits(4);
    assert_eq!(
        ingestion.counts(),
        Counts {
            new: 1,
            unchanged: 1,
            failed: 1,
            ..Counts::default()
        }
    );
    let (code, reason) = ingestion.problem("rubbish.md");
    assert_eq!(code, "not_text");
    assert!(reason.contains("not text"), "{reason}");
    assert_neighbours_unharmed(&lectern);
}

#[test]
fn a_folder_without_permission_is_told_and_its_documents_stay() {
    let lectern = with_neighbour("");
    lectern.write(
        "locked/inside.md",
        "# Inside\n\nThe ledger of the guild is bound in vellum.\n",
    );
    lectern.ingest().exits(0);
    assert_eq!(lectern.found("vellum"), ["inside.md"]);

    let locked = Locked::new(lectern.documents().join("locked"));
    let mut command = lectern.wrapped(without_privileges());
    command
        .args(["--json", "ingest", "--kb", "notes"])
        .arg(lectern.documents());
    let ingestion = Outcome::of(command).exits(4);
    assert_eq!(
        ingestion.counts(),
        Counts {
            unchanged: 2,
            failed: 1,
            ..Counts::default()
        }
    );
    let (code, reason) = ingestion.problem("locked/");
    assert_eq!(code, "permission_denied");
    assert!(reason.contains("folder"), "{reason}");
    drop(locked);
    // What can't be looked at isn't gone.
    assert_eq!(lectern.found("vellum"), ["inside.md"]);
    assert_neighbours_unharmed(&lectern);
}

/// What takes the superuser's right to read everything from a program; nothing where there is none to take.
fn without_privileges() -> &'static [&'static str] {
    if !is_superuser() {
        return &[];
    }
    &["setpriv", "--bounding-set=-all", "--"]
}

/// A folder that nobody may look into, until the value goes.
struct Locked(std::path::PathBuf);

impl Locked {
    fn new(path: std::path::PathBuf) -> Self {
        let locked = Self(path);
        locked.set(0o000);
        locked
    }

    fn set(&self, mode: u32) {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&self.0, permissions).unwrap();
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.set(0o755);
    }
}

#[test]
fn links_that_leave_or_turn_in_a_circle_are_not_followed() {
    let lectern = with_neighbour("");
    let outside = lectern.elsewhere("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret.md"), "The combination is xylophone.\n").unwrap();
    symlink(
        outside.join("secret.md"),
        lectern.documents().join("file-link.md"),
    )
    .unwrap();
    symlink(&outside, lectern.documents().join("folder-link")).unwrap();
    symlink(lectern.documents(), lectern.documents().join("circle")).unwrap();
    symlink("nothing-there", lectern.documents().join("dangling.md")).unwrap();
    let ingestion = lectern.ingest().exits(0);
    assert_eq!(
        ingestion.counts(),
        Counts {
            new: 1,
            unchanged: 1,
            skipped: 4,
            ..Counts::default()
        }
    );
    for key in ["file-link.md", "folder-link", "circle", "dangling.md"] {
        assert_eq!(ingestion.problem(key).0, "link_not_followed");
    }
    assert_eq!(lectern.found("xylophone"), [""; 0]);
    assert_neighbours_unharmed(&lectern);
}

#[test]
fn a_name_that_is_no_utf8_keeps_its_bytes() {
    let lectern = with_neighbour("");
    let name = OsStr::from_bytes(b"caf\xe9 100%.md");
    if File::create(lectern.documents().join(name)).is_err() {
        return skipped("this file system takes no names but UTF-8");
    }
    lectern.write(name, "# Coffee\n\nThe samovar is polished on Thursdays.\n");
    let ingestion = lectern.ingest().exits(0);
    assert_eq!(
        ingestion.counts(),
        Counts {
            new: 2,
            unchanged: 1,
            ..Counts::default()
        }
    );
    assert_eq!(lectern.found("samovar"), ["caf%E9%20100%25.md"]);
    // The same name is the same document.
    assert_eq!(
        lectern.ingest().exits(0).counts(),
        Counts {
            unchanged: 3,
            ..Counts::default()
        }
    );
    assert_neighbours_unharmed(&lectern);
}
