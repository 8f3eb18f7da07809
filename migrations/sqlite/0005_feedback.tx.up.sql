-- What readers say is wrong in a dataset, and what was answered.
CREATE TABLE feedback (
    id             TEXT PRIMARY KEY,
    dataset_id     TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
    number         INTEGER NOT NULL,
    release_number INTEGER NOT NULL, -- that the reader saw; 0: none
    table_name     TEXT NOT NULL,
    column_name    TEXT NOT NULL,
    row_number     INTEGER NOT NULL,
    row_key        TEXT NOT NULL,
    message        TEXT NOT NULL,
    contact        TEXT NOT NULL, -- for stewards, erased with the answer
    sender         TEXT NOT NULL,
    state          TEXT NOT NULL,
    due_on         TEXT NOT NULL,
    words          TEXT NOT NULL, -- unseen, shown or withheld
    words_why      TEXT NOT NULL,
    reply          TEXT NOT NULL,
    mended_by      INTEGER NOT NULL, -- number of the release; 0: none
    closed_by      TEXT NOT NULL,
    closed_at      TEXT,
    row_version    INTEGER NOT NULL,
    created_at     TEXT NOT NULL,
    UNIQUE (dataset_id, number)
);
CREATE INDEX feedback_due ON feedback (state, due_on);
