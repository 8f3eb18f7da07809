DROP TABLE identities;
DROP TABLE invitations;
ALTER TABLE organizations DROP COLUMN category;
