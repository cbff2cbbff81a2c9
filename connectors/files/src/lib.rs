//! Documents from folders and files on this machine.
//!
//! The way of a listing: [`FilesConnector`] walks its roots on a thread of its own ([`walk`]), one folder's names in
//! memory at a time, and names each file by a [`key`] that holds any name there is. The way of a fetch: the
//! key becomes a path again and is opened one folder after the other without following a link
//! ([`open`]), so that nothing outside of a root is ever read, whatever happens between listing and fetching.
//!
//! * A link is skipped (`link_not_followed`), wherever it leads: one that leads out of the root would show what nobody
//!   asked for, and what one leads to inside is listed where it lies, so it isn't stored twice, and a listing ends. A
//!   root itself may be a link.
//! * What is read can be narrowed: by include and exclude patterns and by `.lecternignore` files ([`filter`]). An ignore file
//!   that can't be used ends the listing: what it was meant to leave out must not come in.
//! * A folder that can't be read is a `Failed` event whose key ends with `/`: nothing is known about the documents
//!   under it, so nothing about them changes. A root that can't be read ends the listing.
//! * Files and folders whose names begin with a dot are passed over, unless [`FilesConfig::hidden`] says otherwise.
//! * A file that hasn't changed for two seconds has a change tag ([`change`]), so that it isn't read again.
//! * `NAME.metadata.json` is no document but says what is known about `NAME` ([`sidecar`]): attributes, a title, who may
//!   read it. Fetching `NAME` reads both.
//! * A source that is watched ([`watch`]) lists what changed since the last listing ([`changes`]), as long as that is known
//!   exactly.
//! * Permissions of the file system are not taken for permissions to read in Lectern: a document from here has the ACL
//!   of its sidecar, or none, and then its source's default counts.

mod config;
mod filter;
mod key;
mod walk;
mod change;
mod open;
mod sidecar;
mod changes;
mod listing;
mod connector;
mod watched;
mod watch;
mod error;

pub use change::{State, state_of};
pub use config::FilesConfig;
pub use connector::FilesConnector;
pub use error::Error;
pub use filter::Filter;
pub use key::{encode, file_uri};
pub use listing::{Listed, listing_of};
pub use open::{components, open_beneath};
pub use watch::{FolderWatch, WatchTiming};
