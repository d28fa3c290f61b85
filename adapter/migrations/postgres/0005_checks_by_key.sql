-- The same checks, each journal's rows looked up by its key. As joins, which a connection plans once, they were now and then planned to read
-- all postings for each batch: on tables that had just been made, whose first batch was small.
CREATE OR REPLACE FUNCTION journals_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM written WHERE EXISTS (
            SELECT FROM postings WHERE postings.business_id = written.business_id AND postings.journal_id = written.journal_id
            GROUP BY currency HAVING sum(amount_minor) <> 0
        )
    ) THEN
        RAISE EXCEPTION 'the postings of a journal must sum to zero in each currency';
    END IF;
    RETURN NULL;
END $$;

-- OFFSET 0 keeps the planner from making a join of it.
CREATE OR REPLACE FUNCTION journal_is_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM written WHERE EXISTS (
            SELECT FROM journals WHERE journals.business_id = written.business_id AND journals.journal_id = written.journal_id OFFSET 0
        )
    ) THEN
        RAISE EXCEPTION 'a written journal takes no more %', TG_ARGV[0];
    END IF;
    RETURN NULL;
END $$;
