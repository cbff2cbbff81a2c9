//! What stands beside documents about them, in the forms of Amazon's services: a sidecar file with attributes and
//! readers of one document ([`Sidecar`]), and a file with the readers of many ([`AccessFile`]).
//!
//! Where they are found is the connectors' business; here bytes become values.

mod access;
mod sidecar;

pub use access::AccessFile;
pub use sidecar::{MAX_BYTES, SUFFIX, Sidecar, attribute, parse};

#[cfg(test)]
mod tests;
