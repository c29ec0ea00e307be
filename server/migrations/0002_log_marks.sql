-- The mark of each entry of the log (sync-core, `LogMark`): a reader's cursor names it, so that a log that was set back to
-- a backup, or another server's, is known for what it is. Entries from before have none; their readers begin anew once.
ALTER TABLE change_log ADD COLUMN mark BLOB NOT NULL DEFAULT x'';
