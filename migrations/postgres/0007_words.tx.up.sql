-- What a steward typed about the tables of a draft: title, key, and the words and
-- rules of columns. It stays while files are read again, refused or replaced.
CREATE TABLE draft_words (
    release_id TEXT COLLATE "C" NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
    table_name TEXT COLLATE "C" NOT NULL,
    words      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (release_id, table_name)
);
