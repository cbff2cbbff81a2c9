//! A record of a day's file as a message: whether it is one, who wrote it and when, and how it reads.
//!
//! A record that says of another message that it was edited or deleted counts for that one. What is put together here
//! is all that a document is made of, so its hash tells whether the message is still the same.

use serde::Serialize;
use serde_json::Value;

use crate::account::Reason;
use crate::clean::{scrub, some_text};
use crate::directory::{Conversation, Directory};
use crate::export::is_id;
use crate::moment::Moment;
use crate::render;

/// A record.
#[derive(Debug)]
pub(crate) enum Record {
    Message(Box<Message>),
    /// Says that the message of that time was deleted.
    Deletion(Moment),
    /// No message to be found by anybody.
    LeftOut {
        reason: Reason,
        /// Which message isn't, where the record has one.
        absent: Option<Absent>,
    },
}

/// A message of which a record has nothing that may be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Absent {
    pub(crate) at: Moment,
    /// The thread that it is a reply in.
    pub(crate) thread: Option<Moment>,
    /// The newest of its states that the record takes the place of, where it is the newer state of a message.
    pub(crate) until: Option<Moment>,
}

/// A message.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) at: Moment,
    /// The time of the message that began its thread; its own time where it did.
    pub(crate) thread: Option<Moment>,
    /// How many replies Slack counts.
    pub(crate) replies: u32,
    /// When this state of it was written.
    pub(crate) version: Moment,
    pub(crate) shown: Shown,
}

impl Message {
    /// Whether it answers another one.
    pub(crate) fn is_reply(&self) -> bool {
        self.thread.is_some_and(|thread| thread != self.at)
    }
}

/// What a document has from a message.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Shown {
    /// Who, when and what, in Markdown.
    pub(crate) block: String,
    /// The first words of it.
    pub(crate) summary: String,
    pub(crate) author: String,
    /// Who is mentioned.
    pub(crate) mentioned: Vec<String>,
    pub(crate) reactions: Vec<(String, u64)>,
    pub(crate) files: Vec<SharedFile>,
    /// Microseconds since 1970.
    pub(crate) changed: u64,
}

/// A file that was shared with a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SharedFile {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
}

/// Where a record stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) conversation: &'a Conversation,
}

impl Record {
    pub(crate) fn read(value: &Value, scene: Scene<'_>) -> Self {
        if value["subtype"] == "message_changed" && value["message"].is_object() {
            let message = &value["message"];
            let version = moment(value, "ts").or_else(|| moment(&message["edited"], "ts"));
            return Self::of_message(message, version.or_else(|| moment(message, "ts")), scene);
        }
        if value["subtype"] == "message_deleted" {
            let deleted = moment(value, "deleted_ts").or_else(|| moment(&value["previous_message"], "ts"));
            return deleted.map_or(nothing_named(Reason::Deleted), Self::Deletion);
        }
        Self::of_message(value, None, scene)
    }

    /// Reads a message. `version` is when its state was written, where it stands in a record about it.
    fn of_message(value: &Value, version: Option<Moment>, scene: Scene<'_>) -> Self {
        let is_message = value.get("type").is_none_or(|kind| kind == "message");
        let Some(at) = moment(value, "ts").filter(|_| is_message) else {
            return nothing_named(Reason::BrokenRecord);
        };
        let thread = moment(value, "thread_ts");
        let answered = thread.filter(|thread| *thread != at);
        let left_out = |reason| Self::LeftOut {
            reason,
            absent: Some(Absent {
                at,
                thread: answered,
                until: match reason {
                    // What was deleted has no later state.
                    Reason::Deleted => Some(Moment(u64::MAX)),
                    _ => version,
                },
            }),
        };
        if let Some(reason) = reason_to_leave_out(value) {
            return left_out(reason);
        }
        let edited = moment(&value["edited"], "ts");
        let Some(shown) = render::message(value, at, answered.is_some(), edited, scene) else {
            return left_out(Reason::Empty);
        };
        let replies = value["reply_count"].as_u64().unwrap_or_default();
        Self::Message(Box::new(Message {
            at,
            thread,
            replies: u32::try_from(replies).unwrap_or(u32::MAX),
            version: version.or(edited).unwrap_or(at),
            shown,
        }))
    }
}

fn nothing_named(reason: Reason) -> Record {
    Record::LeftOut { reason, absent: None }
}

fn moment(value: &Value, key: &str) -> Option<Moment> {
    Moment::parse(value.get(key)?.as_str()?)
}

/// Whether a record is one of those that Slack writes about a conversation. What is unknown is taken for a message.
fn reason_to_leave_out(value: &Value) -> Option<Reason> {
    const SYSTEM: [&str; 22] = [
        "app_conversation_join",
        "app_conversation_leave",
        "bot_add",
        "bot_disable",
        "bot_enable",
        "bot_remove",
        "file_public",
        "huddle_thread",
        "joiner_notification",
        "joiner_notification_for_inviter",
        "message_replied",
        "pinned_item",
        "reminder_add",
        "reminder_delete",
        "sh_room_created",
        "sh_room_shared",
        "shared_canvas",
        "shared_list",
        "tabbed_canvas_updated",
        "unpinned_item",
        "workflow_bot_added",
        "message_changed",
    ];
    let subtype = value.get("subtype").and_then(Value::as_str).unwrap_or_default();
    match subtype {
        "tombstone" => Some(Reason::Deleted),
        "ekm_access_denied" => Some(Reason::AccessDenied),
        "channel_join" | "channel_leave" | "group_join" | "group_leave" | "mpim_join" | "mpim_leave" => {
            Some(Reason::JoinOrLeave)
        }
        _ if SYSTEM.contains(&subtype) => Some(Reason::SystemMessage),
        _ if ["channel_", "group_", "mpim_"]
            .iter()
            .any(|head| subtype.starts_with(head)) =>
        {
            Some(Reason::SystemMessage)
        }
        _ if value["hidden"] == true => Some(Reason::SystemMessage),
        _ => None,
    }
}

/// Who wrote it: a person by the name in the list of users, a program by the name that it gave itself.
pub(crate) fn author(value: &Value, directory: &Directory) -> String {
    let profile = &value["user_profile"];
    let user = value.get("user").and_then(Value::as_str);
    let bot = value.get("bot_id").and_then(Value::as_str);
    let person = || directory.known_user(user?).map(str::to_owned);
    let program = || some_text(value, "username").or_else(|| some_text(&value["bot_profile"], "name"));
    let known = match bot {
        Some(_) => program().or_else(person),
        None => person().or_else(program),
    };
    known
        .or_else(|| directory.bot(bot?).map(str::to_owned))
        .or_else(|| some_text(profile, "real_name"))
        .or_else(|| some_text(profile, "display_name"))
        .or_else(|| user.or(bot).map(|id| scrub(id).into_owned()))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The reactions by name, without shades of skin.
pub(crate) fn reactions(value: &Value) -> Vec<(String, u64)> {
    let reactions = value["reactions"].as_array().into_iter().flatten();
    reactions
        .filter_map(|reaction| {
            let name = some_text(reaction, "name")?;
            let users = reaction["users"].as_array().map(|users| users.len() as u64);
            let count = reaction["count"].as_u64().or(users)?;
            Some((name.split("::").next().unwrap_or_default().to_owned(), count))
        })
        .collect()
}

/// The files that were shared with it.
pub(crate) fn files(value: &Value) -> Vec<SharedFile> {
    let old_style = value.get("file").filter(|file| file.is_object());
    let files = value["files"].as_array().into_iter().flatten().chain(old_style);
    files
        .filter(|file| file.is_object())
        .map(|file| {
            let name = match file["mode"].as_str() {
                Some("tombstone") => Some("a file that was deleted".to_owned()),
                Some("hidden_by_limit") => Some("a file that is no longer shown".to_owned()),
                _ => some_text(file, "name").or_else(|| some_text(file, "title")),
            };
            SharedFile {
                id: some_text(file, "id").filter(|id| is_id(id)),
                name: name.unwrap_or_else(|| "a file without a name".to_owned()),
            }
        })
        .collect()
}
