-- What those who run a knowledge base say about searches in it, as JSON.
CREATE TABLE search_settings (
    knowledge_base BLOB   NOT NULL PRIMARY KEY REFERENCES knowledge_bases (id) ON DELETE CASCADE,
    settings       TEXT   NOT NULL,
    changed_at     BIGINT NOT NULL
);
CREATE INDEX documents_by_uri ON documents (knowledge_base, uri) WHERE deleted = 0;
