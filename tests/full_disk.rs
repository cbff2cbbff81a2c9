//! A disk that is full: reading goes on, writing says so, nothing is lost, and with room again all is taken in.
//!
//! The disk is a small file system in memory that only the test's own processes see (a mount namespace), so
//! this needs the superuser; elsewhere it is skipped, visibly.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::lectern::file_names;
use crate::harness::{Outcome, Workplace, is_superuser, skipped};

/// Fills the disk under a data folder, runs into it, makes room and goes on. Each step leaves its exit code
/// and what it printed.
const STEPS: &str = r#"
program=$1 data=$2 documents=$3 later=$4 outcomes=$5
mount -t tmpfs -o size=400m,mode=700 none "$data" || exit 1
printf '[generation]\nmodel = "extractive"\n' >"$data/lectern.toml"
step() {
    "$program" --json "${@:2}" >"$outcomes/$1.stdout" 2>"$outcomes/$1.stderr"
    echo $? >"$outcomes/$1.code"
}
step before ingest --kb notes --create "$documents"
cp -r "$later/." "$documents"
df --output=used,avail -k "$data" >"$outcomes/space"
dd if=/dev/zero of="$data/filler" bs=4k 2>"$outcomes/filled"
step full ingest --kb notes "$documents"
step found-on-full-disk search --kb notes --mode lexical samphire
rm "$data/filler"
step found-after search --kb notes --mode lexical samphire
step after ingest --kb notes "$documents"
step parcels search --kb notes --mode lexical --top 1000 parcel
step fsck fsck
"#;

/// How many documents come while the disk is full.
const LATER: usize = 60;

struct Step {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Step {
    fn read(outcomes: &Path, name: &str) -> Self {
        let part = |end: &str| fs::read_to_string(outcomes.join(format!("{name}.{end}"))).unwrap();
        let code = part("code").trim().parse().unwrap();
        let step = Self { code, stdout: part("stdout"), stderr: part("stderr") };
        println!("{name}: {code}\n{}\n{}", step.stdout, step.stderr);
        step
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }

    fn files(&self) -> Vec<String> {
        assert_eq!(self.code, 0, "{}", self.stderr);
        file_names(self.json()["passages"].as_array().unwrap())
    }
}

#[test]
fn a_full_disk_loses_nothing_and_is_got_over() {
    if !can_mount() {
        return skipped("only the superuser can mount a small disk in a namespace of its own");
    }
    let lectern = Workplace::new();
    lectern.write("before.md", "The recipe wants samphire and butter.\n");
    let (later, outcomes) = (lectern.elsewhere("later"), lectern.elsewhere("outcomes"));
    fs::create_dir(&later).unwrap();
    fs::create_dir(&outcomes).unwrap();
    for number in 0..LATER {
        let text = format!("# Number {number}\n\nThe parcel {number} stands in the yard.\n");
        fs::write(later.join(format!("{number}.md")), text).unwrap();
    }
    let mut command = lectern.wrapped(&["unshare", "--mount", "--", "bash", "-c", STEPS, "bash"]);
    command.args([lectern.data(), lectern.documents(), later, outcomes.clone()]);
    Outcome::of(command).exits(0);

    let step = |name: &str| Step::read(&outcomes, name);
    assert_eq!(step("before").code, 0);
    let full = step("full");
    assert_eq!(full.code, 1, "{}", full.stderr);
    let told = format!("{}{}", full.stdout, full.stderr);
    assert!(told.contains("disk_full") || told.contains("data_folder_unusable"), "{told}");
    assert_eq!(step("found-on-full-disk").files(), ["before.md"]);
    assert_eq!(step("found-after").files(), ["before.md"]);

    let after = step("after");
    assert_eq!(after.code, 0, "{}", after.stderr);
    let counts = after.json()["job"]["counts"].clone();
    let count = |name: &str| counts[name].as_u64().unwrap();
    assert_eq!(count("new") + count("unchanged"), LATER as u64 + 1, "{counts}");
    assert_eq!(step("parcels").files().len(), LATER);
    assert_eq!(step("fsck").json()["clean"], true);
}

fn can_mount() -> bool {
    let tried = std::process::Command::new("unshare").args(["--mount", "--", "true"]).status();
    is_superuser() && tried.is_ok_and(|status| status.success())
}
