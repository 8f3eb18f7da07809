-- What kind of body an organization is, in the publishers' own words.
ALTER TABLE organizations ADD COLUMN category TEXT NOT NULL DEFAULT '';

-- Links by which a person gets a role. Only the hash of the secret is kept.
CREATE TABLE invitations (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    role            TEXT NOT NULL,
    note            TEXT NOT NULL, -- for whom
    hash            TEXT NOT NULL UNIQUE,
    created_by      TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    expires_at      TEXT NOT NULL,
    used_by         TEXT NOT NULL, -- empty: nobody yet
    used_at         TEXT,
    revoked_at      TEXT
);
CREATE INDEX invitations_organization ON invitations (organization_id);

-- Whom an OpenID provider knows a user as.
CREATE TABLE identities (
    issuer     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at TEXT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_user ON identities (user_id);
