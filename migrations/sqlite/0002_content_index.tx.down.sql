DROP INDEX release_tables_content;
