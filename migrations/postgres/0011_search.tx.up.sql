-- What readers ask for that the portal does not have.
CREATE TABLE data_requests (
    id          TEXT COLLATE "C" PRIMARY KEY,
    wanted      TEXT COLLATE "C" NOT NULL,
    purpose     TEXT COLLATE "C" NOT NULL,
    contact     TEXT COLLATE "C" NOT NULL, -- for stewards, erased when it is closed
    searched    TEXT COLLATE "C" NOT NULL, -- the search that found nothing
    sender      TEXT COLLATE "C" NOT NULL,
    note        TEXT COLLATE "C" NOT NULL, -- of the steward who closed it
    closed_by   TEXT COLLATE "C" NOT NULL,
    closed_at   TIMESTAMPTZ,
    row_version BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX data_requests_open ON data_requests (closed_at, id);

-- Searches that found nothing, folded: how often, and nothing of who asked.
CREATE TABLE empty_searches (
    text     TEXT COLLATE "C" NOT NULL,
    lang     TEXT COLLATE "C" NOT NULL,
    times    BIGINT NOT NULL,
    first_at TIMESTAMPTZ NOT NULL,
    last_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (text, lang)
);
CREATE INDEX empty_searches_rare ON empty_searches (times, last_at);

-- Words that stand for each other in a search, as the administrator wrote them: one row.
CREATE TABLE search_synonyms (
    text        TEXT COLLATE "C" NOT NULL,
    changed_by  TEXT COLLATE "C" NOT NULL,
    changed_at  TIMESTAMPTZ,
    row_version BIGINT NOT NULL
);
INSERT INTO search_synonyms (text, changed_by, row_version) VALUES ('', '', 1);

-- Whether the index is behind the catalogue is asked for with every search.
CREATE INDEX jobs_waiting ON jobs (kind) WHERE state IN ('queued', 'running');
