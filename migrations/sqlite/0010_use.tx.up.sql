-- How often a dataset's tables and files were downloaded. It is no part of the
-- catalogue: a count lost with a machine is lost.
CREATE TABLE dataset_use (
    dataset_id TEXT PRIMARY KEY REFERENCES datasets (id),
    downloads  INTEGER NOT NULL
);
