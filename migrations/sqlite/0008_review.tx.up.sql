-- In such an organization, and in those below it, who submitted a draft never
-- approves it.
ALTER TABLE organizations ADD COLUMN two_persons BOOLEAN NOT NULL DEFAULT FALSE;

-- What the reviewer said about single columns, where the draft was returned (JSON).
ALTER TABLE releases ADD COLUMN remarks TEXT NOT NULL DEFAULT '[]';

-- The number of the release that this one corrects; 0: none.
ALTER TABLE releases ADD COLUMN corrects INTEGER NOT NULL DEFAULT 0;
