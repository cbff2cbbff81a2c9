//! Who is asking, and what they may read.
//!
//! A request passes three questions in this order: is its `Host` one of this server's names (a page
//! elsewhere can point a name of its own at 127.0.0.1), does its `Origin` belong to this server (a
//! page elsewhere can send requests, even where it can't read the answers), and who sends it
//! ([`rules`]). The answer is a [`Caller`], and a caller is the only thing in Lectern that a
//! [`ReadScope`] can be had from. The command line is a caller too: whoever can open the data folder
//! is its operator.

pub mod token;
pub mod rules;

use lectern_domain::{Principal, ReadScope};

pub use rules::{AccessRules, Refusal, RequestFacts};
pub use token::ApiToken;

/// The name of the one who manages everything.
const OPERATOR: &str = "operator";

/// Somebody whose identity was established. There is one role so far: the operator, who manages
/// every knowledge base, and reads what `everyone` or `user:operator` may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    on_this_machine: bool,
}

impl Caller {
    /// The person at the terminal, who has opened the data folder.
    pub fn at_the_terminal() -> Self {
        Self {
            on_this_machine: true,
        }
    }

    /// Whether the request was made on this machine, so that a path in it means what the caller thinks.
    pub fn is_on_this_machine(&self) -> bool {
        self.on_this_machine
    }

    /// The caller's name, which access lists have as `user:NAME`.
    pub fn user(&self) -> &str {
        OPERATOR
    }

    /// What the caller may read.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is authentication: a caller was just established"
    )]
    pub fn read_scope(&self) -> ReadScope {
        ReadScope::granted_by_authentication([Principal::User(self.user().to_owned())])
    }
}
