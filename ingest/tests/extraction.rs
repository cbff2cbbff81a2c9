//! A hostile file costs one document: extraction in real child processes.
//!
//! This program is its own extraction process: started as `extraction extract-worker` it serves files, as the
//! `lectern` binary does. Otherwise it runs the tests below; an argument without dashes filters them by name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test may fail"
)]

mod samples;

use std::ffi::OsString;
use std::fs;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lectern_domain::ports::{Extractor, RawFile};
use lectern_domain::{Extracted, PortError};
use lectern_ingest::extract::{ExtractorPool, ExtractorSettings, read, run_worker};
use rustix::process::{Pid, Signal, kill_process};

type Test = (&'static str, fn() -> Pin<Box<dyn Future<Output = ()>>>);

macro_rules! tests {
    ($($name:ident),* $(,)?) => { vec![$((stringify!($name), (|| Box::pin($name())) as fn() -> Pin<Box<dyn Future<Output = ()>>>)),*] };
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .first()
        .is_some_and(|argument| argument == "extract-worker")
    {
        return run_worker();
    }
    let tests: Vec<Test> = tests![
        a_child_reads_what_this_process_reads,
        what_cannot_be_read_has_a_code,
        a_truncated_pdf_never_costs_more_than_itself,
        deep_nesting_costs_one_document,
        a_file_may_be_nested_as_deep_as_is_set,
        a_hostile_office_file_costs_one_document,
        a_file_that_takes_too_long_is_stopped,
        a_file_that_takes_too_much_memory_is_refused,
        attachments_beyond_the_limit_are_left_out_and_told,
        a_text_that_is_too_long_is_refused,
        a_child_killed_in_mid_document_costs_that_document,
        a_child_killed_between_documents_costs_nothing,
        a_child_is_replaced_after_its_share_of_documents,
        a_child_that_answers_nonsense_is_ended,
        a_child_has_limits_and_no_environment,
        a_command_that_is_missing_is_told,
        no_child_is_left_behind,
    ];
    let filters: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    if arguments.iter().any(|argument| argument == "--list") {
        tests.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    for (name, test) in tests {
        if filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str())) {
            print!("test {name} ... ");
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(test());
            println!("ok");
        }
    }
    ExitCode::SUCCESS
}

fn settings() -> ExtractorSettings {
    let worker: Vec<OsString> = vec![std::env::current_exe().unwrap().into(), "extract-worker".into()];
    ExtractorSettings {
        workers: 2,
        ..ExtractorSettings::new(worker)
    }
}

fn pool(change: impl FnOnce(&mut ExtractorSettings)) -> ExtractorPool {
    let mut settings = settings();
    change(&mut settings);
    ExtractorPool::new(settings)
}

fn file(name: &str, bytes: impl Into<Vec<u8>>) -> RawFile {
    RawFile {
        name: name.to_owned(),
        media_type: None,
        bytes: bytes.into().into(),
    }
}

async fn extract(
    pool: &ExtractorPool,
    name: &str,
    bytes: impl Into<Vec<u8>>,
) -> Result<Extracted, PortError> {
    pool.extract(&file(name, bytes)).await
}

async fn code(pool: &ExtractorPool, name: &str, bytes: impl Into<Vec<u8>>) -> &'static str {
    extract(pool, name, bytes).await.expect_err(name).code
}

async fn works(pool: &ExtractorPool) {
    let extracted = extract(pool, "a.md", "# Leave\n\nTwenty weeks.").await.unwrap();
    assert_eq!(extracted.title.as_deref(), Some("Leave"));
}

/// The children of this process, from /proc.
fn children() -> Vec<Pid> {
    let own = format!("PPid:\t{}", std::process::id());
    let is_child = |pid: &i32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.lines().any(|line| line == own) && !status.contains("State:\tZ")
    };
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(is_child)
        .filter_map(Pid::from_raw)
        .collect()
}

/// Asks until there is an answer; a minute without one is a failure.
async fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "waited in vain for {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn a_child_reads_what_this_process_reads() {
    let pool = pool(|_| ());
    let page = "1 Introduction\nThe committee decides about leave within ten days of the request.";
    let files = [
        ("a.txt", b"One.\n\nTwo.".to_vec()),
        ("a.md", b"# A\n\nText with \xc3\xbcmlauts.\n".to_vec()),
        ("a.html", b"<title>T</title><p>Words of a page.</p>".to_vec()),
        (
            "a.eml",
            samples::message(&[("one.txt", b"One."), ("two.bin", &[0, 1, 2, 255])]),
        ),
        ("a.pdf", samples::pdf(&[page, "The second page has other words."])),
    ];
    for (name, bytes) in files {
        let expected = read(name, None, &bytes).unwrap();
        assert_eq!(extract(&pool, name, bytes).await.unwrap(), expected);
    }
    let message = samples::message(&[("one.txt", b"One."), ("two.bin", &[0, 1, 2, 255])]);
    let attachments = extract(&pool, "a.eml", message).await.unwrap().attachments;
    let bytes: Vec<&[u8]> = attachments
        .iter()
        .map(|attachment| attachment.bytes.as_slice())
        .collect();
    assert_eq!(bytes, [b"One.".as_slice(), &[0, 1, 2, 255]]);
    let extracted = extract(&pool, "a.pdf", samples::pdf(&[page, "The second page."]))
        .await
        .unwrap();
    assert_eq!(extracted.media_type, "application/pdf");
    let pages: Vec<Option<u32>> = extracted.blocks.iter().map(|block| block.page).collect();
    assert_eq!(pages, [Some(1), Some(1), Some(2)], "{extracted:#?}");
    assert!(extracted.text.contains("decides about leave") && extracted.text.contains("second page"));
}

async fn what_cannot_be_read_has_a_code() {
    let pool = pool(|_| ());
    let noise: Vec<u8> = (0..9000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let zip = [b"PK\x03\x04\x14\x00\x00\x00\x08\x00".as_slice(), &noise].concat();
    assert_eq!(code(&pool, "a.md", "").await, "empty_file");
    assert_eq!(code(&pool, "a.md", " \n\t\n").await, "empty_file");
    assert_eq!(code(&pool, "a.md", noise.clone()).await, "not_text");
    assert_eq!(code(&pool, "a.md", zip).await, "archive_damaged");
    assert_eq!(
        code(&pool, "a.html", "<html><body></body></html>").await,
        "no_text"
    );
    assert_eq!(code(&pool, "a.pdf", noise).await, "pdf_damaged");
    assert_eq!(
        code(&pool, "a.pdf", "%PDF-1.7\nnothing else").await,
        "pdf_damaged"
    );
    assert_eq!(
        code(&pool, "a.pdf", samples::encrypted_pdf()).await,
        "pdf_encrypted"
    );
    assert_eq!(
        code(&pool, "a.pdf", samples::pdf(&["", ""])).await,
        "no_text_layer"
    );
    let error = extract(&pool, "b.pdf", samples::pdf(&[""])).await.unwrap_err();
    assert!(error.message.contains("\"b.pdf\""), "{}", error.message);
    works(&pool).await;
}

async fn a_truncated_pdf_never_costs_more_than_itself() {
    let pool = pool(|_| ());
    let whole = samples::pdf(&[
        "Words of the first page.",
        "Words of the second page.",
        "And of the third.",
    ]);
    let mut salvaged = 0;
    for part in 1..50 {
        let cut = whole[..whole.len() * part / 50].to_vec();
        match extract(&pool, "a.pdf", cut).await {
            Ok(extracted) => {
                assert!(extracted.text.contains("Words"), "{:?}", extracted.text);
                assert!(
                    extracted
                        .warnings
                        .iter()
                        .any(|warning| warning.contains("truncated"))
                );
                salvaged += 1;
            }
            Err(error) => assert!(
                matches!(error.code, "pdf_damaged" | "no_text_layer"),
                "{part} of 50 parts: {} {error}",
                error.code
            ),
        }
    }
    assert!(salvaged > 0, "no page was saved from any truncated file");
    works(&pool).await;
}

async fn deep_nesting_costs_one_document() {
    let pool = pool(|settings| settings.timeout = Duration::from_secs(20));
    let html = format!("{}text{}", "<div>".repeat(100_000), "</div>".repeat(100_000));
    let quotes = format!("{} text", ">".repeat(100_000));
    let files = [
        ("a.pdf", samples::nested_pdf(300_000)),
        ("b.html", format!("<html><body>{html}").into_bytes()),
        ("c.md", quotes.into_bytes()),
        ("d.md", "[".repeat(200_000).into_bytes()),
    ];
    for (name, bytes) in files {
        match extract(&pool, name, bytes).await {
            Ok(extracted) => println!("{name}: {} bytes of text", extracted.text.len()),
            Err(error) => println!("{name}: {error}"),
        }
        works(&pool).await;
    }
}

async fn a_file_may_be_nested_as_deep_as_is_set() {
    let page = |levels: usize| {
        let (open, close) = ("<div>".repeat(levels), "</div>".repeat(levels));
        format!("<html><body>{open}<p>Twenty weeks.</p>{close}</body></html>")
    };
    let pool = pool(|settings| settings.max_depth = 50);
    assert_eq!(code(&pool, "deep.html", page(60)).await, "nested_too_deep");
    let flat = extract(&pool, "flat.html", page(30)).await.unwrap();
    assert!(flat.text.contains("Twenty weeks."));
    let elsewhere = self::pool(|_| ());
    extract(&elsewhere, "deep.html", page(60)).await.unwrap();
}

async fn a_hostile_office_file_costs_one_document() {
    let pool = pool(|settings| settings.workers = 1);
    let words = extract(
        &pool,
        "a.docx",
        samples::docx("<w:p><w:r><w:t>twenty weeks</w:t></w:r></w:p>"),
    )
    .await
    .unwrap();
    assert_eq!(words.text, "twenty weeks");
    let spaces = samples::docx(&" ".repeat(90 * 1024 * 1024));
    assert!(spaces.len() < 200_000);
    assert_eq!(code(&pool, "bomb.docx", spaces).await, "archive_bomb");
    let deep = samples::docx(&"<w:tbl><w:tr><w:tc>".repeat(20_000));
    assert_eq!(code(&pool, "deep.docx", deep).await, "nested_too_deep");
    let whole = samples::docx("<w:p><w:r><w:t>whole</w:t></w:r></w:p>");
    for length in [4, 30, whole.len() / 2, whole.len() - 3] {
        assert_eq!(code(&pool, "cut.docx", &whole[..length]).await, "archive_damaged");
    }
    let compound = [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &[0xff; 4096]].concat();
    let refused = code(&pool, "a.doc", compound).await;
    assert!(
        ["unknown_format", "archive_damaged"].contains(&refused),
        "{refused}"
    );
    let long = samples::xlsx_of_one_text(&"x".repeat(30_000), 20_000);
    assert!(long.len() < 2_000_000);
    let refused = code(&pool, "long.xlsx", long).await;
    assert!(
        ["output_too_large", "extraction_memory"].contains(&refused),
        "{refused}"
    );
    works(&pool).await;
}

async fn a_file_that_takes_too_long_is_stopped() {
    let pool = pool(|settings| {
        settings.worker_command = vec!["sleep".into(), "1000".into()];
        settings.timeout = Duration::from_millis(200);
    });
    let error = extract(&pool, "a.md", "text").await.unwrap_err();
    assert_eq!(
        (error.kind, error.code),
        (lectern_domain::ErrorKind::TooLarge, "extraction_timeout")
    );
    assert!(children().is_empty(), "the child was not ended");
}

async fn a_file_that_takes_too_much_memory_is_refused() {
    let pool = pool(|settings| settings.memory_bytes = 400 * 1024 * 1024);
    assert_eq!(
        code(&pool, "a.html", "<p>words of a page</p>\n".repeat(2_000_000)).await,
        "extraction_memory"
    );
    works(&pool).await;
}

async fn attachments_beyond_the_limit_are_left_out_and_told() {
    let pool = pool(|_| ());
    let many: Vec<(&str, &[u8])> = vec![("a.txt", b"x"); 1005];
    let extracted = extract(&pool, "a.eml", samples::message(&many)).await.unwrap();
    assert_eq!(extracted.attachments.len(), 1000);
    let warning = &extracted.warnings[0];
    assert!(warning.starts_with("5 of 1005 attachments"), "{warning}");
    works(&pool).await;
}

async fn a_text_that_is_too_long_is_refused() {
    let pool = pool(|settings| settings.max_output_bytes = 1000);
    assert_eq!(code(&pool, "a.md", "word ".repeat(300)).await, "output_too_large");
    works(&pool).await;
}

async fn a_child_killed_in_mid_document_costs_that_document() {
    // The child stops itself before it begins, so that it is killed at a known point.
    let script = r#"kill -STOP $$; exec "$0" extract-worker"#;
    let pool = Arc::new(pool(|settings| {
        let own = settings.worker_command[0].clone();
        settings.worker_command = vec!["sh".into(), "-c".into(), script.into(), own];
    }));
    let stopped = || {
        children().into_iter().find(|pid| {
            let status =
                fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap_or_default();
            status.contains("State:\tT")
        })
    };
    let reading = |pool: &Arc<ExtractorPool>| {
        let pool = Arc::clone(pool);
        tokio::spawn(async move { extract(&pool, "a.md", "# Leave\n\nTwenty weeks.").await })
    };
    let doomed = reading(&pool);
    kill_process(until("the child", stopped).await, Signal::KILL).unwrap();
    let error = doomed.await.unwrap().unwrap_err();
    assert_eq!(error.code, "extraction_crashed");
    assert!(error.message.contains("signal 9"), "{}", error.message);
    let next = reading(&pool);
    kill_process(until("the next child", stopped).await, Signal::CONT).unwrap();
    assert_eq!(next.await.unwrap().unwrap().title.as_deref(), Some("Leave"));
}

async fn a_child_killed_between_documents_costs_nothing() {
    let pool = pool(|_| ());
    works(&pool).await;
    let idle = children();
    assert_eq!(idle.len(), 1);
    kill_process(idle[0], Signal::KILL).unwrap();
    works(&pool).await;
    assert_ne!(children(), idle);
}

async fn a_child_is_replaced_after_its_share_of_documents() {
    let pool = pool(|settings| settings.documents_per_worker = 2);
    works(&pool).await;
    let first = children();
    works(&pool).await;
    until("the first child to end", || {
        (!children().contains(&first[0])).then_some(())
    })
    .await;
    works(&pool).await;
    assert_eq!(children().len(), 1);
}

async fn a_child_that_answers_nonsense_is_ended() {
    // `cat` answers with what it was told.
    let pool = pool(|settings| settings.worker_command = vec!["sh".into(), "-c".into(), "cat >&0".into()]);
    assert_eq!(code(&pool, "a.md", "text").await, "extraction_crashed");
    until("cat to end", || children().is_empty().then_some(())).await;
}

async fn a_child_has_limits_and_no_environment() {
    let pool = pool(|_| ());
    works(&pool).await;
    let child = children()[0].as_raw_nonzero();
    let limits = fs::read_to_string(format!("/proc/{child}/limits")).unwrap();
    let hard = |name: &str| -> String {
        let line = limits.lines().find(|line| line.starts_with(name)).expect(name);
        line[name.len()..].split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(hard("Max address space"), settings().memory_bytes.to_string());
    for (name, limit) in [
        ("Max file size", "0"),
        ("Max core file size", "0"),
        ("Max open files", "16"),
    ] {
        assert_eq!(hard(name), limit, "{name}");
    }
    assert_ne!(hard("Max cpu time"), "unlimited");
    assert_eq!(fs::read(format!("/proc/{child}/environ")).unwrap(), b"");
}

async fn a_command_that_is_missing_is_told() {
    let pool = pool(|settings| settings.worker_command = vec!["/there/is/no/such/program".into()]);
    let error = extract(&pool, "a.md", "text").await.unwrap_err();
    assert_eq!(
        (error.kind, error.code),
        (lectern_domain::ErrorKind::Unavailable, "extraction_not_started")
    );
}

async fn no_child_is_left_behind() {
    let pool = Arc::new(pool(|_| ()));
    let readings = (0..8).map(|number| {
        let pool = Arc::clone(&pool);
        async move { extract(&pool, "a.txt", format!("text {number}")).await.unwrap() }
    });
    let texts: Vec<String> = futures::future::join_all(readings)
        .await
        .into_iter()
        .map(|read| read.text)
        .collect();
    let expected: Vec<String> = (0..8).map(|number| format!("text {number}")).collect();
    assert_eq!(texts, expected);
    assert!(children().len() <= 2, "more children than workers");
    drop(pool);
    until("the children to end", || children().is_empty().then_some(())).await;
}
