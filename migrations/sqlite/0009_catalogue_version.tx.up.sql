-- What readers see of the catalogue has a version: a sum that is read from here alone.
CREATE INDEX datasets_change ON datasets (last_number, change_number);
