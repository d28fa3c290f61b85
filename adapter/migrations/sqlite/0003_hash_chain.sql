-- SHA-256 of the journal before and this one with its postings and movements: what was changed afterwards shows. Journals from before have none.
ALTER TABLE journals ADD COLUMN hash TEXT;
