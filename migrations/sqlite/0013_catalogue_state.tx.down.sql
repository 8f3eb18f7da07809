CREATE INDEX datasets_change ON datasets (last_number, change_number);
DROP TABLE catalogue_state;
