-- Authority in time: since when and until when a device might write a hamlet, what came too late or from whom it should
-- not, and how wrong its clock was when it came.

ALTER TABLE device ADD COLUMN revocation_reason TEXT;   -- as the official wrote it

-- Withdrawn scopes stay: the device may still deliver what it wrote before. Null is in force.
ALTER TABLE device_scope ADD COLUMN granted_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE device_scope ADD COLUMN withdrawn_at BIGINT;
UPDATE device_scope SET granted_at = (SELECT enrolled_at FROM device WHERE device.device_key = device_scope.device_key);

-- How far the author's clock was ahead when the change was delivered, in milliseconds; null where somebody else brought it.
ALTER TABLE change_log ADD COLUMN clock_ahead BIGINT;
ALTER TABLE waiting_change ADD COLUMN clock_ahead BIGINT;

-- The history of a device's clock: one row for each reading that differs noticeably from the one before.
CREATE TABLE clock_reading (
    device_key  BIGINT NOT NULL REFERENCES device (device_key),
    read_at     BIGINT NOT NULL,
    clock_ahead BIGINT NOT NULL,            -- milliseconds
    PRIMARY KEY (device_key, read_at)
) WITHOUT ROWID;

-- Changes whose signatures hold, and that were refused for a reason that a person can decide about.
CREATE TABLE quarantined_change (
    hash            BLOB NOT NULL PRIMARY KEY,
    response_id     BLOB NOT NULL,
    round_key       BIGINT NOT NULL REFERENCES round (round_key),
    unit            TEXT NOT NULL,          -- as it was told; the frame need not have it
    device_key      BIGINT NOT NULL REFERENCES device (device_key),
    attestation_key BIGINT NOT NULL REFERENCES attestation (attestation_key),
    reason          TEXT NOT NULL,
    received_at     BIGINT NOT NULL,
    clock_ahead     BIGINT,
    bytes           BLOB NOT NULL
);
CREATE INDEX quarantined_change_device ON quarantined_change (device_key);
CREATE INDEX quarantined_change_response ON quarantined_change (response_id);

-- What people decided about them.
CREATE TABLE quarantine_decision (
    hash        BLOB NOT NULL PRIMARY KEY,
    response_id BLOB NOT NULL,
    round_key   BIGINT NOT NULL REFERENCES round (round_key),
    unit        TEXT NOT NULL,
    device_key  BIGINT NOT NULL REFERENCES device (device_key),
    refused_for TEXT NOT NULL,              -- the reason for which it was in quarantine
    released    BOOLEAN NOT NULL,           -- or discarded
    decided_at  BIGINT NOT NULL,
    decided_by  TEXT NOT NULL,
    reason      TEXT NOT NULL               -- as the official wrote it
);
CREATE INDEX quarantine_decision_unit ON quarantine_decision (round_key, unit);

-- A change is in one place: what enters the log or waits to leaves quarantine.
CREATE TRIGGER logged_change_leaves_quarantine AFTER INSERT ON change_log BEGIN
    DELETE FROM quarantined_change WHERE hash = NEW.hash;
END;
CREATE TRIGGER waiting_change_leaves_quarantine AFTER INSERT ON waiting_change BEGIN
    DELETE FROM quarantined_change WHERE hash = NEW.hash;
END;
