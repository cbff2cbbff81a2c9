//! The registry of connectors, and the conformance suite that each of them runs.
