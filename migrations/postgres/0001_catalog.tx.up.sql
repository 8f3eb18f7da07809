-- The whole catalogue. JSON is text on both databases, so that it reads back
-- byte for byte; text sorts by code point, as it does in SQLite.

CREATE TABLE organizations (
    id          TEXT COLLATE "C" PRIMARY KEY,
    slug        TEXT COLLATE "C" NOT NULL UNIQUE,
    parent_id   TEXT COLLATE "C" REFERENCES organizations (id),
    name        TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    code        TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    phone       TEXT COLLATE "C" NOT NULL,
    mail        TEXT COLLATE "C" NOT NULL,
    row_version BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX organizations_parent ON organizations (parent_id);

CREATE TABLE users (
    id            TEXT COLLATE "C" PRIMARY KEY,
    login         TEXT COLLATE "C" NOT NULL UNIQUE,
    name          TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C" NOT NULL,
    site_admin    BOOLEAN NOT NULL,
    disabled      BOOLEAN NOT NULL,
    row_version   BIGINT NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL
);

CREATE TABLE memberships (
    user_id         TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    role            TEXT COLLATE "C" NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, organization_id)
);
CREATE INDEX memberships_organization ON memberships (organization_id);

CREATE TABLE tokens (
    id           TEXT COLLATE "C" PRIMARY KEY,
    user_id      TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT COLLATE "C" NOT NULL,
    scope        TEXT COLLATE "C" NOT NULL, -- read or full
    hash         TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at   TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ,
    revoked_at   TIMESTAMPTZ
);
CREATE INDEX tokens_user ON tokens (user_id);

CREATE TABLE sessions (
    hash       TEXT COLLATE "C" PRIMARY KEY,
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE datasets (
    id              TEXT COLLATE "C" PRIMARY KEY,
    slug            TEXT COLLATE "C" NOT NULL UNIQUE,
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    title           TEXT COLLATE "C" NOT NULL,
    title_key       TEXT COLLATE "C" NOT NULL, -- both titles and the slug in lower case, for finding
    description     TEXT COLLATE "C" NOT NULL,
    themes          TEXT COLLATE "C" NOT NULL,
    keywords        TEXT COLLATE "C" NOT NULL,
    region          TEXT COLLATE "C" NOT NULL,
    licence         TEXT COLLATE "C" NOT NULL,
    open_attribute  TEXT COLLATE "C" NOT NULL,
    conditions      TEXT COLLATE "C" NOT NULL,
    frequency       TEXT COLLATE "C" NOT NULL,
    spatial         TEXT COLLATE "C" NOT NULL,
    temporal_start  TEXT COLLATE "C" NOT NULL,
    temporal_end    TEXT COLLATE "C" NOT NULL,
    language        TEXT COLLATE "C" NOT NULL,
    contact         TEXT COLLATE "C" NOT NULL,
    source_note     TEXT COLLATE "C" NOT NULL,
    identifiers     TEXT COLLATE "C" NOT NULL,
    security_level  TEXT COLLATE "C" NOT NULL,
    simulated       BOOLEAN NOT NULL,
    row_version     BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    catalogue_at    TIMESTAMPTZ NOT NULL,
    latest_number   BIGINT NOT NULL, -- newest release that stands; 0: none
    last_number     BIGINT NOT NULL, -- highest number ever given; 0: never published
    published_at    TIMESTAMPTZ,     -- last publication, for sorting by it
    change_number   BIGINT NOT NULL  -- version of the search document
);
CREATE INDEX datasets_organization ON datasets (organization_id);
CREATE INDEX datasets_published ON datasets (published_at);

-- Every slug a dataset ever had, the present one too: none is given twice.
CREATE TABLE dataset_slugs (
    slug       TEXT COLLATE "C" PRIMARY KEY,
    dataset_id TEXT COLLATE "C" NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL
);

-- Drafts and releases. A draft has no number.
CREATE TABLE releases (
    id            TEXT COLLATE "C" PRIMARY KEY,
    dataset_id    TEXT COLLATE "C" NOT NULL REFERENCES datasets (id),
    number        BIGINT,
    state         TEXT COLLATE "C" NOT NULL,
    version       TEXT COLLATE "C" NOT NULL,
    notes         TEXT COLLATE "C" NOT NULL,
    data_date     TEXT COLLATE "C" NOT NULL,
    comment       TEXT COLLATE "C" NOT NULL,
    created_by    TEXT COLLATE "C" NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    submitted_by  TEXT COLLATE "C" NOT NULL,
    approved_by   TEXT COLLATE "C" NOT NULL,
    published_by  TEXT COLLATE "C" NOT NULL,
    published_at  TIMESTAMPTZ,
    publish_at    TIMESTAMPTZ,
    withdrawn_by  TEXT COLLATE "C" NOT NULL,
    withdrawn_at  TIMESTAMPTZ,
    withdrawn_why TEXT COLLATE "C" NOT NULL,
    row_version   BIGINT NOT NULL,
    UNIQUE (dataset_id, number),
    CHECK ((number IS NOT NULL) = (state IN ('published', 'withdrawn')))
);
CREATE INDEX releases_state ON releases (state);

CREATE TABLE release_files (
    id         TEXT COLLATE "C" PRIMARY KEY,
    release_id TEXT COLLATE "C" NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
    name       TEXT COLLATE "C" NOT NULL,
    role       TEXT COLLATE "C" NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    media_type TEXT COLLATE "C" NOT NULL,
    blob       TEXT COLLATE "C" NOT NULL,
    options    TEXT COLLATE "C" NOT NULL,
    report     TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (release_id, name)
);

CREATE TABLE release_tables (
    id             TEXT COLLATE "C" PRIMARY KEY,
    release_id     TEXT COLLATE "C" NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
    name           TEXT COLLATE "C" NOT NULL,
    title          TEXT COLLATE "C" NOT NULL,
    position       BIGINT NOT NULL,
    schema         TEXT COLLATE "C" NOT NULL,
    profile        TEXT COLLATE "C",
    rows           BIGINT NOT NULL,
    columns        BIGINT NOT NULL,
    parts          TEXT COLLATE "C" NOT NULL,
    text_blob      TEXT COLLATE "C" NOT NULL,
    file_id        TEXT COLLATE "C" NOT NULL REFERENCES release_files (id) ON DELETE CASCADE,
    source_sha256  TEXT COLLATE "C" NOT NULL,
    table_sha256   TEXT COLLATE "C" NOT NULL,
    content_sha256 TEXT COLLATE "C" NOT NULL,
    sample         BYTEA,
    created_at     TIMESTAMPTZ NOT NULL,
    UNIQUE (release_id, name)
);
CREATE INDEX release_tables_file ON release_tables (file_id);

-- The head of each chain of events; its row is what a writer of the chain locks.
CREATE TABLE chains (
    chain    TEXT COLLATE "C" PRIMARY KEY,
    sequence BIGINT NOT NULL,
    hash     TEXT COLLATE "C" NOT NULL
);

CREATE TABLE events (
    chain    TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    at       TIMESTAMPTZ NOT NULL,
    actor    TEXT COLLATE "C" NOT NULL,
    verb     TEXT COLLATE "C" NOT NULL,
    object   TEXT COLLATE "C" NOT NULL,
    facts    TEXT COLLATE "C" NOT NULL,
    previous TEXT COLLATE "C" NOT NULL,
    hash     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (chain, sequence)
);

CREATE TABLE jobs (
    id           TEXT COLLATE "C" PRIMARY KEY,
    kind         TEXT COLLATE "C" NOT NULL,
    args         TEXT COLLATE "C" NOT NULL,
    state        TEXT COLLATE "C" NOT NULL,
    attempt      BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    fence        BIGINT NOT NULL,
    worker       TEXT COLLATE "C" NOT NULL,
    run_at       TIMESTAMPTZ NOT NULL,
    lease_until  TIMESTAMPTZ,
    error        TEXT COLLATE "C" NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    done_at      TIMESTAMPTZ
);
CREATE INDEX jobs_due ON jobs (state, run_at, id);
CREATE INDEX jobs_done ON jobs (state, done_at);

CREATE TABLE exports (
    key        TEXT COLLATE "C" PRIMARY KEY,
    blob       TEXT COLLATE "C" NOT NULL,
    sha256     TEXT COLLATE "C" NOT NULL,
    size       BIGINT NOT NULL,
    rows       BIGINT NOT NULL,
    media_type TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    used_at    TIMESTAMPTZ NOT NULL
);
CREATE INDEX exports_used ON exports (used_at, key);
CREATE INDEX exports_sha256 ON exports (sha256);
