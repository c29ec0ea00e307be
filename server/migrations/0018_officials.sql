-- Officials as authors of what they decide about answers: they have a key here, and no phone.
ALTER TABLE device ADD COLUMN official BOOLEAN NOT NULL DEFAULT FALSE;
