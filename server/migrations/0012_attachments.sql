-- Pictures, recordings and other files that belong to answers, which hold their names. A name begins with the content's hash.
CREATE TABLE attachment (
    response_key BIGINT NOT NULL REFERENCES response (response_key),
    name         TEXT NOT NULL,
    media_type   TEXT NOT NULL,             -- as the device told it; never believed
    bytes        BLOB NOT NULL,
    device_key   BIGINT NOT NULL REFERENCES device (device_key),
    received_at  BIGINT NOT NULL,
    PRIMARY KEY (response_key, name)
);
