//! What goes on while others write, erase, or have the file rewritten.

use super::*;

/// Nobody has to wait so long for what doesn't wait.
const HANGS_AFTER: Duration = Duration::from_secs(60);

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANGS_AFTER, work)
        .await
        .expect("it waits for others")
}

async fn with_one_search(folder: &TempDir) -> Analytics {
    let analytics = kept(folder);
    analytics.pending.add(note("Parking", "ada", 1), time(0, 0));
    analytics.write_pending().await;
    analytics
}

#[tokio::test]
async fn who_types_waits_for_nobody_who_writes() {
    let folder = tempfile::tempdir().unwrap();
    let analytics = with_one_search(&folder).await;
    analytics.pending.add(note("Parasols", "ada", 1), time(0, 1));
    let turn = analytics.turn.wait().await;
    let change = analytics.store().await.unwrap().begin().await.unwrap();
    let asked = within(analytics.asked_before(BASE, "ada", "par", 9)).await;
    assert_eq!(asked.unwrap(), ["Parking"], "what is written so far");
    drop((change, turn));

    analytics.write_pending().await;
    let asked = analytics.asked_before(BASE, "ada", "par", 9).await.unwrap();
    assert_eq!(asked, ["Parasols", "Parking"]);
}

#[tokio::test]
async fn a_report_is_made_while_the_file_is_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(&folder).await;
    let analytics = with_one_search(&folder).await;
    analytics.pending.add(note("Parasols", "ada", 1), time(0, 1));
    let request = request(1, 1);
    let turn = analytics.turn.wait().await;
    let rewriting = analytics.turn.rewriting();
    let report = within(analytics.report(&ledger, BASE, &request)).await;
    assert_eq!(report.unwrap().total.searches, 1, "what is written so far");
    drop(rewriting);
    drop(turn);

    let report = analytics.report(&ledger, BASE, &request).await.unwrap();
    assert_eq!(report.total.searches, 2);
}

/// Enough of it that suggestions are made before, while and after the file is rewritten.
#[tokio::test]
async fn what_is_erased_is_in_no_file_however_many_type_meanwhile() {
    const ASKER: &str = "ada-lovelace";
    let folder = tempfile::tempdir().unwrap();
    let analytics = kept(&folder);
    for number in 0..2_000 {
        let (text, user) = [("Parking secret", ASKER), ("Party of the board", "bo")][number % 2];
        let text = format!("{text} {number}");
        analytics.pending.add(note(&text, user, 1), time(0, 0));
    }
    analytics.write_pending().await;
    assert_ne!(occurrences(folder.path(), ASKER), 0);

    let typing = async {
        loop {
            for user in [ASKER, "bo"] {
                analytics.asked_before(BASE, user, "par", 9).await.unwrap();
            }
        }
    };
    let erased = tokio::select! {
        erased = analytics.erase_user(ASKER) => erased.unwrap(),
        () = typing => Erased::default(),
    };
    assert_eq!(erased.searches, 1_000);
    assert_eq!(occurrences(folder.path(), ASKER), 0);
    assert_eq!(occurrences(folder.path(), "Parking secret"), 0);
    let asked = async |user| analytics.asked_before(BASE, user, "par", 9).await.unwrap();
    assert_eq!(asked(ASKER).await, [""; 0]);
    assert_eq!(asked("bo").await.len(), 9);
}
