//! Documents from a Git repository on this machine: a checkout, or a bare repository.
//!
//! The way of a listing: the [`reference`] leads to a commit, whose tree is walked by the rules of the source ([`files`]). A walk
//! over the commits tells when each file last changed, who did it, and since when it has been there ([`history`]). Then each
//! file is looked at, and listed as a [`document`] where it is text. All of it is read from the [`store`] of objects. The way of
//! a fetch: the key becomes a path again and leads to the file of the commit that the reference leads to now; what the
//! listing found out is still at hand ([`shelf`]).
//!
//! * What is committed counts, and not the working folder: nothing that isn't committed or is ignored gets in, and it doesn't
//!   matter what is checked out. `include`, `exclude` and hidden names are those of a source of files; `.lecternignore` and
//!   sidecar files mean nothing here.
//! * Only text is read. Skipped, and told, are files with a zero byte in their first 8,000 bytes (`not_text`), links
//!   (`link_not_followed`), submodules (`submodule`), pointers of Git LFS (`lfs_pointer`), what is too large (`too_large`) and names that
//!   no file can have (`name_unsafe`).
//! * `author` has the authors of the last and of the first commit of a file, `created` is the first one's date of
//!   authorship, `modified` the date of the last, `commit` its id, `branch` what was read. Mail addresses are kept where they
//!   are asked for.
//! * A change tag has the content, the mode and both commits. A listing that isn't the first names what a new commit
//!   changed and what it took away ([`listing`]); its cursor is the commit.
//! * A repository is hostile input. Its files are read by this crate alone: no program is run, no hook, filter, include or link is
//!   followed, nothing is written, no file is mapped into memory, and objects are compared with their names. What is large, deep
//!   or long is bounded. One file that can't be read is a `Failed` event, and so is a folder, under which nothing is deleted.
//! * Not read are repositories with SHA-256, with references that aren't files, with objects borrowed from elsewhere,
//!   and linked worktrees; each says so. `git replace` and grafts mean nothing.

mod config;
mod repository;
mod object;
mod store;
mod reference;
mod files;
mod history;
mod shelf;
mod document;
mod account;
mod listing;
mod connector;
mod error;

pub use account::Account;
pub use config::GitConfig;
pub use connector::GitConnector;
pub use error::Error;
pub use store::ObjectError;
