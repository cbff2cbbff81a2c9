//! A generated mailbox, and what is known of it without the connector; and what a test takes in memory.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use chrono::DateTime;

pub const MESSAGES: usize = 10_000;
pub const THREADS: usize = 800;
const PEOPLE: u64 = 60;
const FIRST: i64 = 1_700_000_000;

/// A message, where it is kept, and what is known of it.
pub struct Mail {
    pub text: String,
    /// Where it is kept: of several places, all but one are copies.
    places: Vec<usize>,
    pub mark: String,
    /// The id of the message that began its thread.
    pub thread: String,
}

/// Where messages are kept: mbox files, Maildir folders, folders of messages.
const PLACES: [&str; 6] = [
    "boxes/Inbox.mbox",
    "boxes/Sent",
    "maildir",
    "maildir/.Archive.2024",
    "maildir/.Lists",
    "single/2023",
];

pub struct Mailbox {
    pub mails: Vec<Mail>,
    /// Copies in other folders.
    pub copies: u64,
    /// Messages that are marked as deleted.
    pub deleted: u64,
    pub threads: BTreeMap<String, BTreeSet<String>>,
}

/// A sequence of numbers that depends on the seed alone (`SplitMix64`).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number ^ (number >> 31)) % bound
    }

    fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).unwrap()
    }
}

pub fn date(seconds: i64) -> String {
    let date = DateTime::from_timestamp(seconds, 0).unwrap();
    date.format("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

impl Mailbox {
    pub fn generate(seed: u64) -> Self {
        let mut numbers = Numbers(seed);
        let mut mailbox = Self {
            mails: Vec::new(),
            copies: 0,
            deleted: 0,
            threads: BTreeMap::new(),
        };
        for thread in 0..THREADS {
            let rest = MESSAGES - mailbox.mails.len();
            let left = THREADS - thread;
            let most = (2 * rest / left).saturating_sub(1).max(1);
            let count = if left == 1 {
                rest
            } else {
                (1 + numbers.index(most)).min(rest + 1 - left)
            };
            mailbox.thread(thread, count, &mut numbers);
        }
        mailbox.copies = mailbox
            .mails
            .iter()
            .map(|mail| mail.places.len() as u64 - 1)
            .sum();
        mailbox
    }

    fn thread(&mut self, number: usize, count: usize, numbers: &mut Numbers) {
        let root = format!("t{number}.0@a.example");
        let mut chains: Vec<Vec<String>> = Vec::new();
        let mut seconds = FIRST + i64::try_from(numbers.below(30_000_000)).unwrap();
        for place in 0..count {
            let id = format!("t{number}.{place}@a.example");
            let parent = (place > 0).then(|| numbers.index(place));
            let chain: Vec<String> = parent.map(|parent| chains[parent].clone()).unwrap_or_default();
            let answers = match (chain.last(), numbers.below(3)) {
                (None, _) => String::new(),
                // Some programs name the parent alone.
                (Some(parent), 0) => format!("In-Reply-To: <{parent}>\n"),
                (Some(parent), _) => {
                    let ids: Vec<String> = chain.iter().map(|id| format!("<{id}>")).collect();
                    format!("In-Reply-To: <{parent}>\nReferences: {}\n", ids.join("\n "))
                }
            };
            seconds += 60 + i64::try_from(numbers.below(400_000)).unwrap();
            let mark = mark_of(number, place);
            let quoted = parent.map(|parent| {
                let mark = mark_of(number, parent);
                format!("\n\nOn an earlier day Ada wrote:\n\n> I say {mark}.\n> From here on, too.\n")
            });
            let from = numbers.below(PEOPLE);
            let subject = if place == 0 {
                format!("Matter {}", number % 97)
            } else {
                format!("Re: Matter {}", number % 97)
            };
            let text = format!(
                "From: Person {from} <p{from}@a.example>\nTo: p{}@a.example\nSubject: {subject}\nMessage-ID: <{id}>\n{answers}Date: {}\n\n\
                 I say {mark}.\nFrom here on, too.{}",
                numbers.below(PEOPLE),
                date(seconds),
                quoted.unwrap_or_default(),
            );
            let mut places = vec![numbers.index(PLACES.len())];
            if numbers.below(10) == 0 {
                let other = numbers.index(PLACES.len());
                if !places.contains(&other) {
                    places.push(other);
                }
            }
            self.threads.entry(root.clone()).or_default().insert(mark.clone());
            self.mails.push(Mail {
                text: text.trim_end().to_owned() + "\n",
                places,
                mark,
                thread: root.clone(),
            });
            chains.push([chain, vec![id]].concat());
        }
    }

    /// Adds an answer to a message, in the mbox of sent ones.
    pub fn answer(&mut self, place: usize) -> usize {
        let mail = &self.mails[place];
        let field = |name: &str| {
            let line = mail.text.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_once(": ").unwrap().1.to_owned()
        };
        let (parent, thread) = (field("Message-ID"), mail.thread.clone());
        let mark = format!("mark-late-{place}");
        let text = format!(
            "From: Late <late@a.example>\nTo: p1@a.example\nSubject: {}\nMessage-ID: <late{place}@a.example>\nIn-Reply-To: {parent}\nDate: {}\n\nI say {mark}.\n",
            field("Subject"),
            date(FIRST + 90_000_000),
        );
        self.threads.get_mut(&thread).unwrap().insert(mark.clone());
        self.mails.push(Mail {
            text,
            places: vec![1],
            mark,
            thread,
        });
        self.mails.len() - 1
    }

    /// Writes everything, in an order that has nothing to do with time.
    pub fn write(&self, root: &Path, seed: u64) {
        let mut numbers = Numbers(seed);
        let mut order: Vec<usize> = (0..self.mails.len()).collect();
        for place in (1..order.len()).rev() {
            order.swap(place, numbers.index(place + 1));
        }
        for (number, place) in PLACES.iter().enumerate() {
            let path = root.join(place);
            let mails = order.iter().map(|mail| (*mail, &self.mails[*mail]));
            let mails: Vec<(usize, &Mail)> =
                mails.filter(|(_, mail)| mail.places.contains(&number)).collect();
            match place.split('/').next().unwrap() {
                "boxes" => write_mbox(&path, &mails),
                "maildir" => write_maildir(&path, &mails),
                _ => {
                    std::fs::create_dir_all(&path).unwrap();
                    for (name, mail) in mails {
                        std::fs::write(path.join(format!("{name}.eml")), &mail.text).unwrap();
                    }
                }
            }
        }
    }
}

/// A word that one message has, and those that quote it.
fn mark_of(thread: usize, place: usize) -> String {
    format!(
        "mark-{thread}-{place}-{:016x}",
        Numbers((thread * 10_000 + place) as u64).below(u64::MAX)
    )
}

pub fn quoted(text: &str) -> String {
    let line = |line: &str| match line.trim_start_matches('>').starts_with("From ") {
        true => format!(">{line}\n"),
        false => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn write_mbox(path: &Path, mails: &[(usize, &Mail)]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    for (_, mail) in mails {
        write!(
            file,
            "From x@a.example Mon Jan  5 10:00:00 2026\n{}\n",
            quoted(&mail.text)
        )
        .unwrap();
    }
    file.flush().unwrap();
}

fn write_maildir(path: &Path, mails: &[(usize, &Mail)]) {
    for part in ["cur", "new", "tmp"] {
        std::fs::create_dir_all(path.join(part)).unwrap();
    }
    for (name, mail) in mails {
        let file = match name % 3 {
            0 => path.join("new").join(format!("{name}.M1.host")),
            _ => path.join("cur").join(format!("{name}.M1.host:2,S")),
        };
        std::fs::write(file, &mail.text).unwrap();
    }
}

/// What this process has in memory, and the most that it had, in bytes; nothing where the system doesn't tell.
pub fn memory(name: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? * 1_024)
}
