-- Books per business: every key begins with the business, so that the tables can be partitioned by it.
-- Money is in minor units of its currency (cents), stock in base units (ml, g, each), times are microseconds since 1970 UTC.

CREATE TABLE businesses (
    business_id            TEXT PRIMARY KEY,
    name                   TEXT,
    currency               TEXT NOT NULL DEFAULT 'EUR',
    -- A document posts by itself only if each figure it posts was read with at least this confidence, in parts per million.
    posting_confidence_ppm INTEGER NOT NULL DEFAULT 500000,
    -- ... and its gross is at most this; NULL: no limit.
    posting_limit_minor    INTEGER,
    recorded_at            INTEGER NOT NULL
) STRICT;

-- How far each source was read, written in the same transaction as what was read.
CREATE TABLE inbox (
    topic       TEXT NOT NULL,
    partition   INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    -- For files: SHA-256 of everything before next_offset. A file that starts otherwise is another file.
    fingerprint TEXT,
    PRIMARY KEY (topic, partition)
) STRICT;

-- The newest image of each row of the till's tables, with what was posted for it.
CREATE TABLE source_rows (
    stream         TEXT NOT NULL,
    table_name     TEXT NOT NULL,
    row_key        TEXT NOT NULL,
    -- The row it hangs on: a sale line's transaction, a transaction's business.
    parent_key     TEXT,
    image          TEXT NOT NULL,
    sequence_major INTEGER,
    sequence_minor INTEGER,
    deleted        INTEGER NOT NULL DEFAULT 0,
    -- The sale as it stands in the books, and its journal; NULL: nothing posted.
    posted         TEXT,
    journal_id     INTEGER,
    -- Whose a sale line is; NULL: nobody knows yet.
    business_id    TEXT,
    -- Why a sale line that should be in the books is not there yet.
    pending_reason TEXT,
    PRIMARY KEY (stream, table_name, row_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX source_rows_by_parent ON source_rows (stream, table_name, parent_key);
CREATE INDEX source_rows_pending ON source_rows (business_id) WHERE pending_reason IS NOT NULL;

-- A truncated table is stopped: what comes after waits in held_changes for a person's word.
CREATE TABLE stopped_tables (
    stream         TEXT NOT NULL,
    table_name     TEXT NOT NULL,
    sequence_major INTEGER,
    sequence_minor INTEGER,
    recorded_at    INTEGER NOT NULL,
    PRIMARY KEY (stream, table_name)
) STRICT;
CREATE TABLE held_changes (
    digest      TEXT PRIMARY KEY,
    stream      TEXT NOT NULL,
    table_name  TEXT NOT NULL,
    topic       TEXT NOT NULL,
    partition   INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    payload     TEXT NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

CREATE TABLE dead_letters (
    dead_letter_id INTEGER PRIMARY KEY,
    topic          TEXT NOT NULL,
    partition      INTEGER NOT NULL,
    position       INTEGER NOT NULL,
    reason         TEXT NOT NULL,
    payload        TEXT NOT NULL,
    -- Of topic and payload: the same record is one dead letter however often it comes.
    digest         TEXT NOT NULL UNIQUE,
    recorded_at    INTEGER NOT NULL
) STRICT;

-- What the outside shall hear of; delivered after the transaction.
CREATE TABLE outbox (
    alert_id    INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    detail      TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    UNIQUE (kind, subject, detail)
) STRICT;

-- One event in the books. Its postings and movements are written first; the journal then closes over them.
CREATE TABLE journals (
    business_id     TEXT NOT NULL REFERENCES businesses,
    journal_id      INTEGER NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('sale', 'purchase')),
    -- What it was booked from: the till's row, the document.
    origin          TEXT NOT NULL,
    -- The till's transaction, the document: several journals may share it.
    transaction_key TEXT NOT NULL,
    line_count      INTEGER NOT NULL,
    effective_date  TEXT NOT NULL,
    effective_at    INTEGER NOT NULL,
    recorded_at     INTEGER NOT NULL,
    reverses        INTEGER,
    PRIMARY KEY (business_id, journal_id),
    UNIQUE (business_id, reverses),
    FOREIGN KEY (business_id, reverses) REFERENCES journals
) STRICT, WITHOUT ROWID;
CREATE INDEX journals_by_date ON journals (business_id, effective_date);

CREATE TABLE postings (
    business_id  TEXT NOT NULL,
    journal_id   INTEGER NOT NULL,
    ordinal      INTEGER NOT NULL,
    account      TEXT NOT NULL,
    currency     TEXT NOT NULL,
    -- Debit positive, credit negative.
    amount_minor INTEGER NOT NULL,
    PRIMARY KEY (business_id, journal_id, ordinal),
    FOREIGN KEY (business_id, journal_id) REFERENCES journals DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

CREATE TABLE products (
    business_id TEXT NOT NULL REFERENCES businesses,
    product_id  INTEGER NOT NULL,
    name        TEXT NOT NULL,
    unit        TEXT NOT NULL CHECK (unit IN ('ml', 'g', 'each')),
    -- Made from a supplier's description; a person has not said yet which product it is.
    proposed    INTEGER NOT NULL,
    PRIMARY KEY (business_id, product_id),
    UNIQUE (business_id, name, unit)
) STRICT, WITHOUT ROWID;

CREATE TABLE stock_movements (
    business_id TEXT NOT NULL,
    journal_id  INTEGER NOT NULL,
    ordinal     INTEGER NOT NULL,
    product_id  INTEGER NOT NULL,
    -- In the product's base unit; into stock positive, out of stock negative.
    quantity    INTEGER NOT NULL,
    PRIMARY KEY (business_id, journal_id, ordinal),
    FOREIGN KEY (business_id, product_id) REFERENCES products,
    FOREIGN KEY (business_id, journal_id) REFERENCES journals DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

CREATE TRIGGER journal_balances BEFORE INSERT ON journals
WHEN EXISTS (
    SELECT 1 FROM postings WHERE business_id = NEW.business_id AND journal_id = NEW.journal_id
    GROUP BY currency HAVING sum(amount_minor) <> 0
)
BEGIN SELECT RAISE(ABORT, 'the postings of a journal must sum to zero in each currency'); END;

CREATE TRIGGER postings_into_closed_journal BEFORE INSERT ON postings
WHEN EXISTS (SELECT 1 FROM journals WHERE business_id = NEW.business_id AND journal_id = NEW.journal_id)
BEGIN SELECT RAISE(ABORT, 'a written journal takes no more postings'); END;

CREATE TRIGGER movements_into_closed_journal BEFORE INSERT ON stock_movements
WHEN EXISTS (SELECT 1 FROM journals WHERE business_id = NEW.business_id AND journal_id = NEW.journal_id)
BEGIN SELECT RAISE(ABORT, 'a written journal takes no more stock movements'); END;

CREATE TRIGGER journals_stay BEFORE UPDATE ON journals
BEGIN SELECT RAISE(ABORT, 'journals are never updated: reverse and repost'); END;
CREATE TRIGGER journals_are_kept BEFORE DELETE ON journals
BEGIN SELECT RAISE(ABORT, 'journals are never deleted: reverse them'); END;
CREATE TRIGGER postings_stay BEFORE UPDATE ON postings
BEGIN SELECT RAISE(ABORT, 'postings are never updated: reverse and repost'); END;
CREATE TRIGGER postings_are_kept BEFORE DELETE ON postings
BEGIN SELECT RAISE(ABORT, 'postings are never deleted: reverse them'); END;
CREATE TRIGGER stock_movements_stay BEFORE UPDATE ON stock_movements
BEGIN SELECT RAISE(ABORT, 'stock movements are never updated: reverse and repost'); END;
CREATE TRIGGER stock_movements_are_kept BEFORE DELETE ON stock_movements
BEGIN SELECT RAISE(ABORT, 'stock movements are never deleted: reverse them'); END;
