DROP INDEX jobs_queued;
DROP INDEX datasets_updated;
DROP INDEX release_tables_sizes;
CREATE INDEX datasets_organization ON datasets (organization_id);
DROP INDEX datasets_shown;
