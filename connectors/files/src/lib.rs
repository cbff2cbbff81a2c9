//! Documents from folders and files on this machine.
//!
//! The way of a listing: [`FilesConnector`] walks its roots on a thread of its own ([`walk`]), one folder's names in
//! memory at a time, and names each file by a [`key`] that holds any name there is. The way of a fetch: the
//! key becomes a path again and is opened one folder after the other without following a link
//! ([`open`]), so that nothing outside of a root is ever read, whatever happens between listing and fetching.
//!
//! * A link is skipped (`link_not_followed`), wherever it leads: so a listing ends, and a folder that is
//!   linked twice isn't stored twice. A root itself may be a link.
//! * A folder that can't be read is a `Failed` event whose key ends with `/`: nothing is known about the documents
//!   under it, so nothing about them changes. A root that can't be read ends the listing.
//! * Files and folders whose names begin with a dot are passed over, unless [`FilesConfig::hidden`] says otherwise.
//! * Permissions of the file system are not taken for permissions to read in Lectern: a document from here has no ACL,
//!   and its source's default counts.

mod config;
mod key;
mod walk;
mod open;
mod connector;
mod error;

pub use config::FilesConfig;
pub use connector::FilesConnector;
pub use error::Error;
