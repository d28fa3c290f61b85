//! The books follow the till through the real chain.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use support::{chain::Chain, postgres};

/// What the till does, step by step; after each the books must say what its tables say.
const STEPS: [&str; 6] = [
    "INSERT INTO users VALUES ('pub', 'The Long Hall', NULL), ('bar', 'The Stag''s Head', NULL); \
     INSERT INTO transactions SELECT 't' || n, CASE WHEN n % 2 = 0 THEN 'pub' ELSE 'bar' END, 0, 0, '2026-03-01 19:30+00' FROM generate_series(1, 100) n; \
     INSERT INTO beers SELECT 'p' || n, 't' || (1 + n % 100), 'Plain Stout', 4 + (n % 7) * 0.35, '4.2%', 0.23, 568, NULL FROM generate_series(1, 500) n",
    "UPDATE beers SET beer_price_per_unit = beer_price_per_unit + 0.10 WHERE right(product_id, 1) = '3'",
    "DELETE FROM beers WHERE right(product_id, 1) = '7'",
    "UPDATE transactions SET user_id = 'pub' WHERE transaction_id = 't9'; UPDATE beers SET product_id = 'q1' WHERE product_id = 'p1'",
    "INSERT INTO beers VALUES ('late', 'tomorrow', 'Harbour Lager', 6.50, NULL, 0.23, 330, NULL)",
    "INSERT INTO transactions VALUES ('tomorrow', 'bar', 0, 0, '2026-03-02 00:10+00'); UPDATE beers SET beer_tax_rate = 0.135 WHERE product_id = 'p2'",
];

#[tokio::test]
async fn the_books_follow_the_till() {
    for (prefix, properties) in [("precise", [].as_slice()), ("strings", &["decimal.handling.mode=string"])] {
        let Some(mut chain) = Chain::start(prefix, properties).await else { return };
        for step in STEPS {
            postgres::ask(&chain.till, step);
            chain.agrees(step).await;
        }
        chain.end().await;
    }
}
