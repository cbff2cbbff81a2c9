//! Every condition and action, on small documents; and with random ones, that redaction leaves nothing.

mod documents;
mod conditions;
mod actions;
mod redaction;
mod refusals;
mod languages;
