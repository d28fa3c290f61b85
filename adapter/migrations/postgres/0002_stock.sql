-- What a person counted. The difference to the books is a journal, which follows what the books say later of the time before.
CREATE TABLE stock_counts (
    business_id TEXT COLLATE "C" NOT NULL,
    product_id  BIGINT NOT NULL,
    counted_at  BIGINT NOT NULL,
    quantity    BIGINT NOT NULL,
    -- The difference as it is booked now, and its journal; NULL: the books said the same.
    difference  BIGINT NOT NULL DEFAULT 0,
    journal_id  BIGINT,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (business_id, product_id, counted_at),
    FOREIGN KEY (business_id, product_id) REFERENCES products
);
