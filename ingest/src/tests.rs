//! The pipeline's rules.
