ALTER TABLE releases DROP COLUMN like_number;
ALTER TABLE datasets DROP COLUMN copied_from;
