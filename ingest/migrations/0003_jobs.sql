-- Jobs that wait, go on after a crash and can be told to stop; sources with settings and a cursor; documents with
-- what their last job did, and with attachments.

-- SQLite can't make a column nullable, so the table is made again. Nothing refers to it.
CREATE TABLE jobs_of_this_version (
    id             BLOB   NOT NULL PRIMARY KEY,
    knowledge_base BLOB   NOT NULL REFERENCES knowledge_bases (id) ON DELETE CASCADE,
    source         BLOB   NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    state          TEXT   NOT NULL,
    reason         TEXT,
    -- 1 where it may delete more than the source's guard allows.
    allow_deletes  BIGINT NOT NULL DEFAULT 0,
    -- 1 once somebody asked it to stop.
    stop_requested BIGINT NOT NULL DEFAULT 0,
    -- How often it was begun, how many of those in a row were interrupted without a document done, and how many
    -- documents it had done when it was last begun.
    attempts       BIGINT NOT NULL DEFAULT 0,
    idle_attempts  BIGINT NOT NULL DEFAULT 0,
    done_before    BIGINT NOT NULL DEFAULT 0,
    -- What happened to it, oldest first: a JSON list of {"at", "what"}.
    history        TEXT   NOT NULL DEFAULT '[]',
    requested_at   BIGINT NOT NULL,
    started_at     BIGINT,
    ended_at       BIGINT,
    scanned        BIGINT NOT NULL DEFAULT 0,
    new            BIGINT NOT NULL DEFAULT 0,
    modified       BIGINT NOT NULL DEFAULT 0,
    unchanged      BIGINT NOT NULL DEFAULT 0,
    metadata_only  BIGINT NOT NULL DEFAULT 0,
    deleted        BIGINT NOT NULL DEFAULT 0,
    skipped        BIGINT NOT NULL DEFAULT 0,
    failed         BIGINT NOT NULL DEFAULT 0
);
INSERT INTO jobs_of_this_version
    (id, knowledge_base, source, state, reason, attempts, requested_at, started_at, ended_at,
     scanned, new, modified, unchanged, deleted, skipped, failed)
SELECT id, knowledge_base, source, state, reason, 1, started_at, started_at, ended_at,
       scanned, new, modified, unchanged, deleted, skipped, failed
FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_of_this_version RENAME TO jobs;
CREATE INDEX jobs_by_knowledge_base ON jobs (knowledge_base, id);
CREATE INDEX jobs_by_source ON jobs (source, id);
CREATE INDEX jobs_unfinished ON jobs (state) WHERE state IN ('queued', 'running');

ALTER TABLE sources ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
-- How far the source was read, and what that holds for: the hash of its configuration and recipe.
ALTER TABLE sources ADD COLUMN list_cursor TEXT;
ALTER TABLE sources ADD COLUMN list_cursor_context BLOB;
-- Set first of all when it is removed; the row goes when its documents have.
ALTER TABLE sources ADD COLUMN deleted_at BIGINT;

ALTER TABLE documents ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN attempted_at BIGINT;
-- The hash of the settings that current_version was made with.
ALTER TABLE documents ADD COLUMN recipe BLOB;
-- The hash of all that a listing says of it; the same again means that it needn't be read.
ALTER TABLE documents ADD COLUMN change_tag BLOB;
-- What the job `outcome_job` did with it.
ALTER TABLE documents ADD COLUMN outcome_job BLOB;
ALTER TABLE documents ADD COLUMN outcome TEXT;
-- The job whose source said that it is gone.
ALTER TABLE documents ADD COLUMN gone_job BLOB;
-- The document that it is attached to.
ALTER TABLE documents ADD COLUMN parent BLOB;
-- 1 from the publication of a document with attachments until a run that had all of them has ended.
ALTER TABLE documents ADD COLUMN attachments_open BIGINT NOT NULL DEFAULT 0;
CREATE INDEX documents_by_parent ON documents (parent) WHERE parent IS NOT NULL;
CREATE INDEX documents_attached ON documents (knowledge_base) WHERE parent IS NOT NULL;
CREATE INDEX documents_open ON documents (knowledge_base) WHERE attachments_open = 1;
CREATE INDEX documents_gone ON documents (source) WHERE gone_job IS NOT NULL;
