//! Who there is and which conversations there are: what the lists of the export say.
//!
//! A list that is there and can't be read ends everything: without it, names and readers would be guesses. A single
//! record in it that makes no sense is passed over; what belongs to it is then unknown, and unknown is closed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use lectern_domain::{Acl, Principal};
use serde_json::Value;

use crate::clean::{scrub, some_text};
use crate::config::{MembersAs, SlackConfig};
use crate::error::Error;
use crate::export::{Export, USERS, is_id};
use crate::json::records;

/// The lists of conversations, and what they list.
pub(crate) const CONVERSATIONS: [(&str, Kind); 4] = [
    ("channels.json", Kind::Public),
    ("groups.json", Kind::Private),
    ("mpims.json", Kind::Group),
    ("dms.json", Kind::Direct),
];

/// Members whose names stand in the label of a message between several.
const MOST_NAMES: usize = 8;

/// What a private channel is called where its name isn't to be told.
pub(crate) const PRIVATE_CHANNEL: &str = "private-channel";

/// What a conversation is, the most open first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Public,
    Private,
    Group,
    Direct,
}

impl Kind {
    /// As the attribute `channel_type` says it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Group => "group",
            Self::Direct => "direct",
        }
    }
}

/// Somebody.
#[derive(Clone, Debug)]
struct User {
    name: String,
    /// Nothing for one who can't sign in any more, and for a program.
    principal: Option<Principal>,
}

/// A conversation.
#[derive(Clone, Debug)]
pub(crate) struct Conversation {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// The folder that its messages lie in.
    pub(crate) folder: String,
    /// The name of a channel, the names of the members elsewhere.
    pub(crate) name: String,
    pub(crate) acl: Acl,
}

impl Conversation {
    /// How it is called in a title.
    pub(crate) fn label(&self) -> String {
        match self.kind {
            Kind::Public | Kind::Private => format!("#{}", self.name),
            Kind::Group | Kind::Direct => self.name.clone(),
        }
    }
}

/// The lists.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    users: HashMap<String, User>,
    bots: HashMap<String, String>,
    /// By id.
    pub(crate) conversations: BTreeMap<String, Conversation>,
    /// The folders that the configuration leaves out, or that conversations lie in.
    pub(crate) known_folders: HashSet<String>,
    /// The folders that several conversations claim, with their ids: whose messages they hold is unknown.
    pub(crate) contested: BTreeMap<String, Vec<String>>,
    /// The lists of conversations that the export doesn't have.
    pub(crate) missing_lists: Vec<&'static str>,
    /// The id of the workspace.
    pub(crate) team: Option<String>,
}

impl Directory {
    /// Reads the lists.
    pub(crate) fn read(export: &Export, config: &SlackConfig) -> Result<Self, Error> {
        let mut directory = Self::default();
        let lists = &export.root().lists;
        let not_one = |problem: &str| Error::NotAnExport {
            path: config.export.clone(),
            problem: problem.to_owned(),
        };
        let Some(users) = USERS.into_iter().find(|name| lists.contains_key(*name)) else {
            return Err(not_one("it has no users.json"));
        };
        if !CONVERSATIONS.iter().any(|(name, _)| lists.contains_key(*name)) {
            return Err(not_one(
                "it has none of channels.json, groups.json, mpims.json and dms.json",
            ));
        }
        list(export, config, users, |record| {
            directory.add_user(record, config.members_as)
        })?;
        for (name, kind) in CONVERSATIONS {
            match lists.contains_key(name) {
                true => list(export, config, name, |record| {
                    directory.add_conversation(record, kind, config)
                })?,
                false => directory.missing_lists.push(name),
            }
        }
        directory.settle_folders(export);
        Ok(directory)
    }

    fn add_user(&mut self, record: &Value, members_as: MembersAs) {
        let Some(id) = id_of(record) else { return };
        let nothing = Value::Null;
        let profile = record.get("profile").unwrap_or(&nothing);
        let name = some_text(profile, "real_name")
            .or_else(|| some_text(record, "real_name"))
            .or_else(|| some_text(profile, "display_name"))
            .or_else(|| some_text(record, "name"))
            .unwrap_or_else(|| id.clone());
        let is = |name: &str| record.get(name).and_then(Value::as_bool).unwrap_or(false);
        let principal = match members_as {
            MembersAs::Email => some_text(profile, "email").map(|address| address.trim().to_lowercase()),
            MembersAs::Name => some_text(record, "name"),
            MembersAs::Id => None,
        };
        let principal = match members_as {
            // A name is no id: who has none is nobody.
            MembersAs::Name => principal,
            MembersAs::Email | MembersAs::Id => principal.or_else(|| Some(id.clone())),
        };
        let can_sign_in = !is("deleted") && !is("is_bot");
        if let Some(bot) = some_text(profile, "bot_id") {
            self.bots.insert(bot, name.clone());
        }
        if self.team.is_none() {
            self.team = some_text(record, "team_id").filter(|team| is_id(team));
        }
        let principal = principal.filter(|_| can_sign_in).map(Principal::User);
        self.users.insert(id, User { name, principal });
    }

    fn add_conversation(&mut self, record: &Value, listed_as: Kind, config: &SlackConfig) {
        let Some(id) = id_of(record) else { return };
        let is = |name: &str| record.get(name).and_then(Value::as_bool).unwrap_or(false);
        let stated = if is("is_im") {
            Kind::Direct
        } else if is("is_mpim") {
            Kind::Group
        } else if is("is_private") {
            Kind::Private
        } else {
            listed_as
        };
        let kind = listed_as.max(stated);
        let folder = some_text(record, "name").filter(|_| kind != Kind::Direct);
        let folder = folder.unwrap_or_else(|| id.clone());
        let is_excluded = |name: &String| *name == id || *name == folder;
        if config.exclude.iter().any(is_excluded) {
            self.known_folders.insert(folder);
            return;
        }
        let members: BTreeSet<&str> = record
            .get("members")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let acl = match kind {
            Kind::Public => Acl::allowing(config.workspace_access.iter().cloned()),
            _ => Acl::allowing(
                members
                    .iter()
                    .filter_map(|id| self.users.get(*id)?.principal.clone()),
            ),
        };
        let name = match kind {
            Kind::Public | Kind::Private => folder.clone(),
            Kind::Group | Kind::Direct => self.names_of(&members),
        };
        let new = Conversation {
            id: id.clone(),
            kind,
            folder,
            name,
            acl,
        };
        // Listed twice, it is what fewer may read.
        let found = self.conversations.entry(id).or_insert_with(|| new.clone());
        if found.kind < new.kind {
            *found = new;
        }
    }

    fn names_of(&self, members: &BTreeSet<&str>) -> String {
        let mut names: Vec<String> = members.iter().map(|id| self.user(id)).collect();
        names.sort();
        let more = names.len().saturating_sub(MOST_NAMES);
        names.truncate(MOST_NAMES);
        match (names.is_empty(), more) {
            (true, _) => "a conversation without members".to_owned(),
            (false, 0) => names.join(", "),
            (false, more) => format!("{} and {more} more", names.join(", ")),
        }
    }

    /// Finds each conversation's folder, which has the name that the export gives it, or its id.
    fn settle_folders(&mut self, export: &Export) {
        let folders: HashSet<&str> = export.root().folders.iter().map(String::as_str).collect();
        let mut claims: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for conversation in self.conversations.values_mut() {
            if !folders.contains(conversation.folder.as_str()) && folders.contains(conversation.id.as_str()) {
                conversation.folder.clone_from(&conversation.id);
            }
            let folder = conversation.folder.clone();
            claims.entry(folder).or_default().push(conversation.id.clone());
        }
        for (folder, ids) in claims {
            if ids.len() > 1 && folders.contains(folder.as_str()) {
                self.contested.insert(folder.clone(), ids);
            }
            self.known_folders.insert(folder);
        }
    }

    /// The name of a user, or the id where there is none such.
    pub(crate) fn user(&self, id: &str) -> String {
        self.known_user(id)
            .map_or_else(|| scrub(id).into_owned(), str::to_owned)
    }

    pub(crate) fn known_user(&self, id: &str) -> Option<&str> {
        Some(self.users.get(id)?.name.as_str())
    }

    pub(crate) fn bot(&self, id: &str) -> Option<&str> {
        Some(self.bots.get(id)?.as_str())
    }

    /// The name of a channel as the readers of another one may see it: that of a private one isn't told, whatever
    /// stands in the message.
    pub(crate) fn channel_seen_from(&self, id: &str, reader: &str) -> Option<&str> {
        let channel = self.conversations.get(id)?;
        match channel.kind == Kind::Public || id == reader {
            true => Some(&channel.name),
            false => Some(PRIVATE_CHANNEL),
        }
    }
}

fn id_of(record: &Value) -> Option<String> {
    some_text(record, "id").filter(|id| is_id(id))
}

/// Hands over each record of a list.
fn list(
    export: &Export,
    config: &SlackConfig,
    name: &str,
    mut give: impl FnMut(&Value),
) -> Result<(), Error> {
    let broken = |problem: String| Error::List {
        name: name.to_owned(),
        problem,
    };
    let Some(file) = export.root().lists.get(name) else {
        return Ok(());
    };
    let bytes = export
        .read(file, config.max_entry_bytes)
        .map_err(|unreadable| broken(unreadable.problem))?;
    records(&bytes, |record| give(&record)).map_err(|unreadable| broken(unreadable.problem))
}
