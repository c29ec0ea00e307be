-- Invitations for a whole team, and their names, each of which one device can take.
ALTER TABLE invitation ADD COLUMN team BOOLEAN NOT NULL DEFAULT FALSE;
CREATE TABLE invitation_name (
    code_hash  BLOB NOT NULL REFERENCES invitation (code_hash),
    place      BIGINT NOT NULL,             -- where it stands in the official's list
    name       TEXT NOT NULL,
    used_by    BLOB,                        -- the public key of the device that took it
    PRIMARY KEY (code_hash, place),
    UNIQUE (code_hash, name)
) WITHOUT ROWID;
