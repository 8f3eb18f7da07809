-- Files on their way into a draft: sent in pieces, or fetched from an address.
-- Their bytes lie in the data folder until they are whole.
CREATE TABLE uploads (
    id         TEXT COLLATE "C" PRIMARY KEY,
    release_id TEXT COLLATE "C" NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
    user_id    TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    media_type TEXT COLLATE "C" NOT NULL,
    options    TEXT COLLATE "C" NOT NULL,
    size       BIGINT NOT NULL,
    received   BIGINT NOT NULL,
    sha256     TEXT COLLATE "C" NOT NULL,
    source     TEXT COLLATE "C" NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    failure    TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX uploads_user ON uploads (user_id, release_id);
CREATE INDEX uploads_expires ON uploads (expires_at);
