-- Hubs below this installation: devices that may bring what others wrote.
ALTER TABLE invitation ADD COLUMN hub BOOLEAN NOT NULL DEFAULT FALSE;
CREATE TABLE hub (
    device_key INTEGER PRIMARY KEY REFERENCES device (device_key),
    memory     TEXT NOT NULL                -- how far it has brought its log (sync-core, `HubMemory`), as JSON
);

-- Which neighbour brought a change: a hub's device_key, or 0 for the upstream; null where its author or a bundle did.
-- Nobody is brought what he brought himself.
ALTER TABLE change_log ADD COLUMN carried_by BIGINT;
ALTER TABLE waiting_change ADD COLUMN carried_by BIGINT;

-- The installation above this one, if this is a hub.
CREATE TABLE upstream (
    upstream_key INTEGER PRIMARY KEY CHECK (upstream_key = 1),
    address      TEXT NOT NULL,             -- https://…
    state        TEXT NOT NULL,             -- how far both have come (sync-core, `ForwardingState`), as JSON
    roster_sent  BLOB,                      -- SHA-256 of the roster that upstream has of this installation
    roster_known BLOB,                      -- SHA-256 of the roster that this installation has of upstream
    reached_at   BIGINT                     -- when it was last reached
);

-- Changes of this installation's log that upstream was brought and has not logged: they are brought again.
CREATE TABLE unsettled_change (
    hash   BLOB NOT NULL PRIMARY KEY,
    reason TEXT                             -- why upstream refused it; null where it waits there for others
);
