-- Of a copy: the dataset whose dictionary its first release takes over.
ALTER TABLE datasets ADD COLUMN copied_from TEXT NOT NULL DEFAULT '';

-- Of a draft begun like a release: its number. Files are read as there.
ALTER TABLE releases ADD COLUMN like_number INTEGER NOT NULL DEFAULT 0;
