-- Which published table has the same rows as one that is being checked, and of
-- which it may be a part.
CREATE INDEX release_tables_content ON release_tables (content_sha256);

-- A sample of a table's rows: the smallest of their hashes.
CREATE TABLE table_sketches (
    table_id    TEXT PRIMARY KEY REFERENCES release_tables (id) ON DELETE CASCADE,
    columns_key TEXT NOT NULL, -- of the columns' names, in no order
    rows        INTEGER NOT NULL,
    sketch      TEXT NOT NULL
);
CREATE INDEX table_sketches_columns ON table_sketches (columns_key);
