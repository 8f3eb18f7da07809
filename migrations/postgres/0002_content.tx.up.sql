-- Which published table has the same rows as one that is being checked, and of
-- which it may be a part.
CREATE INDEX release_tables_content ON release_tables (content_sha256);

-- A sample of a table's rows: the smallest of their hashes.
CREATE TABLE table_sketches (
    table_id    TEXT COLLATE "C" PRIMARY KEY REFERENCES release_tables (id) ON DELETE CASCADE,
    columns_key TEXT COLLATE "C" NOT NULL, -- of the columns' names, in no order
    rows        BIGINT NOT NULL,
    sketch      TEXT COLLATE "C" NOT NULL
);
CREATE INDEX table_sketches_columns ON table_sketches (columns_key);
