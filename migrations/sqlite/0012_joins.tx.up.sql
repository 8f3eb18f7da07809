-- What the columns of tables hold, so that those that share values are found. A
-- sketch is the smallest hashes of a column's different values, eight bytes each,
-- ascending.
CREATE TABLE column_sketches (
    table_id TEXT NOT NULL REFERENCES release_tables (id) ON DELETE CASCADE,
    position INTEGER NOT NULL, -- among the sketches of the table
    name     TEXT NOT NULL,
    name_key TEXT NOT NULL, -- equal for names that differ in case and signs alone
    type     TEXT NOT NULL,
    distinct_values INTEGER NOT NULL, -- different ones
    dense    BOOLEAN NOT NULL,
    hashes   BLOB NOT NULL,
    PRIMARY KEY (table_id, position)
);
CREATE INDEX column_sketches_name ON column_sketches (name_key);

-- The smallest hashes of each column of the newest standing releases alone: columns
-- that have one in common are worth a look.
CREATE TABLE column_hashes (
    hash     INTEGER NOT NULL,
    table_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (hash, table_id, position),
    FOREIGN KEY (table_id, position) REFERENCES column_sketches (table_id, position) ON DELETE CASCADE
);
CREATE INDEX column_hashes_column ON column_hashes (table_id, position);

-- Whether the sketches of a table were made; those of older ones are made later.
ALTER TABLE release_tables ADD COLUMN sketched BOOLEAN NOT NULL DEFAULT FALSE;
