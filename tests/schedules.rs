//! A source has a schedule that is checked when it is set, is shown everywhere, and outlives the process.

use serde_json::{Value, json};

use crate::harness::lectern::KB;
use crate::harness::{Outcome, Server, Workplace};

const SOURCE: &str = "reading";
/// So seldom that no test meets it.
const NEW_YEAR: &str = "0 0 1 1 *";

fn workplace() -> Workplace {
    let lectern = Workplace::new();
    let mut add = lectern.program();
    add.args(["source", "add", "--create", "--kb", KB, "--name", SOURCE])
        .args(["--schedule", NEW_YEAR])
        .arg(lectern.documents());
    Outcome::of(add).exits(0);
    lectern
}

fn listed(lectern: &Workplace) -> Value {
    let list = lectern.run(["source", "list", "--kb", KB]).exits(0).json();
    list["sources"][0].clone()
}

#[test]
fn a_schedule_is_shown_in_the_table_and_over_http_and_outlives_the_process() {
    let lectern = workplace();
    let next = listed(&lectern)["next_run"].clone();
    let day = next.as_str().unwrap().split('T').next().unwrap().to_owned();
    assert!(day.ends_with("-01-01"), "{next}");
    let table = lectern.type_in(&["source", "list", "--kb", KB]).exits(0).stdout;
    assert!(table.contains("next sync") && table.contains(&day), "{table}");
    let status = lectern
        .type_in(&["source", "status", "--kb", KB, SOURCE])
        .exits(0)
        .stdout;
    assert!(status.contains(&day) && status.contains(NEW_YEAR), "{status}");

    let path = format!("/knowledge-bases/{KB}/sources/{SOURCE}");
    for _ in 0..2 {
        let server = Server::start(&lectern);
        let shown = server.get(&path).is(200).json()["source"].clone();
        assert_eq!((&shown["next_run"], &shown["last_job"]), (&next, &Value::Null));
        server.kill();
    }
}

#[test]
fn a_schedule_is_set_without_the_rest_and_a_wrong_one_is_told() {
    let lectern = workplace();
    let set = |arguments: &[&str]| {
        let mut all = vec!["source", "set", "--kb", KB, SOURCE];
        all.extend(arguments);
        lectern.run(all)
    };
    set(&["--max-deleted", "3"]).exits(0);
    let kept = listed(&lectern)["source"]["settings"].clone();
    assert_eq!(kept["schedule"], NEW_YEAR, "{kept:#}");
    assert_eq!(kept["deletions"]["more_than"], 3, "{kept:#}");
    for (wrong, told) in [
        ("0 25 * * *", "25"),
        ("0 3 * *", "4 fields"),
        ("0 0 31 2 *", "no such day"),
    ] {
        let refused = set(&["--schedule", wrong]).exits(2);
        assert!(refused.stderr.contains(told), "{wrong}: {}", refused.stderr);
    }
    assert_eq!(listed(&lectern)["source"]["settings"], kept);
    set(&["--schedule", "never"]).exits(0);
    let never = listed(&lectern);
    assert_eq!(never["next_run"], json!(null), "{never:#}");
    assert_eq!(never["source"]["settings"]["deletions"], kept["deletions"]);
}
