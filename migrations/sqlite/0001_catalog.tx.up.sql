-- The whole catalogue. JSON is text on both databases, so that it reads back
-- byte for byte; times are UTC text of fixed width, so that they sort.

CREATE TABLE organizations (
    id          TEXT PRIMARY KEY,
    slug        TEXT NOT NULL UNIQUE,
    parent_id   TEXT REFERENCES organizations (id),
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    code        TEXT NOT NULL,
    region      TEXT NOT NULL,
    phone       TEXT NOT NULL,
    mail        TEXT NOT NULL,
    row_version INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
);
CREATE INDEX organizations_parent ON organizations (parent_id);

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    login         TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    site_admin    BOOLEAN NOT NULL,
    disabled      BOOLEAN NOT NULL,
    row_version   INTEGER NOT NULL,
    created_at    TEXT NOT NULL
);

CREATE TABLE memberships (
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    role            TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    PRIMARY KEY (user_id, organization_id)
);
CREATE INDEX memberships_organization ON memberships (organization_id);

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    scope        TEXT NOT NULL, -- read or full
    hash         TEXT NOT NULL UNIQUE,
    created_at   TEXT NOT NULL,
    expires_at   TEXT,
    last_used_at TEXT,
    revoked_at   TEXT
);
CREATE INDEX tokens_user ON tokens (user_id);

CREATE TABLE sessions (
    hash       TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE datasets (
    id              TEXT PRIMARY KEY,
    slug            TEXT NOT NULL UNIQUE,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    title           TEXT NOT NULL,
    title_key       TEXT NOT NULL, -- both titles and the slug in lower case, for finding
    description     TEXT NOT NULL,
    themes          TEXT NOT NULL,
    keywords        TEXT NOT NULL,
    region          TEXT NOT NULL,
    licence         TEXT NOT NULL,
    open_attribute  TEXT NOT NULL,
    conditions      TEXT NOT NULL,
    frequency       TEXT NOT NULL,
    spatial         TEXT NOT NULL,
    temporal_start  TEXT NOT NULL,
    temporal_end    TEXT NOT NULL,
    language        TEXT NOT NULL,
    contact         TEXT NOT NULL,
    source_note     TEXT NOT NULL,
    identifiers     TEXT NOT NULL,
    security_level  TEXT NOT NULL,
    simulated       BOOLEAN NOT NULL,
    row_version     INTEGER NOT NULL,
    created_at      TEXT NOT NULL,
    catalogue_at    TEXT NOT NULL,
    latest_number   INTEGER NOT NULL, -- newest release that stands; 0: none
    last_number     INTEGER NOT NULL, -- highest number ever given; 0: never published
    published_at    TEXT,     -- last publication, for sorting by it
    change_number   INTEGER NOT NULL  -- version of the search document
);
CREATE INDEX datasets_organization ON datasets (organization_id);
CREATE INDEX datasets_published ON datasets (published_at);

-- Every slug a dataset ever had, the present one too: none is given twice.
CREATE TABLE dataset_slugs (
    slug       TEXT PRIMARY KEY,
    dataset_id TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
    created_at TEXT NOT NULL
);

-- Drafts and releases. A draft has no number.
CREATE TABLE releases (
    id            TEXT PRIMARY KEY,
    dataset_id    TEXT NOT NULL REFERENCES datasets (id),
    number        INTEGER,
    state         TEXT NOT NULL,
    version       TEXT NOT NULL,
    notes         TEXT NOT NULL,
    data_date     TEXT NOT NULL,
    comment       TEXT NOT NULL,
    created_by    TEXT NOT NULL,
    created_at    TEXT NOT NULL,
    submitted_by  TEXT NOT NULL,
    approved_by   TEXT NOT NULL,
    published_by  TEXT NOT NULL,
    published_at  TEXT,
    publish_at    TEXT,
    withdrawn_by  TEXT NOT NULL,
    withdrawn_at  TEXT,
    withdrawn_why TEXT NOT NULL,
    row_version   INTEGER NOT NULL,
    UNIQUE (dataset_id, number),
    CHECK ((number IS NOT NULL) = (state IN ('published', 'withdrawn')))
);
CREATE INDEX releases_state ON releases (state);

CREATE TABLE release_files (
    id         TEXT PRIMARY KEY,
    release_id TEXT NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL,
    state      TEXT NOT NULL,
    media_type TEXT NOT NULL,
    blob       TEXT NOT NULL,
    options    TEXT NOT NULL,
    report     TEXT,
    created_at TEXT NOT NULL,
    UNIQUE (release_id, name)
);

CREATE TABLE release_tables (
    id             TEXT PRIMARY KEY,
    release_id     TEXT NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
    name           TEXT NOT NULL,
    title          TEXT NOT NULL,
    position       INTEGER NOT NULL,
    schema         TEXT NOT NULL,
    profile        TEXT,
    rows           INTEGER NOT NULL,
    columns        INTEGER NOT NULL,
    parts          TEXT NOT NULL,
    text_blob      TEXT NOT NULL,
    file_id        TEXT NOT NULL REFERENCES release_files (id) ON DELETE CASCADE,
    source_sha256  TEXT NOT NULL,
    table_sha256   TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    sample         BLOB,
    created_at     TEXT NOT NULL,
    UNIQUE (release_id, name)
);
CREATE INDEX release_tables_file ON release_tables (file_id);

-- The head of each chain of events; its row is what a writer of the chain locks.
CREATE TABLE chains (
    chain    TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    hash     TEXT NOT NULL
);

CREATE TABLE events (
    chain    TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    at       TEXT NOT NULL,
    actor    TEXT NOT NULL,
    verb     TEXT NOT NULL,
    object   TEXT NOT NULL,
    facts    TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL,
    PRIMARY KEY (chain, sequence)
);

CREATE TABLE jobs (
    id           TEXT PRIMARY KEY,
    kind         TEXT NOT NULL,
    args         TEXT NOT NULL,
    state        TEXT NOT NULL,
    attempt      INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    fence        INTEGER NOT NULL,
    worker       TEXT NOT NULL,
    run_at       TEXT NOT NULL,
    lease_until  TEXT,
    error        TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    done_at      TEXT
);
CREATE INDEX jobs_due ON jobs (state, run_at, id);
CREATE INDEX jobs_done ON jobs (state, done_at);

CREATE TABLE exports (
    key        TEXT PRIMARY KEY,
    blob       TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    size       INTEGER NOT NULL,
    rows       INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    created_at TEXT NOT NULL,
    used_at    TEXT NOT NULL
);
CREATE INDEX exports_used ON exports (used_at, key);
CREATE INDEX exports_sha256 ON exports (sha256);
