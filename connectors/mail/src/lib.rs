//! Documents from mailboxes: mbox files, Maildir folders, and folders of single messages (`.eml`), told apart by content.
//!
//! The way of a listing: [`find`] walks the roots; [`scan`] reads each file once, an mbox as a stream cut by [`mbox`]; of each
//! message, which [`mime`] takes apart, an [`entry`] of some hundred bytes is kept: its ids, its date, where it lies, and the hash of its bytes. Entries
//! are put together by [`thread`], threads are [`cut`] into documents, and all of that is the [`index`], which the
//! [`shelf`] keeps for as long as nothing on the disk changes. The way of a fetch: the key leads to a document of the index,
//! whose messages are read from their files again, held against their hashes, rendered ([`body`], [`html`], [`flow`]), freed of
//! what they quote ([`quote`]) and [written] as Markdown ([`document`]).
//!
//! * A thread is what hangs together by Message-ID, In-Reply-To and References, in whatever files and folders. A
//!   reply that has lost these fields joins the last message of the same subject, if that isn't long ago.
//! * A long thread is several documents, cut from its beginning on: what is added to it changes the last one, or makes a new one.
//! * **Attachments** are documents of the listing, `threads/ROOT/N/MESSAGE/PLACE` beside their thread's `threads/ROOT/N`, with its
//!   readers, the address of their message and the attribute `attached_to`. A thread is Markdown, out of which nothing can be
//!   taken later, so they can't come out of it as they come out of a message that is ingested as a file; and so each has a tag of
//!   its own, and isn't read again because somebody answered. An attached message is such a document too, and ingestion takes its
//!   attachments out of it. Pictures that belong to the HTML of a message are no attachments; signatures are left out.
//! * A mailbox has no permissions. [`Readers::Participants`] makes the documents readable by those only whom From, To and Cc name:
//!   then messages of a thread with other participants are other documents, so that nobody reads what went past them.
//! * The same message in several folders is read once; its folders are all named.
//! * Every message is accounted for: see [`Account`]. A message that can't be read is a `Failed` event of its own. If one lay in its
//!   place at the last listing and lies nowhere else now, its thread stays what it was ([`memory`]); else nobody knows of a thread. A folder or an mbox that can't be read ends the listing, since nobody knows which threads it has a part in.
//! * An mbox that is written to meanwhile is read up to its length when it was opened, and up to the last whole message.

mod config;
mod names;
mod find;
mod mbox;
mod mime;
mod entry;
mod headers;
mod attachment;
mod kind;
mod again;
mod scan;
mod thread;
mod cut;
mod account;
mod index;
mod shelf;
mod memory;
mod flow;
mod html;
mod quote;
mod body;
mod key;
mod written;
mod document;
mod listing;
mod connector;
mod error;

pub use account::Account;
pub use config::{MailConfig, Readers};
pub use connector::MailConnector;
pub use error::Error;
