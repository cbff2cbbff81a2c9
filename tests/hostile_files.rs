//! Files made to break a parser. Each costs one document at most: the job ends, the neighbours are found, and a
//! second run does the same again.

use crate::harness::pdf::Pdf;
use crate::harness::{Workplace, repository};

/// Little time and memory for a file, so that one that takes what it can get is stopped soon.
const SETTINGS: &str =
    "[ingestion]\nextractor_timeout_s = 4\nextractor_memory_mib = 1024\nmax_text_mib = 8\n";

/// A PDF filter that makes 64 bytes of each (ISO 32000-1, section 7.4.5), applied `times` over.
fn run_length_bomb(times: u32) -> Vec<u8> {
    let filters = "/RunLengthDecode ".repeat(times as usize);
    // 129 and a byte: that byte 128 times. Two of them are again such a pair after decoding.
    let mut content = [129_u8, 129].repeat(20_000);
    content.push(128);
    Pdf::with_content(&content, &format!("/Filter [{filters}]")).bytes()
}

fn hostile_pdfs(lectern: &Workplace) {
    let page = || Pdf::page("An ordinary sentence about the weather in October.");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let many = format!("/Kids [{}]", "3 0 R ".repeat(20_000));
    for (name, bytes) in [
        ("deep-array", page().replaced(5, &deep).bytes()),
        ("deep-dictionary", page().replaced(5, &"<< /A ".repeat(50_000)).bytes()),
        ("deep-in-page", Pdf::with_content(deep.as_bytes(), "").bytes()),
        ("circular-pages", page().replaced(2, "<< /Type /Pages /Kids [2 0 R] /Count 1 >>").bytes()),
        ("circular-parent", page().replaced(3, "<< /Type /Pages /Parent 3 0 R /Kids [2 0 R 3 0 R] /Count 9 >>").bytes()),
        ("circular-length", page().replaced(4, "<< /Length 4 0 R >>\nstream\nBT ET\nendstream").bytes()),
        ("circular-reference", page().replaced(1, "1 0 R").bytes()),
        ("circular-table", page().with_trailer("/Prev 0").bytes()),
        ("pages-without-end", page().replaced(2, &format!("<< /Type /Pages {many} /Count 4000000000 >>")).bytes()),
        ("huge-count", page().replaced(2, "<< /Type /Pages /Kids [3 0 R] /Count 2147483647 >>").bytes()),
        ("huge-size", page().with_trailer("/Size 4294967295").bytes()),
        ("negative", page().replaced(3, "<< /Type /Page /Parent 2 0 R /MediaBox [-1e38 -1e38 1e38 1e38] /Rotate -7 /Contents 4 0 R >>").bytes()),
        ("huge-matrix", Pdf::with_content(b"BT /F1 1e38 Tf 1e38 0 0 1e38 1e38 1e38 Tm (far away) Tj ET", "").bytes()),
        ("bad-filter", Pdf::with_content(b"BT ET", "/Filter /FlateDecode").bytes()),
        ("no-filter", Pdf::with_content(b"BT ET", "/Filter /Nonsense").bytes()),
        ("run-length-bomb", run_length_bomb(2)),
        ("run-length-bomb-of-bombs", run_length_bomb(5)),
        ("restores", Pdf::with_content("q ".repeat(500_000).as_bytes(), "").bytes()),
        ("unbalanced", Pdf::with_content("Q ET EMC ) > ] ".repeat(20_000).as_bytes(), "").bytes()),
        ("only-a-header", b"%PDF-1.7\n".to_vec()),
        ("no-objects", b"%PDF-1.7\nxref\n0 0\ntrailer\n<< >>\nstartxref\n9\n%%EOF".to_vec()),
        ("start-beyond-the-end", b"%PDF-1.7\nstartxref\n99999999999999999999\n%%EOF".to_vec()),
        ("zeros", [b"%PDF-1.7\n".to_vec(), vec![0; 300_000]].concat()),
    ] {
        lectern.write(format!("hostile/{name}.pdf"), bytes);
    }
    let whole = std::fs::read(repository().join("examples/product/sp4-manual.pdf")).unwrap();
    for tenth in 1..10 {
        let mut flipped = whole.clone();
        for index in (tenth * 37..whole.len()).step_by(997) {
            flipped[index] ^= 0x55;
        }
        lectern.write(format!("hostile/flipped-{tenth}.pdf"), flipped);
        lectern.write(
            format!("hostile/cut-{tenth}.pdf"),
            &whole[..whole.len() * tenth / 10],
        );
    }
}

fn hostile_texts(lectern: &Workplace) {
    let secret = lectern.elsewhere("secret.txt");
    std::fs::write(&secret, "The safe is behind the plumbago.\n").unwrap();
    let secret = format!("file://{}", secret.display());
    let entities: String = (1..12).fold("<!ENTITY a0 \"aaaaaaaaaa\">".to_owned(), |text, level| {
        format!(
            "{text}<!ENTITY a{level} \"{}\">",
            format!("&a{};", level - 1).repeat(10)
        )
    });
    for (name, bytes) in [
        ("deep.html", format!("<html><body>{}deep", "<div>".repeat(200_000)).into_bytes()),
        ("deep-inline.html", format!("<html><body>{}deep", "<b><i>".repeat(100_000)).into_bytes()),
        ("tables.html", format!("<html><body>{}x", "<table><tr><td>".repeat(20_000)).into_bytes()),
        ("attributes.html", format!("<html><body {}>x", "a=b ".repeat(300_000)).into_bytes()),
        ("unclosed.html", format!("<html><body><!-- {}", "-- ".repeat(300_000)).into_bytes()),
        ("entities.html", format!("<?xml version=\"1.0\"?><!DOCTYPE html [{entities}]><html><body>&a11;</body></html>").into_bytes()),
        ("external.html", format!("<!DOCTYPE html SYSTEM \"{secret}\"><html><body><iframe src=\"{secret}\"></iframe><p>Nothing else here.</p></body></html>").into_bytes()),
        ("include.md", format!("![[{secret}]]\n\n{{{{include {secret}}}}}\n\n![picture]({secret})\n").into_bytes()),
        ("quotes.md", "> ".repeat(5_000).into_bytes()),
        ("lists.md", (0..400).map(|depth| format!("{}- a\n", "  ".repeat(depth))).collect::<String>().into_bytes()),
        ("brackets.md", "[".repeat(8_000).into_bytes()),
        ("links.md", "[a](".repeat(2_000).into_bytes()),
        ("emphasis.md", "*_".repeat(4_000).into_bytes()),
        ("table.md", format!("|{}\n|{}\n", "a|".repeat(2_000), "-|".repeat(2_000)).into_bytes()),
        ("invisible.txt", "\u{200b}".repeat(400_000).into_bytes()),
        ("one-word.txt", "x".repeat(200_000).into_bytes()),
        ("combining.txt", format!("a{}", "\u{0301}".repeat(30_000)).into_bytes()),
        ("bidi.md", "\u{202e}\u{2066}\u{200b}\u{feff}hidden\u{2069}\u{202c} ".repeat(500).into_bytes()),
        ("nul.txt", "a\0b\0".repeat(10_000).into_bytes()),
        ("overlong.txt", [0xc0_u8, 0xaf, 0xe0, 0x80, 0xaf, 0xf4, 0x90, 0x80, 0x80].repeat(1_000)),
        ("utf16.txt", [vec![0xff, 0xfe], "The sluice gate opens.".encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()),
        ("utf7.txt", b"+ADw-script+AD4-alert(1)+ADw-/script+AD4- ".repeat(50)),
        ("program.md", [b"\x7fELF\x02\x01\x01".to_vec(), vec![0x90; 5_000]].concat()),
        ("archive.md", [b"PK\x03\x04".to_vec(), vec![0xfe; 5_000]].concat()),
    ] {
        lectern.write(format!("hostile/{name}"), bytes);
    }
}

#[test]
fn a_hostile_file_costs_one_document() {
    let lectern = Workplace::with_settings(SETTINGS);
    hostile_pdfs(&lectern);
    hostile_texts(&lectern);
    let files = std::fs::read_dir(lectern.documents().join("hostile"))
        .unwrap()
        .count();
    lectern.write("a-first.md", "# First\n\nThe astrolabe belongs to Hildegard.\n");
    lectern.write("z-last.md", "# Last\n\nThe sextant belongs to Leocadia.\n");

    let ingestion = lectern.ingest();
    let counts = ingestion.counts();
    println!("{counts:?}");
    assert!([0, 4].contains(&ingestion.code), "{}", ingestion.stderr);
    let report = ingestion.json();
    assert_eq!(report["job"]["state"], "complete", "{report:#}");
    assert_eq!(counts.new + counts.skipped + counts.failed, files as u64 + 2);
    assert!(
        counts.failed >= 10,
        "hardly anything failed: are these files hostile at all?"
    );
    for problem in report["problems"].as_array().unwrap() {
        println!("{}: {}", problem["key"], problem["reason"]);
        let code = problem["code"].as_str().unwrap();
        assert!(
            !code.is_empty() && code != "internal" && code != "extraction_not_started",
            "{problem:#}"
        );
        assert!(!problem["reason"].as_str().unwrap().is_empty());
    }
    assert_eq!(lectern.found("astrolabe"), ["a-first.md"]);
    assert_eq!(lectern.found("Leocadia"), ["z-last.md"]);
    assert_eq!(lectern.found("sluice"), ["utf16.txt"]);
    // Nothing that a file points to came into it.
    assert_eq!(lectern.found("plumbago"), [""; 0]);
    lectern.assert_sound();
}
