-- The till's tables, which Debezium watches: a row of beers is one unit sold, VAT included.
CREATE TABLE IF NOT EXISTS users (id text PRIMARY KEY, name text, email text);
CREATE TABLE IF NOT EXISTS transactions (
    transaction_id text PRIMARY KEY, user_id text, total numeric, tax numeric, created_at timestamptz
);
CREATE TABLE IF NOT EXISTS beers (
    product_id text PRIMARY KEY, transaction_id text, beer_name text, beer_price_per_unit numeric, beer_alcohol text, beer_tax_rate numeric,
    millilitre bigint, price_per_ml numeric
);
CREATE INDEX IF NOT EXISTS beers_by_transaction ON beers (transaction_id);
-- What a client has sent already, under the key that it gave: none of Debezium's business.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    idempotency_key text PRIMARY KEY, body_digest text NOT NULL, transaction_id text NOT NULL, recorded_at timestamptz NOT NULL DEFAULT now()
);
