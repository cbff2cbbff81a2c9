//! What Lectern promises, asked of the real binary from outside.

mod binary;
mod command_line;
