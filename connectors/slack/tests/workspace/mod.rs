//! A generated workspace, and what is known of it without the connector.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::DateTime;
use serde_json::{Value, json};

/// How much of everything there is. Messages and threads are shared out evenly among the conversations.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub messages: usize,
    pub conversations: usize,
    pub threads: usize,
}

/// A large workspace.
pub const LARGE: Size = Size {
    messages: 100_000,
    conversations: 200,
    threads: 5_000,
};

pub const USERS: u64 = 300;
const FIRST: u64 = 1_700_000_000;
const DAY: u64 = 86_400;

pub struct Conversation {
    id: String,
    list: &'static str,
    /// Whether only its members may read it.
    pub is_private: bool,
    name: String,
    /// By their ids.
    pub members: Vec<String>,
    /// As principals.
    pub readers: Vec<String>,
    messages: Vec<Value>,
}

/// Where the message stands that a word is of.
pub struct Mark {
    /// The id of its conversation.
    pub conversation: String,
    /// The key of the thread that it belongs to.
    pub thread: Option<String>,
}

pub struct Workspace {
    size: Size,
    /// The user who is called `operator`, if one is; the others are `person0` and so on.
    pub operator: Option<u64>,
    pub conversations: BTreeMap<String, Conversation>,
    /// A word of each message that is to be found, `mark-` and letters that no other has.
    pub marks: BTreeMap<String, Mark>,
    /// The keys of the threads.
    pub threads: BTreeSet<String>,
    pub left_out: BTreeMap<String, u64>,
}

/// A sequence of numbers that depends on the seed alone (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number ^ (number >> 31)) % bound
    }
}

/// The id of a user.
pub fn user(number: u64) -> String {
    format!("U{number:04}")
}

/// A number in letters of which no ending is made.
fn letters(mut number: usize) -> String {
    const LETTERS: &[u8; 16] = b"bcdfghjklmnpqrtv";
    let mut letters = String::new();
    for _ in 0..5 {
        letters.push(char::from(LETTERS[number % 16]));
        number /= 16;
    }
    letters
}

fn ts(microseconds: u64) -> String {
    format!("{}.{:06}", microseconds / 1_000_000, microseconds % 1_000_000)
}

impl Workspace {
    pub fn generate(seed: u64, size: Size) -> Self {
        let mut numbers = Numbers(seed);
        let mut workspace = Self {
            size,
            operator: None,
            conversations: BTreeMap::new(),
            marks: BTreeMap::new(),
            threads: BTreeSet::new(),
            left_out: BTreeMap::new(),
        };
        for number in 0..size.conversations {
            // Six of ten are public.
            let mut conversation = conversation(number * 200 / size.conversations, &mut numbers);
            workspace.fill(&mut conversation, &mut numbers);
            workspace
                .conversations
                .insert(conversation.id.clone(), conversation);
        }
        workspace
    }

    fn fill(&mut self, conversation: &mut Conversation, numbers: &mut Numbers) {
        let per_conversation = self.size.messages / self.size.conversations;
        let threads = self.size.threads / self.size.conversations;
        let mut messages = Vec::new();
        let mut now = FIRST * 1_000_000 + numbers.below(DAY) * 1_000_000;
        for thread in 0..threads as u64 {
            let root = now;
            let key = format!("{}/{}", conversation.id, ts(root));
            let replies = 2 + numbers.below(6);
            let mut record = self.message(root, Some(&key), conversation, numbers);
            record["thread_ts"] = json!(ts(root));
            record["reply_count"] = json!(replies);
            messages.push(record);
            for reply in 0..replies {
                // Days later, and never at the time of another message.
                let at = root + numbers.below(9 * DAY) * 1_000_000 + 1 + 16 * thread + reply;
                let mut record = self.message(at, Some(&key), conversation, numbers);
                record["thread_ts"] = json!(ts(root));
                if numbers.below(10) == 0 {
                    record["subtype"] = json!("thread_broadcast");
                }
                messages.push(record);
            }
            self.threads.insert(key);
            now += (60 + numbers.below(DAY)) * 1_000_000;
        }
        let mut at = FIRST * 1_000_000 + 500_000;
        while messages.len() < per_conversation {
            at += (1 + numbers.below(3000)) * 1_000_000;
            messages.push(match numbers.below(40) {
                0 => self.leave_out(
                    at,
                    "join_or_leave",
                    json!({"subtype": "channel_join", "text": "has joined"}),
                ),
                1 => self.leave_out(
                    at,
                    "system_message",
                    json!({"subtype": "channel_topic", "text": "set it"}),
                ),
                2 => self.leave_out(
                    at,
                    "deleted_message",
                    json!({"subtype": "tombstone", "text": "was deleted"}),
                ),
                3 => self.leave_out(at, "empty_message", json!({"text": ""})),
                4 => self.leave_out(at, "broken_record", json!({"ts": "soon", "text": "xoxe-1"})),
                _ => self.message(at, None, conversation, numbers),
            });
        }
        messages.sort_by_key(|record| record["ts"].to_string());
        conversation.messages = messages;
    }

    fn leave_out(&mut self, at: u64, code: &str, mut record: Value) -> Value {
        *self.left_out.entry(code.to_owned()).or_default() += 1;
        record["type"] = json!("message");
        if record["ts"].is_null() {
            record["ts"] = json!(ts(at));
        }
        record
    }

    fn message(&mut self, at: u64, thread: Option<&str>, to: &Conversation, numbers: &mut Numbers) -> Value {
        let mark = format!("mark-{}", letters(self.marks.len()));
        let place = Mark {
            conversation: to.id.clone(),
            thread: thread.map(str::to_owned),
        };
        self.marks.insert(mark.clone(), place);
        let author = &to.members[usize::try_from(numbers.below(to.members.len() as u64)).unwrap()];
        let mentioned = user(numbers.below(USERS));
        let words = [
            "*rollback* of",
            "the `deploy` to",
            "<https://a.example/x?y=1&amp;z=2|the page> on",
            "a _plan_ for",
        ];
        let word = words[usize::try_from(numbers.below(4)).unwrap()];
        let text = format!("<@{mentioned}> {word} production {mark} in <#C0001|general>");
        let mut record = json!({"type": "message", "user": author, "text": text, "ts": ts(at)});
        match numbers.below(12) {
            0 => {
                let url = format!("https://files.slack.com/files-pri/T1-F{at}/plan.pdf?t=xoxe-{at}-abc");
                record["files"] = json!([{"id": "F1", "name": "plan.pdf", "url_private": url, "url_private_download": url}]);
            }
            1 => {
                record["text"] = json!(format!(
                    "{text} <https://files.slack.com/a?t=xoxe-1-{at}> and xoxb-{at}-x"
                ))
            }
            2 => record["reactions"] = json!([{"name": "tada", "count": 2, "users": ["U0001", "U0002"]}]),
            3 => {
                record["user"] = Value::Null;
                record["bot_id"] = json!("B1");
                record["subtype"] = json!("bot_message");
                record["username"] = json!("deployer");
            }
            4 => record["edited"] = json!({"user": author, "ts": ts(at + 5_000_000)}),
            _ => {}
        }
        record
    }

    /// Has one more message said right after the last one of a channel, and one more reply to a thread that is old in
    /// another. Gives the id of the first channel, and the key of the thread.
    pub fn go_on(&mut self) -> (String, String) {
        let first = self.conversations.values_mut().next().unwrap();
        let is_said = |record: &&Value| {
            record["thread_ts"].is_null() && record["subtype"].is_null() && record["text"] != ""
        };
        let times = first
            .messages
            .iter()
            .filter(is_said)
            .filter_map(|record| record["ts"].as_str()?.parse::<f64>().ok());
        let last = times.fold(0.0, f64::max);
        let next = format!("{}.000000", last as u64 + 60);
        let said = first.id.clone();
        first
            .messages
            .push(json!({"type": "message", "user": "U0001", "text": "one more", "ts": next}));

        let second = self.conversations.values_mut().nth(1).unwrap();
        let root = second
            .messages
            .iter()
            .find(|record| record["reply_count"].is_number())
            .unwrap();
        let root = root["ts"].clone();
        let late = json!({"type": "message", "user": "U0001", "text": "late", "ts": "1790000000.000000", "thread_ts": root});
        second.messages.push(late);
        (said, format!("{}/{}", second.id, root.as_str().unwrap()))
    }

    /// The files of the export.
    pub fn files(&self) -> BTreeMap<String, Value> {
        let users = (0..USERS).map(|number| {
            let profile =
                json!({"real_name": format!("Person {number}"), "email": format!("P{number}@A.example")});
            let name = match self.operator {
                Some(operator) if operator == number => "operator".to_owned(),
                _ => format!("person{number}"),
            };
            json!({"id": user(number), "team_id": "T1", "name": name, "profile": profile})
        });
        let mut files = BTreeMap::from([("users.json".to_owned(), Value::from_iter(users))]);
        for list in ["channels.json", "groups.json", "mpims.json", "dms.json"] {
            files.insert(list.to_owned(), json!([]));
        }
        for conversation in self.conversations.values() {
            let mut record = json!({"id": conversation.id, "members": conversation.members});
            if conversation.list != "dms.json" {
                record["name"] = json!(conversation.name);
            }
            files
                .get_mut(conversation.list)
                .unwrap()
                .as_array_mut()
                .unwrap()
                .push(record);
            for message in &conversation.messages {
                let seconds: f64 = message["ts"].as_str().unwrap().parse().unwrap_or(FIRST as f64);
                let day = DateTime::from_timestamp(seconds as i64, 0)
                    .unwrap()
                    .format("%Y-%m-%d");
                let file = files
                    .entry(format!("{}/{day}.json", conversation.name))
                    .or_insert(json!([]));
                file.as_array_mut().unwrap().push(message.clone());
            }
        }
        files
    }

    pub fn write_folder(&self, path: &Path) {
        for (name, content) in self.files() {
            let path = path.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content.to_string()).unwrap();
        }
    }
}

fn conversation(number: usize, numbers: &mut Numbers) -> Conversation {
    let (list, prefix, size) = match number {
        0..120 => ("channels.json", "C", 30),
        120..170 => ("groups.json", "G", 8),
        170..180 => ("mpims.json", "M", 4),
        _ => ("dms.json", "D", 2),
    };
    let id = format!("{prefix}{number:04}");
    let mut members: Vec<String> = Vec::new();
    while members.len() < size {
        let member = user(numbers.below(USERS));
        if !members.contains(&member) {
            members.push(member);
        }
    }
    let name = if list == "dms.json" {
        id.clone()
    } else {
        format!("name-{number}")
    };
    let readers = match list {
        "channels.json" => vec!["group:slack".to_owned()],
        _ => members
            .iter()
            .map(|id| format!("user:p{}@a.example", id[1..].parse::<u64>().unwrap()))
            .collect(),
    };
    Conversation {
        id,
        list,
        is_private: list != "channels.json",
        name,
        members,
        readers,
        messages: Vec::new(),
    }
}
