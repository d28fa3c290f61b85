//! Whatever part of the chain is killed, the books end as the till does. In a binary of its own: it takes the database from everybody.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::time::Duration;

use support::{chain::Chain, postgres};

/// Kills that a short run makes; `CELLARBOOK_FAULTS` says otherwise.
const FAULTS: u32 = 9;

/// Within this Debezium has written down how far it is.
const OFFSETS_KEPT: Duration = Duration::from_secs(1);

/// Sales, changes, deletions and transactions that change hands, while one part after the other is killed.
#[tokio::test]
async fn nothing_is_lost_or_doubled_whatever_is_killed() {
    let Some(mut chain) = Chain::start("faults", &[]).await else { return };
    postgres::insist(
        &chain.till,
        "INSERT INTO users VALUES ('pub', 'The Long Hall', NULL), ('bar', 'The Stag''s Head', NULL) ON CONFLICT DO NOTHING",
    );
    // Killed within its first snapshot, Debezium begins with another, which tells of no deletion in between: it has to be past it.
    postgres::insist(&chain.till, "INSERT INTO transactions VALUES ('first', 'pub', 0, 0, '2026-03-01 19:30+00') ON CONFLICT DO NOTHING");
    let sell = "INSERT INTO beers VALUES ('first', 'first', 'Plain Stout', 5.80, NULL, 0.23, 568, NULL) ON CONFLICT DO NOTHING";
    for statement in [sell, "DELETE FROM beers WHERE product_id = 'first'"] {
        postgres::insist(&chain.till, statement);
        chain.agrees("the first sale").await;
    }
    tokio::time::sleep(OFFSETS_KEPT).await;
    let faults = std::env::var("CELLARBOOK_FAULTS").map_or(FAULTS, |faults| faults.parse().unwrap());
    let mut random = 88_172_645_463_325_252_u64;
    for fault in 0..faults {
        // Xorshift: the same faults every time.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let (batch, owner) = (fault * 50, if random.is_multiple_of(2) { "pub" } else { "bar" });
        for statement in [
            format!("INSERT INTO transactions VALUES ('t{fault}', '{owner}', 0, 0, '2026-03-01 19:30+00') ON CONFLICT DO NOTHING"),
            format!(
                "INSERT INTO beers SELECT 'p' || n, 't{fault}', 'Plain Stout', 4 + n % 7 * 0.35, NULL, 0.23, 568, NULL \
                 FROM generate_series({batch}, {batch} + 49) n ON CONFLICT DO NOTHING"
            ),
            format!(
                "UPDATE beers SET beer_price_per_unit = {}.15 WHERE product_id = 'p{}'",
                3 + random % 5,
                random % 50 + u64::from(batch)
            ),
            format!("DELETE FROM beers WHERE product_id = 'p{}'", (random >> 8) % u64::from(batch + 50)),
            format!("UPDATE transactions SET user_id = 'pub' WHERE transaction_id = 't{}'", (random >> 16) % u64::from(fault + 1)),
        ] {
            postgres::insist(&chain.till, &statement);
        }
        tokio::time::sleep(Duration::from_millis((random >> 24) % 900)).await;
        match fault % 3 {
            0 => chain.adapter.kill().unwrap(),
            1 => postgres::kill(),
            _ => chain.debezium.kill().unwrap(),
        }
        chain.mend();
    }
    postgres::insist(&chain.till, "SELECT 1");
    chain.agrees("all faults").await;
    println!("{faults} faults, no cent lost or doubled");
    chain.end().await;
}
