//! The rules of the pipeline as a whole: real ledger, real files, and small doubles behind the ports, so that each
//! step can be counted, failed, or never come back.

mod doubles;
mod shelf;
mod faults;
mod desk;
mod sync;
mod jobs;
mod migration;
mod incremental;
mod listings;
mod attachments;
mod chunking;
mod enrichment;
mod access;
mod crash;
mod push;
mod model;
mod optimizing;
mod fsck;
mod embedding;
mod failpoints;
mod fetching;
mod cursors;
mod repair;
