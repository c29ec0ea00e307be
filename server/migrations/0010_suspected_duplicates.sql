-- Pairs of responses that may be about one household, because it was listed twice, and what officials found about them.
CREATE TABLE suspected_duplicate (
    first_key  BIGINT NOT NULL REFERENCES response (response_key),
    second_key BIGINT NOT NULL REFERENCES response (response_key),
    round_key  BIGINT NOT NULL REFERENCES round (round_key),
    reason     TEXT NOT NULL,               -- as whoever raised it wrote it; no personal data
    raised_by  TEXT NOT NULL,
    raised_at  BIGINT NOT NULL,
    is_same    BOOLEAN,                     -- null while nobody has settled it
    kept_key   BIGINT,                      -- where they are the same, the response that stays; the other counts zero
    settled_by TEXT,
    settled_at BIGINT,
    PRIMARY KEY (first_key, second_key),
    CHECK (first_key < second_key),
    CHECK ((is_same IS NULL) = (settled_by IS NULL) AND (is_same IS NULL) = (settled_at IS NULL)),
    CHECK (CASE WHEN is_same THEN kept_key IN (first_key, second_key) ELSE kept_key IS NULL END)
) WITHOUT ROWID;
CREATE INDEX suspected_duplicate_second ON suspected_duplicate (second_key);
CREATE INDEX suspected_duplicate_round ON suspected_duplicate (round_key);

-- How often the pairs of a round have changed, by which a running server notices what a command wrote.
CREATE TABLE duplicate_revision (
    round_key INTEGER PRIMARY KEY REFERENCES round (round_key),
    revision  BIGINT NOT NULL
);
CREATE TRIGGER suspected_duplicate_inserted AFTER INSERT ON suspected_duplicate BEGIN
    INSERT INTO duplicate_revision (round_key, revision) VALUES (NEW.round_key, 1)
    ON CONFLICT (round_key) DO UPDATE SET revision = revision + 1;
END;
CREATE TRIGGER suspected_duplicate_updated AFTER UPDATE ON suspected_duplicate BEGIN
    UPDATE duplicate_revision SET revision = revision + 1 WHERE round_key = NEW.round_key;
END;
CREATE TRIGGER suspected_duplicate_deleted AFTER DELETE ON suspected_duplicate BEGIN
    UPDATE duplicate_revision SET revision = revision + 1 WHERE round_key = OLD.round_key;
END;
