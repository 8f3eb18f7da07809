DROP TABLE dataset_use;
