-- What the columns of tables hold, so that those that share values are found. A
-- sketch is the smallest hashes of a column's different values, eight bytes each,
-- ascending.
CREATE TABLE column_sketches (
    table_id TEXT COLLATE "C" NOT NULL REFERENCES release_tables (id) ON DELETE CASCADE,
    position BIGINT NOT NULL, -- among the sketches of the table
    name     TEXT COLLATE "C" NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL, -- equal for names that differ in case and signs alone
    type     TEXT COLLATE "C" NOT NULL,
    distinct_values BIGINT NOT NULL, -- different ones
    dense    BOOLEAN NOT NULL,
    hashes   BYTEA NOT NULL,
    PRIMARY KEY (table_id, position)
);
CREATE INDEX column_sketches_name ON column_sketches (name_key);

-- The smallest hashes of each column of the newest standing releases alone: columns
-- that have one in common are worth a look.
CREATE TABLE column_hashes (
    hash     BIGINT NOT NULL,
    table_id TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (hash, table_id, position),
    FOREIGN KEY (table_id, position) REFERENCES column_sketches (table_id, position) ON DELETE CASCADE
);
CREATE INDEX column_hashes_column ON column_hashes (table_id, position);

-- Whether the sketches of a table were made; those of older ones are made later.
ALTER TABLE release_tables ADD COLUMN sketched BOOLEAN NOT NULL DEFAULT FALSE;
