-- Responses that were erased: each has a tombstone in the log, of which this is the entry. What the log had of the
-- response before is deleted; only the marks of those entries stay, so that cursors keep their meaning.
CREATE TABLE erasure (
    seq          INTEGER PRIMARY KEY,
    mark         BLOB NOT NULL,
    response_key BIGINT NOT NULL UNIQUE REFERENCES response (response_key),
    hamlet_key   BIGINT NOT NULL,
    erased_at    BIGINT NOT NULL,
    reason       TEXT NOT NULL              -- as the official wrote it: a document's number, no personal data
);
CREATE INDEX erasure_hamlet ON erasure (hamlet_key, seq);

CREATE TABLE erased_entry (
    seq  INTEGER PRIMARY KEY,
    mark BLOB NOT NULL
);
