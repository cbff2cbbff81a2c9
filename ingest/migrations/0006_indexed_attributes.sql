-- The indexes keep the attributes of a document beside its access list. `access_revision` counts changes of both from
-- here on, and `access_indexed` follows when both indexes hold them: what was indexed before is owed its attributes.
UPDATE documents SET access_revision = access_revision + 1 WHERE current_version IS NOT NULL;
