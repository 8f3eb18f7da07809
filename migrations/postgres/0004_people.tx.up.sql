-- What kind of body an organization is, in the publishers' own words.
ALTER TABLE organizations ADD COLUMN category TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Links by which a person gets a role. Only the hash of the secret is kept.
CREATE TABLE invitations (
    id              TEXT COLLATE "C" PRIMARY KEY,
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    role            TEXT COLLATE "C" NOT NULL,
    note            TEXT COLLATE "C" NOT NULL, -- for whom
    hash            TEXT COLLATE "C" NOT NULL UNIQUE,
    created_by      TEXT COLLATE "C" NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    used_by         TEXT COLLATE "C" NOT NULL, -- empty: nobody yet
    used_at         TIMESTAMPTZ,
    revoked_at      TIMESTAMPTZ
);
CREATE INDEX invitations_organization ON invitations (organization_id);

-- Whom an OpenID provider knows a user as.
CREATE TABLE identities (
    issuer     TEXT COLLATE "C" NOT NULL,
    subject    TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_user ON identities (user_id);
