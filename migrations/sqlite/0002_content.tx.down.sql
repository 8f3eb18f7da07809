DROP TABLE table_sketches;
DROP INDEX release_tables_content;
