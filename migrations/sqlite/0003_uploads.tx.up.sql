-- Files on their way into a draft: sent in pieces, or fetched from an address.
-- Their bytes lie in the data folder until they are whole.
CREATE TABLE uploads (
    id         TEXT PRIMARY KEY,
    release_id TEXT NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
    user_id    TEXT NOT NULL,
    name       TEXT NOT NULL,
    media_type TEXT NOT NULL,
    options    TEXT NOT NULL,
    size       INTEGER NOT NULL,
    received   INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    source     TEXT NOT NULL,
    state      TEXT NOT NULL,
    failure    TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
);
CREATE INDEX uploads_user ON uploads (user_id, release_id);
CREATE INDEX uploads_expires ON uploads (expires_at);
