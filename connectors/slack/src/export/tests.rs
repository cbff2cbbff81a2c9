use std::fs;
use std::io::Write;
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

fn archive(path: &Path, files: &[(&str, &[u8])]) {
    let mut writer = ZipWriter::new(fs::File::create(path).unwrap());
    for (name, content) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap();
}

fn open(path: &Path) -> Result<Export, Error> {
    Export::open(&SlackConfig::new(path.to_owned()))
}

const FILES: [(&str, &[u8]); 8] = [
    ("users.json", b"[]"),
    ("channels.json", b"[]"),
    ("general/2024-03-02.json", b"[2]"),
    ("general/2024-03-01.json", b"[1]"),
    ("general/notes.json", b"[]"),
    ("general/attachments/F1-a.txt", b"one"),
    ("__uploads/F2/b.txt", b"two"),
    ("general/2024-13-01.json", b"[]"),
];

fn looks_right(export: &Export) {
    let root = export.root();
    assert_eq!(
        root.lists.keys().collect::<Vec<_>>(),
        ["channels.json", "users.json"]
    );
    assert_eq!(root.folders, ["general"]);
    assert_eq!(export.read(&root.uploads["F2"], 10).unwrap(), b"two");
    let days = export.days("general").unwrap();
    let names: Vec<&str> = days.files.iter().map(StoredFile::file_name).collect();
    assert_eq!(names, ["2024-03-01.json", "2024-03-02.json"]);
    assert_eq!(export.read(&days.files[1], 3).unwrap(), b"[2]");
    assert_eq!(export.read(&days.files[1], 2).unwrap_err().code, "too_large");
    assert_eq!(export.read(&days.uploads["F1"], 10).unwrap(), b"one");
    for name in ["", "..", "general/..", "/", "nothing"] {
        assert!(export.days(name).unwrap().files.is_empty(), "{name}");
    }
}

#[test]
fn an_archive_and_a_folder_are_the_same_export_also_where_they_are_wrapped() {
    let folder = tempfile::tempdir().unwrap();
    for wrapper in ["", "acme export/"] {
        let names: Vec<String> = FILES.iter().map(|(name, _)| format!("{wrapper}{name}")).collect();
        let mut files: Vec<(&str, &[u8])> = names
            .iter()
            .zip(FILES)
            .map(|(name, (_, content))| (name.as_str(), content))
            .collect();
        if !wrapper.is_empty() {
            files.push(("__MACOSX/acme export/._users.json", b"x"));
        }
        let zip = folder.path().join(format!("{}.zip", wrapper.len()));
        archive(&zip, &files);
        looks_right(&open(&zip).unwrap());
        let unpacked = folder.path().join(wrapper.len().to_string());
        for (name, content) in files {
            let path = unpacked.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        looks_right(&open(&unpacked).unwrap());
    }
}

#[test]
fn names_that_lead_elsewhere_lead_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let zip = folder.path().join("hostile.zip");
    archive(
        &zip,
        &[
            ("users.json", b"[]"),
            ("../../2024-03-01.json", b"[]"),
            ("/etc/2024-03-01.json", b"[]"),
            ("../2024-03-01.json", b"[1]"),
            ("a/../b/2024-03-01.json", b"[]"),
            ("a\\2024-03-01.json", b"[]"),
            ("__uploads/../secret", b"x"),
        ],
    );
    let export = open(&zip).unwrap();
    // A folder of this name is only a name, whose messages belong to no conversation.
    assert_eq!(export.root().folders, [".."]);
    assert!(export.root().uploads.is_empty());

    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("2024-03-01.json"), "[]").unwrap();
    let unpacked = folder.path().join("unpacked");
    fs::create_dir_all(unpacked.join("general")).unwrap();
    fs::write(unpacked.join("users.json"), "[]").unwrap();
    std::os::unix::fs::symlink(outside.path(), unpacked.join("linked")).unwrap();
    let inner = unpacked.join("general/2024-03-02.json");
    std::os::unix::fs::symlink(outside.path().join("2024-03-01.json"), inner).unwrap();
    let export = open(&unpacked).unwrap();
    assert_eq!(export.root().folders, ["general"]);
    assert!(export.days("general").unwrap().files.is_empty());
}

#[test]
fn an_archive_is_held_to_its_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let zip = folder.path().join("bomb.zip");
    let zeros = vec![b' '; 5 << 20];
    archive(
        &zip,
        &[("users.json", b"[]"), ("general/2024-03-01.json", &zeros)],
    );
    assert!(fs::metadata(&zip).unwrap().len() < 100_000);
    let export = open(&zip).unwrap();
    let day = &export.days("general").unwrap().files[0];
    assert_eq!(export.read(day, 1 << 20).unwrap_err().code, "too_large");

    let few = SlackConfig {
        max_entries: 1,
        ..SlackConfig::new(zip.clone())
    };
    assert_eq!(Export::open(&few).unwrap_err().code(), "export_too_large");

    // What an entry declares isn't believed: a single flipped byte costs that entry.
    let mut bytes = fs::read(&zip).unwrap();
    let place = bytes
        .windows(15)
        .position(|name| name == b"2024-03-01.json")
        .unwrap()
        + 40;
    bytes[place] ^= 0xff;
    fs::write(&zip, &bytes).unwrap();
    let export = open(&zip).unwrap();
    let day = &export.days("general").unwrap().files[0];
    assert_eq!(export.read(day, 10 << 20).unwrap_err().code, "file_damaged");

    // The flag of an encrypted entry, in both of its headers.
    archive(&zip, &[("users.json", b"[]")]);
    let mut bytes = fs::read(&zip).unwrap();
    let place = bytes.windows(4).position(|head| head == b"PK\x01\x02").unwrap();
    bytes[6] |= 1;
    bytes[place + 8] |= 1;
    fs::write(&zip, &bytes).unwrap();
    let export = open(&zip).unwrap();
    let users = &export.root().lists["users.json"];
    assert_eq!(export.read(users, 10).unwrap_err().code, "encrypted");

    fs::write(&zip, b"no archive at all").unwrap();
    assert_eq!(open(&zip).unwrap_err().code(), "not_an_export");
    assert_eq!(
        open(&folder.path().join("none")).unwrap_err().code(),
        "path_not_found"
    );
}
