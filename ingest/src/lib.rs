//! From a fetched document to published chunks: the ledger, extraction, chunking, embedding order, publishing.
