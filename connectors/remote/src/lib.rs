//! What connectors share that ask a service over a network: how long they keep asking ([`Patience`]), and where their
//! secrets are ([`Secret`]).

mod patience;
mod secret;

pub use patience::{GivenUp, Limits, Patience, Trouble, retry_after};
pub use secret::{Missing, Secret};
