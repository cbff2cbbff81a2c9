-- A version is published in two steps: for words when its text is there, for meaning when all its vectors are.

-- The hash of exactly what the embedder reads. NULL where the chunk was written before this was noted.
ALTER TABLE chunks ADD COLUMN embed_hash BLOB;
CREATE INDEX chunks_by_embed_hash ON chunks (embed_hash) WHERE embed_hash IS NOT NULL;

-- When all its vectors were in the index of vectors; NULL while it can be found by words only.
ALTER TABLE versions ADD COLUMN embedded_at BIGINT;
-- Why it gets no vectors: a code, a colon, a sentence.
ALTER TABLE versions ADD COLUMN embed_problem TEXT;
-- Until now a version was published with its vectors.
UPDATE versions SET embedded_at = staged_at WHERE state = 'current';
CREATE INDEX versions_without_vectors ON versions (staged_at) WHERE state = 'current' AND embedded_at IS NULL;
CREATE INDEX versions_current ON versions (knowledge_base) WHERE state = 'current';

-- Every vector that a chunk needs, once: what is unchanged, moved, or half done at a crash is not embedded again,
-- and an index of vectors can be made anew without the model. Rows that no chunk refers to go with the chunk.
CREATE TABLE vectors (
    model      TEXT NOT NULL,
    embed_hash BLOB NOT NULL,
    -- 32-bit floats, little-endian.
    vector     BLOB NOT NULL,
    -- The hash of the vector's bytes: a damaged one is noticed before it is used.
    check_hash BLOB NOT NULL,
    PRIMARY KEY (model, embed_hash)
);
CREATE INDEX vectors_by_hash ON vectors (embed_hash);
