DROP TABLE draft_words;
