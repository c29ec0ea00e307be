-- Households that are not on the frame's list and were added in the field. They are in the table of surveyed units from their
-- first logged change on, with the address that their responses say.
ALTER TABLE sampled_unit ADD COLUMN added BOOLEAN NOT NULL DEFAULT FALSE;
-- How many of them counted with their hamlet when these sums were written down.
ALTER TABLE earlier_sums ADD COLUMN added BIGINT NOT NULL DEFAULT 0;
