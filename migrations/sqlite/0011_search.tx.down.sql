DROP INDEX jobs_waiting;
DROP TABLE search_synonyms;
DROP TABLE empty_searches;
DROP TABLE data_requests;
