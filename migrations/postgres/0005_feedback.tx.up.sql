-- What readers say is wrong in a dataset, and what was answered.
CREATE TABLE feedback (
    id             TEXT COLLATE "C" PRIMARY KEY,
    dataset_id     TEXT COLLATE "C" NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
    number         BIGINT NOT NULL,
    release_number BIGINT NOT NULL, -- that the reader saw; 0: none
    table_name     TEXT COLLATE "C" NOT NULL,
    column_name    TEXT COLLATE "C" NOT NULL,
    row_number     BIGINT NOT NULL,
    row_key        TEXT COLLATE "C" NOT NULL,
    message        TEXT COLLATE "C" NOT NULL,
    contact        TEXT COLLATE "C" NOT NULL, -- for stewards, erased with the answer
    sender         TEXT COLLATE "C" NOT NULL,
    state          TEXT COLLATE "C" NOT NULL,
    due_on         TEXT COLLATE "C" NOT NULL,
    words          TEXT COLLATE "C" NOT NULL, -- unseen, shown or withheld
    words_why      TEXT COLLATE "C" NOT NULL,
    reply          TEXT COLLATE "C" NOT NULL,
    mended_by      BIGINT NOT NULL, -- number of the release; 0: none
    closed_by      TEXT COLLATE "C" NOT NULL,
    closed_at      TIMESTAMPTZ,
    row_version    BIGINT NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    UNIQUE (dataset_id, number)
);
CREATE INDEX feedback_due ON feedback (state, due_on);
