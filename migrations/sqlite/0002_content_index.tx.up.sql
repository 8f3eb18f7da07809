-- Which published table has the same rows as one that is being checked.
CREATE INDEX release_tables_content ON release_tables (content_sha256);
