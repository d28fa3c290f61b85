CREATE TABLE documents (
    document_id   INTEGER PRIMARY KEY,
    business_id   TEXT NOT NULL REFERENCES businesses,
    source        TEXT NOT NULL,
    -- Of the files' bytes, or of the extraction where only that came.
    digest        TEXT NOT NULL,
    -- Supplier, number, date and gross as one text; NULL where one of them is missing.
    identity      TEXT,
    status        TEXT NOT NULL CHECK (status IN ('POSTED', 'REVIEW', 'DUPLICATE')),
    -- Why it waits, as a JSON list of texts.
    reasons       TEXT NOT NULL,
    duplicate_of  INTEGER REFERENCES documents,
    -- The extraction as it stands now, corrections included: the JSON form of cellarbook.v1.Invoice.
    invoice       TEXT NOT NULL,
    -- The live journal; NULL while nothing is posted.
    journal_id    INTEGER,
    recorded_at   INTEGER NOT NULL,
    UNIQUE (business_id, digest)
) STRICT;
CREATE INDEX documents_by_identity ON documents (business_id, identity);

CREATE TABLE document_files (
    document_id INTEGER NOT NULL REFERENCES documents,
    ordinal     INTEGER NOT NULL,
    name        TEXT NOT NULL,
    content     BLOB NOT NULL,
    PRIMARY KEY (document_id, ordinal)
) STRICT;

-- The audit of what people changed.
CREATE TABLE corrections (
    correction_id INTEGER PRIMARY KEY,
    document_id   INTEGER NOT NULL REFERENCES documents,
    field         TEXT NOT NULL,
    old_value     TEXT,
    new_value     TEXT NOT NULL,
    corrected_by  TEXT NOT NULL,
    recorded_at   INTEGER NOT NULL
) STRICT;

-- What a document truly says, appended whenever a person corrected or accepted it: the newest of a document is its truth for training.
CREATE TABLE training_documents (
    training_document_id INTEGER PRIMARY KEY,
    document_id          INTEGER NOT NULL REFERENCES documents,
    invoice              TEXT NOT NULL,
    recorded_at          INTEGER NOT NULL
) STRICT;

-- How a supplier is printed -> what it is called.
CREATE TABLE supplier_aliases (
    business_id TEXT NOT NULL REFERENCES businesses,
    printed     TEXT NOT NULL,
    name        TEXT NOT NULL,
    PRIMARY KEY (business_id, printed)
) STRICT;

-- A supplier's item, by code or description -> the business's own product.
CREATE TABLE product_aliases (
    business_id TEXT NOT NULL,
    supplier    TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('code', 'description')),
    item        TEXT NOT NULL,
    product_id  INTEGER NOT NULL,
    PRIMARY KEY (business_id, supplier, kind, item),
    FOREIGN KEY (business_id, product_id) REFERENCES products
) STRICT;

CREATE TRIGGER corrections_stay BEFORE UPDATE ON corrections
BEGIN SELECT RAISE(ABORT, 'corrections are never updated'); END;
CREATE TRIGGER corrections_are_kept BEFORE DELETE ON corrections
BEGIN SELECT RAISE(ABORT, 'corrections are never deleted'); END;
CREATE TRIGGER documents_are_kept BEFORE DELETE ON documents
BEGIN SELECT RAISE(ABORT, 'documents are never deleted'); END;
