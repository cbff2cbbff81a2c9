-- How many documents and chunks of a knowledge base can be found, and how many of the documents by meaning: kept with
-- every change and in its transaction, because every request asks and counting takes as long as there are documents.
ALTER TABLE knowledge_bases ADD COLUMN document_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE knowledge_bases ADD COLUMN chunk_count    BIGINT NOT NULL DEFAULT 0;
ALTER TABLE knowledge_bases ADD COLUMN embedded_count BIGINT NOT NULL DEFAULT 0;
UPDATE knowledge_bases SET
    document_count = (SELECT COUNT(*) FROM documents d
                      WHERE d.knowledge_base = knowledge_bases.id AND d.current_version IS NOT NULL),
    chunk_count    = (SELECT COALESCE(SUM(d.chunk_count), 0) FROM documents d
                      WHERE d.knowledge_base = knowledge_bases.id AND d.current_version IS NOT NULL),
    embedded_count = (SELECT COUNT(*) FROM versions v
                      WHERE v.knowledge_base = knowledge_bases.id AND v.state = 'current' AND v.embedded_at IS NOT NULL);

-- A document is inserted before it has a version, so only changes and deletions count.
CREATE TRIGGER documents_counted AFTER UPDATE OF current_version, chunk_count ON documents
WHEN (old.current_version IS NULL) <> (new.current_version IS NULL) OR old.chunk_count <> new.chunk_count
BEGIN
    UPDATE knowledge_bases SET
        document_count = document_count + (new.current_version IS NOT NULL) - (old.current_version IS NOT NULL),
        chunk_count = chunk_count + new.chunk_count * (new.current_version IS NOT NULL)
                                  - old.chunk_count * (old.current_version IS NOT NULL)
    WHERE id = new.knowledge_base;
END;
CREATE TRIGGER documents_uncounted AFTER DELETE ON documents WHEN old.current_version IS NOT NULL
BEGIN
    UPDATE knowledge_bases SET document_count = document_count - 1, chunk_count = chunk_count - old.chunk_count
    WHERE id = old.knowledge_base;
END;
CREATE TRIGGER versions_counted AFTER UPDATE OF state, embedded_at ON versions
WHEN (old.state = 'current' AND old.embedded_at IS NOT NULL) <> (new.state = 'current' AND new.embedded_at IS NOT NULL)
BEGIN
    UPDATE knowledge_bases
    SET embedded_count = embedded_count + CASE WHEN new.state = 'current' AND new.embedded_at IS NOT NULL THEN 1 ELSE -1 END
    WHERE id = new.knowledge_base;
END;
CREATE TRIGGER versions_uncounted AFTER DELETE ON versions WHEN old.state = 'current' AND old.embedded_at IS NOT NULL
BEGIN
    UPDATE knowledge_bases SET embedded_count = embedded_count - 1 WHERE id = old.knowledge_base;
END;
