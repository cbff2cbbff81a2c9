//! A document while it is written: the messages one after the other, and what all of them say together.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use lectern_domain::attribute::names;
use lectern_domain::{AttributeValue, Attributes};
use mail_parser::Message;

use crate::entry::Entry;
use crate::headers::{self, Person, Subject};

/// What an attribute and what a line names at most.
const MOST_NAMED: usize = 200;
const MOST_SHOWN: usize = 30;
/// What a thread is called that has no subject.
const NO_SUBJECT: &str = "(no subject)";

/// A document while it is written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    blocks: String,
    subject: Option<String>,
    authors: BTreeSet<String>,
    /// Names, for readers.
    people: Vec<String>,
    from: BTreeSet<String>,
    to: BTreeSet<String>,
    pub(crate) participants: BTreeSet<String>,
    pub(crate) folders: BTreeSet<String>,
    labels: BTreeSet<String>,
    lists: BTreeSet<String>,
    dates: Option<(DateTime<Utc>, DateTime<Utc>)>,
    messages: u32,
}

impl Written {
    /// Notes what the fields of a message say.
    pub(crate) fn note(&mut self, message: &Message<'_>) {
        let subject = Subject::of(message).shown;
        if self.subject.is_none() && !subject.is_empty() {
            self.subject = Some(subject);
        }
        let authors = headers::authors(message);
        let others = [headers::people(message.to()), headers::people(message.cc())].concat();
        for person in authors.iter().chain(&others) {
            if !self.people.contains(&person.name) && self.people.len() < MOST_NAMED {
                self.people.push(person.name.clone());
            }
        }
        self.from
            .extend(authors.iter().filter_map(|person| person.address.clone()));
        self.to
            .extend(others.into_iter().filter_map(|person| person.address));
        self.authors.extend(authors.into_iter().map(|person| person.name));
        self.participants.extend(headers::participants(message));
        self.labels.extend(headers::labels(message));
        self.lists
            .extend(headers::text(message, "List-Id").as_deref().and_then(list_id));
        if let Some(date) = headers::date(message) {
            let (first, last) = self.dates.unwrap_or((date, date));
            self.dates = Some((first.min(date), last.max(date)));
        }
        self.messages += 1;
    }

    pub(crate) fn add(&mut self, message: &Message<'_>, entry: &Entry, text: &str) {
        self.note(message);
        let authors = shown(&headers::authors(message));
        let author = if authors.is_empty() { "(unknown)" } else { &authors };
        let date = headers::date(message).map(|date| format!(", {} UTC", date.format("%Y-%m-%d %H:%M")));
        self.blocks
            .push_str(&format!("\n## {author}{}\n\n", date.unwrap_or_default()));
        for (name, field) in [("To", message.to()), ("Cc", message.cc())] {
            let people = shown(&headers::people(field));
            if !people.is_empty() {
                self.blocks.push_str(&format!("{name}: {people}\n"));
            }
        }
        let attached = entry.attached.iter().filter(|attached| !attached.is_signature);
        let attached: Vec<&str> = attached.map(|attached| &*attached.name).collect();
        if !text.trim().is_empty() {
            self.blocks.push_str(&format!("\n{}\n", text.trim_end()));
        }
        if !attached.is_empty() {
            self.blocks
                .push_str(&format!("\nAttachments: {}\n", some(&attached)));
        }
    }

    pub(crate) fn title(&self) -> String {
        self.subject.clone().unwrap_or_else(|| NO_SUBJECT.to_owned())
    }

    /// The head that makes the document understood by itself, and the messages.
    pub(crate) fn text(&self, number: u32) -> String {
        let people: Vec<&str> = self.people.iter().map(String::as_str).collect();
        let mut text = format!("# {}\n\n", self.title());
        if !people.is_empty() {
            text.push_str(&format!("Participants: {}\n", some(&people)));
        }
        if let Some((first, last)) = self.dates {
            let (first, last) = (
                first.format("%Y-%m-%d").to_string(),
                last.format("%Y-%m-%d").to_string(),
            );
            match first == last {
                true => text.push_str(&format!("Date: {first}\n")),
                false => text.push_str(&format!("Dates: {first} to {last}\n")),
            }
        }
        if number > 1 {
            text.push_str(&format!("Part: {number}\n"));
        }
        text + &self.blocks
    }

    pub(crate) fn attributes(&self, number: u32) -> Attributes {
        let mut attributes = Attributes::new();
        let lists = [
            (names::AUTHOR, &self.authors),
            ("from", &self.from),
            ("to", &self.to),
            ("folder", &self.folders),
            ("labels", &self.labels),
            ("list", &self.lists),
        ];
        for (name, values) in lists {
            let values: Vec<String> = values.iter().take(MOST_NAMED).cloned().collect();
            if !values.is_empty() {
                attributes.insert(name.to_owned(), AttributeValue::TextList(values));
            }
        }
        if !self.people.is_empty() {
            let people = AttributeValue::TextList(self.people.clone());
            attributes.insert("participants".to_owned(), people);
        }
        if let Some(subject) = &self.subject {
            attributes.insert("subject".to_owned(), AttributeValue::Text(subject.clone()));
        }
        if let Some((first, last)) = self.dates {
            attributes.insert(names::CREATED.to_owned(), AttributeValue::Date(first));
            attributes.insert(names::MODIFIED.to_owned(), AttributeValue::Date(last));
        }
        let count = AttributeValue::Number(f64::from(self.messages));
        attributes.insert("message_count".to_owned(), count);
        if number > 1 {
            attributes.insert("part".to_owned(), AttributeValue::Number(f64::from(number)));
        }
        attributes
    }
}

/// `staff.a.example` of `The staff <staff.a.example>`.
fn list_id(field: &str) -> Option<String> {
    let id = field
        .rsplit_once('<')
        .and_then(|(_, id)| id.split_once('>'))
        .map_or(field, |(id, _)| id);
    let id = headers::one_line(id).to_lowercase();
    (!id.is_empty()).then_some(id)
}

fn shown(people: &[Person]) -> String {
    let names: Vec<&str> = people.iter().map(|person| person.name.as_str()).collect();
    some(&names)
}

/// The first of many names.
fn some(names: &[&str]) -> String {
    let more = names.len().saturating_sub(MOST_SHOWN);
    let shown = names[..names.len() - more].join(", ");
    match more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_named_by_its_id() {
        assert_eq!(
            list_id("The staff <Staff.a.example>").as_deref(),
            Some("staff.a.example")
        );
        assert_eq!(list_id("staff.a.example").as_deref(), Some("staff.a.example"));
        assert_eq!(list_id("<>"), None);
    }
}
