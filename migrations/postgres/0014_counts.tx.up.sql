-- The sums of the first page, what each organization has in the catalogue, and how long
-- a list is, are counted from indexes that hold all of it, instead of a look at every
-- dataset and table.
CREATE INDEX datasets_shown ON datasets (organization_id, open_attribute, latest_number, last_number);
DROP INDEX datasets_organization;
CREATE INDEX release_tables_sizes ON release_tables (release_id, rows, columns);

-- The order of lists: last published, else made, first.
CREATE INDEX datasets_updated ON datasets ((COALESCE(published_at, created_at)), id);

-- A job that is queued already is found by what it is to do.
CREATE INDEX jobs_queued ON jobs (args) WHERE state = 'queued';
