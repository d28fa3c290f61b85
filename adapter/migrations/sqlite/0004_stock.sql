-- Counts and waste are journals too. SQLite alters no CHECK; to edit the text of the schema is what its documentation advises.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '(''sale'', ''purchase'')', '(''sale'', ''purchase'', ''count'', ''waste'')')
WHERE type = 'table' AND name = 'journals';
PRAGMA writable_schema = RESET;

-- What a purchase paid for it, without VAT, with the quantity's sign; NULL where the document does not say.
ALTER TABLE stock_movements ADD COLUMN value_minor INTEGER;

-- What a person counted. The difference to the books is a journal, which follows what the books say later of the time before.
CREATE TABLE stock_counts (
    business_id TEXT NOT NULL,
    product_id  INTEGER NOT NULL,
    counted_at  INTEGER NOT NULL,
    quantity    INTEGER NOT NULL,
    -- The difference as it is booked now, and its journal; NULL: the books said the same.
    difference  INTEGER NOT NULL DEFAULT 0,
    journal_id  INTEGER,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (business_id, product_id, counted_at),
    FOREIGN KEY (business_id, product_id) REFERENCES products
) STRICT, WITHOUT ROWID;
