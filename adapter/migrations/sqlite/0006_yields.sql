-- How much of a product reaches the glass: the rest is lost in serving it, and leaves the stock with each sale, as its journal's second movement.
CREATE TABLE yields (
    business_id TEXT NOT NULL,
    product_id  INTEGER NOT NULL,
    -- Of sales from this moment on.
    since       INTEGER NOT NULL,
    yield_ppm   INTEGER NOT NULL CHECK (yield_ppm BETWEEN 10000 AND 1000000),
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (business_id, product_id, since),
    FOREIGN KEY (business_id, product_id) REFERENCES products
) STRICT, WITHOUT ROWID;
