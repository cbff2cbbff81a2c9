-- What is read with a chunk and lies outside of it: the larger piece that contains it, and the header row of the
-- table that it continues. Both are stretches of the same stored text, each with the hash of what stands there.
ALTER TABLE chunks ADD COLUMN parent_start BIGINT;
ALTER TABLE chunks ADD COLUMN parent_end   BIGINT;
ALTER TABLE chunks ADD COLUMN parent_hash  BLOB;
ALTER TABLE chunks ADD COLUMN header_start BIGINT;
ALTER TABLE chunks ADD COLUMN header_end   BIGINT;
ALTER TABLE chunks ADD COLUMN header_hash  BLOB;
