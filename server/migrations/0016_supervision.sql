-- Team leaders: devices that may supervise the field work of the hamlets that they may write.
ALTER TABLE invitation ADD COLUMN leader BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE device ADD COLUMN leader BOOLEAN NOT NULL DEFAULT FALSE;

-- What leaders and officials decided about units: who is to do them, and what was found of their interviews. Nothing is
-- changed afterwards; the last one to come counts.
CREATE TABLE supervision_decision (
    decision_key INTEGER PRIMARY KEY AUTOINCREMENT, -- the order in which they came
    id           BLOB NOT NULL UNIQUE,    -- drawn by whoever decided, so that sending again does no harm
    round_key    BIGINT NOT NULL REFERENCES round (round_key),
    unit         TEXT NOT NULL,
    response_id  BLOB NOT NULL,
    device_key   BIGINT REFERENCES device (device_key), -- the leader's; null where an official decided
    official     TEXT NOT NULL,           -- who, where no leader did
    decided_at   BIGINT NOT NULL,         -- by the clock of whoever decided
    received_at  BIGINT NOT NULL,
    assignee     BIGINT REFERENCES device (device_key), -- null: whoever comes
    state        TEXT CHECK (state IN ('received', 'has_issues', 'approved', 'rejected')), -- null: about the assignee
    reason       TEXT NOT NULL,           -- as it was written
    seen_seq     BIGINT NOT NULL          -- the response's last entry of the log that was looked at
);
CREATE INDEX supervision_decision_unit ON supervision_decision (round_key, unit, decision_key);
CREATE INDEX supervision_decision_response ON supervision_decision (response_id);

-- Who is to do a unit, where somebody is.
CREATE VIEW unit_assignee AS
SELECT round_key, unit, assignee
FROM supervision_decision AS decision
WHERE state IS NULL AND assignee IS NOT NULL
    AND decision_key = (SELECT MAX(later.decision_key) FROM supervision_decision AS later
        WHERE later.round_key = decision.round_key AND later.unit = decision.unit AND later.state IS NULL);

-- What was found of an interview, where that is about everything that the log has of it.
CREATE VIEW review AS
SELECT round_key, unit, state, reason, device_key, official, decided_at, received_at
FROM supervision_decision AS decision
WHERE state <> 'received'
    AND decision_key = (SELECT MAX(later.decision_key) FROM supervision_decision AS later
        WHERE later.round_key = decision.round_key AND later.unit = decision.unit AND later.state IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM response JOIN change_log USING (response_key)
        WHERE response.id = decision.response_id AND change_log.seq > decision.seen_seq);
