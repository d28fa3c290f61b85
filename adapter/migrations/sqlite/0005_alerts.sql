-- How much of a product may be sold in a window of time before an alert.
CREATE TABLE counters (
    counter_id          INTEGER PRIMARY KEY,
    business_id         TEXT NOT NULL,
    product_id          INTEGER NOT NULL,
    -- In the product's base unit.
    threshold           INTEGER NOT NULL CHECK (threshold > 0),
    window_microseconds INTEGER NOT NULL CHECK (window_microseconds > 0),
    recorded_at         INTEGER NOT NULL,
    FOREIGN KEY (business_id, product_id) REFERENCES products
) STRICT;
CREATE INDEX counters_by_business ON counters (business_id);

-- Windows whose alert was raised.
CREATE TABLE crossings (
    business_id TEXT NOT NULL,
    counter_id  INTEGER NOT NULL REFERENCES counters ON DELETE CASCADE,
    window_from INTEGER NOT NULL,
    PRIMARY KEY (business_id, counter_id, window_from)
) STRICT, WITHOUT ROWID;

-- How far the outbox is delivered, by channel.
CREATE TABLE deliveries (
    channel         TEXT NOT NULL,
    alert_id        INTEGER NOT NULL REFERENCES outbox,
    attempts        INTEGER NOT NULL,
    delivered_at    INTEGER,
    next_attempt_at INTEGER,
    -- Of the last attempt.
    error           TEXT,
    PRIMARY KEY (channel, alert_id)
) STRICT, WITHOUT ROWID;
