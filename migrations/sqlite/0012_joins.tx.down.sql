ALTER TABLE release_tables DROP COLUMN sketched;
DROP TABLE column_hashes;
DROP TABLE column_sketches;
