-- Analytics: what was asked, and what was opened of what was found. Ids are UUIDs, times are milliseconds since 1970 (UTC),
-- days are days since 1970 (UTC).

CREATE TABLE searches (
    query_id       BLOB   NOT NULL PRIMARY KEY,
    knowledge_base BLOB   NOT NULL,
    at             BIGINT NOT NULL,
    day            BIGINT NOT NULL,
    text           TEXT   NOT NULL,
    -- What is the same question, however it was typed.
    normalised     TEXT   NOT NULL,
    -- Who asked; nothing where that isn't kept.
    user_name      TEXT,
    -- 'search' or 'answer'.
    kind           TEXT   NOT NULL,
    mode           TEXT   NOT NULL,
    results        BIGINT NOT NULL,
    relevant       BIGINT NOT NULL,
    took_ms        DOUBLE PRECISION NOT NULL
);
CREATE INDEX searches_by_day ON searches (knowledge_base, day);
CREATE INDEX searches_by_time ON searches (at);
CREATE INDEX searches_by_user ON searches (user_name) WHERE user_name IS NOT NULL;

-- kind: 'click', 'relevant' or 'not_relevant'. Whose it is, its search says.
CREATE TABLE feedback (
    query_id BLOB   NOT NULL REFERENCES searches (query_id) ON DELETE CASCADE,
    chunk    BLOB   NOT NULL,
    kind     TEXT   NOT NULL,
    document BLOB   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (query_id, chunk, kind)
);
