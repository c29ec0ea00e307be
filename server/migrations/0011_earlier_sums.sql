-- What a hamlet's sums were before its first change within an hour: the figures of an earlier time are the present ones with
-- these in their places. Kept for eight days.
CREATE TABLE earlier_sums (
    hamlet_key BIGINT NOT NULL REFERENCES frame_hamlet (hamlet_key),
    hour       BIGINT NOT NULL,             -- its beginning
    sums       BLOB NOT NULL,               -- CBOR
    PRIMARY KEY (hamlet_key, hour)
) WITHOUT ROWID;
