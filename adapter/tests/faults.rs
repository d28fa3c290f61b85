//! Whatever part of the chain is killed, the books end as the till does. In a binary of its own: it takes the database from everybody.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::time::Duration;

use support::{
    broker,
    chain::{Chain, Part},
    postgres,
};

/// Kills that a short run makes; `CELLARBOOK_FAULTS` says otherwise.
const FAULTS: u32 = 8;
/// One fault in so many comes while the chain still recovers from the one before; the others find it at work.
const TOO_SOON: u64 = 2;
/// A fault comes within this of the till's sales: from the till's commit into the books they take 0.2 s.
const UNDER_WAY: u64 = 300;
/// Within this Debezium has written down how far it is.
const OFFSETS_KEPT: Duration = Duration::from_secs(1);

/// Sales, changes, deletions and transactions that change hands, while one part or another is killed.
#[tokio::test]
async fn nothing_is_lost_or_doubled_whatever_is_killed() {
    let mut parts = vec![Part::Adapter, Part::Debezium, Part::Postgres];
    if broker::keep_topics() {
        parts.push(Part::Broker);
    }
    let Some(mut chain) = Chain::start("faults", &[]).await else { return };
    open(&mut chain).await;
    let faults = std::env::var("CELLARBOOK_FAULTS").map_or(FAULTS, |faults| faults.parse().unwrap());
    let mut random = Random(88_172_645_463_325_252);
    for fault in 0..faults {
        let transaction = format!("t{fault}");
        let owner = if random.below(2) == 0 { "pub" } else { "bar" };
        let begin =
            format!("INSERT INTO transactions VALUES ('{transaction}', '{owner}', 0, 0, '2026-03-01 19:30+00') ON CONFLICT DO NOTHING");
        postgres::insist(&chain.till, &begin);
        if random.below(TOO_SOON) != 0 {
            chain.knows(&transaction).await;
        }
        for statement in trade(fault, &mut random) {
            postgres::insist(&chain.till, &statement);
        }
        tokio::time::sleep(Duration::from_millis(random.below(UNDER_WAY))).await;
        // Each in its turn first, so that a short run kills all of them.
        let part = if (fault as usize) < parts.len() { fault as usize } else { random.below(parts.len() as u64) as usize };
        chain.kill(parts[part]);
    }
    postgres::insist(&chain.till, "SELECT 1");
    chain.agrees("all faults").await;
    println!("{faults} faults ({parts:?}), no cent lost or doubled");
    chain.end().await;
}

/// Killed within its first snapshot, Debezium begins with another, which tells of no deletion in between: it has to be past it.
async fn open(chain: &mut Chain) {
    postgres::insist(
        &chain.till,
        "INSERT INTO users VALUES ('pub', 'The Long Hall', NULL), ('bar', 'The Stag''s Head', NULL) ON CONFLICT DO NOTHING",
    );
    postgres::insist(&chain.till, "INSERT INTO transactions VALUES ('first', 'pub', 0, 0, '2026-03-01 19:30+00') ON CONFLICT DO NOTHING");
    let sell = "INSERT INTO beers VALUES ('first', 'first', 'Plain Stout', 5.80, NULL, 0.23, 568, NULL) ON CONFLICT DO NOTHING";
    for statement in [sell, "DELETE FROM beers WHERE product_id = 'first'"] {
        postgres::insist(&chain.till, statement);
        chain.agrees("the first sale").await;
    }
    tokio::time::sleep(OFFSETS_KEPT).await;
}

/// Fifty sale lines; a new price for one of them; one of all so far deleted; one transaction of all so far given to the pub. Each bears repeating.
fn trade(fault: u32, random: &mut Random) -> [String; 4] {
    let first = fault * 50;
    [
        format!(
            "INSERT INTO beers SELECT 'p' || n, 't{fault}', 'Plain Stout', 4 + n % 7 * 0.35, NULL, 0.23, 568, NULL \
             FROM generate_series({first}, {first} + 49) n ON CONFLICT DO NOTHING"
        ),
        format!(
            "UPDATE beers SET beer_price_per_unit = {}.15 WHERE product_id = 'p{}'",
            3 + random.below(5),
            u64::from(first) + random.below(50)
        ),
        format!("DELETE FROM beers WHERE product_id = 'p{}'", random.below(u64::from(first) + 50)),
        format!("UPDATE transactions SET user_id = 'pub' WHERE transaction_id = 't{}'", random.below(u64::from(fault) + 1)),
    ]
}

/// Xorshift: the same faults every time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The high bits: the low ones of neighbouring numbers hang together.
        (self.0 >> 24) % bound
    }
}
