-- How often hamlets were granted to a device, and how often they had been when it last began to read: a cursor from before
-- a grant has passed what it never saw.
ALTER TABLE device ADD COLUMN grants BIGINT NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN grants_read BIGINT NOT NULL DEFAULT 0;
