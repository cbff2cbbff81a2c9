//! Both indexes, their write side and their read side, the embedder, fusion and the recheck.
