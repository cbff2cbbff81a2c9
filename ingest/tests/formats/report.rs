//! The table: per format, the share of ground-truth words that are found.

use std::collections::BTreeMap;

use super::Outcome;
use super::words::{missing, words, words_to_find};

/// A format isn't below markitdown's where it is at most this much below: the last digit that is printed.
const TOLERANCE: f64 = 0.0005;

/// What is found at least, a little below what was measured, so that a loss is noticed without markitdown too.
const FLOORS: [(&str, f64); 18] = [
    ("asciidoc", 0.99),
    ("boxnote", 0.97),
    ("csv", 0.99),
    ("doc", 0.99),
    ("docx", 0.99),
    ("epub", 0.99),
    ("html", 0.99),
    ("md", 0.99),
    ("odp", 0.97),
    ("ods", 0.99),
    ("odt", 0.98),
    ("pdf", 0.94),
    ("ppt", 0.84),
    ("pptx", 0.91),
    ("vtt", 0.99),
    ("xls", 0.99),
    ("xlsm", 0.70),
    ("xlsx", 0.96),
];

/// What all files of a format come to.
#[derive(Default)]
struct Row {
    files: usize,
    refused: usize,
    words: usize,
    found: usize,
    /// Words that markitdown finds, where it was run.
    found_by_markitdown: Option<usize>,
}

impl Row {
    fn share(&self, found: usize) -> f64 {
        found as f64 / self.words.max(1) as f64
    }
}

/// Prints the table and gives the complaints; `is_whole` says that no file was filtered out.
pub fn shares(outcomes: &[Outcome], is_whole: bool) -> Vec<String> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut details = Vec::new();
    for outcome in outcomes {
        let Some(ground_truth) = &outcome.ground_truth else {
            continue;
        };
        let wanted = words_to_find(&without_menus(&outcome.path, ground_truth));
        let lacks = missing(&wanted, &outcome.text());
        let theirs = outcome
            .markitdown
            .as_ref()
            .map(|text| wanted.len() - missing(&wanted, text).len());
        let row = rows.entry(outcome.format()).or_default();
        row.files += 1;
        row.refused += usize::from(outcome.result.is_err());
        row.words += wanted.len();
        row.found += wanted.len() - lacks.len();
        if let Some(theirs) = theirs {
            *row.found_by_markitdown.get_or_insert(0) += theirs;
        }
        let ours = wanted.len() - lacks.len();
        if theirs.is_some_and(|theirs| ours < theirs) || (!is_whole && !lacks.is_empty()) {
            details.push(detail(outcome, wanted.len(), ours, theirs, &lacks));
        }
    }
    println!("| format | files | refused | words | found | markitdown |\n|---|---|---|---|---|---|");
    let mut complaints = Vec::new();
    for (format, row) in &rows {
        let ours = row.share(row.found);
        let theirs = row.found_by_markitdown.map(|found| row.share(found));
        println!(
            "| {format} | {} | {} | {} | {ours:.3} | {} |",
            row.files,
            row.refused,
            row.words,
            theirs.map(|share| format!("{share:.3}")).unwrap_or_default()
        );
        let floor = FLOORS.iter().find(|(name, _)| name == format);
        if let Some((_, floor)) = floor.filter(|(_, floor)| is_whole && ours < *floor) {
            complaints.push(format!("{format} has {ours:.4} of the words, and {floor} before"));
        }
        if let Some(theirs) = theirs.filter(|theirs| ours < theirs - TOLERANCE) {
            complaints.push(format!("{format} is below markitdown: {ours:.4} of {theirs:.4}"));
        }
    }
    if !details.is_empty() {
        println!(
            "\nFiles with fewer words than markitdown finds, or that were asked for:\n{}",
            details.join("\n")
        );
    }
    without_ground_truth(outcomes);
    complaints
}

/// Lines of one page that aren't of its main content: switches, notes of the site, and a box that the page itself
/// marks as navigation.
const MENU_LINES: [&str; 17] = [
    "move to sidebar",
    "hide",
    "Tools",
    "Actions",
    "General",
    "Appearance",
    "Print/export",
    "In other projects",
    "Page semi-protected",
    "From Wikipedia, the free encyclopedia",
    "(Redirected from",
    "**Duck** at Wikipedia's",
    "- [Definitions]",
    "- [Media]",
    "- [Quotations]",
    "- [Recipes]",
    "- [Taxa]",
];

/// The ground truth without menus, which aren't to come out. Docling keeps those of one page: the table of contents
/// before its heading, lists of links (to other languages), and what follows the article.
fn without_menus(path: &str, ground_truth: &str) -> String {
    if !path.ends_with("wiki_duck.html") {
        return ground_truth.to_owned();
    }
    let is_menu = |line: &&str| {
        let item = line.trim_start().trim_start_matches("- ");
        let is_link = item.starts_with('[') && item.ends_with(')') && item.matches("](").count() == 1;
        let is_item = item.len() < line.len() && (is_link || item.starts_with("[ ] "));
        is_item || MENU_LINES.iter().any(|menu| line.starts_with(menu))
    };
    ground_truth
        .lines()
        .skip_while(|line| !line.starts_with("# "))
        .take_while(|line| !line.starts_with("| [Authority control"))
        .filter(|line| !is_menu(line))
        .collect::<Vec<_>>()
        .join("\n")
}

fn detail(outcome: &Outcome, wanted: usize, ours: usize, theirs: Option<usize>, lacks: &[String]) -> String {
    let shown = &lacks[..lacks.len().min(40)];
    let refusal = outcome
        .result
        .as_ref()
        .err()
        .map(|error| error.code)
        .unwrap_or_default();
    format!(
        "  {}: {ours} of {wanted}, markitdown {theirs:?} {refusal}; missing: {}",
        outcome.path,
        shown.join(" ")
    )
}

/// Of the files that nobody made a ground truth for: what they were refused for, or how much of what markitdown
/// writes is in our text. No judgement, since that has words of its own.
fn without_ground_truth(outcomes: &[Outcome]) {
    println!("\nFiles without a ground truth: code, or words and the share of markitdown's words among them");
    for outcome in outcomes.iter().filter(|outcome| outcome.ground_truth.is_none()) {
        let path = &outcome.path;
        match &outcome.result {
            Err(error) => println!("  {path}: {}", error.code),
            Ok(extracted) => {
                let theirs = outcome
                    .markitdown
                    .as_deref()
                    .map(words)
                    .filter(|words| !words.is_empty());
                let share = theirs.map(|wanted| {
                    let lacks = missing(&wanted, &extracted.text).len();
                    format!(
                        ", {:.3} of {}",
                        1.0 - lacks as f64 / wanted.len() as f64,
                        wanted.len()
                    )
                });
                let count = words(&extracted.text).len();
                println!("  {path}: {count} words{}", share.unwrap_or_default());
            }
        }
    }
}
