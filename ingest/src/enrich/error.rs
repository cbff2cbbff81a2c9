//! What can be wrong with rules.

use lectern_domain::{ErrorKind, PortError};

use super::rules::Operator;

/// A rule that can't be applied. Found when rules are read, never while documents are.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// More rules than a source may have.
    #[error("there are {count} rules; a source may have {limit}")]
    TooManyRules {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A rule without a name that a report could show.
    #[error("rule number {number} needs a name of 1 to 200 characters")]
    NoName {
        /// Counted from 1.
        number: usize,
    },
    /// Two rules that a report couldn't tell apart.
    #[error("two rules are named {name:?}")]
    NameTwice {
        /// The name.
        name: String,
    },
    /// Something in the rule.
    #[error("the rule {rule:?} {problem}")]
    Rule {
        /// Its name.
        rule: String,
        /// What is wrong, to be read after the name.
        problem: Problem,
    },
}

/// What is wrong with a rule.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It would do nothing.
    #[error("has no action")]
    NoAction,
    /// More than can be meant.
    #[error("has {count} {what}; a rule may have {limit}")]
    TooMany {
        /// `conditions`, `actions`, ...
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A name that no attribute can have.
    #[error("names the attribute {name:?}: use 1 to 200 characters, none of them a control character")]
    AttributeName {
        /// The name.
        name: String,
    },
    /// A built-in attribute that is what the source says.
    #[error("can't change {name:?}, which is what the source or the file says")]
    FixedAttribute {
        /// The attribute.
        name: String,
    },
    /// The title has to be a text.
    #[error("can only give the title a text, and can't delete it")]
    Title,
    /// A condition that tests nothing.
    #[error("has a condition on {attribute:?} without an operator; try equals, glob, matches or exists")]
    NoOperator {
        /// The attribute.
        attribute: String,
    },
    /// An operator with an operand of another type.
    #[error("compares {attribute:?}: {} needs {expected}", operator.as_str())]
    Operand {
        /// The attribute.
        attribute: String,
        /// The operator.
        operator: Operator,
        /// `a date`, `a text`, ...
        expected: &'static str,
    },
    /// A value that is too long to be stored.
    #[error("has a value of {count} characters for {attribute:?}; the limit is {limit}")]
    ValueTooLong {
        /// The attribute.
        attribute: String,
        /// Its length.
        count: usize,
        /// How long it may be.
        limit: usize,
    },
    /// A regular expression that is too long, too large or malformed.
    #[error("has the regular expression {pattern:?}: {reason}")]
    Pattern {
        /// As it was written, shortened.
        pattern: String,
        /// Where and why.
        reason: String,
    },
    /// A glob that is malformed.
    #[error("has the glob {pattern:?}: {reason}")]
    Glob {
        /// As it was written.
        pattern: String,
        /// Why.
        reason: String,
    },
    /// A redaction that names no pattern, or two.
    #[error("redacts: give either kind (email, card, iban, key) or pattern")]
    RedactWhat,
    /// A pattern that is found where there is nothing.
    #[error("redacts {pattern:?}, which matches the empty text")]
    RedactsNothing {
        /// The pattern.
        pattern: String,
    },
    /// A replacement that would have to be redacted too.
    #[error("redacts by {replacement:?}, which the pattern matches again")]
    ReplacementMatches {
        /// The replacement.
        replacement: String,
    },
    /// A map without entries.
    #[error("maps {attribute:?} by an empty list of values")]
    EmptyMap {
        /// The attribute.
        attribute: String,
    },
}

impl RuleError {
    /// What a caller can do about it: correct the rules.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        "enrichment_invalid"
    }
}

impl From<RuleError> for PortError {
    fn from(error: RuleError) -> Self {
        Self::new(error.kind(), error.code(), error.to_string()).caused_by(error)
    }
}
