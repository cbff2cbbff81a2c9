-- The ledger: what is known about documents, and which of their chunks may be seen.
-- Ids are UUIDs, times are milliseconds since 1970 (UTC), access lists and attributes are JSON.

CREATE TABLE knowledge_bases (
    id              BLOB    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL,
    description     TEXT    NOT NULL,
    embedding_model TEXT    NOT NULL,
    dimensions      BIGINT  NOT NULL,
    created_at      BIGINT  NOT NULL,
    -- How many documents were ever pushed: the source of pending_pushes.sequence.
    pushes          BIGINT  NOT NULL DEFAULT 0,
    -- Set first of all when it is deleted; the row goes last.
    deleted_at      BIGINT
);
CREATE UNIQUE INDEX knowledge_bases_by_name ON knowledge_bases (name) WHERE deleted_at IS NULL;

CREATE TABLE sources (
    id             BLOB   NOT NULL PRIMARY KEY,
    knowledge_base BLOB   NOT NULL REFERENCES knowledge_bases (id) ON DELETE CASCADE,
    name           TEXT   NOT NULL,
    kind           TEXT   NOT NULL,
    config         TEXT   NOT NULL,
    default_access TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    UNIQUE (knowledge_base, name)
);

CREATE TABLE jobs (
    id             BLOB   NOT NULL PRIMARY KEY,
    knowledge_base BLOB   NOT NULL REFERENCES knowledge_bases (id) ON DELETE CASCADE,
    source         BLOB   NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    state          TEXT   NOT NULL,
    reason         TEXT,
    started_at     BIGINT NOT NULL,
    ended_at       BIGINT,
    scanned        BIGINT NOT NULL DEFAULT 0,
    new            BIGINT NOT NULL DEFAULT 0,
    modified       BIGINT NOT NULL DEFAULT 0,
    unchanged      BIGINT NOT NULL DEFAULT 0,
    deleted        BIGINT NOT NULL DEFAULT 0,
    skipped        BIGINT NOT NULL DEFAULT 0,
    failed         BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX jobs_by_knowledge_base ON jobs (knowledge_base, id);

CREATE TABLE documents (
    id                  BLOB    NOT NULL PRIMARY KEY,
    knowledge_base      BLOB    NOT NULL REFERENCES knowledge_bases (id) ON DELETE CASCADE,
    source              BLOB    NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    document_key        TEXT    NOT NULL,
    uri                 TEXT    NOT NULL,
    title               TEXT    NOT NULL,
    media_type          TEXT    NOT NULL,
    size_bytes          BIGINT  NOT NULL,
    status              TEXT    NOT NULL,
    reason              TEXT,
    acl                 TEXT    NOT NULL,
    -- Raised with every change of acl; access_indexed follows when both indexes hold it.
    access_revision     BIGINT  NOT NULL DEFAULT 0,
    access_indexed      BIGINT  NOT NULL DEFAULT 0,
    -- What the file says about itself, and what the source says, which counts more.
    file_attributes     TEXT    NOT NULL DEFAULT '{}',
    source_attributes   TEXT    NOT NULL DEFAULT '{}',
    modified_at         BIGINT,
    indexed_at          BIGINT,
    -- The hash of what current_version was made from.
    fingerprint         BLOB,
    current_version     BIGINT,
    chunk_count         BIGINT  NOT NULL DEFAULT 0,
    -- The highest version that was ever staged: a number is never used twice while the row lives.
    last_version        BIGINT  NOT NULL DEFAULT 0,
    -- The stored original of a pushed document.
    original            BLOB,
    -- The last job that saw it in its source.
    seen_job            BLOB,
    -- 1 once it is deleted; the row goes when its chunks have left the indexes.
    deleted             BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX documents_by_knowledge_base ON documents (knowledge_base, id);
CREATE INDEX documents_by_source ON documents (source, document_key);
CREATE INDEX documents_by_original ON documents (original) WHERE original IS NOT NULL;
CREATE INDEX documents_owed_access ON documents (knowledge_base) WHERE access_indexed <> access_revision;
CREATE INDEX documents_deleted ON documents (knowledge_base) WHERE deleted = 1;

-- What may be in an index has a row here first, and keeps it until it has left both indexes.
-- state: 'staged' (being written), 'current' (may be seen), 'retired' (waits to be taken out).
CREATE TABLE versions (
    document       BLOB   NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    version        BIGINT NOT NULL,
    knowledge_base BLOB   NOT NULL,
    state          TEXT   NOT NULL,
    text_hash      BLOB   NOT NULL,
    staged_at      BIGINT NOT NULL,
    PRIMARY KEY (document, version)
);
CREATE INDEX versions_by_text ON versions (text_hash);
CREATE INDEX versions_not_current ON versions (knowledge_base, state) WHERE state <> 'current';

CREATE TABLE chunks (
    id           BLOB   NOT NULL PRIMARY KEY,
    document     BLOB   NOT NULL,
    version      BIGINT NOT NULL,
    ordinal      BIGINT NOT NULL,
    heading_path TEXT   NOT NULL,
    page         BIGINT,
    span_start   BIGINT NOT NULL,
    span_end     BIGINT NOT NULL,
    token_count  BIGINT NOT NULL,
    -- The hash of the chunk's own text: a damaged file is noticed before it is shown.
    text_hash    BLOB   NOT NULL,
    FOREIGN KEY (document, version) REFERENCES versions (document, version) ON DELETE CASCADE
);
CREATE UNIQUE INDEX chunks_by_version ON chunks (document, version, ordinal);

-- Documents that were accepted and wait to be read. A later push of the same document takes its place.
CREATE TABLE pending_pushes (
    document       BLOB   NOT NULL PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
    knowledge_base BLOB   NOT NULL REFERENCES knowledge_bases (id) ON DELETE CASCADE,
    sequence       BIGINT NOT NULL,
    original       BLOB   NOT NULL,
    title          TEXT,
    uri            TEXT   NOT NULL,
    media_type     TEXT,
    file_name      TEXT   NOT NULL,
    acl            TEXT,
    attributes     TEXT   NOT NULL,
    size_bytes     BIGINT NOT NULL,
    received_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX pending_pushes_by_sequence ON pending_pushes (knowledge_base, sequence);
CREATE INDEX pending_pushes_by_original ON pending_pushes (original);
