-- Changes of closed rounds, packed together (sync-core, `exchange::archive`). Their rows in the log stay, so that cursors,
-- marks and sets keep their meaning; only their bytes are here instead of there.
CREATE TABLE archive_segment (
    segment_key INTEGER PRIMARY KEY,
    packed      BLOB NOT NULL
);
ALTER TABLE change_log ADD COLUMN segment_key BIGINT REFERENCES archive_segment (segment_key);   -- bytes are empty then
CREATE INDEX change_log_segment ON change_log (segment_key) WHERE segment_key IS NOT NULL;
