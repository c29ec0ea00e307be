-- What a server keeps. Keys named *_key are local numbers that keep rows small; everything that leaves the server is
-- named by its official code, UUID or hash. Instants are milliseconds since 1970-01-01T00:00:00Z by the server's clock.

-- Administrative units. A code means a unit only together with a date: codes are reused after reforms.
CREATE TABLE admin_unit (
    code        TEXT NOT NULL,
    valid_from  TEXT NOT NULL,              -- first day, ISO 8601
    valid_to    TEXT,                       -- first day on which it no longer exists
    parent_code TEXT,
    level       TEXT NOT NULL CHECK (level IN ('province', 'district', 'commune', 'hamlet')),
    kind        TEXT NOT NULL,              -- tỉnh, huyện, thị xã, phường, xã, ấp, khu phố …
    name        TEXT NOT NULL,
    PRIMARY KEY (code, valid_from)
);

-- Which unit took over which at a reform.
CREATE TABLE admin_unit_succession (
    predecessor_code  TEXT NOT NULL,
    intermediate_code TEXT,
    intermediate_on   TEXT,
    successor_code    TEXT NOT NULL,
    sources           BIGINT NOT NULL,
    note              TEXT NOT NULL,
    PRIMARY KEY (predecessor_code, successor_code)
);

-- The indicator registry: the plan's targets and how each is measured.
CREATE TABLE indicator (
    position              BIGINT NOT NULL,
    code                  TEXT NOT NULL PRIMARY KEY,
    indicator_group       TEXT NOT NULL,
    name_vi               TEXT NOT NULL,
    name_en               TEXT NOT NULL,
    unit_of_analysis      TEXT NOT NULL,
    numerator_vi          TEXT NOT NULL,
    denominator_vi        TEXT NOT NULL,
    operator              TEXT NOT NULL CHECK (operator IN ('>=', '>')),
    target_percent        DOUBLE PRECISION NOT NULL,
    target_year           BIGINT NOT NULL,
    source_kind           TEXT NOT NULL,
    lead_agency           TEXT NOT NULL,
    coordinating_agencies TEXT NOT NULL,
    in_targets_section    BOOLEAN NOT NULL,
    in_assignment_appendix BOOLEAN NOT NULL,
    note_vi               TEXT NOT NULL,
    note_en               TEXT NOT NULL,
    numerator             TEXT NOT NULL,    -- form expressions; empty where the household survey does not measure it
    denominator           TEXT NOT NULL,
    parameters            TEXT NOT NULL     -- JSON object: parameter name -> number
);

CREATE TABLE form (
    hash     BLOB NOT NULL PRIMARY KEY,     -- SHA-256 of the form model
    form_id  TEXT NOT NULL,
    version  TEXT NOT NULL,
    workbook BLOB NOT NULL                  -- the XLSForm as its author wrote it
);

CREATE TABLE round (
    round_key      INTEGER PRIMARY KEY,
    id             BLOB NOT NULL UNIQUE,
    name_vi        TEXT NOT NULL,
    name_en        TEXT NOT NULL,
    reference_date TEXT NOT NULL,
    units_on       TEXT NOT NULL,           -- the day whose administrative units the round uses
    root_code      TEXT NOT NULL,
    form_hash      BLOB NOT NULL REFERENCES form (hash),
    simulated      BOOLEAN NOT NULL,
    open           BOOLEAN NOT NULL
);

-- The frame: every hamlet of the round's territory with its count of households.
CREATE TABLE frame_hamlet (
    hamlet_key   INTEGER PRIMARY KEY,
    round_key    BIGINT NOT NULL REFERENCES round (round_key),
    code         TEXT NOT NULL,
    name         TEXT NOT NULL,
    kind         TEXT NOT NULL,
    commune_code TEXT NOT NULL,
    stratum      TEXT NOT NULL,
    households   BIGINT NOT NULL,
    UNIQUE (round_key, code)
);

-- The surveyed units: the sample of a sampled hamlet, every household of a fully enumerated one.
CREATE TABLE sampled_unit (
    round_key  BIGINT NOT NULL REFERENCES round (round_key),
    code       TEXT NOT NULL,
    hamlet_key BIGINT NOT NULL REFERENCES frame_hamlet (hamlet_key),
    address    TEXT NOT NULL,
    PRIMARY KEY (round_key, code)
) WITHOUT ROWID;
CREATE INDEX sampled_unit_hamlet ON sampled_unit (hamlet_key);

CREATE TABLE device (
    device_key    INTEGER PRIMARY KEY,
    public_key    BLOB NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    token_hash    BLOB NOT NULL UNIQUE,     -- SHA-256 of the bearer token
    enrolled_at   BIGINT NOT NULL,
    revoked_at    BIGINT,
    last_heard_at BIGINT,
    clock_ahead   BIGINT                    -- milliseconds, as of the last sync
);

CREATE TABLE device_scope (
    device_key BIGINT NOT NULL REFERENCES device (device_key),
    hamlet_key BIGINT NOT NULL REFERENCES frame_hamlet (hamlet_key),
    PRIMARY KEY (device_key, hamlet_key)
) WITHOUT ROWID;

CREATE TABLE invitation (
    code_hash  BLOB NOT NULL PRIMARY KEY,   -- SHA-256 of the one-time code
    name       TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_by    BLOB                         -- the public key of the device that used it
);

CREATE TABLE invitation_scope (
    code_hash  BLOB NOT NULL REFERENCES invitation (code_hash),
    hamlet_key BIGINT NOT NULL REFERENCES frame_hamlet (hamlet_key),
    PRIMARY KEY (code_hash, hamlet_key)
) WITHOUT ROWID;

CREATE TABLE attestation (
    attestation_key INTEGER PRIMARY KEY,
    device_key      BIGINT NOT NULL REFERENCES device (device_key),
    hashes          BLOB NOT NULL,          -- the signed change hashes, 32 bytes each
    signature       BLOB NOT NULL
);

CREATE TABLE response (
    response_key INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE,
    round_key    BIGINT NOT NULL REFERENCES round (round_key),
    unit         TEXT NOT NULL,
    hamlet_key   BIGINT NOT NULL REFERENCES frame_hamlet (hamlet_key)
);

-- The append-only log of changes. seq is the order in which they became durable.
CREATE TABLE change_log (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    response_key    BIGINT NOT NULL REFERENCES response (response_key),
    hamlet_key      BIGINT NOT NULL,
    hash            BLOB NOT NULL UNIQUE,
    device_key      BIGINT NOT NULL,
    author_seq      BIGINT NOT NULL,
    attestation_key BIGINT NOT NULL REFERENCES attestation (attestation_key),
    received_at     BIGINT NOT NULL,
    bytes           BLOB NOT NULL,
    UNIQUE (response_key, device_key, author_seq)
);
CREATE INDEX change_log_hamlet ON change_log (hamlet_key, seq);

-- Changes that came before what they depend on.
CREATE TABLE waiting_change (
    hash            BLOB NOT NULL PRIMARY KEY,
    response_key    BIGINT NOT NULL REFERENCES response (response_key),
    device_key      BIGINT NOT NULL,
    attestation_key BIGINT NOT NULL REFERENCES attestation (attestation_key),
    received_at     BIGINT NOT NULL,
    bytes           BLOB NOT NULL
);
CREATE INDEX waiting_change_response ON waiting_change (response_key);

-- Each response reduced to the numbers that indicators need.
CREATE TABLE projection (
    response_key BIGINT NOT NULL PRIMARY KEY REFERENCES response (response_key),
    hamlet_key   BIGINT NOT NULL,
    round_key    BIGINT NOT NULL,
    conflicts    BIGINT NOT NULL,
    reduced      BLOB NOT NULL              -- CBOR
);

-- How far the log has been projected, by round.
CREATE TABLE projection_progress (
    round_key BIGINT NOT NULL PRIMARY KEY REFERENCES round (round_key),
    seq       BIGINT NOT NULL
);
