//! What connectors share that ask a service over a network: how long they keep asking ([`Patience`]), where their
//! secrets are ([`Secret`]), which addresses have one in them ([`opens_something`]), and which names patterns match ([`glob_set`]).

mod parameters;
mod patience;
mod patterns;
mod secret;

pub use parameters::opens_something;
pub use patience::{GivenUp, Limits, Patience, Trouble, retry_after};
pub use patterns::glob_set;
pub use secret::{Missing, Secret};
