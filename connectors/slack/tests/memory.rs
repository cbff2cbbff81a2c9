//! A large export is listed in little memory. It is alone in its process, whose memory is looked at.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and tells its figures"
)]

#[path = "workspace/archive.rs"]
mod archive;
#[allow(dead_code, reason = "the other tests use the rest")]
mod workspace;

use std::time::Instant;

use futures::StreamExt;
use lectern_connector_slack::{SlackConfig, SlackConnector};
use lectern_domain::ports::Connector;

use workspace::{LARGE, Workspace};

const SEED: u64 = 20_261_121;
/// Of 100,000 messages; a lost bound would take as much as the export.
const MOST_MIB: u64 = 200;

/// A figure of this process, in KiB.
fn status_kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_large_export_is_listed_in_little_memory() {
    println!("seed {SEED}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.zip");
    archive::write(&Workspace::generate(SEED, LARGE), &path);
    // From here on the most that was taken at a time is counted anew (proc(5)).
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status_kib("VmRSS:");

    let start = Instant::now();
    let connector = SlackConnector::new(SlackConfig::new(path)).unwrap();
    let mut events = 0_u64;
    let mut listing = connector.list(None);
    while let Some(event) = listing.next().await {
        event.unwrap();
        events += 1;
    }
    let took = start.elapsed();
    let grown_mib = status_kib("VmHWM:").saturating_sub(before) / 1024;
    let account = connector.account().unwrap();
    println!("{events} events in {took:?}, {grown_mib} MiB more at the most: {account:?}");
    assert!(account.adds_up() && account.messages == LARGE.messages as u64);
    assert!(grown_mib < MOST_MIB, "{grown_mib} MiB");
}
