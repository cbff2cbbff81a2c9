//! Documents from buckets: Amazon S3 and what speaks like it (`MinIO`, Ceph, Cloudflare R2), Google Cloud Storage, Azure Blob
//! Storage.
//!
//! The way of a listing: [`S3Connector`] reads its buckets page by page, in the order of their keys ([`listing`]). Each
//! object is held back until it is known whether there is a sidecar beside it ([`beside`]), looked at through the filters
//! ([`filter`]), and named by a [`key`] that holds any name there is. The way of a fetch: the key becomes a name again, and
//! the object, its sidecar and its tags are read ([`content`]).
//!
//! Requests go over [`wire`], which speaks to each service in its own way ([`reach`] says to which), with the credentials, the
//! signatures and the HTTP client of `object_store`. Its own stores aren't used: they have no names for many keys that
//! buckets have (`a//b`, `/a`), pass over an object that is called like the prefix, and tell neither the service's clock nor for
//! how long it asks to be left alone.
//!
//! * Memory: one page of a listing, and what waits for its sidecar, which is never more than a key has bytes.
//! * A request that is throttled, breaks off or comes back incomplete is sent anew, after a pause and within a budget of time
//!   ([`wire`]); an answer that comes by single bytes is given up. A body is taken whole from one answer, so that two versions of an object are never mixed.
//! * A page that fails ends the listing with an error: what wasn't seen is never taken for deleted.
//! * The address of a bucket (`endpoint`) is the operator's own setting and may be in a private network.

mod config;
mod location;
mod credentials;
mod store;
mod wire;
mod reach;
mod filter;
mod key;
mod beside;
mod access;
mod listing;
mod content;
mod connector;
mod error;

pub use config::{Credentials, S3Config};
pub use connector::S3Connector;
pub use error::Error;
pub use lectern_connector_remote::{Limits, Secret};
pub use wire::AttemptTime;
