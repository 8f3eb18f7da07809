-- What readers ask for that the portal does not have.
CREATE TABLE data_requests (
    id          TEXT PRIMARY KEY,
    wanted      TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    contact     TEXT NOT NULL, -- for stewards, erased when it is closed
    searched    TEXT NOT NULL, -- the search that found nothing
    sender      TEXT NOT NULL,
    note        TEXT NOT NULL, -- of the steward who closed it
    closed_by   TEXT NOT NULL,
    closed_at   TEXT,
    row_version INTEGER NOT NULL,
    created_at  TEXT NOT NULL
);
CREATE INDEX data_requests_open ON data_requests (closed_at, id);

-- Searches that found nothing, folded: how often, and nothing of who asked.
CREATE TABLE empty_searches (
    text     TEXT NOT NULL,
    lang     TEXT NOT NULL,
    times    INTEGER NOT NULL,
    first_at TEXT NOT NULL,
    last_at  TEXT NOT NULL,
    PRIMARY KEY (text, lang)
);
CREATE INDEX empty_searches_rare ON empty_searches (times, last_at);

-- Words that stand for each other in a search, as the administrator wrote them: one row.
CREATE TABLE search_synonyms (
    text        TEXT NOT NULL,
    changed_by  TEXT NOT NULL,
    changed_at  TEXT,
    row_version INTEGER NOT NULL
);
INSERT INTO search_synonyms (text, changed_by, row_version) VALUES ('', '', 1);

-- Whether the index is behind the catalogue is asked for with every search.
CREATE INDEX jobs_waiting ON jobs (kind) WHERE state IN ('queued', 'running');
