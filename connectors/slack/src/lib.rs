//! Documents from an export of a Slack workspace: the zip file that Slack gives, or the folder that it was unpacked to.
//!
//! The way of a listing: [`SlackConnector`] opens the [`export`] and reads who and what there is ([`directory`]). Then,
//! one conversation after the other: each day's file ([`json`]) becomes records ([`message`]), whose text and
//! [`blocks`] are [rendered](render) from Slack's markup ([`mrkdwn`]) as Markdown; of each message the [`index`] keeps
//! when, where and the hash of how it reads; the conversation is [`cut`] into threads and exchanges; and each of them is
//! listed as a [`document`]. The way of a fetch: the key leads to the conversation's index, which the [`shelf`] still
//! has, and from there to the days that the document has messages of.
//!
//! * A newer export takes the place of the older one, at the same path or at another one that the source is changed to.
//!   Documents have the same keys in it, and one that reads the same isn't fetched again. What isn't in it is deleted,
//!   so an export of a part of the time belongs into a source of its own.
//! * What stands in a public channel is read by whom [`SlackConfig::workspace_access`] names, everything else by the
//!   members of the conversation, named as [`SlackConfig::members_as`] says. A member whom the list of users doesn't
//!   have, who was deactivated, or who is a program, is nobody.
//! * No token leaves: see [`clean`].
//! * Every message is accounted for: see [`Account`].
//! * The file of a day that can't be read is a `Failed` event for the conversation, `CHANNEL/`: what isn't listed of it
//!   stays as it is, and what may have a part in that file isn't listed. A list that can't be read ends the listing.
//! * A file that was shared is a document where the export has it (`__uploads/ID/NAME`, or `attachments/ID-NAME` beside the messages, as
//!   programs put it that complete exports), and a name in the message's text where it doesn't.

mod config;
mod clean;
mod moment;
mod json;
mod export;
mod directory;
mod mrkdwn;
mod blocks;
mod message;
mod render;
mod cut;
mod index;
mod document;
mod shelf;
mod account;
mod listing;
mod connector;
mod error;

pub use account::Account;
pub use config::{MembersAs, SlackConfig};
pub use connector::SlackConnector;
pub use error::Error;
