//! What every [`ChunkIndex`] must do, as a suite that each implementation runs.
