ALTER TABLE releases DROP COLUMN corrects;
ALTER TABLE releases DROP COLUMN remarks;
ALTER TABLE organizations DROP COLUMN two_persons;
