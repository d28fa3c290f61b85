-- What a foreign key looks up and locks for each row, half of the time that a sale line took, is looked up here once a statement. Nothing that
-- is referred to is ever deleted, nor does its key change, so that what was there once needs no lock.
-- A journal is written first; its postings and movements follow in the same transaction.

ALTER TABLE postings DROP CONSTRAINT postings_business_id_journal_id_fkey;
ALTER TABLE stock_movements DROP CONSTRAINT stock_movements_business_id_journal_id_fkey;
ALTER TABLE stock_movements DROP CONSTRAINT stock_movements_business_id_product_id_fkey;
ALTER TABLE journals DROP CONSTRAINT journals_business_id_fkey;
-- Nearly no journal is a reversal.
ALTER TABLE journals DROP CONSTRAINT journals_reverses_business_id_key;
CREATE UNIQUE INDEX journals_by_reversed ON journals (reverses, business_id) WHERE reverses IS NOT NULL;
DROP TRIGGER journals_balance ON journals;
DROP TRIGGER postings_into_open_journal ON postings;
DROP TRIGGER movements_into_open_journal ON stock_movements;
DROP FUNCTION journals_balance, journal_is_open;

-- OFFSET 0, here and below, keeps the planner from making joins of the subqueries: a connection plans them once, and a plan made for tables
-- that were nearly empty would read all of them for each batch.
CREATE FUNCTION journals_have_a_business() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT business_id FROM written) AS given
        WHERE NOT EXISTS (SELECT FROM businesses WHERE businesses.business_id = given.business_id OFFSET 0)
    ) THEN
        RAISE EXCEPTION 'a journal needs a business that the books know';
    END IF;
    RETURN NULL;
END $$;

-- xmin is the transaction that wrote the journal. The journals of a statement lie side by side, so each business's are read in one go.
CREATE FUNCTION journals_are_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT business_id, journal_id FROM written
        EXCEPT
        SELECT given.business_id, open.journal_id
        FROM (SELECT business_id, min(journal_id) AS first, max(journal_id) AS last FROM written GROUP BY business_id) AS given,
        LATERAL (
            SELECT journal_id FROM journals WHERE journals.business_id = given.business_id
            AND journal_id BETWEEN given.first AND given.last AND journals.xmin = pg_current_xact_id()::xid OFFSET 0
        ) AS open
    ) THEN
        RAISE EXCEPTION 'a journal that this transaction did not write takes no more %', TG_ARGV[0];
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION postings_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM written GROUP BY business_id, journal_id, currency HAVING sum(amount_minor) <> 0) THEN
        RAISE EXCEPTION 'the postings of a journal must sum to zero in each currency';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION movements_have_a_product() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT business_id, product_id FROM written) AS given
        WHERE NOT EXISTS (
            SELECT FROM products WHERE products.business_id = given.business_id AND products.product_id = given.product_id OFFSET 0
        )
    ) THEN
        RAISE EXCEPTION 'a stock movement needs a product of its business';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER journals_have_a_business AFTER INSERT ON journals REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION journals_have_a_business();
CREATE TRIGGER postings_balance AFTER INSERT ON postings REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION postings_balance();
CREATE TRIGGER postings_into_open_journal AFTER INSERT ON postings REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION journals_are_open('postings');
CREATE TRIGGER movements_into_open_journal AFTER INSERT ON stock_movements REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION journals_are_open('stock movements');
CREATE TRIGGER movements_have_a_product AFTER INSERT ON stock_movements REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION movements_have_a_product();

CREATE TRIGGER businesses_keep_their_key BEFORE UPDATE OF business_id ON businesses
FOR EACH STATEMENT EXECUTE FUNCTION refuse('a business keeps its key');
CREATE TRIGGER businesses_are_kept BEFORE DELETE OR TRUNCATE ON businesses
FOR EACH STATEMENT EXECUTE FUNCTION refuse('businesses are never deleted');
CREATE TRIGGER products_keep_their_key BEFORE UPDATE OF business_id, product_id ON products
FOR EACH STATEMENT EXECUTE FUNCTION refuse('a product keeps its key');
CREATE TRIGGER products_are_kept BEFORE DELETE OR TRUNCATE ON products
FOR EACH STATEMENT EXECUTE FUNCTION refuse('products are never deleted');
