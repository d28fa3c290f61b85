-- How much of a product reaches the glass: the rest is lost in serving it, and leaves the stock with each sale, as its journal's second movement.
CREATE TABLE yields (
    business_id TEXT COLLATE "C" NOT NULL,
    product_id  BIGINT NOT NULL,
    -- Of sales from this moment on.
    since       BIGINT NOT NULL,
    yield_ppm   BIGINT NOT NULL CHECK (yield_ppm BETWEEN 10000 AND 1000000),
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (business_id, product_id, since),
    FOREIGN KEY (business_id, product_id) REFERENCES products
);
