-- Keys in the place of others. The row of a key that was replaced stays, since what it wrote is in the log; its token
-- serves for nothing but to ask for the successor's again.
ALTER TABLE device ADD COLUMN successor_key BIGINT REFERENCES device (device_key);
ALTER TABLE device ADD COLUMN succession BLOB;  -- both signatures under it, the predecessor's first, 64 bytes each
CREATE INDEX device_successor ON device (successor_key);
